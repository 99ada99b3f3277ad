"""From resamples to an interval: bias-corrected and accelerated (BCa), widened for few subjects.

Sources:
    Efron 1987, Better bootstrap confidence intervals, JASA 82:171-185 (BCa).
    Efron & Tibshirani 1993, An Introduction to the Bootstrap, ch. 14 (formulas 14.10, 14.14, 14.15).
    Hesterberg 2015, What teachers should know about the bootstrap, The American Statistician 69:371-386
    (expanded percentile interval: levels by the t distribution, as resamples of n things spread too little).
    Hanley & Lippman-Hand 1983, If nothing goes wrong, is everything all right?, JAMA 249:1743-1745.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

FloatArray = NDArray[np.float64]

CONFIDENCE = 0.95

_SAME = 1e-12
"""Relative to the value: sums of one resample in another order differ by rounding, and still are ties."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What turns a percentile interval into BCa.

    Attributes:
        bias: z0, in standard normal units; 0 when half of the resamples lie below the value.
        acceleration: how fast the standard error changes with the value; 0 for symmetric data.
        reason: why there is no correction (both are 0 then); empty when there is one.
    """

    bias: float
    acceleration: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ConfidenceInterval:
    """An interval and how it was made.

    Attributes:
        low: lower limit.
        high: upper limit.
        correction: what was applied; its reason says why an interval is not BCa.
    """

    low: float
    high: float
    correction: Correction

    @property
    def method(self) -> str:
        """`BCa`, or `percentile` where BCa is not defined."""
        return "percentile" if self.correction.reason else "BCa"


def estimate_interval(
    value: float,
    samples: FloatArray,
    jackknife: FloatArray,
    *,
    confidence: float = CONFIDENCE,
    subjects: int | None = None,
) -> ConfidenceInterval:
    """Estimate a two-sided interval of a figure.

    Args:
        value: the figure of all subjects.
        samples: its finite values in the resamples (B,), at least one.
        jackknife: its values with each subject left out (S,); NaN where not defined.
        confidence: between 0 and 1.
        subjects: widen the levels as befits this many subjects (at least 2); None for the plain BCa of
            the textbook, which covers too rarely below about 60 subjects.

    Raises:
        ValueError: the confidence is not between 0 and 1, or there is no resample.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: {confidence} is not between 0 and 1")
    if len(samples) == 0:
        raise ValueError("samples: no resample")
    correction = correct_levels(value, samples, jackknife, subjects)
    reach = find_reach((1 - confidence) / 2, subjects)
    if not correction.reason:
        shifted = np.array([-reach, reach]) + correction.bias
        slowed = 1 - correction.acceleration * shifted
        # Efron & Tibshirani 14.10 holds while 1 - a (z0 + z) is positive; beyond it the limits cross.
        if (slowed > 0).all():
            levels = ndtr(correction.bias + shifted / slowed)
            return ConfidenceInterval(*_take(samples, levels), correction)
        correction = Correction(0.0, 0.0, "a few subjects decide it: the acceleration is too large for BCa")
    levels = ndtr(np.array([-reach, reach]))
    return ConfidenceInterval(*_take(samples, levels), correction)


def _take(samples: FloatArray, levels: FloatArray) -> tuple[float, float]:
    return float(np.quantile(samples, levels[0])), float(np.quantile(samples, levels[1]))


def correct_levels(
    value: float, samples: FloatArray, jackknife: FloatArray, subjects: int | None = None
) -> Correction:
    """Compute bias correction and acceleration, or say why there are none.

    The bias correction is the normal quantile of the share of resamples below the value, ties half (Efron &
    Tibshirani 14.14). The acceleration is sum(d³) / (6 sum(d²)^1.5) of the deviations d of the
    leave-one-subject-out figures from their mean (14.15).

    Args:
        value: the figure of all subjects.
        samples: its finite values in the resamples (B,).
        jackknife: its values with each subject left out (S,); NaN where not defined.
        subjects: how many subjects have data, for the wording; None where all S have.
    """
    scale = _find_rounding(value)
    if are_equal(samples, value):
        return Correction(0.0, 0.0, describe_no_spread(len(jackknife) if subjects is None else subjects))
    if not np.isfinite(jackknife).all():
        return Correction(0.0, 0.0, "not defined when a certain subject is left out: it rests on one subject")
    below, above = (samples < value - scale).mean(), (samples > value + scale).mean()
    share = (below + 1 - above) / 2
    if share in (0.0, 1.0):
        return Correction(0.0, 0.0, "all resamples lie on one side of the figure")
    deviation = jackknife.mean() - jackknife
    square = (deviation**2).sum()
    if np.abs(deviation).max() <= scale:
        return Correction(0.0, 0.0, "leaving out any one subject changes nothing")
    return Correction(float(ndtri(share)), float((deviation**3).sum() / (6 * square**1.5)))


def are_equal(samples: FloatArray, value: float) -> bool:
    """Whether a figure of this value has equal finite resamples (B,), B > 0, but for rounding."""
    return bool(np.ptp(samples) <= _find_rounding(value))


def _find_rounding(value: float) -> float:
    return _SAME * max(abs(value), 1.0)


def find_reach(tail: float, subjects: int | None) -> float:
    """Return how many standard errors an interval reaches to one side, at least 0.

    Without `subjects` the normal quantile. With it sqrt(n / (n - 1)) times the quantile of t with n - 1
    degrees of freedom (Hesterberg 2015): resamples of n subjects have (n - 1) / n of the variance, and
    the variance itself is estimated.

    Raises:
        ValueError: fewer than two subjects, or a tail outside 0 to 0.5.
    """
    if not 0 < tail <= 0.5:
        raise ValueError(f"tail: {tail} is not between 0 and 0.5")
    if subjects is None:
        return float(-ndtri(tail))
    if subjects < 2:
        raise ValueError(f"subjects: {subjects}; an interval needs two")
    return float(-np.sqrt(subjects / (subjects - 1)) * stdtrit(subjects - 1, tail))


def find_tail(reach: float, subjects: int | None) -> float:
    """Return the tail that an interval of this reach (any sign) leaves: the inverse of `find_reach`.

    Raises:
        ValueError: fewer than two subjects.
    """
    if subjects is None:
        return float(ndtr(-reach))
    if subjects < 2:
        raise ValueError(f"subjects: {subjects}; an interval needs two")
    return float(stdtr(subjects - 1, -reach * np.sqrt((subjects - 1) / subjects)))


def describe_no_spread(subjects: int) -> str:
    """Say what resamples that are all equal do and do not show.

    They do not show certainty: with n subjects alike, up to 1 - 0.05^(1/n) of all subjects, about 3 / n, may
    differ (Hanley & Lippman-Hand 1983).
    """
    share = 1 - 0.05 ** (1 / max(subjects, 1))
    return (
        f"all resamples are equal: the interval has no width, yet up to {100 * share:.0f} % of all subjects "
        f"may differ from these {subjects} (rule of three)"
    )
