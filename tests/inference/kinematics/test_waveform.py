from __future__ import annotations

import numpy as np
import pytest

from fascnet.inference.kinematics.waveform import measure_waveform


def make_course(fps, start_s=0.4, rise_s=0.1, decay_s=0.08, phase=0.0):
    times_s = np.arange(0.0, 1.2, 1 / fps) + phase / fps
    since = times_s - start_s
    rise = np.sin(0.5 * np.pi * np.clip(since / rise_s, 0, 1)) ** 2
    return times_s, np.where(since < rise_s, rise, np.exp(-np.maximum(since - rise_s, 0) / decay_s))


def test_a_straight_rise_is_read_exactly():
    times_s = np.linspace(0, 1, 101)
    found = measure_waveform(
        times_s, np.interp(times_s, [0, 0.3, 0.5, 0.9, 1], [0, 0, 2, 0, 0]), (0.25, 0.95)
    )
    assert found.peak == pytest.approx(2.0, abs=0.03)
    assert found.peak_s == pytest.approx(0.5, abs=0.005)
    assert found.onset_s == pytest.approx(0.31, abs=0.004)
    assert found.half_s == pytest.approx(0.7, abs=0.005)
    assert found.offset_s == pytest.approx(0.86, abs=0.005)


@pytest.mark.parametrize("fps", [30.0, 60.0])
@pytest.mark.parametrize("phase", [0.0, 0.3, 0.6, 0.9])
def test_times_lie_between_the_frames(fps, phase):
    found = measure_waveform(*make_course(fps, phase=phase), (0.35, 0.8))
    onset_s = 0.4 + 0.1 * 2 / np.pi * np.arcsin(np.sqrt(0.05))
    assert found.onset_s == pytest.approx(onset_s, abs=0.5 / fps)
    assert found.peak_s == pytest.approx(0.5, abs=0.5 / fps)
    assert found.half_s == pytest.approx(0.5 + 0.08 * np.log(2), abs=0.5 / fps)
    assert found.peak_slope == pytest.approx(np.pi / 0.2, rel=0.12)


def test_noise_does_not_move_the_onset_far():
    rng = np.random.default_rng(0)
    times_s, course = make_course(60.0)
    found = [
        measure_waveform(times_s, course + 0.03 * rng.standard_normal(course.shape), (0.35, 0.8)).onset_s
        for _ in range(50)
    ]
    assert np.max(np.abs(np.array(found) - 0.414)) < 1 / 60


def test_uneven_frames_are_no_trouble():
    times_s, course = make_course(60.0)
    keep = np.ones(len(times_s), dtype=bool)
    keep[[10, 27, 31, 40]] = False
    found = measure_waveform(times_s[keep], course[keep], (0.35, 0.8))
    assert found.onset_s == pytest.approx(0.414, abs=0.01)


def test_what_only_rises_or_never_does_has_no_peak():
    times_s = np.linspace(0, 1, 61)
    assert measure_waveform(times_s, times_s, (0.5, 1.0)) is None
    assert measure_waveform(times_s, np.zeros(61), (0.0, 1.0)) is None
    assert measure_waveform(times_s, np.zeros(61), (2.0, 3.0)) is None


def test_a_movement_that_stays_has_no_half_and_no_end():
    times_s = np.linspace(0, 1, 61)
    course = np.clip((times_s - 0.4) / 0.1, 0, 1) - 0.3 * np.clip(times_s - 0.5, 0, None)
    found = measure_waveform(times_s, course, (0.3, 0.9))
    assert found.half_s is None
    assert found.offset_s is None
