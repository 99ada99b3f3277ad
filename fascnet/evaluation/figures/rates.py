"""Rates and counts of several sources: rate ratio, ICC(2,1), ICC(3,1), limits of agreement."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import nct, t

from fascnet.evaluation.uncertainty.bootstrap import (
    Figure,
    FloatArray,
    divide,
    estimate_from_sums,
    not_defined,
    sum_by_subject,
)

LIMIT_Z = 1.96
"""95 % limits of agreement (Bland & Altman 1999); their paper of 1986 takes 2."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bland-Altman limits of agreement with closed intervals for independent, normal differences.

    Attributes:
        bias: mean of second minus first.
        sd: standard deviation of the differences.
        low: lower limit.
        high: upper limit.
        bias_ci: interval of the bias.
        low_ci: interval of the lower limit.
        high_ci: interval of the upper limit.
        n: pairs.
    """

    bias: float
    sd: float
    low: float
    high: float
    bias_ci: tuple[float, float]
    low_ci: tuple[float, float]
    high_ci: tuple[float, float]
    n: int


def compute_rating_rows(ratings: FloatArray) -> FloatArray:
    """Return 1, x_j and x_j x_l of each rated thing: (n, 1 + k + k²), of ratings (n, k) by k sources."""
    products = ratings[:, :, None] * ratings[:, None, :]
    return np.concatenate(
        [np.ones((len(ratings), 1)), ratings, products.reshape(len(ratings), ratings.shape[1] ** 2)], axis=1
    )


def icc_agreement(sums: FloatArray, k: int) -> FloatArray:
    """ICC(2,1) of sums (..., 1 + k + k²): two-way random, single rater, absolute agreement.

    (MSR - MSE) / (MSR + (k - 1) MSE + k (MSC - MSE) / n), Shrout & Fleiss 1979.
    """
    n, rows, columns, error, scale = _mean_squares(sums, k)
    return _ratio(rows - error, rows + (k - 1) * error + divide(k * (columns - error), n), scale)


def icc_consistency(sums: FloatArray, k: int) -> FloatArray:
    """ICC(3,1) of sums (..., 1 + k + k²): two-way mixed, single rater; a constant offset costs nothing.

    (MSR - MSE) / (MSR + (k - 1) MSE), Shrout & Fleiss 1979.
    """
    _, rows, _, error, scale = _mean_squares(sums, k)
    return _ratio(rows - error, rows + (k - 1) * error, scale)


def estimate_icc(ratings: FloatArray, subject: NDArray[np.int64], weights: FloatArray) -> dict[str, Figure]:
    """Estimate `icc_2_1` and `icc_3_1` of counts or rates (n, k) by k sources, each thing rated by all."""
    k = ratings.shape[1]
    reason = "the ratings do not vary, or fewer than two things or sources"
    if k < 2:
        return {"icc_2_1": not_defined(reason), "icc_3_1": not_defined(reason)}
    # A common shift changes nothing in exact arithmetic and keeps squares small in floating point.
    centred = ratings - ratings.mean() if len(ratings) else ratings
    sums = sum_by_subject(compute_rating_rows(centred), subject, weights.shape[1])

    def estimate(figure: Callable[[FloatArray, int], FloatArray]) -> Figure:
        return estimate_from_sums(
            sums, lambda each: figure(each, k), weights, n=len(ratings), unit="clips", undefined=reason
        )

    return {"icc_2_1": estimate(icc_agreement), "icc_3_1": estimate(icc_consistency)}


def rate_ratio(sums: FloatArray) -> FloatArray:
    """(found / minutes) / (reference / minutes), of sums found, minutes, reference, minutes (..., 4)."""
    return divide(divide(sums[..., 0], sums[..., 1]), divide(sums[..., 2], sums[..., 3]))


def estimate_rate_ratio(
    found: FloatArray,
    reference: FloatArray,
    minutes: FloatArray,
    subject: NDArray[np.int64],
    weights: FloatArray,
) -> dict[str, Figure]:
    """Estimate events per minute of both and their ratio (1: the same rate), subjects resampled together.

    Args:
        found: events counted by the source in each clip (n,).
        reference: events counted by the reference (n,).
        minutes: examined minutes of each clip (n,).
        subject: index of its subject (n,).
        weights: from `draw_weights` (B, S).
    """
    rows = np.column_stack([found, minutes, reference, minutes])
    sums = sum_by_subject(rows, subject, weights.shape[1])
    nothing = "nothing examined"
    n = round(float(minutes.sum()))

    def estimate(figure: str) -> Figure:
        kind = {
            "found_per_min": lambda s: divide(s[..., 0], s[..., 1]),
            "reference_per_min": lambda s: divide(s[..., 2], s[..., 3]),
            "rate_ratio": rate_ratio,
        }[figure]
        reason = nothing if minutes.sum() == 0 else "no reference event"
        return estimate_from_sums(sums, kind, weights, n=n, unit="examined minutes", undefined=reason)

    return {name: estimate(name) for name in ("found_per_min", "reference_per_min", "rate_ratio")}


def measure_limits(
    first: FloatArray,
    second: FloatArray,
    *,
    method: str = "exact",
    z: float = LIMIT_Z,
    confidence: float = 0.95,
) -> Limits | None:
    """Measure limits of agreement with intervals, of pairs that are independent: one per subject.

    Several clips of a subject are not independent: there the bootstrap of `counts.estimate_counts` holds and
    this does not.

    Args:
        first: values of the first source (n,).
        second: values of the second (n,).
        method: `exact` (noncentral t, Carkeet 2015) or `approximate` (Bland & Altman 1999, section 2.2:
            variance of a limit s² (1 / n + z² / (2 (n - 1)))).
        z: how many standard deviations to either side.
        confidence: of the intervals, 0-1.

    Returns:
        None with fewer than two pairs: there is no spread.
    """
    n = len(first)
    if n < 2:
        return None
    difference = second - first
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    tail = (1 - confidence) / 2
    quantile = float(t.ppf(1 - tail, n - 1))
    if method == "exact":
        inner, outer = compute_limit_factor(n, z, tail), compute_limit_factor(n, z, 1 - tail)
    else:
        half = quantile * math.sqrt(1 / n + z**2 / (2 * (n - 1)))
        inner, outer = z - half, z + half
    half_bias = quantile * sd / math.sqrt(n)
    return Limits(
        bias,
        sd,
        bias - z * sd,
        bias + z * sd,
        (bias - half_bias, bias + half_bias),
        (bias - outer * sd, bias - inner * sd),
        (bias + inner * sd, bias + outer * sd),
        n,
    )


@lru_cache(maxsize=256)
def compute_limit_factor(n: int, z: float, probability: float) -> float:
    """Return c with P(mean + c SD >= mu + z sigma) = `probability`, of n normal values.

    c = t'(probability; n - 1, z sqrt(n)) / sqrt(n), t' a quantile of the noncentral t: the factor of a
    one-sided tolerance limit (Carkeet 2015).
    """
    return float(nct.ppf(probability, n - 1, z * math.sqrt(n))) / math.sqrt(n)


def _mean_squares(sums: FloatArray, k: int) -> tuple[FloatArray, ...]:
    """Return n, mean squares of rows, columns and error, and the size of the ratings' squares."""
    n, x = sums[..., 0], sums[..., 1 : 1 + k]
    products = sums[..., 1 + k :].reshape(*sums.shape[:-1], k, k)
    squares = np.trace(products, axis1=-2, axis2=-1)
    correction = divide(x.sum(axis=-1) ** 2, k * n)
    total = squares - correction
    rows = products.sum(axis=(-2, -1)) / k - correction
    columns = divide((x**2).sum(axis=-1), n) - correction
    # Rounding can leave a tiny negative sum of squares where agreement is perfect.
    error = np.maximum(total - rows - columns, 0.0)
    scale = divide(squares, n)
    return n, divide(rows, n - 1), columns / (k - 1), divide(error, (n - 1) * (k - 1)), scale


def _ratio(numerator: FloatArray, denominator: FloatArray, scale: FloatArray) -> FloatArray:
    tiny = np.abs(denominator) <= 1e-12 * scale
    return divide(numerator, np.where(tiny, 0.0, denominator))
