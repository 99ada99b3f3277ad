from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from fascnet.evaluation.figures.clips import build_auroc, estimate_decisions
from fascnet.evaluation.uncertainty.bootstrap import draw_weights


def test_weighted_auroc_equals_repeated_clips() -> None:
    rng = np.random.default_rng(1)
    truth = rng.random(300) < 0.4
    score = np.round(np.clip(0.3 * truth + rng.random(300) * 0.7, 0, 1), 2)
    repeats = np.random.default_rng(2).integers(0, 4, len(score))
    for weights in (np.ones(300, dtype=int), repeats):
        expected = roc_auc_score(np.repeat(truth, weights), np.repeat(score, weights))
        found = build_auroc(score, truth)(weights[None].astype(float))[0]
        assert found == pytest.approx(expected, abs=1e-9)


def test_sensitivity_and_specificity_by_hand() -> None:
    truth = np.array([1, 1, 1, 0, 0], bool)
    says = np.array([1, 1, 0, 0, 1], bool)
    figures = estimate_decisions(says, truth, np.arange(5), draw_weights(5, 100, 0))
    assert figures["sensitivity"].value == pytest.approx(2 / 3)
    assert figures["specificity"].value == pytest.approx(1 / 2)
    assert (figures["sensitivity"].n, figures["specificity"].n) == (3, 2)


def test_each_rests_on_the_subjects_with_clips_of_its_class() -> None:
    truth = np.array([1, 1, 0, 0, 0], bool)
    figures = estimate_decisions(truth, truth, np.array([0, 0, 1, 2, 2]), draw_weights(5, 100, 0))
    assert (figures["sensitivity"].subjects, figures["specificity"].subjects) == (1, 2)
    assert figures["sensitivity"].reason == "rests on one subject: no interval"


@pytest.mark.parametrize("positive", [True, False])
def test_one_class_is_not_defined(positive: bool) -> None:
    truth = np.full(4, positive)
    figures = estimate_decisions(truth, truth, np.arange(4), draw_weights(4, 50, 0))
    assert figures["specificity" if positive else "sensitivity"].value is None
    assert figures["sensitivity" if positive else "specificity"].value == 1


def test_no_clip_at_all_is_not_defined() -> None:
    empty = np.empty(0, bool)
    figures = estimate_decisions(empty, empty, np.empty(0, np.int64), draw_weights(0, 50, 0))
    assert {figure.value for figure in figures.values()} == {None}
