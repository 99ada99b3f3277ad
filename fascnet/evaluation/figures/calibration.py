"""Does a score mean what it says? Brier score and its parts, calibration errors, reliability table."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fascnet.evaluation.uncertainty.bootstrap import (
    Figure,
    FloatArray,
    divide,
    estimate_from_sums,
    sum_by_subject,
)

BINS = 10

FIELDS = 5
"""Per bin: clips, sum of scores, positives, sum of squared scores, sum of scores of positives."""


@dataclass(frozen=True, slots=True)
class ReliabilityRow:
    """One bin of scores.

    Attributes:
        low: lower edge, inside the bin.
        high: upper edge, outside the bin except for the last.
        mean_score: what the source says on average; None for an empty bin.
        share_positive: what was true, with its interval.
    """

    low: float
    high: float
    mean_score: float | None
    share_positive: Figure


def cut_equal_width(bins: int = BINS) -> FloatArray:
    """Return edges of bins of equal width over 0-1: (bins + 1,)."""
    # Quotients, not steps: 3 / 10 is the 0.3 that a score of 0.3 is compared with.
    return np.asarray(np.arange(bins + 1) / bins, dtype=np.float64)


def cut_equal_count(score: FloatArray, bins: int = BINS) -> FloatArray:
    """Return edges of bins with about equally many scores; fewer bins where many scores are equal.

    The edges come from all clips and are kept in every resample.
    """
    inner = np.quantile(score, np.linspace(0, 1, bins + 1)[1:-1]) if len(score) else np.empty(0)
    edges = np.unique(np.concatenate([[0.0], inner, [1.0]]))
    return np.asarray(edges, dtype=np.float64)


def compute_bin_rows(score: FloatArray, truth: NDArray[np.bool_], edges: FloatArray) -> FloatArray:
    """Return the `FIELDS` of each clip in its bin: (n, FIELDS * bins).

    A score on an edge goes into the upper bin, 1 into the last.
    """
    bins = len(edges) - 1
    rows = np.zeros((len(score), FIELDS, bins))
    index = np.minimum(np.searchsorted(edges[1:-1], score, side="right"), bins - 1)
    clip = np.arange(len(score))
    true = truth.astype(np.float64)
    for field, values in enumerate((np.ones(len(score)), score, true, score**2, score * true)):
        rows[clip, field, index] = values
    return rows.reshape(len(score), FIELDS * bins)


def brier(sums: FloatArray) -> FloatArray:
    """Mean squared error of the probability (Brier 1950), of sums (..., FIELDS * bins)."""
    n, _, y, pp, py = (field.sum(axis=-1) for field in _split(sums))
    return divide(pp - 2 * py + y, n)


def reliability(sums: FloatArray) -> FloatArray:
    """Mean over clips of (mean score - share positive)² of their bin; 0 is calibrated (Murphy 1973)."""
    n, p, y, _, _ = _split(sums)
    return divide((n * _mean(p - y, n) ** 2).sum(axis=-1), n.sum(axis=-1))


def resolution(sums: FloatArray) -> FloatArray:
    """Mean over clips of (share positive of their bin - share positive)²; high is good (Murphy 1973)."""
    n, _, y, _, _ = _split(sums)
    base = divide(y.sum(axis=-1), n.sum(axis=-1))[..., None]
    return divide((n * (_mean(y, n) - base) ** 2).sum(axis=-1), n.sum(axis=-1))


def uncertainty(sums: FloatArray) -> FloatArray:
    """Share positive x share negative: the Brier score of always saying the share (Murphy 1973)."""
    n, _, y, _, _ = _split(sums)
    base = divide(y.sum(axis=-1), n.sum(axis=-1))
    return base * (1 - base)


def within_bin(sums: FloatArray) -> FloatArray:
    """What binning hides: variance of scores within bins - twice their covariance with the truth.

    Brier = reliability - resolution + uncertainty + within_bin holds exactly (Stephenson, Coelho & Jolliffe
    2008); it is 0 where all scores of a bin are equal, which is Murphy's case.
    """
    n, p, y, pp, py = _split(sums)
    variance, covariance = pp - p * _mean(p, n), py - y * _mean(p, n)
    return divide((variance - 2 * covariance).sum(axis=-1), n.sum(axis=-1))


def ece(sums: FloatArray) -> FloatArray:
    """Expected calibration error: mean over clips of |mean score - share positive| of their bin.

    Naeini, Cooper & Hauskrecht 2015. It is above 0 by chance alone, the more so the fewer clips a bin has.
    """
    n, p, y, _, _ = _split(sums)
    return divide(np.abs(p - y).sum(axis=-1), n.sum(axis=-1))


def ece_by_chance(sums: FloatArray) -> FloatArray:
    """What `ece` is on average when every score is the probability that it claims to be.

    The positives of a bin then miss the sum of its scores by sqrt(2 v / pi) on average, where v is the sum
    of p (1 - p) over the bin, if that is large, and by at most 2 v, which is exact for a single clip. An
    `ece` near this says nothing against the scores.
    """
    n, p, _, pp, _ = _split(sums)
    variance = np.maximum(p - pp, 0)
    return divide(np.minimum(np.sqrt(2 / np.pi * variance), 2 * variance).sum(axis=-1), n.sum(axis=-1))


def estimate_calibration(
    score: FloatArray,
    truth: NDArray[np.bool_],
    subject: NDArray[np.int64],
    weights: FloatArray,
    bins: int = BINS,
) -> dict[str, Figure]:
    """Estimate Brier score, its parts, and both calibration errors.

    Args:
        score: probabilities (n,), 0-1.
        truth: whether the reference calls the clip positive (n,).
        subject: index of each clip's subject (n,).
        weights: from `draw_weights` (B, S).
        bins: how many bins.

    Returns:
        `brier`, `reliability`, `resolution`, `uncertainty`, `within_bin` (bins of equal width),
        `ece_equal_width`, `ece_equal_count`; `ece_by_chance` (equal width) has no interval.
    """
    wide = sum_by_subject(compute_bin_rows(score, truth, cut_equal_width(bins)), subject, weights.shape[1])
    even = sum_by_subject(
        compute_bin_rows(score, truth, cut_equal_count(score, bins)), subject, weights.shape[1]
    )
    figures = {
        name: estimate_from_sums(sums, figure, weights, n=len(score), unit="clips", undefined="no clip")
        for name, sums, figure in (
            ("brier", wide, brier),
            ("reliability", wide, reliability),
            ("resolution", wide, resolution),
            ("uncertainty", wide, uncertainty),
            ("within_bin", wide, within_bin),
            ("ece_equal_width", wide, ece),
            ("ece_equal_count", even, ece),
            ("ece_by_chance", wide, ece_by_chance),
        )
    }
    expected = figures["ece_by_chance"]
    if expected.value is not None:
        why = "an expectation has no interval"
        figures["ece_by_chance"] = replace(expected, ci95=None, reason=why, method="")
    return figures


def tabulate_reliability(
    score: FloatArray,
    truth: NDArray[np.bool_],
    subject: NDArray[np.int64],
    weights: FloatArray,
    edges: FloatArray,
) -> list[ReliabilityRow]:
    """Tabulate mean score and share positive, with a clustered interval, of each bin."""
    sums = sum_by_subject(compute_bin_rows(score, truth, edges), subject, weights.shape[1])
    count, total, true, _, _ = _split(sums)
    rows = []
    for k in range(len(edges) - 1):
        n = int(count[:, k].sum())
        share = estimate_from_sums(
            np.column_stack([true[:, k], count[:, k]]),
            lambda pair: divide(pair[..., 0], pair[..., 1]),
            weights,
            n=n,
            unit="clips",
            undefined="no clip in this bin",
        )
        mean = float(total[:, k].sum()) / n if n else None
        rows.append(ReliabilityRow(float(edges[k]), float(edges[k + 1]), mean, share))
    return rows


def _split(sums: FloatArray) -> tuple[FloatArray, ...]:
    bins = sums.shape[-1] // FIELDS
    return tuple(sums[..., k * bins : (k + 1) * bins] for k in range(FIELDS))


def _mean(total: FloatArray, count: FloatArray) -> FloatArray:
    """Return the mean of each bin, 0 where it is empty and weighs nothing."""
    return np.divide(total, count, out=np.zeros_like(total), where=count > 0)
