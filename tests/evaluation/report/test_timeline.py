from __future__ import annotations

import math

import pytest

from fascnet.evaluation.matching.match import MatchingRule, match_events
from fascnet.evaluation.outcome import ClipOutcome
from fascnet.evaluation.report.canvas import open_picture
from fascnet.evaluation.report.timeline import ERROR, FALSE, HIT, draw_timeline, find_end_s
from fascnet.types import Event


def make_outcome(reference, found, examined=((0.0, 10.0),)):
    reference, found = tuple(reference), tuple(found)
    matching = match_events(reference, found, MatchingRule("any_overlap"), examined=examined)
    return ClipOutcome("c", 0, examined, reference, found, matching, None)


def test_each_event_is_a_bar_in_its_row_and_errors_are_hatched():
    outcome = make_outcome([Event(1, 1.5), Event(5, 5.5)], [Event(1.1, 1.4), Event(8, 8.5)])
    axes = open_picture()[1]
    draw_timeline(axes, outcome, [Event(2, 4, label="probe_motion")], 10.0, 5.2)
    assert [text.get_text() for text in axes.get_yticklabels()] == ["probe motion", "reference", "found"]
    bars = [(c.patches[0].get_x(), c.patches[0].get_y(), c.patches[0].get_hatch()) for c in axes.containers]
    assert [(x, round(y + 0.35), bool(hatch)) for x, y, hatch in bars] == [
        (2, 0, False),
        (1, 1, False),
        (5, 1, True),
        (1.1, 2, False),
        (8, 2, True),
    ]
    assert len({HIT, ERROR, FALSE}) == 3
    assert axes.get_xlim() == (0, 10)


def test_a_short_twitch_in_a_long_clip_can_be_seen():
    outcome = make_outcome([Event(100.0, 100.2)], [], ((0.0, 600.0),))
    axes = open_picture()[1]
    draw_timeline(axes, outcome, [], 600.0, None)
    assert axes.containers[0].patches[0].get_width() == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("examined", "duration_s", "end_s"),
    [(((0.0, 10.0),), None, 10.0), (((0.0, math.inf),), 12.0, 12.0), (((0.0, math.inf),), None, 5.5)],
)
def test_the_bar_ends_with_the_recording_or_the_last_thing_known(examined, duration_s, end_s):
    outcome = make_outcome([Event(5, 5.5)], [], examined)
    assert find_end_s(outcome, [Event(0, 99, label="breathing")], duration_s) == end_s
