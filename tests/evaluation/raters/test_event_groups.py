from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from fascnet.errors import SettingError
from fascnet.evaluation.matching.match import MatchingRule, match_events
from fascnet.evaluation.raters.event_groups import NO, SILENT, YES, group_events, vote, vote_on_clip
from fascnet.types import Box, Event, Labels

NEAR = MatchingRule("near", "tolerance", tolerance_s=0.167)


def labels(rater: str, onsets, examined=((0.0, 10.0),), **facts) -> Labels:
    events = tuple(Event(t, t + 0.3, t + 0.1, **facts) for t in onsets)
    return Labels("c", rater, examined, events)


def members(groups) -> set[frozenset]:
    return {frozenset((rater, event.onset_s) for rater, event in group.members) for group in groups}


def test_three_raters_by_hand():
    three = [labels("a", [1.0, 5.0]), labels("b", [1.1, 5.05]), labels("c", [1.06, 8.0])]
    groups = group_events(three, NEAR)
    assert members(groups) == {
        frozenset({(0, 1.0), (1, 1.1), (2, 1.06)}),
        frozenset({(0, 5.0), (1, 5.05)}),
        frozenset({(2, 8.0)}),
    }
    first = groups[0].event
    assert (first.onset_s, first.offset_s, first.peak_s) == pytest.approx((1.06, 1.36, 1.16))
    assert [vote(group, three, frozenset()) for group in groups] == [
        [YES, YES, YES],
        [YES, YES, NO],
        [NO, NO, YES],
    ]


@pytest.mark.parametrize("seed", range(10))
def test_two_raters_are_matched_as_match_events_does(seed):
    rng = np.random.default_rng(seed)
    two = [labels(name, np.sort(rng.uniform(0, 9, 15))) for name in "ab"]
    pairs = {(m.reference, m.found) for m in match_events(two[0].events, two[1].events, NEAR).matches}
    found = set()
    for group in group_events(two, NEAR):
        if len(group.members) == 2:
            found.add(tuple(two[r].events.index(event) for r, event in group.members))
    assert found == pairs


@pytest.mark.parametrize("seed", range(5))
def test_order_of_raters_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    four = [labels(name, np.sort(rng.uniform(0, 9, 8))) for name in "abcd"]
    expected = {frozenset(onset for _, onset in group) for group in members(group_events(four, NEAR))}
    for order in itertools.permutations(range(4)):
        groups = members(group_events([four[i] for i in order], NEAR))
        assert {frozenset(onset for _, onset in group) for group in groups} == expected


@pytest.mark.parametrize("seed", range(5))
def test_each_event_is_in_one_group_and_a_rater_once_in_a_group(seed):
    rng = np.random.default_rng(seed)
    four = [labels(name, np.sort(rng.uniform(0, 9, 12))) for name in "abcd"]
    groups = group_events(four, NEAR)
    assert sum(len(group.members) for group in groups) == 48
    for group in groups:
        raters = [rater for rater, _ in group.members]
        assert raters == sorted(set(raters))


def test_copies_of_one_rater_form_full_groups():
    three = [labels(name, [1.0, 1.1, 4.0]) for name in "abc"]
    assert [len(group.members) for group in group_events(three, NEAR)] == [3, 3, 3]


def test_space_and_labels_keep_events_apart():
    near_in_space = MatchingRule("space", "tolerance", tolerance_s=0.167, max_distance_px=15)
    two = [labels("a", [1.0], region=Box(0, 0, 10, 10)), labels("b", [1.0], region=Box(90, 0, 99, 10))]
    assert len(group_events(two, near_in_space)) == 2
    assert len(group_events(two, NEAR)) == 1
    assert group_events(two, NEAR, label="probe_motion") == []
    with pytest.raises(SettingError, match="mm_per_px"):
        group_events(two, MatchingRule("mm", max_distance_mm=1.0))


def test_who_did_not_look_or_was_unsure_is_silent():
    three = [labels("a", [8.0]), labels("b", [], ((0.0, 5.0),)), labels("c", [8.0], certainty="possible")]
    (group,) = group_events(three, NEAR)
    assert vote(group, three, frozenset({"possible"})) == [YES, SILENT, SILENT]
    assert vote(group, three, frozenset()) == [YES, SILENT, YES]


def test_seconds_without_events_are_votes_too():
    two = [labels("a", [1.2]), labels("b", [], ((0.0, 5.0),))]
    votes = vote_on_clip(two, group_events(two, NEAR), frozenset())
    assert votes.tolist() == [[YES, NO]] + [[NO, NO]] * 4 + [[NO, SILENT]] * 5


def test_endless_examined_seconds_are_cut():
    two = [labels("a", [1.2], ((0.0, math.inf),)), labels("b", [])]
    assert len(vote_on_clip(two, group_events(two, NEAR), frozenset())) == 10


def test_nobody_saw_anything():
    assert group_events([labels("a", []), labels("b", [])], NEAR) == []
    assert group_events([], NEAR) == []
