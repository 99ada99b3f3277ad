from __future__ import annotations

import numpy as np
import pytest

from fascnet.inference.movement.judge import (
    MovementRules,
    explain_unscored,
    extend_last,
    find_part,
    judge_events,
)
from fascnet.inference.movement.periodic import PeriodicRule
from fascnet.inference.movement.unscored import RejectRule
from fascnet.inference.movement.watcher import MovementWatcher
from fascnet.types import Event, NotScored, Point

from .moving import MM, SIDE, film, make_speckle, shift, spot

PARTS = (NotScored(2.0, 3.0, "probe_moved"), NotScored(5.0, 6.0, "frozen"))


@pytest.mark.parametrize(
    ("event", "part"),
    [
        (Event(0.5, 0.8, 0.6), None),
        (Event(1.8, 2.3, 2.1), 0),
        (Event(1.8, 2.3, 1.9), 0),
        (Event(1.5, 2.3, 1.9), None),
        (Event(2.9, 3.4), None),
        (Event(2.8, 3.1), 0),
        (Event(1.0, 9.0, 5.5), 1),
        (Event(1.0, 9.0, 8.0), None),
        (Event(3.0, 5.0), None),
    ],
)
def test_an_event_belongs_to_the_part_that_holds_its_peak_or_half_of_it(event, part):
    assert find_part(event, PARTS) == part


def test_a_part_that_reaches_the_end_holds_the_last_moment():
    """The last heatmap may stand at the clip's end, or a tick later."""
    last, whole = extend_last(PARTS, 6.0), extend_last(PARTS, 7.0)
    assert find_part(Event(6.0, 6.1, 6.0), last) == 1
    assert find_part(Event(6.0, 6.1, 6.0), whole) is None
    assert (last[0], whole) == (PARTS[0], list(PARTS))


def test_only_a_clip_that_is_mostly_left_out_says_why():
    assert explain_unscored(PARTS, 10.0) == ""
    assert explain_unscored(PARTS, 4.0) == "2.0 of 4.0 s not scored: probe_moved, frozen"
    assert explain_unscored((), 0.0) == ""


def beat(time_s, period_s=0.8):
    part = time_s % period_s
    return np.interp(part, [0, 0.1, 0.4, period_s], [0, 1, 0, 0])


def test_pulses_are_named_and_events_of_a_jolt_dropped_and_a_twitch_stays():
    speckle = make_speckle(4)
    artery, focus = spot(40, 110, 14), spot(120, 50, 14)

    def draw(time_s):
        twitch = np.interp(time_s, [5.0, 5.1, 5.4], [0, 1, 0])
        jolt = np.interp(time_s, [9.0, 9.1], [0, 1])
        return shift(speckle, 2.5 * focus * twitch + 5 * jolt, 2 * artery * beat(time_s))

    events = [
        Event(4.0, 4.3, 4.1, region=Point(40.0, 110.0), score=0.9),
        Event(5.0, 5.3, 5.1, region=Point(120.0, 50.0), score=0.9),
        Event(6.0, 6.2, 6.1),
        Event(9.0, 9.2, 9.1, region=Point(80.0, 80.0), score=0.9),
    ]
    beats_s = (0.8, 1.6, 2.4, 3.2, 4.8, 5.6, 6.4)
    dropped = [Event(t, t + 0.3, t + 0.1, region=Point(40.0, 110.0), score=0.2) for t in beats_s]
    rules = MovementRules(RejectRule(), PeriodicRule())
    with MovementWatcher((0, 0, SIDE, SIDE), MM, rules.reject) as watcher:
        for frame in film(draw, 10.0):
            watcher.watch(frame)
        judged = judge_events(events, watcher, rules, 10.0, dropped)
        unnamed = judge_events(events[:2], watcher, MovementRules(None, None), 10.0)
    assert [event.label for event in judged.events] == [
        "arterial_pulsation",
        "fasciculation",
        "fasciculation",
    ]
    assert judged.events[0].movement_hz == pytest.approx(1.25, abs=0.05)
    assert judged.events[1].movement_hz is None
    assert [event for event, _ in judged.rhythms] == [judged.events[0], *dropped]
    (part,) = judged.not_scored
    assert (part.reason, part.n_events) == ("probe_moved", 1)
    assert [event.label for event in unnamed.events] == ["fasciculation"] * 2


def test_rules_say_whether_they_do_anything_and_what():
    assert MovementRules().is_idle
    assert not MovementRules(reject=RejectRule()).is_idle
    facts = MovementRules(None, PeriodicRule(pulse_beats=6)).describe()
    assert facts["reject"] is None
    assert (facts["name_periodic"]["pulse_beats"], facts["name_periodic"]["tremor_hz"]) == (6, [4.0, 12.0])
