"""True and false things per subject and score, and the curve figures that follow from them.

A resample is a weighted sum of subjects, so all thresholds of all resamples are one matrix product and one
cumulative sum. Things of equal score are admitted together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.evaluation.uncertainty.bootstrap import FloatArray, divide

SLACK = 1e-9
"""Rates and shares that should equal a limit can miss it by rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoreTable:
    """How many true and false things each subject has at each score.

    Attributes:
        thresholds: scores, falling (U,).
        positive: true things of each subject at each score (S, U).
        negative: false things, likewise (S, U).
    """

    thresholds: FloatArray
    positive: FloatArray
    negative: FloatArray

    def pool(self) -> tuple[FloatArray, FloatArray]:
        """Return true and false things at or above each threshold, all subjects together: (U,), (U,)."""
        return np.cumsum(self.positive.sum(axis=0)), np.cumsum(self.negative.sum(axis=0))


def tabulate_scores(
    score: FloatArray,
    is_true: NDArray[np.bool_],
    subject: NDArray[np.int64],
    n_subjects: int,
    max_thresholds: int | None = None,
) -> ScoreTable:
    """Count true and false things per subject and score.

    Args:
        score: any finite scores, higher is surer (n,).
        is_true: whether the thing is true (n,).
        subject: index of its subject (n,).
        n_subjects: S.
        max_thresholds: merge scores into at most so many groups of about equal size; None: keep all.
    """
    unique, group = np.unique(-score, return_inverse=True)
    thresholds = -unique
    if max_thresholds is not None and len(unique) > max_thresholds:
        share = np.cumsum(np.bincount(group)) / len(score)
        merged = np.minimum((share * max_thresholds - SLACK).astype(np.int64), max_thresholds - 1)
        merged = np.unique(merged, return_inverse=True)[1]
        last = np.flatnonzero(np.concatenate([np.diff(merged) > 0, [True]]))
        thresholds, group = thresholds[last], merged[group]
    positive, negative = np.zeros((2, n_subjects, len(thresholds)))
    np.add.at(positive, (subject[is_true], group[is_true]), 1.0)
    np.add.at(negative, (subject[~is_true], group[~is_true]), 1.0)
    return ScoreTable(thresholds, positive, negative)


def average_precision(positive: FloatArray, negative: FloatArray, total: FloatArray) -> FloatArray:
    """Average precision: sum over thresholds of (recall gained) x precision, no interpolation.

    The definition of scikit-learn's `average_precision_score` (Zhu 2004). For events, recall counts reference
    events that no threshold finds too, as in object detection.

    Args:
        positive: true things at each falling score (..., U).
        negative: false things at each falling score (..., U).
        total: all that could be found (...,).
    """
    hits, false = np.cumsum(positive, axis=-1), np.cumsum(negative, axis=-1)
    precision = np.divide(hits, hits + false, out=np.zeros_like(hits), where=hits + false > 0)
    return divide((positive * precision).sum(axis=-1), total)


def sensitivity_at_rate(
    positive: FloatArray, negative: FloatArray, total: FloatArray, minutes: FloatArray, rate: float
) -> FloatArray:
    """Highest sensitivity at no more than `rate` false alarms per minute, no interpolation (FROC).

    FROC: Bunch, Hamilton, Sanderson & Simmons 1977; here per examined minute in place of per image.

    Args:
        positive: hits at each falling score (..., U).
        negative: false alarms at each falling score (..., U).
        total: reference events (...,).
        minutes: examined minutes (...,).
        rate: false alarms per minute, from 0.
    """
    hits, false = np.cumsum(positive, axis=-1), np.cumsum(negative, axis=-1)
    allowed = false <= rate * minutes[..., None] + SLACK
    best = np.max(np.where(allowed, hits, 0.0), axis=-1, initial=0.0)
    return np.where(minutes > 0, divide(best, total), np.nan)


def partial_auroc(positive: FloatArray, negative: FloatArray, max_fpr: float) -> FloatArray:
    """Area under the ROC curve up to a false positive rate, scaled so that 0.5 is chance and 1 perfect.

    McClish 1989; with `max_fpr` 1 the whole area. Equals scikit-learn's `roc_auc_score(max_fpr=...)`.

    Args:
        positive: positive clips at each falling score (..., U).
        negative: negative clips, likewise (..., U).
        max_fpr: 1 - the smallest specificity of interest, above 0 to 1.
    """
    true, false = _accumulate(positive), _accumulate(negative)
    tpr = divide(true, true[..., -1:])
    fpr = divide(false, false[..., -1:])
    x0, x1, y0 = fpr[..., :-1], np.minimum(fpr[..., 1:], max_fpr), tpr[..., :-1]
    run = fpr[..., 1:] - x0
    slope = np.divide(tpr[..., 1:] - y0, run, out=np.zeros_like(run), where=run > 0)
    width = np.maximum(x1 - x0, 0.0)
    area = (width * (y0 + slope * width / 2)).sum(axis=-1)
    chance = max_fpr**2 / 2
    both = (true[..., -1] > 0) & (false[..., -1] > 0)
    return np.where(both, 0.5 * (1 + (area - chance) / (max_fpr - chance)), np.nan)


def auroc(sums: FloatArray) -> FloatArray:
    """Whole area under the ROC curve of sums [positive clips (U), negative clips (U)], (..., 2 U)."""
    half = sums.shape[-1] // 2
    return partial_auroc(sums[..., :half], sums[..., half:], 1.0)


def sensitivity_at_specificity(positive: FloatArray, negative: FloatArray, specificity: float) -> FloatArray:
    """Sensitivity at the lowest threshold that still has the specificity; NaN with one class only."""
    true, false = _accumulate(positive), _accumulate(negative)
    kept = divide(false, false[..., -1:]) <= 1 - specificity + SLACK
    best = np.max(np.where(kept, true, 0.0), axis=-1)
    return np.where(false[..., -1] > 0, divide(best, true[..., -1]), np.nan)


def _accumulate(counts: FloatArray) -> FloatArray:
    """Cumulate over falling scores, from nothing admitted: (..., U + 1)."""
    start = np.zeros((*counts.shape[:-1], 1))
    return np.concatenate([start, np.cumsum(counts, axis=-1)], axis=-1)
