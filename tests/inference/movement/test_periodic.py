from __future__ import annotations

import numpy as np
import pytest

from fascnet.errors import SettingError
from fascnet.inference.movement.periodic import (
    ARTERIAL_PULSATION,
    PSEUDOTREMOR,
    PeriodicRule,
)
from fascnet.inference.movement.trace import Course

from .moving import course_of, twitch_velocity

MIDDLE = (1, 1)


def beats_at(onsets_s, sizes=None):
    sizes = [0.4] * len(onsets_s) if sizes is None else sizes
    return course_of(lambda t: sum(twitch_velocity(t, o, s) for o, s in zip(onsets_s, sizes, strict=True)))


def find(course, onset_s, length_s=0.3, **rule):
    return PeriodicRule(**rule).find_rhythm(course, MIDDLE, onset_s, onset_s + length_s)


@pytest.mark.parametrize("hz", [0.85, 1.2, 1.7])
def test_a_beat_of_an_even_train_is_a_pulse_with_its_rate(hz):
    onsets_s = np.arange(0.3, 13.5, 1 / hz)
    rhythm = find(beats_at(onsets_s), onsets_s[len(onsets_s) // 2])
    assert rhythm.label == ARTERIAL_PULSATION
    assert rhythm.hz == pytest.approx(hz, rel=0.03)
    assert rhythm.start_s < 2.0
    assert rhythm.end_s > 12.0


def test_a_heart_at_rest_varies_and_a_beat_may_be_hidden():
    rng = np.random.default_rng(3)
    onsets_s = 0.3 + np.cumsum(rng.normal(0.95, 0.06, 13))
    sizes = list(0.4 * rng.normal(1.0, 0.12, 13))
    del sizes[5]
    rhythm = find(beats_at(np.delete(onsets_s, 5), sizes), onsets_s[7])
    assert rhythm.label == ARTERIAL_PULSATION
    assert rhythm.hz == pytest.approx(1 / 0.95, rel=0.05)


@pytest.mark.parametrize("seed", range(30))
def test_fasciculations_of_one_focus_keep_their_name(seed):
    """Intervals of 0.5 s and an exponential rest of 0.5 s: once a second, as often as the heart."""
    steps_s = 0.5 + np.random.default_rng(seed).exponential(0.5, 20)
    onsets_s = np.cumsum(steps_s)
    onsets_s = onsets_s[onsets_s < 13.3]
    course = beats_at(onsets_s)
    assert all(find(course, onset_s) is None for onset_s in onsets_s)


def test_a_twitch_on_top_of_a_pulse_keeps_its_name():
    onsets_s = np.arange(0.3, 13.5, 0.9)
    sizes = [0.15] * len(onsets_s)
    sizes[7] = 0.6
    course = beats_at(onsets_s, sizes)
    assert find(course, onsets_s[7]) is None
    assert find(course, onsets_s[6]).label == ARTERIAL_PULSATION


def test_a_twitch_beside_an_artery_that_moves_as_much_keeps_its_name():
    onsets_s = np.arange(0.3, 13.5, 0.8)

    def velocity(t):
        return sum(twitch_velocity(t, o) for o in onsets_s) + twitch_velocity(t, onsets_s[8] + 0.15)

    course = course_of(velocity)
    assert find(course, onsets_s[8], 0.5) is None
    assert find(course, onsets_s[5], 0.5).label == ARTERIAL_PULSATION


def test_what_lasts_over_beats_keeps_its_name():
    course = beats_at(np.arange(0.3, 13.5, 0.8))
    assert find(course, 5.1, 1.0).label == ARTERIAL_PULSATION
    assert find(course, 5.1, 1.5) is None


def test_a_beat_that_shows_no_rhythm_itself_is_told_by_another_beat():
    """Half of the beats look twice as large from the first one: too many to be of its size."""
    onsets_s = np.arange(0.3, 13.5, 0.9)
    sizes = [0.2, *([0.44] * (len(onsets_s) - 1))]
    course, rule = beats_at(onsets_s, sizes), PeriodicRule()
    first, other, between = (
        (float(t), float(t) + 0.3) for t in (onsets_s[0], onsets_s[4], onsets_s[0] + 0.45)
    )
    assert find(course, onsets_s[0]) is None
    assert rule.is_beat_of(beats_at(onsets_s), MIDDLE, other, first)
    assert not rule.is_beat_of(beats_at(onsets_s), MIDDLE, other, between)


def test_a_twitch_on_top_of_a_beat_is_told_by_no_other_beat():
    onsets_s = np.arange(0.3, 13.5, 0.9)
    sizes = [0.2] * len(onsets_s)
    sizes[7] = 0.36
    course, rule = beats_at(onsets_s, sizes), PeriodicRule()
    other, twitch, beat = ((float(onsets_s[k]), float(onsets_s[k]) + 0.3) for k in (4, 7, 9))
    assert rule.is_beat_of(course, MIDDLE, other, beat)
    assert not rule.is_beat_of(course, MIDDLE, other, twitch)
    assert not rule.is_beat_of(course_of(lambda t: 0 * t), MIDDLE, other, beat)


def test_a_focus_that_fires_at_about_even_intervals_for_a_while_keeps_its_name():
    """Intervals of a motor unit that fires tonically deviate by 0.11 to 0.13 of their mean where they are the
    most even; a heart's by up to 0.08 (docs/reject.md)."""
    onsets_s = 0.3 + np.cumsum([0.63, 0.82, 0.6, 0.78, 0.62, 0.6, 0.82, 0.77, 0.6, 0.78])
    course = beats_at(onsets_s)
    assert all(find(course, onset_s) is None for onset_s in onsets_s)


@pytest.mark.parametrize(
    "onsets_s", [[6.0], [6.0, 6.12], [3.0, 6.0, 9.0], [5.0, 6.0, 7.0, 8.0], [2.0, 4.5, 7, 9.5, 12]]
)
def test_few_or_slow_movements_keep_their_name(onsets_s):
    assert find(beats_at(onsets_s), onsets_s[len(onsets_s) // 2]) is None


def test_a_weak_movement_between_two_beats_breaks_no_rhythm():
    onsets_s = [3.0, 3.9, 4.8, 5.7, 6.05, 6.6, 7.5, 8.4]
    rhythm = find(beats_at(onsets_s, [0.4, 0.4, 0.4, 0.4, 0.24, 0.4, 0.4, 0.4]), 4.8)
    assert rhythm.label == ARTERIAL_PULSATION
    assert rhythm.hz == pytest.approx(1 / 0.9, rel=0.02)


@pytest.mark.parametrize("hz", [4.5, 7.0, 11.0])
def test_an_oscillation_that_lasts_is_a_tremor_with_its_rate(hz):
    def velocity(t):
        return 2 * np.pi * hz * 0.05 * np.cos(2 * np.pi * hz * t) * ((t > 5) & (t < 8))

    rhythm = find(course_of(velocity), 6.0, 0.5)
    assert rhythm.label == PSEUDOTREMOR
    assert rhythm.hz == pytest.approx(hz, rel=0.1)
    assert 4.9 < rhythm.start_s < 6.0
    assert 6.4 < rhythm.end_s < 8.1


@pytest.mark.parametrize("hz", [1.0, 3.0, 14.0])
def test_other_rates_are_no_tremor(hz):
    rhythm = find(course_of(lambda t: 2 * np.cos(2 * np.pi * hz * t)), 6.0)
    assert rhythm is None or rhythm.label == ARTERIAL_PULSATION


def test_a_short_burst_is_no_tremor():
    def velocity(t):
        return 2 * np.cos(2 * np.pi * 8 * t) * ((t > 6) & (t < 6.4))

    assert find(course_of(velocity), 6.0, 0.4) is None


def test_a_twitch_in_the_middle_of_a_tremor_keeps_its_name():
    def velocity(t):
        return 0.8 * np.cos(2 * np.pi * 8 * t) * ((t > 4) & (t < 9)) + twitch_velocity(t, 6.0, 0.8)

    course = course_of(velocity)
    assert find(course, 6.0) is None
    assert find(course, 7.5).label == PSEUDOTREMOR


@pytest.mark.parametrize(("times", "label"), [(1.1, PSEUDOTREMOR), (1.6, None)])
def test_what_moves_much_faster_than_the_tremor_around_it_is_no_part_of_it(times, label):
    def velocity(t):
        size = np.where((t > 6) & (t < 6.3), times, 1.0)
        return 0.6 * size * np.cos(2 * np.pi * 6 * t) * ((t > 4) & (t < 9))

    rhythm = find(course_of(velocity), 6.0, 0.3)
    assert (None if rhythm is None else rhythm.label) == label


def test_a_tremor_that_hardly_outlasts_the_event_is_compared_with_nothing():
    def velocity(t):
        return 0.6 * np.cos(2 * np.pi * 5 * t) * ((t > 6) & (t < 7))

    assert find(course_of(velocity), 6.2, 0.8).label == PSEUDOTREMOR


def test_noise_and_a_course_that_is_too_short_have_no_rhythm():
    quiet = course_of(lambda t: 0 * t, noise=0.3)
    assert all(find(quiet, onset_s) is None for onset_s in np.arange(1.0, 13.0, 0.5))
    assert find(Course(np.array([6.0, 6.1]), np.ones((2, 3, 3, 2), np.float32)), 6.0) is None
    assert find(quiet, 40.0) is None


@pytest.mark.parametrize(
    "setting",
    [
        {"pulse_hz": (2.0, 1.0)},
        {"tremor_hz": (4.0, 12.0, 13.0)},
        {"pulse_beats": 2},
        {"tremor_s": 0.0},
        {"tremor_excess": 0.5},
    ],
)
def test_settings_outside_their_range_are_refused(setting):
    with pytest.raises(SettingError, match=next(iter(setting))):
        PeriodicRule(**setting)
