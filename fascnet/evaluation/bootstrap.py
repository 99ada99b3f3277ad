"""How sure is a figure? Percentile bootstrap of subjects, because clips of one person are not independent.

Figures are computed from statistics summed over a subject's clips wherever that is possible: a resample is
then a weighted sum, and thousands of resamples are one matrix product. Figures that need the order of clips
(AUROC, Spearman) take a weight per clip instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

SumsFigure = Callable[[FloatArray], FloatArray]
"""From sums (..., k) to figures (...,); NaN where the figure is not defined."""

WeightsFigure = Callable[[FloatArray], FloatArray]
"""From clip weights (B, n) to figures (B,); NaN where the figure is not defined."""

CONFIDENCE = 0.95

MIN_DEFINED_SHARE = 0.5
"""An interval needs the figure to be defined in more than this share of the resamples, or it misleads."""

_BLOCK_ELEMENTS = 4_000_000
"""Weights held at once when clips are weighted: bounds memory at about 32 MB an array."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a benchmark.

    Attributes:
        value: the number, or None when it is not defined.
        ci95: its 95 % interval, or None when there is none.
        n: how many units it was computed from.
        unit: what those units are (`reference events`, `clips`, …).
        subjects: how many subjects they came from.
        reason: why the value or the interval is missing; empty when both are there.
    """

    value: float | None
    ci95: tuple[float, float] | None
    n: int
    unit: str
    subjects: int
    reason: str = ""

    def to_json(self) -> dict[str, object]:
        """Return the form of `metrics.json`."""
        plain: dict[str, object] = {
            "value": self.value,
            "ci95": None if self.ci95 is None else list(self.ci95),
        }
        plain |= {"n": self.n, "unit": self.unit, "subjects": self.subjects}
        return plain | ({"reason": self.reason} if self.reason else {})


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
    value = float(figure(sums.sum(axis=0)[None])[0])
    subjects = int(np.any(sums != 0, axis=1).sum())
    samples = figure(weights @ sums) if len(weights) else np.empty(0)
    return _summarise(value, samples, n, unit, subjects, undefined)


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
    n = len(subject)
    if n == 0:
        return Figure(None, None, 0, unit, 0, undefined)
    value = float(figure(np.ones((1, n)))[0])
    block = max(1, _BLOCK_ELEMENTS // n)
    parts = [figure(weights[start : start + block][:, subject]) for start in range(0, len(weights), block)]
    samples = np.concatenate(parts) if parts else np.empty(0)
    return _summarise(value, samples, n, unit, len(np.unique(subject)), undefined)


def _summarise(value: float, samples: FloatArray, n: int, unit: str, subjects: int, undefined: str) -> Figure:
    if not np.isfinite(value):
        return Figure(None, None, n, unit, subjects, undefined)
    defined = samples[np.isfinite(samples)]
    if subjects < 2:
        return Figure(value, None, n, unit, subjects, "one subject: no interval")
    if len(samples) == 0 or len(defined) <= MIN_DEFINED_SHARE * len(samples):
        return Figure(value, None, n, unit, subjects, "too few subjects or resamples for an interval")
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(defined, [tail, 100 - tail])
    return Figure(value, (float(low), float(high)), n, unit, subjects)


def divide(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Divide, giving NaN (not defined) where the denominator is zero."""
    out = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    np.divide(numerator, denominator, out=out, where=denominator != 0)
    return out
