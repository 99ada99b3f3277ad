"""How sure is a figure? BCa bootstrap of subjects, because clips of one person are not independent.

Figures are computed from statistics summed over a subject's clips wherever that is possible: a resample is
then a weighted sum, and thousands of resamples are one matrix product. Figures that need the order of clips
(AUROC, Spearman) take a weight per clip instead. The jackknife that BCa needs, each subject left out once, is
S more rows of weights. What is made of resamples stands in `intervals`, differences in `differences`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fascnet.evaluation.uncertainty.intervals import CONFIDENCE, are_equal, estimate_interval

FloatArray = NDArray[np.float64]

SumsFigure = Callable[[FloatArray], FloatArray]
"""From sums (..., k) to figures (...,); NaN where the figure is not defined."""

WeightsFigure = Callable[[FloatArray], FloatArray]
"""From clip weights (B, n) to figures (B,); NaN where the figure is not defined."""

MIN_DEFINED_SHARE = 0.5
"""An interval needs the figure to be defined in more than this share of the resamples, or it misleads."""

_BLOCK_ELEMENTS = 4_000_000
"""Weights held at once when clips are weighted: bounds memory at about 32 MB an array."""

_MOST_LEFT_OUT = 500
"""Jackknife rows where clips are weighted. With more subjects, groups of them are left out instead: a group's
sum is less skewed, and there are fewer groups, so the acceleration that is estimated stays the same."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a benchmark.

    Attributes:
        value: the number, or None when it is not defined.
        ci95: its 95 % interval, or None when there is none.
        n: how many units it was computed from.
        unit: what those units are (`reference events`, `clips`, …).
        subjects: how many subjects the figure rests on: for recall those with a reference event.
        reason: why the value or the interval is missing, or why the interval is not BCa; else empty.
        method: how the interval was made, `BCa` or `percentile`; empty where there is none.
    """

    value: float | None
    ci95: tuple[float, float] | None
    n: int
    unit: str
    subjects: int
    reason: str = ""
    method: str = ""

    def to_json(self) -> dict[str, object]:
        """Return the form of `metrics.json`."""
        plain: dict[str, object] = {
            "value": self.value,
            "ci95": None if self.ci95 is None else list(self.ci95),
        }
        plain |= {"n": self.n, "unit": self.unit, "subjects": self.subjects}
        plain |= {"ci95_method": self.method} if self.method else {}
        return plain | ({"reason": self.reason} if self.reason else {})


@dataclass(frozen=True, slots=True)
class Resampled:
    """A figure with its values in every resample.

    Attributes:
        value: of all subjects; NaN where not defined.
        samples: in each resample (B,); NaN where not defined.
        jackknife: with each subject (or group of subjects) left out (at most S,); NaN where not defined.
        subjects: how many subjects the figure rests on.
    """

    value: float
    samples: FloatArray
    jackknife: FloatArray
    subjects: int


_RESTS_ON: dict[SumsFigure, tuple[int, ...]] = {}


def rests_on(*columns: int) -> Callable[[SumsFigure], SumsFigure]:
    """Say which columns of its sums a figure rests on: those that make up what it divides by.

    A subject with zeros in all of them is none of the figure's subjects, whatever else is known of it: who
    has no event says nothing about recall. Intervals are widened for, or refused to, the number of the rest.
    """

    def mark(figure: SumsFigure) -> SumsFigure:
        _RESTS_ON[figure] = columns
        return figure

    return mark


def find_columns(figure: SumsFigure) -> tuple[int, ...] | None:
    """Return the columns that a figure rests on, as `rests_on` says; None where it does not say: all."""
    return _RESTS_ON.get(figure)


def count_subjects(sums: FloatArray, columns: Sequence[int] | None = None) -> int:
    """Count the subjects with anything but zeros in some columns (None: any) of their sums (S, k)."""
    chosen = sums if columns is None else sums[:, list(columns)]
    return int(np.any(chosen != 0, axis=1).sum())


def not_defined(reason: str, unit: str = "clips") -> Figure:
    """Return a figure without value, and why."""
    return Figure(None, None, 0, unit, 0, reason)


def draw_weights(n_subjects: int, resamples: int, seed: int) -> FloatArray:
    """Draw how often each subject appears in each resample: (resamples, n_subjects)."""
    if n_subjects == 0 or resamples == 0:
        return np.zeros((resamples, n_subjects))
    rng = np.random.default_rng(seed)
    return rng.multinomial(n_subjects, np.full(n_subjects, 1 / n_subjects), size=resamples).astype(np.float64)


def sum_by_subject(rows: FloatArray, subject: NDArray[np.int64], n_subjects: int) -> FloatArray:
    """Sum statistics of clips (n, k) over each subject: (n_subjects, k)."""
    sums = np.zeros((n_subjects, rows.shape[1]))
    np.add.at(sums, subject, rows)
    return sums


def estimate_from_sums(
    sums: FloatArray, figure: SumsFigure, weights: FloatArray, *, n: int, unit: str, undefined: str
) -> Figure:
    """Estimate a figure of per-subject sums.

    Args:
        sums: statistics (S, k), a row a subject; rows of zeros are subjects without data.
        figure: the figure as a function of summed statistics (..., k).
        weights: from `draw_weights`, (B, S).
        n: how many units stand behind the figure.
        unit: what they are.
        undefined: the reason given when the figure is not defined.
    """
    return summarise(resample_sums(sums, figure, weights), n=n, unit=unit, undefined=undefined)


def estimate_from_weights(
    figure: WeightsFigure, subject: NDArray[np.int64], weights: FloatArray, *, unit: str, undefined: str
) -> Figure:
    """Estimate a figure of weighted clips.

    Args:
        figure: the figure as a function of clip weights (B, n).
        subject: index of each clip's subject (n,).
        weights: from `draw_weights`, (B, S).
        unit: what the n things are.
        undefined: the reason given when the figure is not defined.
    """
    if len(subject) == 0:
        return Figure(None, None, 0, unit, 0, undefined)
    return summarise(
        resample_weights(figure, subject, weights), n=len(subject), unit=unit, undefined=undefined
    )


def estimate_from_subjects(
    figure: WeightsFigure, subject: NDArray[np.int64], weights: FloatArray, *, unit: str, undefined: str
) -> Figure:
    """Estimate a figure that takes the weights of subjects (B, S); else as `estimate_from_weights`."""
    if len(subject) == 0:
        return Figure(None, None, 0, unit, 0, undefined)
    return summarise(
        resample_subjects(figure, subject, weights), n=len(subject), unit=unit, undefined=undefined
    )


def resample_sums(
    sums: FloatArray, figure: SumsFigure, weights: FloatArray, columns: Sequence[int] | None = None
) -> Resampled:
    """Compute a figure of per-subject sums (S, k) in every resample of `weights` (B, S).

    `columns` are those that it rests on; None for what `rests_on` says of it, or else all.
    """
    found = resample_each(sums, {"": figure}, weights)[""]
    return found if columns is None else replace(found, subjects=count_subjects(sums, columns))


def resample_each(
    sums: FloatArray, figures: Mapping[str, SumsFigure], weights: FloatArray
) -> dict[str, Resampled]:
    """Compute several figures of the same sums (S, k); the sums of the resamples are formed once."""
    total = sums.sum(axis=0)[None]
    # The sum of those before and those after a subject: total minus own leaves rounding where zero is due.
    others = np.zeros_like(sums)
    others[1:] += np.cumsum(sums[:-1], axis=0)
    others[:-1] += np.cumsum(sums[:0:-1], axis=0)[::-1]
    resampled = weights @ sums
    return {
        name: Resampled(
            float(figure(total)[0]),
            figure(resampled) if len(weights) else np.empty(0),
            figure(others),
            count_subjects(sums, find_columns(figure)),
        )
        for name, figure in figures.items()
    }


def resample_weights(figure: WeightsFigure, subject: NDArray[np.int64], weights: FloatArray) -> Resampled:
    """Compute a figure of weighted clips, `subject` (n,), n > 0, in every resample of `weights` (B, S)."""
    n, n_subjects = len(subject), weights.shape[1]
    value = float(figure(np.ones((1, n)))[0])
    groups = min(n_subjects, _MOST_LEFT_OUT)
    block = max(1, _BLOCK_ELEMENTS // n)
    parts = [figure(weights[start : start + block][:, subject]) for start in range(0, len(weights), block)]
    kept = [
        figure((np.arange(start, min(start + block, groups))[:, None] != subject % groups).astype(np.float64))
        for start in range(0, groups, block)
    ]
    samples = np.concatenate(parts) if parts else np.empty(0)
    return Resampled(value, samples, np.concatenate(kept), len(np.unique(subject)))


def resample_subjects(figure: WeightsFigure, subject: NDArray[np.int64], weights: FloatArray) -> Resampled:
    """Compute a figure of subject weights (B, S) in every resample; the same groups of subjects left out.

    Args:
        figure: the figure; it bounds its own memory.
        subject: index of each unit's subject (n,), n > 0.
        weights: from `draw_weights`, (B, S).
    """
    n_subjects = weights.shape[1]
    value = float(figure(np.ones((1, n_subjects)))[0])
    groups = min(n_subjects, _MOST_LEFT_OUT)
    kept = (np.arange(groups)[:, None] != np.arange(n_subjects) % groups).astype(np.float64)
    samples = figure(weights) if len(weights) else np.empty(0)
    return Resampled(value, samples, figure(kept), len(np.unique(subject)))


def summarise(resampled: Resampled, *, n: int, unit: str, undefined: str) -> Figure:
    """Make a figure of its resamples: value and interval, or why there is none.

    Args:
        resampled: from `resample_sums`, `resample_weights`, `resample_subjects` or `differences.subtract`.
        n: how many units stand behind the figure.
        unit: what they are.
        undefined: the reason given when the figure is not defined.
    """
    value, subjects = resampled.value, resampled.subjects
    if not np.isfinite(value):
        return Figure(None, None, n, unit, subjects, undefined)
    reason = explain_no_interval(resampled)
    if reason:
        return Figure(value, None, n, unit, subjects, reason)
    interval = estimate_interval(
        value,
        select_defined(resampled.samples),
        resampled.jackknife,
        confidence=CONFIDENCE,
        subjects=subjects,
    )
    return Figure(
        value, (interval.low, interval.high), n, unit, subjects, interval.correction.reason, interval.method
    )


def explain_no_interval(resampled: Resampled) -> str:
    """Say why a figure that has a value can have no interval; empty when it can."""
    if resampled.subjects < 2:
        return f"{'rests on ' if len(resampled.jackknife) > 1 else ''}one subject: no interval"
    defined = select_defined(resampled.samples)
    if len(resampled.samples) == 0 or len(defined) <= MIN_DEFINED_SHARE * len(resampled.samples):
        return "too few subjects or resamples for an interval"
    # For figures that do not say what they rest on: leaving out that subject leaves nothing, and how often it
    # is drawn does not change its figure.
    if not np.isfinite(resampled.jackknife).all() and are_equal(defined, resampled.value):
        return "rests on one subject: no interval"
    return ""


def select_defined(samples: FloatArray) -> FloatArray:
    """Return the finite ones."""
    return samples[np.isfinite(samples)]


def divide(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Divide, giving NaN (not defined) where the denominator is zero."""
    out = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    np.divide(numerator, denominator, out=out, where=denominator != 0)
    return out
