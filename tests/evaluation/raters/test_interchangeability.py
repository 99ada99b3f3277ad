from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fascnet.errors import SettingError
from fascnet.evaluation.matching.match import MatchingRule, match_events
from fascnet.evaluation.raters.consensus import build_consensus
from fascnet.evaluation.raters.interchangeability import (
    FIGURES,
    explain_no_consensus,
    explain_verdict,
    judge_interchangeability,
    leave_one_out,
)
from fascnet.evaluation.uncertainty.bootstrap import draw_weights
from fascnet.evaluation.uncertainty.noninferiority import NonInferiority
from fascnet.types import Labels

from ..simulated_raters import SimulatedRater, simulate_study

NEAR = MatchingRule("near", "tolerance", tolerance_s=0.25)
RATERS = [SimulatedRater(name, 0.85, 1.5, spread=0.5) for name in "abc"]
CLINICIAN = SimulatedRater("model", 0.85, 1.5, spread=0.5)
WORSE = SimulatedRater("model", 0.60, 4.0, spread=0.5)


def score(model: SimulatedRater, n_subjects: int, seed: int):
    study = simulate_study([*RATERS, model], n_subjects, seed)
    found = {clip_id: by["model"] for clip_id, by in study.clips.items()}
    return leave_one_out(study.clips, found, list("abc"), NEAR, study.subjects, n_subjects)


def judge(model: SimulatedRater, n_subjects: int, seed: int, margin: float = 0.1, resamples: int = 400):
    weights = draw_weights(n_subjects, resamples, seed + 1000)
    return judge_interchangeability(score(model, n_subjects, seed), weights, margin=margin)


def test_a_rater_as_model_is_no_different_from_himself():
    study = simulate_study(RATERS, 6, seed=0)
    found = {clip_id: by["a"] for clip_id, by in study.clips.items()}
    scored = leave_one_out(study.clips, found, list("abc"), NEAR, study.subjects, 6)
    for figure in FIGURES:
        told = judge_interchangeability(scored, draw_weights(6, 50, 0), margin=0.1, figure=figure)
        assert told.difference["a"].value == 0 and told.difference["a"].ci95 == (0, 0)


def test_figures_are_those_of_the_parts():
    study = simulate_study([*RATERS, WORSE], 5, seed=3)
    found = {clip_id: by["model"] for clip_id, by in study.clips.items()}
    scored = leave_one_out(study.clips, found, list("abc"), NEAR, study.subjects, 5)
    told = judge_interchangeability(scored, draw_weights(5, 100, 0), margin=0.1)
    consensus = build_consensus(study.clips, ["a", "c"], NEAR)

    def f1(source: str) -> float:
        hits = wrong = 0
        for clip_id, reference in consensus.items():
            ignored = frozenset({"possible"})
            theirs = study.clips[clip_id][source].events
            m = match_events(reference.events, theirs, NEAR, examined=((0, 20),), ignored_certainty=ignored)
            hits, wrong = hits + len(m.matches), wrong + len(m.missed) + len(m.false)
        return 2 * hits / (2 * hits + wrong)

    assert told.model["b"].value == pytest.approx(f1("model"), abs=1e-12)
    assert told.rater["b"].value == pytest.approx(f1("b"), abs=1e-12)
    assert told.difference["b"].value == pytest.approx(f1("model") - f1("b"), abs=1e-12)
    mean = np.mean([told.difference[name].value for name in "abc"])
    assert told.mean_difference.value == pytest.approx(mean, abs=1e-12)


@pytest.mark.parametrize(("figure", "subjects"), [("sensitivity", 2), ("false_alarms_per_min", 3)])
def test_figures_count_the_subjects_that_they_rest_on(figure, subjects):
    """Three subjects, of whom the third has no event at all."""
    study = simulate_study([*RATERS, WORSE], 3, seed=3)
    quiet = {clip_id for clip_id, subject in study.subjects.items() if subject == 2}
    clips = {
        clip_id: {who: replace(one, events=()) if clip_id in quiet else one for who, one in by.items()}
        for clip_id, by in study.clips.items()
    }
    found = {clip_id: by["model"] for clip_id, by in clips.items()}
    scored = leave_one_out(clips, found, list("abc"), NEAR, study.subjects, 3)
    told = judge_interchangeability(scored, draw_weights(3, 100, 0), margin=0.1, figure=figure)
    parts = (told.model["a"], told.rater["a"], told.difference["a"], told.mean_difference)
    assert {part.subjects for part in parts} == {subjects}


def test_names_and_order_of_raters_change_nothing():
    study = simulate_study([*RATERS, WORSE], 4, seed=5)
    found = {clip_id: by["model"] for clip_id, by in study.clips.items()}
    weights = draw_weights(4, 50, 0)
    one = leave_one_out(study.clips, found, list("abc"), NEAR, study.subjects, 4)
    two = leave_one_out(study.clips, found, list("cab"), NEAR, study.subjects, 4)
    renamed = {c: {{"a": "z"}.get(r, r): labels for r, labels in by.items()} for c, by in study.clips.items()}
    three = leave_one_out(renamed, found, ["z", "b", "c"], NEAR, study.subjects, 4)
    values = [
        judge_interchangeability(s, weights, margin=0.1).mean_difference.value for s in (one, two, three)
    ]
    assert values[0] == pytest.approx(values[1], abs=1e-12) == pytest.approx(values[2], abs=1e-12)


@pytest.mark.parametrize(("min_raters", "minutes"), [(2, 10 / 60), (1, 20 / 60)])
def test_the_others_must_have_looked_as_often_as_for_the_reference(min_raters, minutes):
    clips = {"x": {who: Labels("x", who, ((0.0, 10.0 if who == "c" else 20.0),), ()) for who in "abc"}}
    found = {"x": Labels("x", "model", ((0.0, 20.0),), ())}
    scored = leave_one_out(clips, found, list("abc"), NEAR, {"x": 0}, 1, min_raters=min_raters)
    assert scored.sums[0, 0, :, 3] == pytest.approx(minutes)


@pytest.mark.parametrize(
    ("n_raters", "method", "min_raters", "says"),
    [
        (3, "majority", 3, "consensus.min_raters=3, and without one rater there are 2"),
        (3, "staple", 2, "STAPLE takes 3 to 8 raters, and without one there are 2"),
        (10, "staple", 2, "without one there are 9"),
        (3, "majority", 2, ""),
        (4, "staple", 3, ""),
        (9, "staple", 2, ""),
    ],
)
def test_too_few_others_for_the_references_rules_say_so(n_raters, method, min_raters, says):
    told = explain_no_consensus(n_raters, method, min_raters)
    assert says in told and bool(told) == bool(says)
    if says:
        raters = [f"r{k}" for k in range(n_raters)]
        with pytest.raises(SettingError, match="leave one rater out: "):
            leave_one_out({}, {}, raters, NEAR, {}, 1, method=method, min_raters=min_raters)


@pytest.mark.parametrize(
    ("verdict", "superior", "interval", "says"),
    [
        ("non-inferior", False, (-0.05, 0.10), "worse by less than the margin"),
        ("non-inferior", True, (0.02, 0.10), "better than the raters"),
        ("not shown", False, (-0.15, 0.02), "do not tell"),
        ("inferior", False, (-0.30, -0.12), "more than the margin"),
        ("not defined", False, None, "one subject"),
    ],
)
def test_the_verdict_in_a_sentence(verdict, superior, interval, says):
    judged = NonInferiority(verdict, superior, 0.0, interval, 0.1, 0.025, True, "one subject")
    assert says in explain_verdict(judged)


def test_what_cannot_be_judged_says_why():
    study = simulate_study(RATERS, 3, seed=0)
    nothing = leave_one_out(study.clips, {}, list("abc"), NEAR, study.subjects, 3)
    told = judge_interchangeability(nothing, draw_weights(3, 20, 0), margin=0.1)
    assert told.statement == "not defined" and told.reason
    assert all(figure.value is None and figure.reason for figure in told.difference.values())
    silent = {c: Labels(c, "m", ((0.0, 20.0),), ()) for c in study.clips}
    dumb = leave_one_out(study.clips, silent, list("abc"), NEAR, study.subjects, 3)
    told = judge_interchangeability(dumb, draw_weights(3, 50, 0), margin=0.1)
    assert told.statement == "inferior" and told.model["a"].value == 0
    with pytest.raises(SettingError, match="3 raters"):
        leave_one_out(study.clips, silent, ["a", "b"], NEAR, study.subjects, 3)
    for wrong in (0, -0.1, float("nan")):
        with pytest.raises(SettingError, match="margin"):
            judge_interchangeability(dumb, draw_weights(3, 20, 0), margin=wrong)
    with pytest.raises(SettingError, match="choose f1"):
        judge_interchangeability(dumb, draw_weights(3, 20, 0), margin=0.1, figure="auroc")


def test_a_clinician_is_accepted_and_a_worse_model_is_not():
    like = [judge(CLINICIAN, 20, seed).statement for seed in range(2)]
    worse = [judge(WORSE, 20, seed).statement for seed in range(2)]
    assert like.count("non-inferior") >= 1 and "inferior" not in like
    assert "non-inferior" not in worse and worse.count("inferior") >= 1


@pytest.mark.slow
def test_a_model_just_at_the_margin_is_accepted_as_rarely_as_stated():
    # One-sided alpha 0.025: the margin is set at the true difference, estimated on 400 subjects.
    at_margin = SimulatedRater("model", 0.70, 2.5, spread=0.5)
    exact = judge(at_margin, 400, seed=77, resamples=10).mean_difference.value
    told = [judge(at_margin, 30, seed, margin=-exact, resamples=300).statement for seed in range(80)]
    assert told.count("non-inferior") <= 7, "0.025 of 80 is 2; above 7 has probability < 0.001"
    like = [judge(CLINICIAN, 30, seed + 500, resamples=300).statement for seed in range(20)]
    assert like.count("non-inferior") >= 18
