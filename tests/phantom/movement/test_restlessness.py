from __future__ import annotations

import numpy as np
import pytest

from fascnet.phantom.movement.restlessness import Restlessness, draw_restlessness

PLACES = np.array([[5.0, 0.0], [5.0, 10.0], [30.0, 40.0], [5.0, -2.0]], dtype=np.float32)
TIMES = np.arange(0, 200, 0.02)


def draw(seed: int, size_mm: float = 0.03, size_rad: float = 0.2) -> Restlessness:
    return draw_restlessness(size_mm, size_rad, 40.0, 200.0, np.random.default_rng(seed))


def test_the_size_is_the_rms_over_a_long_time() -> None:
    for seed in range(5):
        motion = draw(seed)
        courses = np.array([motion.courses(float(t)) for t in TIMES])
        assert np.sqrt(np.square(courses).sum(axis=1).mean()) == pytest.approx(0.03, rel=0.08)
        angles = np.array([motion.slice_angle(float(t)) for t in TIMES])
        assert np.sqrt(np.square(angles).mean()) == pytest.approx(0.2, rel=0.08)


def test_it_never_stands_still_and_is_mostly_slow() -> None:
    motion = draw(1)
    courses = np.array([motion.courses(float(t)) for t in TIMES])
    seconds = courses.reshape(-1, 50, 2)
    assert np.ptp(seconds, axis=1).max(axis=1).min() > 0.002
    power = np.square(np.abs(np.fft.rfft(courses, axis=0))).sum(axis=1)[1:]
    rates_hz = np.fft.rfftfreq(len(TIMES), 0.02)[1:]
    assert power[rates_hz < 1].sum() > 0.8 * power.sum()
    assert power[rates_hz > 8.5].sum() < 0.01 * power.sum()


def test_pressing_holds_the_surface_and_sliding_takes_everything_along() -> None:
    moved = draw(2).displacement(PLACES, 3.0)
    np.testing.assert_allclose(moved[:, 0], moved[0, 0], atol=1e-7)
    np.testing.assert_allclose(moved[[0, 3], 1], 0.0, atol=1e-9)
    assert moved[2, 1] == pytest.approx(4 * moved[1, 1], rel=1e-5)
    assert abs(moved[2]).min() > 1e-4


def test_size_0_is_rest() -> None:
    motion = draw(3, 0.0, 0.0)
    assert motion.slice_angle(1.0) == 0.0
    np.testing.assert_array_equal(motion.displacement(PLACES, 1.0), np.zeros_like(PLACES))
    # Neither switch touches the other.
    assert draw(3, 0.0).turns == draw(3).turns
    assert draw(3, 0.03, 0.0).shifts == draw(3).shifts


def test_it_has_no_outline_and_lasts_the_whole_clip() -> None:
    assert not draw(0).is_local
    assert draw(0).active_s == (0.0, 200.0)
