"""What every movement keeps to, whatever it is."""

from __future__ import annotations

import numpy as np
import pytest

from fascnet.phantom.movement.confounders import CONFOUNDER_LABELS
from tests.phantom.moving import DURATION_S, MOTIONS, PLACES

TIMES = np.arange(0, DURATION_S, 0.005)


@pytest.mark.parametrize("name", MOTIONS)
def test_starts_at_rest_moves_and_never_jumps(name: str) -> None:
    motion = MOTIONS[name]
    assert np.abs(motion.displacement(PLACES, 0.0)).max() < 1e-6
    assert motion.slice_angle(0.0) == pytest.approx(0.0, abs=1e-9)
    modes = motion.modes(PLACES)
    courses = np.stack([motion.courses(float(t)) for t in TIMES])
    path = np.einsum("tk,knd->tnd", courses, modes)
    size = np.linalg.norm(path, axis=-1)
    angles = np.array([motion.slice_angle(float(t)) for t in TIMES])
    assert size.max() > 0.01 or np.abs(angles).max() > 0.1
    assert np.linalg.norm(np.diff(path, axis=0), axis=-1).max() < 0.25 * size.max() + 1e-6
    assert np.abs(np.diff(angles)).max() < 0.1
    start_s, end_s = motion.active_s
    before, after = start_s >= TIMES, end_s + 0.01 < TIMES
    assert size[before].max(initial=0.0) < 1e-6
    assert np.abs(angles[before]).max(initial=0.0) < 1e-9
    for values in (path[after], angles[after]):
        assert np.abs(values - values[:1]).max(initial=0.0) < 1e-3, "at rest again, wherever that is"


@pytest.mark.parametrize("name", MOTIONS)
def test_displacement_is_modes_times_courses_and_keeps_its_label(name: str) -> None:
    motion = MOTIONS[name]
    expected = np.einsum("k,knd->nd", motion.courses(2.2), motion.modes(PLACES))
    np.testing.assert_allclose(motion.displacement(PLACES, 2.2), expected, atol=1e-5)
    assert motion.displacement(PLACES, 2.2).dtype == np.float32
    assert motion.label in CONFOUNDER_LABELS
    assert motion.courses(2.2).shape == (len(motion.modes(PLACES)),)


@pytest.mark.parametrize("name", [name for name, motion in MOTIONS.items() if motion.is_local])
def test_modes_of_local_movements_have_a_peak_of_about_one(name: str) -> None:
    """Regions are drawn where a mode reaches one half."""
    axis = np.arange(0, 32, 0.2, dtype=np.float32)
    places = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    peaks = np.linalg.norm(MOTIONS[name].modes(places), axis=-1).max(axis=1)
    np.testing.assert_allclose(peaks, 1.0, atol=0.12)


@pytest.mark.parametrize("name", [name for name, motion in MOTIONS.items() if motion.is_local])
def test_the_probe_holds_the_skin_against_local_movements(name: str) -> None:
    skin = np.stack([np.linspace(0, 32, 60), np.zeros(60)], axis=-1).astype(np.float32)
    assert np.abs(MOTIONS[name].modes(skin)).max() < 1e-6
    assert not MOTIONS["contraction"].modes(skin).any()
