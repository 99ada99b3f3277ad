from __future__ import annotations

import numpy as np
import pytest

from fascnet.phantom.confounders import ArterialPulsation, Pseudotremor, VoluntaryContraction
from fascnet.phantom.motion import Motion
from fascnet.phantom.picture_motion import Breathing, ProbeDrift, ProbeJolt

PLACES = np.random.default_rng(0).uniform(0, 32, (400, 2)).astype(np.float32)
DISC = ArterialPulsation((16.0, 14.0), 1.2, 2.5, 0.1, None, 0.2, 1.2, 0.0, 5.0)
TUBE = ArterialPulsation((16.0, 14.0), 1.2, 2.5, 0.0, 12.0, 0.2, 1.2, 0.0, 5.0)
MOTIONS: list[Motion] = [
    ProbeDrift((0.5, 0.2), (0.1, 0.2), 0.4, 5.0),
    ProbeJolt((1.0, -0.4), 2.0, 0.1, 0.3, 0.5, 0.6),
    DISC,
    TUBE,
    VoluntaryContraction(14.0, 8.0, 16.0, 0.1, 2.0, 0.4, 1.0, 0.5, 0.8, 0.5),
    Breathing((0.1, 0.4), 0.25, 0.3, 32.0, 5.0),
    Pseudotremor(((10.0, 12.0), (20.0, 15.0)), (0.1, 0.3), (0.1, 0.2), 3.0, (8.0, 8.3), 1.0, 2.0),
]


@pytest.mark.parametrize("motion", MOTIONS, ids=lambda motion: type(motion).__name__)
def test_starts_at_rest_moves_and_never_jumps(motion: Motion) -> None:
    assert np.abs(motion.displacement(PLACES, 0.0)).max() < 1e-6
    times = np.arange(0, 5, 0.005)
    path = np.stack([motion.displacement(PLACES, float(t)) for t in times])
    size = np.linalg.norm(path, axis=-1)
    assert size.max() > 0.05
    assert np.linalg.norm(np.diff(path, axis=0), axis=-1).max() < 0.15 * size.max() + 1e-6
    start_s, end_s = motion.active_s
    assert size[times <= start_s].max(initial=0.0) < 1e-6
    after = path[times > end_s + 0.01]
    assert np.abs(after - after[:1]).max(initial=0.0) < 1e-4, "at rest again, wherever that is"


def test_an_artery_pushes_outward_with_a_fast_rise() -> None:
    around = np.array([[16 + 3, 14], [16 - 3, 14], [16, 17], [16, 11]], dtype=np.float32)
    out = DISC.displacement(around, 0.13)
    assert np.all(np.sum(out * (around - [16, 14]), axis=-1) > 0)
    wave = np.array([DISC.courses(t)[0] for t in np.arange(0, 1 / 1.2, 0.001)])
    assert wave.max() == pytest.approx(0.2, rel=0.01)
    assert int(wave.argmax()) < 0.2 * len(wave)


def test_an_artery_along_the_plane_moves_its_walls_apart() -> None:
    walls = np.array([[16, 12.8], [16, 15.2]], dtype=np.float32)
    upper, lower = TUBE.displacement(walls, 0.12)
    assert upper[1] < 0 < lower[1]
    assert abs(upper[0]) < 1e-6


def test_a_jolt_keeps_what_it_says() -> None:
    moved = MOTIONS[1].displacement(PLACES, 4.0)
    np.testing.assert_allclose(moved, np.tile([0.5, -0.2], (len(PLACES), 1)), atol=1e-6)
    assert MOTIONS[1].slice_angle(4.0) == pytest.approx(0.3)


def test_pseudotremor_is_rhythmic() -> None:
    times = np.arange(1.5, 2.5, 0.001)
    course = np.array([MOTIONS[6].courses(float(t))[0] for t in times])
    spectrum = np.abs(np.fft.rfft(course - course.mean()))
    assert int(spectrum.argmax()) == 8


def test_a_contraction_thickens_the_muscle() -> None:
    column = np.array([[16, 10], [16, 18]], dtype=np.float32)
    upper, lower = MOTIONS[4].displacement(column, 2.0)
    assert lower[1] > upper[1]
