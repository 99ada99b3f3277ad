"""Clip figures: is a clip with a fasciculation told from one without, and can its score be believed?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fascnet.evaluation.uncertainty.bootstrap import (
    Figure,
    FloatArray,
    WeightsFigure,
    divide,
    estimate_from_sums,
    estimate_from_weights,
    not_defined,
    sum_by_subject,
)

ECE_BINS = 10
"""Bins of equal width over the score; a score on an edge goes into the upper bin, 1 into the last."""


def build_auroc(score: FloatArray, truth: NDArray[np.bool_]) -> WeightsFigure:
    """Build the area under the ROC curve (Mann-Whitney, ties count half) as a function of weights (B, n)."""
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(score[order]) > 0]))
    positive = truth[order].astype(np.float64)

    def auroc(weights: FloatArray) -> FloatArray:
        ordered = weights[:, order]
        pos = np.add.reduceat(ordered * positive, starts, axis=1)
        neg = np.add.reduceat(ordered * (1 - positive), starts, axis=1)
        below = np.cumsum(neg, axis=1) - neg
        wins = (pos * (below + 0.5 * neg)).sum(axis=1)
        return divide(wins, pos.sum(axis=1) * neg.sum(axis=1))

    return auroc


def count_outcomes(says: NDArray[np.bool_], truth: NDArray[np.bool_]) -> FloatArray:
    """Count true positive, false positive, false negative, true negative clips: (n, 4)."""
    return np.column_stack([says & truth, says & ~truth, ~says & truth, ~says & ~truth]).astype(np.float64)


def sensitivity(sums: FloatArray) -> FloatArray:
    """True positives / positives, of sums (..., 4)."""
    return divide(sums[..., 0], sums[..., 0] + sums[..., 2])


def specificity(sums: FloatArray) -> FloatArray:
    """True negatives / negatives, of sums (..., 4)."""
    return divide(sums[..., 3], sums[..., 3] + sums[..., 1])


def compute_brier_rows(score: FloatArray, truth: NDArray[np.bool_]) -> FloatArray:
    """Return squared error and one, per clip: (n, 2)."""
    return np.column_stack([(score - truth) ** 2, np.ones(len(score))])


def brier(sums: FloatArray) -> FloatArray:
    """Mean squared error of the probability, of sums (..., 2). 0 is perfect, 0.25 is a coin."""
    return divide(sums[..., 0], sums[..., 1])


def compute_ece_rows(score: FloatArray, truth: NDArray[np.bool_], bins: int = ECE_BINS) -> FloatArray:
    """Return count, score and truth of each clip in its bin: (n, 3 * bins)."""
    rows = np.zeros((len(score), 3, bins))
    index = np.minimum((score * bins).astype(np.int64), bins - 1)
    clip = np.arange(len(score))
    rows[clip, 0, index] = 1
    rows[clip, 1, index] = score
    rows[clip, 2, index] = truth
    return rows.reshape(len(score), 3 * bins)


def ece(sums: FloatArray) -> FloatArray:
    """Expected calibration error, of sums (..., 3 * bins).

    The mean of abs(mean score - share positive) over bins of equal width, weighted by their clips (Naeini,
    Cooper, Hauskrecht 2015).
    """
    bins = sums.shape[-1] // 3
    count, score, truth = (sums[..., k * bins : (k + 1) * bins] for k in range(3))
    return divide(np.abs(score - truth).sum(axis=-1), count.sum(axis=-1))


def estimate_clips(
    score: FloatArray | None,
    says: NDArray[np.bool_],
    truth: NDArray[np.bool_],
    subject: NDArray[np.int64],
    weights: FloatArray,
) -> dict[str, Figure]:
    """Estimate the clip figures.

    Args:
        score: probabilities (n,), or None for a source that gives none (a rater).
        says: whether the source calls the clip positive (n,).
        truth: whether the reference does (n,).
        subject: index of each clip's subject (n,).
        weights: bootstrap weights (B, S).
    """
    n_subjects = weights.shape[1]
    outcomes = sum_by_subject(count_outcomes(says, truth), subject, n_subjects)
    positives, n = int(truth.sum()), len(truth)
    figures = {
        "sensitivity": estimate_from_sums(
            outcomes, sensitivity, weights, n=positives, unit="positive clips", undefined="no positive clip"
        ),
        "specificity": estimate_from_sums(
            outcomes,
            specificity,
            weights,
            n=n - positives,
            unit="negative clips",
            undefined="no negative clip",
        ),
    }
    if score is None:
        return {
            name: not_defined("this source gives no score") for name in ("auroc", "brier", "ece")
        } | figures
    if n == 0:
        return {name: not_defined("no clip") for name in ("auroc", "brier", "ece")} | figures
    brier_sums = sum_by_subject(compute_brier_rows(score, truth), subject, n_subjects)
    ece_sums = sum_by_subject(compute_ece_rows(score, truth), subject, n_subjects)
    return {
        "auroc": estimate_from_weights(
            build_auroc(score, truth), subject, weights, unit="clips", undefined="clips of one class only"
        ),
        **figures,
        "brier": estimate_from_sums(brier_sums, brier, weights, n=n, unit="clips", undefined="no clip"),
        "ece": estimate_from_sums(ece_sums, ece, weights, n=n, unit="clips", undefined="no clip"),
    }
