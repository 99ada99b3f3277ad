from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from fascnet.inference.movement.naming import find_rhythms
from fascnet.inference.movement.periodic import PeriodicRule
from fascnet.inference.movement.trace import Course
from fascnet.types import Event, Point

from .moving import course_of, twitch_velocity

BEATS_S = np.arange(0.3, 13.3, 0.9)


class Watched:
    """Stands in for a watcher: one course of 3 x 3 blocks of 10 px, and another block of its own far away."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self.trace = SimpleNamespace(read=self._read)
        self.small = SimpleNamespace(find_block=lambda x, y: (int(y // 10), int(x // 10)))

    def _read(self, start_s, end_s):
        times_s = self._course.times_s
        within = (times_s >= start_s) & (times_s < end_s)
        return Course(times_s[within], self._course.mm_per_s[within])


def watch(onsets_s=BEATS_S, sizes=None):
    sizes = [0.4] * len(onsets_s) if sizes is None else sizes
    pairs = list(zip(onsets_s, sizes, strict=True))
    return Watched(course_of(lambda t: sum(twitch_velocity(t, o, s) for o, s in pairs)))


def mark(onset_s, x=15.0, y=15.0, score=0.9):
    return Event(float(onset_s), float(onset_s) + 0.3, region=Point(x, y), score=score)


def name(events, dropped, watched):
    found = find_rhythms(events, dropped, watched, PeriodicRule())
    return [None if rhythm is None else rhythm.label for rhythm in found]


def test_an_event_that_stands_alone_among_beats_keeps_its_name():
    assert name([mark(BEATS_S[7])], [], watch()) == [None]


def test_a_candidate_of_too_low_a_score_needs_no_company():
    assert name([], [mark(BEATS_S[7])], watch()) == ["arterial_pulsation"]


@pytest.mark.parametrize(
    ("every", "label"), [(1, "arterial_pulsation"), (2, "arterial_pulsation"), (6, None)]
)
def test_beats_that_are_taken_for_twitches_again_and_again_are_named(every, label):
    """The event itself and each other, second or sixth of the beats, as events or as candidates."""
    events, dropped = [mark(BEATS_S[6])], [mark(b, score=0.2) for b in BEATS_S[::every] if b != BEATS_S[6]]
    assert name(events, dropped, watch())[0] == label
    assert name([*events, *dropped], [], watch())[0] == label


def test_candidates_of_other_places_are_no_company():
    elsewhere = [mark(b, x=95.0) for b in BEATS_S if b != BEATS_S[6]]
    assert name([mark(BEATS_S[6]), *elsewhere], [], watch())[0] is None


class DeafRule(PeriodicRule):
    """Finds no rhythm in the first second."""

    def find_rhythm(self, course, block, onset_s, offset_s):
        return None if onset_s < 1.0 else super().find_rhythm(course, block, onset_s, offset_s)


@pytest.mark.parametrize(("first_size", "label"), [(0.4, "arterial_pulsation"), (0.9, None)])
def test_the_pulses_of_a_place_name_a_beat_that_shows_no_rhythm(first_size, label):
    watched = watch(sizes=[first_size, *([0.4] * (len(BEATS_S) - 1))])
    events = [mark(b) for b in BEATS_S]
    found = find_rhythms(events, [], watched, DeafRule())
    assert [rhythm.label for rhythm in found[2:]] == ["arterial_pulsation"] * (len(BEATS_S) - 2)
    assert (None if found[0] is None else found[0].label) == label
    assert find_rhythms(events[:1], events[1:], watched, DeafRule())[0] is None, "only events have a voice"


def test_a_twitch_on_top_of_a_beat_is_outvoted_by_nobody():
    sizes = [0.25] * len(BEATS_S)
    sizes[6] = 0.7
    labels = name([mark(b) for b in BEATS_S], [], watch(sizes=sizes))
    assert labels[6] is None
    assert labels.count("arterial_pulsation") >= 10


def test_an_event_without_a_place_keeps_its_name():
    assert name([Event(5.0, 5.3, score=0.9)], [], watch()) == [None]


def test_tremor_needs_no_company():
    watched = Watched(course_of(lambda t: 2.0 * np.sin(2 * np.pi * 6 * t)))
    assert name([mark(6.0)], [], watched) == ["pseudotremor"]
