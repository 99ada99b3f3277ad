from __future__ import annotations

import pytest

from fascnet.errors import SettingError
from fascnet.evaluation.matching.match import MatchingRule, match_events
from fascnet.evaluation.raters.consensus import build_consensus, decide, find_examined
from fascnet.types import Event, Labels

from ..simulated_raters import SimulatedRater, simulate_study

NEAR = MatchingRule("near", "tolerance", tolerance_s=0.25)


def labels(rater: str, onsets, examined=((0.0, 10.0),), **facts) -> Labels:
    return Labels("c", rater, examined, tuple(Event(t, t + 0.3, **facts) for t in onsets))


def agree(*three: Labels, method: str = "majority", **facts) -> Labels:
    return build_consensus(
        {"c": {one.rater: one for one in three}}, [o.rater for o in three], NEAR, method=method, **facts
    )["c"]


def told(consensus: Labels) -> list[tuple[float, str | None]]:
    return [(event.onset_s, event.certainty) for event in consensus.events]


THREE = labels("a", [1, 3, 5]), labels("b", [1, 3]), labels("c", [1, 7])


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("majority", [(1, "definite"), (3, "probable")]),
        ("union", [(1, "definite"), (3, "probable"), (5, "probable"), (7, "probable")]),
        ("intersection", [(1, "definite")]),
    ],
)
def test_three_raters_by_hand(method, expected):
    assert told(agree(*THREE, method=method)) == expected
    assert told(agree(*THREE[::-1], method=method)) == expected, "the order of raters changes nothing"


@pytest.mark.parametrize(
    ("votes", "majority", "union", "intersection"),
    [
        ((3, 0, 0), "definite", "definite", "definite"),
        ((2, 1, 0), "probable", "probable", None),
        ((1, 1, 0), "possible", "probable", None),
        ((1, 2, 0), None, "probable", None),
        ((2, 0, 1), "probable", "probable", "possible"),
        ((1, 1, 1), "possible", "probable", None),
        ((0, 0, 1), "possible", "possible", "possible"),
        ((0, 2, 1), None, "possible", None),
        ((0, 0, 0), None, None, None),
    ],
)
def test_decisions(votes, majority, union, intersection):
    assert [decide(*votes, m) for m in ("majority", "union", "intersection")] == [
        majority,
        union,
        intersection,
    ]


def test_two_who_disagree_make_a_possible_event():
    assert told(agree(labels("a", [1]), labels("b", []))) == [(1, "possible")]


def test_who_did_not_look_does_not_vote():
    blind = labels("c", [], ((0.0, 2.0),))
    consensus = agree(labels("a", [5]), labels("b", [5]), blind)
    assert told(consensus) == [(5, "definite")] and consensus.examined == ((0.0, 10.0),)
    assert agree(labels("a", [5]), labels("b", [5]), blind, min_raters=3).examined == ((0.0, 2.0),)


def test_possible_is_no_vote_unless_told_so():
    unsure = labels("b", [1], certainty="possible")
    assert told(agree(labels("a", [1]), unsure, labels("c", []))) == [(1, "possible")]
    counted = agree(labels("a", [1]), unsure, labels("c", []), silent_certainty=frozenset())
    assert told(counted) == [(1, "probable")]


def test_confounders_are_decided_apart():
    tremor = [labels(name, [1], label="pseudotremor") for name in "ab"]
    consensus = agree(*tremor, labels("c", [1]))
    assert [(event.label, event.certainty) for event in consensus.events] == [("pseudotremor", "probable")]


def test_self_consensus_is_the_rater():
    same = [labels(name, [1, 1.2, 4]) for name in "abc"]
    for method in ("majority", "union", "intersection", "staple"):
        assert told(agree(*same, method=method)) == [(1, "definite"), (1.2, "definite"), (4, "definite")]


def test_find_examined():
    looked = [[(0, 5), (8, 10)], [(3, 9)], [(0, 1), (1, 4)]]
    assert find_examined(looked, 1) == ((0, 10),)
    assert find_examined(looked, 2) == ((0, 5), (8, 9))
    assert find_examined(looked, 3) == ((3, 4),)
    assert find_examined([[(0, 2), (1, 3)]], 2) == (), "one rater who lists a second twice is one"
    assert find_examined([], 1) == ()


def test_a_clip_that_too_few_examined_is_not_there():
    clips = {"c": {"a": labels("a", [1])}, "d": {}}
    assert build_consensus(clips, ["a", "b"], NEAR) == {}


def test_nobody_saw_anything_is_a_statement():
    for method in ("majority", "staple"):
        empty = agree(*(labels(name, []) for name in "abc"), method=method)
        assert empty.events == () and empty.examined == ((0.0, 10.0),)


@pytest.mark.parametrize("method", ["majority", "staple"])
def test_consensus_is_better_than_its_raters(method):
    raters = [SimulatedRater(name, 0.8, 2.0) for name in "abc"]
    study = simulate_study(raters, 15, seed=0)
    consensus = build_consensus(study.clips, list("abc"), NEAR, method=method)

    def mistakes(found: dict[str, Labels]) -> int:
        matchings = [
            match_events(truth.events, found[clip_id].events, NEAR, ignored_certainty=frozenset({"possible"}))
            for clip_id, truth in study.truth.items()
        ]
        return sum(len(m.missed) + len(m.false) for m in matchings)

    single = [mistakes({c: by[name] for c, by in study.clips.items()}) for name in "abc"]
    assert mistakes(consensus) < 0.6 * min(single)


def test_staple_trusts_the_better_raters():
    raters = [SimulatedRater(n, 0.97, 0.1) for n in "ab"] + [SimulatedRater(n, 0.3, 6.0) for n in "cd"]
    study = simulate_study(raters, 15, seed=1)
    poor = sorted(study.clips)[0]
    consensus = build_consensus(study.clips, list("abcd"), NEAR, method="staple")
    matching = match_events(study.truth[poor].events, consensus[poor].events, NEAR)
    assert len(matching.missed) + len(matching.false) <= 1


def test_wrong_settings_are_refused():
    with pytest.raises(SettingError, match="choose majority"):
        agree(*THREE, method="average")
    with pytest.raises(SettingError, match="there are 3"):
        agree(*THREE, min_raters=4)
    with pytest.raises(SettingError, match="use majority"):
        agree(*THREE[:2], method="staple")
