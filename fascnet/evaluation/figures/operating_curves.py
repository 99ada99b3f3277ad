"""What a source could reach at other thresholds: event FROC, event average precision, clip ROC and PR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fascnet.evaluation.figures.score_table import (
    SLACK,
    average_precision,
    partial_auroc,
    sensitivity_at_rate,
    sensitivity_at_specificity,
    tabulate_scores,
)
from fascnet.evaluation.uncertainty.bootstrap import (
    Figure,
    FloatArray,
    SumsFigure,
    resample_each,
    summarise,
)

FROC_RATES_PER_MIN = (0.5, 1.0, 2.0, 4.0)
"""False alarms per minute at which sensitivity is reported; a choice of this project, no standard exists."""

SPECIFICITIES = (0.9, 0.985)
"""0.985 is what 11 raters reached on clips (Vlazak & Kraemer-Best 2014)."""

MAX_THRESHOLDS = 1000
"""Intervals use at most so many thresholds, at quantiles of the scores; values always use every score."""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Sensitivity where a wanted specificity is just held.

    Attributes:
        wanted: specificity asked for, 0-1.
        threshold: score from which a clip counts as positive, chosen on the reference's negative clips of
            these very data; None when nothing may be called positive to hold it.
        reached: specificity at that threshold, at least `wanted`; None when there is no negative clip.
        sensitivity: with an interval in which every resample chooses its threshold anew.
    """

    wanted: float
    threshold: float | None
    reached: float | None
    sensitivity: Figure


def estimate_event_curve(
    score: FloatArray,
    is_hit: NDArray[np.bool_],
    subject: NDArray[np.int64],
    n_reference: FloatArray,
    minutes: FloatArray,
    weights: FloatArray,
    rates: Sequence[float] = FROC_RATES_PER_MIN,
) -> dict[str, Figure]:
    """Estimate event average precision, sensitivity at each false alarm rate, and its mean over the rates.

    Args:
        score: confidence of each counted found event (n,), see `matching.rank_events`.
        is_hit: whether it is a hit (n,).
        subject: index of its subject (n,).
        n_reference: reference events of each subject (S,).
        minutes: examined minutes of each subject (S,).
        weights: from `draw_weights` (B, S).
        rates: false alarms per minute.
    """
    extra = np.column_stack([n_reference, minutes])
    reason = "nothing examined" if minutes.sum() == 0 else "no reference event"

    def average(sums: FloatArray) -> FloatArray:
        return average_precision(*_split(sums, 2)[:2], sums[..., -2])

    def at_rate(rate: float) -> SumsFigure:
        def figure(sums: FloatArray) -> FloatArray:
            return sensitivity_at_rate(*_split(sums, 2)[:2], sums[..., -2], sums[..., -1], rate)

        return figure

    at_rates = {f"sensitivity_at_{rate:g}_per_min": at_rate(rate) for rate in rates}

    def mean_over_rates(sums: FloatArray) -> FloatArray:
        return np.asarray(np.mean([figure(sums) for figure in at_rates.values()], axis=0), dtype=np.float64)

    figures = {"average_precision": average, **at_rates, "froc_score": mean_over_rates}
    return _estimate(figures, score, is_hit, subject, extra, weights, int(n_reference.sum()),
                     "reference events", reason)  # fmt: skip


def estimate_clip_curve(
    score: FloatArray,
    truth: NDArray[np.bool_],
    subject: NDArray[np.int64],
    weights: FloatArray,
    specificities: Sequence[float] = SPECIFICITIES,
    min_specificity: float = 0.9,
) -> tuple[dict[str, Figure], list[OperatingPoint]]:
    """Estimate AUROC, partial AUROC, average precision, and sensitivity at fixed specificities.

    Args:
        score: the source's score of each clip (n,).
        truth: whether the reference calls it positive (n,).
        subject: index of its subject (n,).
        weights: from `draw_weights` (B, S).
        specificities: wanted, 0-1 each.
        min_specificity: the partial area covers specificities from here to 1, below 1.
    """
    reason = "clips of one class only" if len(score) else "no clip"

    def precision(sums: FloatArray) -> FloatArray:
        positive, negative = _split(sums, 0)
        return average_precision(positive, negative, positive.sum(axis=-1))

    def at_specificity(wanted: float) -> SumsFigure:
        return lambda sums: sensitivity_at_specificity(*_split(sums, 0), wanted)

    names = [f"sensitivity_at_specificity_{wanted:g}" for wanted in specificities]
    figures: dict[str, SumsFigure] = {
        "auroc": lambda sums: partial_auroc(*_split(sums, 0), 1.0),
        "partial_auroc": lambda sums: partial_auroc(*_split(sums, 0), 1 - min_specificity),
        "average_precision": precision,
        **{name: at_specificity(wanted) for name, wanted in zip(names, specificities, strict=True)},
    }
    none = np.empty((weights.shape[1], 0))
    estimated = _estimate(figures, score, truth, subject, none, weights, len(score), "clips", reason)
    points = [
        OperatingPoint(wanted, *choose_threshold(score[~truth], score, wanted), estimated[name])
        for name, wanted in zip(names, specificities, strict=True)
    ]
    return estimated, points


def choose_threshold(
    negative: FloatArray, candidates: FloatArray, specificity: float
) -> tuple[float | None, float | None]:
    """Choose the lowest candidate score that calls at most 1 - `specificity` of the negatives positive.

    Returns:
        The threshold (positive: score >= threshold; None when no candidate holds the specificity) and the
        specificity reached; both None without a negative.
    """
    if len(negative) == 0:
        return None, None
    thresholds = np.unique(candidates)
    below = np.searchsorted(np.sort(negative), thresholds, side="left") / len(negative)
    held = np.flatnonzero(below >= specificity - SLACK)
    return (float(thresholds[held[0]]), float(below[held[0]])) if len(held) else (None, 1.0)


def _estimate(
    figures: dict[str, SumsFigure],
    score: FloatArray,
    is_true: NDArray[np.bool_],
    subject: NDArray[np.int64],
    extra: FloatArray,
    weights: FloatArray,
    n: int,
    unit: str,
    undefined: str,
) -> dict[str, Figure]:
    """Estimate figures of sums [true things (U), false things (U), extra]."""
    n_subjects = weights.shape[1]
    table = tabulate_scores(score, is_true, subject, n_subjects, MAX_THRESHOLDS)
    sums = np.concatenate([table.positive, table.negative, extra], axis=1)
    estimated = {
        name: summarise(resampled, n=n, unit=unit, undefined=undefined)
        for name, resampled in resample_each(sums, figures, weights).items()
    }
    if len(table.thresholds) < MAX_THRESHOLDS // 2:
        return estimated
    whole = tabulate_scores(score, is_true, np.zeros(len(score), dtype=np.int64), 1)
    pooled = np.concatenate([whole.positive, whole.negative, extra.sum(axis=0)[None]], axis=1)
    for name, figure in figures.items():
        if estimated[name].value is not None:
            estimated[name] = replace(estimated[name], value=float(figure(pooled)[0]))
    return estimated


def _split(sums: FloatArray, n_extra: int) -> tuple[FloatArray, FloatArray]:
    thresholds = (sums.shape[-1] - n_extra) // 2
    return sums[..., :thresholds], sums[..., thresholds : 2 * thresholds]
