from __future__ import annotations

import numpy as np
import pytest

from tests.phantom.moving import BREATHING, DRIFT, JOLT, PLACES, TURN

TIMES = np.arange(0, 40, 0.01)


def test_a_jolt_keeps_what_it_says() -> None:
    moved = JOLT.displacement(PLACES, 4.0)
    np.testing.assert_allclose(moved, np.tile([0.5, -0.2], (len(PLACES), 1)), atol=1e-6)
    assert JOLT.slice_angle(4.0) == pytest.approx(0.3)


def test_a_turned_picture_keeps_its_distances() -> None:
    moved = PLACES + TURN.displacement(PLACES, 4.0)
    pivot = np.array([16.0, 0.0])
    np.testing.assert_allclose(
        np.linalg.norm(moved - pivot, axis=-1), np.linalg.norm(PLACES - pivot, axis=-1), atol=1e-4
    )
    assert np.linalg.norm(moved - PLACES, axis=-1).max() > 0.5


def test_drift_moves_everything_alike() -> None:
    moved = DRIFT.displacement(PLACES, 2.5)
    np.testing.assert_allclose(moved, np.tile(moved[:1], (len(PLACES), 1)), atol=1e-6)
    np.testing.assert_allclose(moved[0], [0.5, 0.0], atol=1e-6)


def test_breathing_is_slow_deeper_below_and_never_twice_the_same() -> None:
    shallow, deep = BREATHING.displacement(np.array([[5, 8], [5, 32]], dtype=np.float32), 1.0)
    np.testing.assert_allclose(deep, 4 * shallow, rtol=1e-5)
    course = np.array([BREATHING.courses(float(t))[0] for t in TIMES])
    spectrum = np.abs(np.fft.rfft(course - course.mean()))
    rates_hz = np.fft.rfftfreq(len(course), 0.01)
    assert 0.2 <= rates_hz[spectrum.argmax()] <= 0.3
    peaks = course[1:-1][(course[1:-1] > course[:-2]) & (course[1:-1] >= course[2:])]
    assert np.std(peaks) > 0.02
    assert np.ptp(course) < 1.3
