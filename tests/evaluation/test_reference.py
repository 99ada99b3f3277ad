from __future__ import annotations

import pytest

from fascnet.errors import SettingError
from fascnet.evaluation.matching.match import MatchingRule
from fascnet.evaluation.reference import add_consensus, choose_reference, list_raters
from fascnet.evaluation.rules import ConsensusRule, ScoringRules
from fascnet.evaluation.sources.source import ClipFacts
from fascnet.types import Event, Labels

WHOLE = ((0.0, 10.0),)


def label(clip_id, rater, *onsets):
    return Labels(clip_id, rater, WHOLE, tuple(Event(t, t + 0.3) for t in onsets))


@pytest.fixture
def labels():
    return {
        "a": {
            "anna": label("a", "anna", 1, 5),
            "bert": label("a", "bert", 1.1),
            "carl": label("a", "carl", 1),
        },
        "b": {"anna": label("b", "anna")},
    }


def test_one_rater_needs_no_choice_and_several_do(labels) -> None:
    assert choose_reference({"b": labels["b"]}, None) == "anna"
    assert choose_reference(labels, "bert") == "bert"
    assert choose_reference(labels, "consensus") == "consensus"
    assert list_raters(labels) == ["anna", "bert", "carl"]


@pytest.mark.parametrize(
    ("which", "wanted", "says"),
    [
        (["a", "b"], None, "choose consensus or one of anna, bert, carl"),
        (["a"], "dora", "no rater 'dora'"),
        (["b"], "consensus", "needs two raters"),
        ([], None, "holds no CLIP.RATER.json"),
    ],
)
def test_refuses_what_is_not_clear(labels, which, wanted, says) -> None:
    with pytest.raises(SettingError, match=says):
        choose_reference({clip: labels[clip] for clip in which}, wanted)


def test_a_consensus_stands_where_enough_looked(labels) -> None:
    facts = {clip: ClipFacts(clip, fps=30.0) for clip in labels}
    rules = ScoringRules(MatchingRule("main"))
    found = add_consensus(labels, rules, facts)
    assert [event.onset_s for event in found["a"]["consensus"].events] == [1]
    assert set(found["a"]) == {"anna", "bert", "carl", "consensus"}
    assert "consensus" not in found["b"], "one rater makes no consensus"
    union = ScoringRules(MatchingRule("main"), consensus=ConsensusRule("union", 1))
    assert len(add_consensus(labels, union, facts)["a"]["consensus"].events) == 2
    strict = ScoringRules(MatchingRule("main"), consensus=ConsensusRule("majority", 3))
    absent = {name: Labels("b", name, (), ()) for name in ("bert", "carl")}
    with pytest.raises(SettingError, match="3 raters"):
        add_consensus({"b": {**labels["b"], **absent}}, strict, facts)
