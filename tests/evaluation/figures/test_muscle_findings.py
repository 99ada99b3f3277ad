from __future__ import annotations

import math

import pytest

from fascnet.evaluation.figures.muscle_findings import judge_muscles, score_muscles
from fascnet.evaluation.figures.muscles import PresenceRule
from fascnet.evaluation.matching.match import MatchingRule
from fascnet.evaluation.rules import ScoringRules
from fascnet.evaluation.sources.source import ClipFacts
from fascnet.evaluation.uncertainty.bootstrap import draw_weights
from fascnet.types import Event

from ..outcomes import make_outcome

RULES = ScoringRules(MatchingRule("main"))


def events(*onsets):
    return [Event(t, t + 0.3) for t in onsets]


def test_clips_of_a_muscle_are_laid_end_to_end() -> None:
    """Two clips of 10 s of one biceps with an event each: two events within a minute, positive."""
    outcomes = [
        make_outcome("a", 0, events(2), events(2)),
        make_outcome("b", 0, events(3), []),
        make_outcome("c", 0, events(3, 5), events(3, 5)),
        make_outcome("d", 1, [], events(4)),
        make_outcome("e", 1, events(1, 2), events(1, 2)),
    ]
    facts = {name: ClipFacts("s", "biceps", "L") for name in "abd"}
    facts |= {"c": ClipFacts("s", "tibialis", "R"), "e": ClipFacts("t")}
    reference, found = judge_muscles(outcomes, facts, RULES)
    assert set(reference) == {(0, "biceps L"), (0, "tibialis R"), (1, "biceps L")}, "no muscle, no finding"
    assert [reference[key].positive for key in sorted(reference)] == [True, True, False]
    assert [found[key].positive for key in sorted(found)] == [False, True, False]
    assert reference[0, "biceps L"].examined_s == pytest.approx(20)
    any_event = ScoringRules(MatchingRule("main"), presence=PresenceRule(1, math.inf))
    assert judge_muscles(outcomes, facts, any_event)[1][0, "biceps L"].positive is True
    figures = score_muscles(outcomes, facts, RULES, draw_weights(2, 50, 0))
    assert figures["muscles"]["sensitivity"].value == 0.5 and figures["muscles"]["specificity"].value == 1
    # Patient 0: two positive muscles by the reference, one by the source; patient 1: none by both.
    assert figures["patients"]["n_positive_bias"].value == pytest.approx(-0.5)


def test_no_named_muscle_is_told() -> None:
    outcomes = [make_outcome("a", 0, events(2), events(2))]
    figures = score_muscles(outcomes, {"a": ClipFacts("s")}, RULES, draw_weights(1, 10, 0))
    assert figures["muscles"]["sensitivity"].value is None
    assert "column muscle" in figures["muscles"]["sensitivity"].reason
