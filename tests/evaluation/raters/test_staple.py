from __future__ import annotations

import numpy as np
import pytest

from fascnet.errors import SettingError
from fascnet.evaluation.matching.match import MatchingRule
from fascnet.evaluation.raters.consensus import count_patterns
from fascnet.evaluation.raters.staple import estimate_raters, fit_staple, list_patterns, number_patterns
from fascnet.evaluation.uncertainty.bootstrap import draw_weights

from ..simulated_raters import SimulatedRater, simulate_study

NEAR = MatchingRule("near", "tolerance", tolerance_s=0.25)
RATERS = [
    SimulatedRater("a", sensitivity=0.9, false_alarms_per_min=1.0),
    SimulatedRater("b", sensitivity=0.8, false_alarms_per_min=0.5),
    SimulatedRater("c", sensitivity=0.6, false_alarms_per_min=2.0),
    SimulatedRater("d", sensitivity=0.95, false_alarms_per_min=3.0),
]


def draw_votes(n: int, sensitivity, specificity, prevalence: float, seed: int):
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < prevalence
    chance = np.where(truth[:, None], sensitivity, 1 - np.asarray(specificity))
    return truth, (rng.random(chance.shape) < chance).astype(np.int64)


def count(votes: np.ndarray) -> np.ndarray:
    return np.bincount(number_patterns(votes), minlength=3 ** votes.shape[1]).astype(float)


def fit_plainly(votes: np.ndarray, rounds: int = 300):
    """Warfield 2004, equations of the E and M step, vote by vote, prevalence estimated."""
    p, q, f = np.full(votes.shape[1], 0.9), np.full(votes.shape[1], 0.99), votes[votes >= 0].mean()
    yes, no = votes == 1, votes == 0
    for _ in range(rounds):
        a = f * np.prod(np.where(yes, p, np.where(no, 1 - p, 1)), axis=1)
        b = (1 - f) * np.prod(np.where(yes, 1 - q, np.where(no, q, 1)), axis=1)
        w = a / (a + b)
        p = (w[:, None] * yes).sum(0) / (w[:, None] * (yes | no)).sum(0)
        q = ((1 - w)[:, None] * no).sum(0) / ((1 - w)[:, None] * (yes | no)).sum(0)
        f = w.mean()
    return p, q, f, w


def test_patterns_are_numbered_as_listed():
    patterns = list_patterns(4)
    assert number_patterns(patterns).tolist() == list(range(81))
    for wrong in (2, 9):
        with pytest.raises(SettingError, match="use majority"):
            list_patterns(wrong)


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_algorithm_vote_by_vote(seed):
    _, votes = draw_votes(2000, [0.9, 0.8, 0.7], [0.97, 0.95, 0.99], 0.3, seed)
    votes[np.random.default_rng(seed + 50).random(votes.shape) < 0.1] = -1
    votes = votes[(votes >= 0).any(axis=1)]
    fit = fit_staple(count(votes), list_patterns(3))
    p, q, f, w = fit_plainly(votes)
    assert fit.sensitivity == pytest.approx(p, abs=1e-5)
    assert fit.specificity == pytest.approx(q, abs=1e-5)
    assert fit.prevalence == pytest.approx(f, abs=1e-5)
    assert fit.posterior[number_patterns(votes)] == pytest.approx(w, abs=1e-4)


def test_ten_raters_of_warfield_with_eight():
    # In the manner of Warfield 2004, section III: synthetic raters of sensitivity 0.95 and specificity 0.90
    # on 256 × 256 pixels, half of them true. STAPLE gives both back and (nearly) every pixel.
    truth, votes = draw_votes(256 * 256, [0.95] * 8, [0.90] * 8, 0.5, 0)
    fit = fit_staple(count(votes), list_patterns(8))
    assert fit.sensitivity == pytest.approx(np.full(8, 0.95), abs=0.006)
    assert fit.specificity == pytest.approx(np.full(8, 0.90), abs=0.006)
    assert np.mean((fit.posterior[number_patterns(votes)] >= 0.5) == truth) > 0.998


def test_swapping_raters_swaps_the_figures():
    _, votes = draw_votes(500, [0.9, 0.8, 0.7], [0.97, 0.95, 0.99], 0.3, 9)
    one, two = (fit_staple(count(v), list_patterns(3)) for v in (votes, votes[:, ::-1]))
    assert one.sensitivity == pytest.approx(two.sensitivity[::-1], abs=1e-9)
    assert one.prevalence == pytest.approx(two.prevalence, abs=1e-9)


def test_resamples_are_fitted_at_once():
    counts = np.random.default_rng(0).integers(1, 20, (3, 27)).astype(float)
    together = fit_staple(counts, list_patterns(3))
    for row in range(3):
        alone = fit_staple(counts[row], list_patterns(3))
        assert together.sensitivity[row] == pytest.approx(alone.sensitivity, abs=1e-4)


def test_raters_who_always_agree_are_perfect_and_silence_is_not_defined():
    counts = np.zeros(27)
    counts[number_patterns(np.array([[1, 1, 1], [0, 0, 0]]))] = 30, 70
    fit = fit_staple(counts, list_patterns(3))
    assert fit.sensitivity == pytest.approx(np.ones(3), abs=1e-6)
    assert fit.prevalence == pytest.approx(0.3, abs=1e-6)
    nobody = np.zeros(27)
    nobody[number_patterns(np.array([[0, 0, 0]]))] = 50
    assert np.isnan(fit_staple(nobody, list_patterns(3)).sensitivity).all()
    figures = estimate_raters(
        np.tile(nobody, (5, 1)), list_patterns(3), np.ones((5, 3)), draw_weights(5, 20, 0)
    )
    assert figures[0]["sensitivity"].value is None and "no rater saw" in figures[0]["sensitivity"].reason


def estimate_study(seed: int, n_subjects: int, resamples: int):
    study = simulate_study(RATERS, n_subjects, seed)
    names = [rater.name for rater in RATERS]
    counts, minutes = count_patterns(study.clips, names, NEAR, study.subjects, n_subjects)
    return estimate_raters(counts, list_patterns(4), minutes, draw_weights(n_subjects, resamples, seed))


def count_covered(seeds: range, n_subjects: int, resamples: int) -> np.ndarray:
    covered = []
    for seed in seeds:
        figures = estimate_study(seed, n_subjects, resamples)
        for rater, found in zip(RATERS, figures, strict=True):
            for name in ("sensitivity", "false_alarms_per_min"):
                low, high = found[name].ci95
                covered.append(low <= getattr(rater, name) <= high)
    return np.array(covered)


def test_raters_are_estimated_without_any_truth():
    for rater, found in zip(RATERS, estimate_study(0, 40, 50), strict=True):
        assert found["sensitivity"].value == pytest.approx(rater.sensitivity, abs=0.06)
        assert found["false_alarms_per_min"].value == pytest.approx(rater.false_alarms_per_min, abs=0.6)
        assert found["sensitivity"].ci95 is not None
    assert count_covered(range(2), 25, 100).mean() >= 0.75


@pytest.mark.slow
def test_intervals_cover_the_true_figures_about_as_often_as_they_say():
    assert 0.88 <= count_covered(range(60), 40, 300).mean() <= 0.99
