from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from fascnet.evaluation.figures.clips import build_auroc, compute_ece_rows, ece, estimate_clips
from fascnet.evaluation.uncertainty.bootstrap import draw_weights, sum_by_subject


@pytest.fixture
def data():
    rng = np.random.default_rng(1)
    truth = rng.random(300) < 0.4
    score = np.round(np.clip(0.3 * truth + rng.random(300) * 0.7, 0, 1), 2)
    return score, truth, np.arange(300) // 5


def test_auroc_and_brier_equal_scikit_learn(data):
    score, truth, subject = data
    figures = estimate_clips(score, score >= 0.5, truth, subject, draw_weights(60, 200, 0))
    assert figures["auroc"].value == pytest.approx(roc_auc_score(truth, score), abs=1e-9)
    assert figures["brier"].value == pytest.approx(brier_score_loss(truth, score), abs=1e-9)
    low, high = figures["auroc"].ci95
    assert low < figures["auroc"].value < high


def test_weighted_auroc_equals_repeated_clips(data):
    score, truth, _ = data
    repeats = np.random.default_rng(2).integers(0, 4, len(score))
    expected = roc_auc_score(np.repeat(truth, repeats), np.repeat(score, repeats))
    assert build_auroc(score, truth)(repeats[None].astype(float))[0] == pytest.approx(expected, abs=1e-9)


def test_sensitivity_and_specificity_by_hand():
    truth = np.array([1, 1, 1, 0, 0], bool)
    says = np.array([1, 1, 0, 0, 1], bool)
    figures = estimate_clips(None, says, truth, np.arange(5), draw_weights(5, 100, 0))
    assert figures["sensitivity"].value == pytest.approx(2 / 3)
    assert figures["specificity"].value == pytest.approx(1 / 2)
    assert (figures["sensitivity"].n, figures["specificity"].n) == (3, 2)
    assert figures["auroc"].value is None and "no score" in figures["auroc"].reason


def test_ece_by_hand():
    # Two clips in the bin 0.9-1.0: mean score 0.95, half positive; two at 0.05, none positive.
    score, truth = np.array([0.92, 0.98, 0.05, 0.05]), np.array([True, False, False, False])
    value = ece(sum_by_subject(compute_ece_rows(score, truth), np.zeros(4, np.int64), 1))[0]
    assert value == pytest.approx((2 * abs(0.95 - 0.5) + 2 * 0.05) / 4)


def test_ece_of_the_edges():
    perfect = compute_ece_rows(np.array([0.0, 1.0]), np.array([False, True]))
    assert ece(perfect.sum(axis=0)[None])[0] == 0


@pytest.mark.parametrize("positive", [True, False])
def test_one_class_is_not_defined(positive):
    truth = np.full(4, positive)
    figures = estimate_clips(np.linspace(0, 1, 4), truth, truth, np.arange(4), draw_weights(4, 50, 0))
    assert figures["auroc"].value is None and "one class" in figures["auroc"].reason
    assert figures["specificity" if positive else "sensitivity"].value is None
    assert figures["sensitivity" if positive else "specificity"].value == 1


def test_no_clip_at_all_is_not_defined():
    empty = np.empty(0, bool)
    figures = estimate_clips(None, empty, empty, np.empty(0, np.int64), draw_weights(0, 50, 0))
    assert {figure.value for figure in figures.values()} == {None}
