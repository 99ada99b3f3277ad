"""Raters whose errors are known, on phantom truth: do the benchmark's figures find those errors?"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from fascnet.evaluation.figures.events import estimate_events
from fascnet.evaluation.figures.timing import estimate_timing, measure_errors_s
from fascnet.evaluation.matching.match import match_events
from fascnet.evaluation.matching.matching_rule import MatchingRule
from fascnet.evaluation.raters.interchangeability import judge_interchangeability, leave_one_out
from fascnet.evaluation.uncertainty.bootstrap import draw_weights

from .simulated_raters import SimulatedRater, SimulatedStudy, draw_phantom_truth, rate_study

RULE = MatchingRule("main", max_distance_px=10.0)
MAD_OF_SD = norm.ppf(0.75)
RATERS = [
    SimulatedRater("keen", 0.92, 4.0, 0.02, spread=0.5, false_cv=0.5),
    SimulatedRater("usual", 0.80, 1.5, 0.03, spread=0.7, false_cv=0.5),
    SimulatedRater("strict", 0.60, 1.0, 0.05, spread=0.3),
]


@pytest.fixture(scope="module")
def phantom() -> SimulatedStudy:
    return draw_phantom_truth(n_subjects=40, clips_each=1, seed=3)


def find_recall(rater: SimulatedRater) -> float:
    """The mean over subjects of a sensitivity whose logit is normal, by quadrature."""
    place, weight = np.polynomial.hermite_e.hermegauss(41)
    logit = np.log(rater.sensitivity / (1 - rater.sensitivity)) + rater.spread * place
    return float((weight / (1 + np.exp(-logit))).sum() / weight.sum())


def know(rater: SimulatedRater) -> dict[str, float]:
    """What the figures should be."""
    return {
        "recall": find_recall(rater),
        "false_alarms_per_min": rater.false_alarms_per_min,
        "onset_mad_s": MAD_OF_SD * rater.jitter_s,
        "onset_median_s": 0.0,
    }


def measure(study: SimulatedStudy, name: str, weights):
    """The benchmark's figures of one rater against the truth."""
    sums, errors, who = np.zeros((study.n_subjects, 4)), [np.empty((0, 3))], []
    for clip_id, truth in study.truth.items():
        found, subject = study.clips[clip_id][name], study.subjects[clip_id]
        minutes = (truth.examined[0][1] - truth.examined[0][0]) / 60
        true = truth.fasciculations()
        matching = match_events(true, found.events, RULE)
        sums[subject] += [len(matching.matches), len(matching.false), len(matching.missed), minutes]
        errors.append(measure_errors_s(true, found.events, matching.matches))
        who += [subject] * len(matching.matches)
    all_errors = np.concatenate(errors)
    # All three moments move together here: one of them says it all.
    all_errors[:, 1:] = np.nan
    timing = estimate_timing(all_errors, np.full(len(who), 50.0), np.array(who), weights)
    return {**estimate_events(sums, weights), **timing}


def test_phantom_truth_is_like_a_clinic(phantom: SimulatedStudy) -> None:
    counts = [len(labels.fasciculations()) for labels in phantom.truth.values()]
    assert len(counts) == 40 and np.mean(counts) > 2 and np.std(counts) > 1
    assert all(event.region is not None for t in phantom.truth.values() for event in t.fasciculations())


@pytest.mark.parametrize("rater", RATERS, ids=lambda rater: rater.name)
def test_figures_find_what_a_rater_does(phantom: SimulatedStudy, rater: SimulatedRater) -> None:
    study = rate_study(phantom, RATERS, seed=0)
    figures = measure(study, rater.name, draw_weights(40, 1000, 0))
    for name, expected in know(rater).items():
        low, high = figures[name].ci95
        # Two intervals wide: a right figure lies outside once in 10,000 times.
        assert abs(figures[name].value - expected) < high - low, name
        assert high - low < (0.4 if name != "false_alarms_per_min" else 3.0), "an empty statement"


def count_covered(phantom: SimulatedStudy, rater: SimulatedRater, studies: int) -> dict[str, int]:
    """In how many studies the interval of each figure holds what the rater does."""
    expected = know(rater)
    covered = dict.fromkeys(expected, 0)
    for trial in range(studies):
        study = rate_study(phantom, [rater], seed=(trial, 5))
        figures = measure(study, rater.name, draw_weights(phantom.n_subjects, 500, trial))
        for name, value in expected.items():
            low, high = figures[name].ci95
            covered[name] += low <= value <= high
    return covered


def test_intervals_cover_what_a_rater_does_in_a_few_studies(phantom: SimulatedStudy) -> None:
    for name, count in count_covered(phantom, RATERS[1], 30).items():
        assert count >= 25, f"{name}: 95 % of 30 are 28.5; below 25 has a probability of 0.002"


@pytest.mark.slow
def test_intervals_cover_what_raters_do_at_the_stated_rate(phantom: SimulatedStudy) -> None:
    each = 150
    covered = [count_covered(phantom, rater, each) for rater in RATERS]
    # 93-97 %, and two standard errors of so many studies; test_coverage.py measures it more closely.
    error = np.sqrt(0.95 * 0.05 / (each * len(RATERS)))
    for name in covered[0]:
        by_rater = [counts[name] / each for counts in covered]
        assert np.mean(by_rater) == pytest.approx(0.95, abs=0.02 + 2 * error), (name, by_rater)
        assert min(by_rater) > 0.93 - 3 * np.sqrt(0.95 * 0.05 / each), (name, by_rater)


CLINICIANS = [SimulatedRater(name, 0.85, 1.5, spread=0.5) for name in "abc"]
LIKE = SimulatedRater("model", 0.85, 1.5, spread=0.5)
WORSE = SimulatedRater("model", 0.55, 4.0, spread=0.5)
NEAR_MARGIN = SimulatedRater("model", 0.70, 2.5, spread=0.5)


def score(phantom: SimulatedStudy, model: SimulatedRater, seed):
    """A model and three clinicians, each against the consensus of the others."""
    study = rate_study(phantom, [*CLINICIANS, model], seed)
    found = {clip_id: by_rater["model"] for clip_id, by_rater in study.clips.items()}
    return leave_one_out(study.clips, found, list("abc"), RULE, study.subjects, study.n_subjects)


def judge(scored, margin: float = 0.1):
    """What is said of the mean difference of F1."""
    return judge_interchangeability(scored, draw_weights(len(scored.sums), 300, 1), margin=margin)


def test_a_clinician_like_model_is_accepted_and_a_worse_one_is_not(phantom: SimulatedStudy) -> None:
    assert [judge(score(phantom, LIKE, seed)).statement for seed in range(2)] == ["non-inferior"] * 2
    assert [judge(score(phantom, WORSE, seed)).statement for seed in range(2)] == ["inferior"] * 2


def find_rate(studies, margin: float) -> float:
    return float(np.mean([judge(scored, margin).statement == "non-inferior" for scored in studies]))


@pytest.mark.slow
def test_models_are_accepted_and_rejected_at_the_stated_rates(phantom: SimulatedStudy) -> None:
    n = 60
    near = [score(phantom, NEAR_MARGIN, (seed, 7)) for seed in range(n)]
    # The model is worse by just the margin, as well as so many studies know it.
    margin = -float(np.mean([judge(scored).mean_difference.value for scored in near]))
    assert find_rate(near, margin) <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / n)
    like = [score(phantom, LIKE, (seed, 8)) for seed in range(n)]
    spread = float(np.std([judge(scored).mean_difference.value for scored in like]))
    for narrow in (0.02, 0.03, 0.05):
        power = norm.cdf(narrow / spread - 1.96)
        # Three standard errors, and 0.02 for a difference that is not quite normal.
        assert find_rate(like, narrow) >= power - 3 * np.sqrt(power * (1 - power) / n) - 0.02, narrow
