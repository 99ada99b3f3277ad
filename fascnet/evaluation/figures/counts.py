"""Count figures: do two sources count the same number of events per clip?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fascnet.evaluation.figures.rates import icc_agreement
from fascnet.evaluation.uncertainty.bootstrap import (
    Figure,
    FloatArray,
    WeightsFigure,
    divide,
    estimate_from_subjects,
    estimate_from_sums,
    sum_by_subject,
)

_BLOCK_ELEMENTS = 1_000_000
"""Weights of pairs held at once: bounds memory at some arrays of 8 MB."""


def compute_moment_rows(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return 1, x, y, x², y², xy per clip: (n, 6). All count figures but Spearman follow from their sums."""
    return np.column_stack([np.ones(len(first)), first, second, first**2, second**2, first * second])


def icc(sums: FloatArray) -> FloatArray:
    """ICC(2,1) of sums (..., 6): `rates.icc_agreement` of two sources."""
    # n, x, y and the table of products xx, xy, yx, yy.
    return icc_agreement(sums[..., [0, 1, 2, 3, 5, 5, 4]], 2)


def bias(sums: FloatArray) -> FloatArray:
    """Mean of second minus first, events per clip, of sums (..., 6)."""
    return divide(sums[..., 2] - sums[..., 1], sums[..., 0])


def loa_low(sums: FloatArray) -> FloatArray:
    """Lower limit of agreement, of sums (..., 6): bias - 1.96 SD of the differences (Bland & Altman 1986)."""
    return bias(sums) - 1.96 * _difference_sd(sums)


def loa_high(sums: FloatArray) -> FloatArray:
    """Upper limit of agreement, of sums (..., 6): bias + 1.96 SD of the differences (Bland & Altman 1986)."""
    return bias(sums) + 1.96 * _difference_sd(sums)


def _difference_sd(sums: FloatArray) -> FloatArray:
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    squares = xx + yy - 2 * xy - divide((y - x) ** 2, n)
    return np.sqrt(divide(np.maximum(squares, 0.0), n - 1))


def build_spearman(first: FloatArray, second: FloatArray) -> WeightsFigure:
    """Build Spearman's rank correlation (ties get their mean rank) as a function of clip weights (B, n)."""
    ranks = [_build_ranks(values) for values in (first, second)]

    def spearman(weights: FloatArray) -> FloatArray:
        total = weights.sum(axis=1)
        a, b = (rank(weights) for rank in ranks)
        a = a - divide((weights * a).sum(axis=1), total)[:, None]
        b = b - divide((weights * b).sum(axis=1), total)[:, None]
        spread = np.sqrt((weights * a**2).sum(axis=1) * (weights * b**2).sum(axis=1))
        return divide((weights * a * b).sum(axis=1), np.where(spread < 1e-9, 0.0, spread))

    return spearman


def _build_spearman_of_subjects(
    first: FloatArray, second: FloatArray, subject: NDArray[np.int64], n_subjects: int
) -> WeightsFigure:
    """Build Spearman's correlation as a function of subject weights (B, S).

    Counts are small whole numbers: thousands of clips have some hundred different pairs of them, and how
    often each subject has each pair is all that matters.
    """
    pairs, index = np.unique(np.column_stack([first, second]), axis=0, return_inverse=True)
    tally = np.zeros((n_subjects, len(pairs)))
    np.add.at(tally, (subject, index), 1.0)
    spearman = build_spearman(pairs[:, 0], pairs[:, 1])
    block = max(1, _BLOCK_ELEMENTS // max(len(pairs), 1))

    def of_subjects(weights: FloatArray) -> FloatArray:
        starts = range(0, len(weights), block)
        return np.concatenate([spearman(weights[start : start + block] @ tally) for start in starts])

    return of_subjects


def _build_ranks(values: FloatArray) -> WeightsFigure:
    unique, group = np.unique(values, return_inverse=True)
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(len(unique)))

    def rank(weights: FloatArray) -> FloatArray:
        per_group = np.add.reduceat(weights[:, order], starts, axis=1)
        middle = np.cumsum(per_group, axis=1) - per_group / 2
        return np.asarray(middle[:, group], dtype=np.float64)

    return rank


def estimate_counts(
    reference: FloatArray,
    found: FloatArray,
    subject: NDArray[np.int64],
    weights: FloatArray,
    unit: str = "clips",
) -> dict[str, Figure]:
    """Estimate agreement of counts per clip (or other `unit`).

    `reference` and `found` are (n,); bias is found minus reference. Closed intervals of the limits, for
    independent pairs, are in `rates.measure_limits`.
    """
    sums = sum_by_subject(compute_moment_rows(reference, found), subject, weights.shape[1])
    n = len(reference)
    figures = {
        name: estimate_from_sums(sums, figure, weights, n=n, unit=unit, undefined=reason)
        for name, figure, reason in (
            ("icc", icc, f"the counts do not vary, or fewer than two {unit}"),
            ("bias", bias, f"no {unit}"),
            ("loa_low", loa_low, f"fewer than two {unit}"),
            ("loa_high", loa_high, f"fewer than two {unit}"),
        )
    }
    figures["spearman"] = estimate_from_subjects(
        _build_spearman_of_subjects(reference, found, subject, weights.shape[1]),
        subject,
        weights,
        unit=unit,
        undefined="the counts of a source do not vary",
    )
    return figures
