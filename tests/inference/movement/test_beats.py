from __future__ import annotations

import numpy as np
import pytest

from fascnet.inference.movement.beats import (
    STEP_S,
    autocorrelate,
    find_alike,
    find_strongest,
    make_even,
    measure_excess,
)
from fascnet.inference.movement.trace import Course

from .moving import course_of, twitch_velocity

MIDDLE = (1, 1)


def test_excess_is_one_for_a_beat_and_without_bound_when_there_is_nothing_to_compare():
    times_s = np.arange(0, 12, 1 / 60)
    beats_s = np.arange(1.0, 11.5, 1.0)
    noise = 0.05 * np.random.default_rng(2).standard_normal((times_s.size, 4))
    velocity = noise + sum(twitch_velocity(times_s, beat_s - 0.1) for beat_s in beats_s)[:, None]
    assert 0.6 < measure_excess(times_s, velocity, beats_s, 4.9, 5.2) < 1.6
    velocity[:, 1] += twitch_velocity(times_s, 5.0)
    assert measure_excess(times_s, velocity, beats_s, 4.9, 5.3) > 4
    assert measure_excess(times_s, velocity, beats_s[:3], 1.9, 2.3) == np.inf


def test_a_course_is_brought_to_even_steps_without_what_is_slow():
    course = course_of(lambda t: 3.0 + twitch_velocity(t, 5.0), noise=0.0)
    times_s, velocity = make_even(course, MIDDLE, 0.03, 1.0)
    assert np.diff(times_s) == pytest.approx(STEP_S)
    assert velocity.shape == (times_s.size, 18)
    quiet = velocity[(times_s > 1.0) & (times_s < 4.0)]
    assert np.abs(quiet).max() < 0.01
    assert np.abs(velocity).max() > 2.0


def test_nothing_is_known_across_a_gap():
    course = course_of(lambda t: np.sin(2 * np.pi * t), noise=0.0)
    kept = (course.times_s < 5.0) | (course.times_s > 7.0)
    times_s, velocity = make_even(Course(course.times_s[kept], course.mm_per_s[kept]), MIDDLE, 0.01, 100.0)
    hidden = velocity[(times_s > 5.1) & (times_s < 6.9)]
    assert np.ptp(hidden, axis=0).max() < 0.02, "where it moved, it moves by 2"


def test_a_short_course_gives_nothing():
    times_s, velocity = make_even(course_of(lambda t: 0 * t, seconds=0.2), MIDDLE, 0.03, 1.0)
    assert (times_s.size, velocity.shape[0]) == (0, 0)
    assert find_strongest(times_s, velocity, 0.0, 1.0) is None


def test_movements_of_one_form_are_found_with_their_sizes():
    onsets_s, sizes = [2.0, 5.0, 8.0, 11.0], [0.4, 0.4, 0.2, -0.4]

    def move(t):
        return sum(twitch_velocity(t, o, s) for o, s in zip(onsets_s, sizes, strict=True))

    times_s, velocity = make_even(course_of(move, noise=0.01), MIDDLE, 0.03, 1.0)
    middle = find_strongest(times_s, velocity, 5.0, 5.3)
    assert times_s[middle] == pytest.approx(5.15, abs=0.15)
    beats_s, found = find_alike(times_s, velocity, middle, 0.8)
    assert beats_s - times_s[middle] == pytest.approx([-3.0, 0.0, 3.0], abs=0.03)
    assert found == pytest.approx([1.0, 1.0, 0.5], abs=0.05)


def test_autocorrelation_of_an_oscillation_is_one_at_its_period():
    t = np.arange(0, 3, STEP_S)
    likeness = autocorrelate(np.sin(2 * np.pi * 6 * t)[:, None], 12)
    assert likeness[[0, 5, 10]] == pytest.approx([1.0, -1.0, 1.0], abs=0.05)
    assert autocorrelate(np.zeros((20, 2)), 4).tolist() == [1.0, 0.0, 0.0, 0.0]
