"""Clip figures: is a clip with a fasciculation told from one without?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fascnet.evaluation.uncertainty.bootstrap import (
    Figure,
    FloatArray,
    WeightsFigure,
    divide,
    estimate_from_sums,
    rests_on,
    sum_by_subject,
)


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


@rests_on(0, 2)
def sensitivity(sums: FloatArray) -> FloatArray:
    """True positives / positives, of sums (..., 4)."""
    return divide(sums[..., 0], sums[..., 0] + sums[..., 2])


@rests_on(1, 3)
def specificity(sums: FloatArray) -> FloatArray:
    """True negatives / negatives, of sums (..., 4)."""
    return divide(sums[..., 3], sums[..., 3] + sums[..., 1])


def estimate_decisions(
    says: NDArray[np.bool_], truth: NDArray[np.bool_], subject: NDArray[np.int64], weights: FloatArray
) -> dict[str, Figure]:
    """Estimate sensitivity and specificity.

    Args:
        says: whether the source calls the clip positive (n,).
        truth: whether the reference does (n,).
        subject: index of each clip's subject (n,).
        weights: bootstrap weights (B, S).
    """
    sums = sum_by_subject(count_outcomes(says, truth), subject, weights.shape[1])
    positives, n = int(truth.sum()), len(truth)
    return {
        "sensitivity": estimate_from_sums(
            sums, sensitivity, weights, n=positives, unit="positive clips", undefined="no positive clip"
        ),
        "specificity": estimate_from_sums(
            sums, specificity, weights, n=n - positives, unit="negative clips", undefined="no negative clip"
        ),
    }
