from __future__ import annotations

import math

import numpy as np
import pytest

from fascnet.data.label_forms.clip_labels import ClipLabel
from fascnet.evaluation.clip_statements import StatementResult, score_statements
from fascnet.evaluation.figures.muscles import GRADES_0_3
from fascnet.evaluation.matching.matching_rule import MatchingRule
from fascnet.evaluation.rules import ScoringRules
from fascnet.evaluation.sources.source import ClipFacts, ClipFindings, Source
from fascnet.types import Event

RULES = ScoringRules(MatchingRule("main"), scales=(GRADES_0_3,))


def make_source(name: str, found: dict[str, tuple[int, float | None]], kind: str = "prediction") -> Source:
    """clip -> number of events, one a second from 0.5 s on, and score."""
    clips = {
        clip: ClipFindings(clip, ((0.0, math.inf),), tuple(Event(k + 0.3, k + 0.7) for k in range(n)), score)
        for clip, (n, score) in found.items()
    }
    return Source(name, kind, clips, {}, {})


def score(
    source: Source, *said: ClipLabel, resamples: int = 0, rules: ScoringRules = RULES
) -> StatementResult:
    statements: dict[str, dict[str, ClipLabel]] = {}
    for one in said:
        statements.setdefault(one.clip_id, {})[one.rater] = one
    facts = {clip: ClipFacts(f"s{k // 2}") for k, clip in enumerate(statements)}
    (result,) = score_statements([source], statements, facts, rules, resamples, 0)
    return result


def test_presence() -> None:
    source = make_source("m", {"a": (2, 0.9), "b": (0, 0.6), "c": (1, 0.2), "d": (0, 0.1), "e": (0, 0.3)})
    said = [
        ClipLabel(c, "r", present=p)
        for c, p in zip("abcdef", (True, True, True, False, False, True), strict=True)
    ]
    result = score(source, *said)
    assert (result.rater, result.source, result.n_clips, result.n_missing) == ("r", "m", 5, 1)
    assert set(result.figures) == {"clips"}
    clips = result.figures["clips"]
    # By the threshold of 0.5: a and b are found, c is missed.
    assert clips["sensitivity"].value == pytest.approx(2 / 3)
    assert clips["specificity"].value == 1.0
    assert clips["auroc"].value == pytest.approx(5 / 6)
    assert clips["kappa"].value == pytest.approx((0.8 - 0.48) / (1 - 0.48))
    assert result.to_json()["clips_missing"] == 1


def test_only_the_seconds_that_were_looked_at_count() -> None:
    source = make_source("m", {"a": (5, 0.9), "b": (5, 0.9)})
    result = score(
        source,
        ClipLabel("a", "r", count=2, present=True, examined_s=2.0),
        ClipLabel("b", "r", count=3, present=True),
    )
    assert result.figures["counts"]["bias"].value == pytest.approx(((2 - 2) + (5 - 3)) / 2)
    # A score is one of the whole clip: a is judged by its events, and AUROC leaves it out.
    assert result.figures["clips"]["auroc"].n == 1


def test_sources_without_scores_are_judged_by_their_events() -> None:
    source = make_source("other", {"a": (1, None), "b": (0, None), "c": (0, None)}, "rater")
    said = [ClipLabel(c, "r", present=p) for c, p in zip("abc", (True, True, False), strict=True)]
    clips = score(source, *said).figures["clips"]
    assert (clips["sensitivity"].value, clips["specificity"].value) == (0.5, 1.0)
    assert clips["auroc"].value is None and "no score" in clips["auroc"].reason


def test_counts_agree_as_events_would() -> None:
    counts = [0, 1, 3, 4, 8, 2]
    source = make_source("m", {c: (n, None) for c, n in zip("abcdef", counts, strict=True)})
    said = [ClipLabel(c, "r", count=n, present=n > 0) for c, n in zip("abcdef", counts, strict=True)]
    figures = score(source, *said, resamples=200).figures["counts"]
    assert figures["icc"].value == pytest.approx(1.0) and figures["spearman"].value == pytest.approx(1.0)
    assert figures["bias"].value == 0 and figures["icc"].ci95 is not None
    said[4] = ClipLabel("e", "r", count=0, present=False)
    assert score(source, *said).figures["counts"]["icc"].value < 0.5


def test_grades() -> None:
    # Grades 0-3 from 1, 5 and 20 events a minute on.
    source = make_source("m", {"a": (0, None), "b": (1, None), "c": (5, None), "d": (30, None)})
    said = [
        ClipLabel(c, "r", grade=g, examined_s=60.0) for c, g in zip("abcd", ("0", "1", "2", "3"), strict=True)
    ]
    grades = score(source, *said).figures["grades"]
    assert grades["spearman"].value == pytest.approx(1.0)
    assert grades["grade_0_3_weighted_kappa"].value == pytest.approx(1.0)
    turned = [
        ClipLabel(c, "r", grade=g, examined_s=60.0) for c, g in zip("abcd", ("3", "2", "1", "0"), strict=True)
    ]
    assert score(source, *turned).figures["grades"]["grade_0_3_weighted_kappa"].value < -0.5
    untimed = [ClipLabel(c, "r", grade=g) for c, g in zip("abcd", ("0", "1", "2", "3"), strict=True)]
    grades = score(source, *untimed).figures["grades"]
    assert grades["spearman"].value == pytest.approx(1.0)
    assert "examined_s" in grades["grade_0_3_weighted_kappa"].reason
    high = [
        ClipLabel(c, "r", grade=g, examined_s=60.0) for c, g in zip("abcd", ("0", "1", "2", "9"), strict=True)
    ]
    assert "grades above 3" in score(source, *high).figures["grades"]["grade_0_3_weighted_kappa"].reason


def test_words_are_no_grades_and_nobody_is_held_against_himself() -> None:
    source = make_source("m", {"a": (1, 0.9)})
    assert score(source, ClipLabel("a", "r", grade="some")).figures == {}
    facts = {"a": ClipFacts("s")}
    own = {"a": {"m": ClipLabel("a", "m", count=1, present=True)}}
    assert score_statements([source], own, facts, RULES, 0, 0) == []
    assert (
        score_statements(
            [source], {"b": {"r": ClipLabel("b", "r", count=1)}}, {"b": ClipFacts("s")}, RULES, 0, 0
        )
        == []
    )


def test_intervals_resample_subjects() -> None:
    rng = np.random.default_rng(0)
    names = [f"c{k}" for k in range(20)]
    truth = rng.random(20) < 0.5
    source = make_source("m", {n: (int(t), float(0.3 + 0.4 * t)) for n, t in zip(names, truth, strict=True)})
    said = [
        ClipLabel(n, "r", present=bool(t) if k else not t)
        for k, (n, t) in enumerate(zip(names, truth, strict=True))
    ]
    clips = score(source, *said, resamples=300).figures["clips"]
    assert clips["kappa"].subjects == 10
    low, high = clips["kappa"].ci95 or (0, 0)
    assert low < clips["kappa"].value < high <= 1
