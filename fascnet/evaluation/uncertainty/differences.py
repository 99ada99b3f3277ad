"""Is one source better than another? Paired differences: both figures of the same resampled subjects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from fascnet.evaluation.uncertainty.bootstrap import (
    FloatArray,
    Resampled,
    explain_no_interval,
    select_defined,
)
from fascnet.evaluation.uncertainty.intervals import CONFIDENCE, Correction, estimate_interval, find_tail


@dataclass(frozen=True, slots=True)
class Difference:
    """First minus second figure.

    Attributes:
        value: the difference, or None when one of the figures is not defined.
        ci95: its 95 % interval, or None when there is none.
        p: two-sided p that the difference is 0, above 0 always; None when there is no interval.
        subjects: how many subjects both came from.
        reason: why something is missing, or why the interval is not BCa; else empty.
        method: how the interval was made, `BCa` or `percentile`; empty where there is none.
    """

    value: float | None
    ci95: tuple[float, float] | None
    p: float | None
    subjects: int
    reason: str = ""
    method: str = ""

    def to_json(self) -> dict[str, object]:
        """Return the form of `metrics.json`."""
        plain: dict[str, object] = {
            "value": self.value,
            "ci95": None if self.ci95 is None else list(self.ci95),
            "p": self.p,
            "subjects": self.subjects,
        }
        plain |= {"ci95_method": self.method} if self.method else {}
        return plain | ({"reason": self.reason} if self.reason else {})


def subtract(first: Resampled, second: Resampled) -> Resampled:
    """Subtract the second from the first figure in every resample.

    The two must come from the same weights: each resample then holds the same subjects for both, and what a
    hard subject takes from both cancels.

    Raises:
        ValueError: the resamples or the left-out subjects differ in number, so they are not the same.
    """
    if first.samples.shape != second.samples.shape or first.jackknife.shape != second.jackknife.shape:
        raise ValueError("differences: the two figures were not resampled with the same weights")
    return Resampled(
        first.value - second.value,
        first.samples - second.samples,
        first.jackknife - second.jackknife,
        min(first.subjects, second.subjects),
    )


def estimate_difference(difference: Resampled, *, undefined: str) -> Difference:
    """Estimate interval and p of a difference from `subtract`; `undefined` says why it may have no value."""
    value, subjects = difference.value, difference.subjects
    if not np.isfinite(value):
        return Difference(None, None, None, subjects, undefined)
    reason = explain_no_interval(difference)
    if reason:
        return Difference(value, None, None, subjects, reason)
    samples = select_defined(difference.samples)
    interval = estimate_interval(
        value, samples, difference.jackknife, confidence=CONFIDENCE, subjects=subjects
    )
    correction = interval.correction
    p = compute_p(samples, correction, subjects)
    return Difference(value, (interval.low, interval.high), p, subjects, correction.reason, interval.method)


def compute_p(samples: FloatArray, correction: Correction, subjects: int | None = None) -> float:
    """Compute the two-sided p that a figure is 0 from its resamples: the interval, turned round.

    It is one minus the confidence of the widest interval that leaves out 0, with the correction of that
    interval solved for the level (Efron & Tibshirani 1993, 14.10), so that p < 0.05 and a 95 % interval
    without 0 say the same but for the rule of one: the data themselves count as one more resample, as
    (1 + k) / (1 + B), and p is never 0 (Davison & Hinkley 1997, Bootstrap Methods and their Application,
    ch. 4; Phipson & Smyth 2010, Stat Appl Genet Mol Biol 9:39).

    Args:
        samples: the finite values in the resamples (B,).
        correction: of the interval.
        subjects: as for the interval; None for no widening.
    """
    n = len(samples)
    same = 1e-12 * max(float(np.abs(samples).max(initial=0.0)), 1.0)
    at_most = (1 + (samples <= same).sum()) / (n + 1)
    at_least = (1 + (samples >= -same).sum()) / (n + 1)
    below = find_tail(-_undo(at_most, correction), subjects)
    above = find_tail(_undo(1 - at_least, correction), subjects)
    # More resamples would be needed to show less than this.
    return float(min(1.0, max(2 * min(below, above), 2 / (n + 1))))


def _undo(share: float, correction: Correction) -> float:
    """Return the nominal normal quantile whose BCa level is this share of the resamples."""
    shifted = float(ndtri(share)) - correction.bias
    if not np.isfinite(shifted):
        return shifted
    slowed = 1 + correction.acceleration * shifted
    # The level runs into its end where this is not positive: no nominal level reaches so far.
    return shifted / slowed - correction.bias if slowed > 0 else float(np.copysign(np.inf, shifted))
