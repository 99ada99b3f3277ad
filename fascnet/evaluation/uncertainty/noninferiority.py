"""Is a source as good as another, but for a margin that was set beforehand?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from fascnet.errors import SettingError
from fascnet.evaluation.uncertainty.bootstrap import Resampled, explain_no_interval, select_defined
from fascnet.evaluation.uncertainty.intervals import estimate_interval

ALPHA = 0.025
"""One-sided; the two-sided interval is then the 95 % one (ICH E9, 1998, 5.5)."""

Verdict = Literal["non-inferior", "not shown", "inferior", "not defined"]


@dataclass(frozen=True, slots=True)
class NonInferiority:
    """What can be said of new minus standard at a margin.

    Attributes:
        verdict: `non-inferior`: the interval lies wholly on the good side of the margin; `inferior`: wholly
            beyond it; `not shown`: the margin lies inside, or the interval has no width and so shows nothing;
            `not defined`: there is no interval.
        superior: the interval also lies wholly on the good side of no difference.
        value: the difference, or None.
        interval: its two-sided 1 - 2 alpha interval, or None.
        margin: how much worse counts as no worse, above 0, in units of the figure.
        alpha: one-sided level.
        larger_is_better: which way is good.
        reason: why there is no interval, or why it is not BCa; else empty.
    """

    verdict: Verdict
    superior: bool
    value: float | None
    interval: tuple[float, float] | None
    margin: float
    alpha: float
    larger_is_better: bool
    reason: str = ""

    def to_json(self) -> dict[str, object]:
        """Return the form of `metrics.json`."""
        plain: dict[str, object] = {
            "verdict": self.verdict,
            "superior": self.superior,
            "value": self.value,
            "interval": None if self.interval is None else list(self.interval),
            "margin": self.margin,
            "alpha": self.alpha,
            "larger_is_better": self.larger_is_better,
        }
        return plain | ({"reason": self.reason} if self.reason else {})


def judge_non_inferiority(
    difference: Resampled,
    *,
    margin: float,
    alpha: float = ALPHA,
    larger_is_better: bool = True,
    undefined: str = "one of the two figures is not defined",
) -> NonInferiority:
    """Judge new minus standard by its two-sided 1 - 2 alpha interval.

    As in the CONSORT extension (Piaggio et al. 2012, JAMA 308:2594-2604, figure 1). Alike on every subject of
    a small study is no proof: an interval without width gives `not shown`.

    Args:
        difference: of the new minus the standard source, from `differences.subtract`.
        margin: how much worse counts as no worse, in units of the figure. To be set before the data are seen.
        alpha: one-sided level, between 0 and 0.5.
        larger_is_better: False for a figure such as false alarms per minute.
        undefined: the reason given when the difference has no value.

    Raises:
        SettingError: the margin or alpha is out of range.
    """
    if not (np.isfinite(margin) and margin > 0):
        raise SettingError(f"margin: {margin} must be above 0; say how much worse counts as no worse")
    if not 0 < alpha < 0.5:
        raise SettingError(f"alpha: {alpha} must lie between 0 and 0.5, it is one-sided")
    if not np.isfinite(difference.value):
        return NonInferiority("not defined", False, None, None, margin, alpha, larger_is_better, undefined)
    value = difference.value
    reason = explain_no_interval(difference)
    if reason:
        return NonInferiority("not defined", False, value, None, margin, alpha, larger_is_better, reason)
    interval = estimate_interval(
        value,
        select_defined(difference.samples),
        difference.jackknife,
        confidence=1 - 2 * alpha,
        subjects=difference.subjects,
    )
    limits = (interval.low, interval.high)
    # Turned so that larger is better.
    worst, best = limits if larger_is_better else (-interval.high, -interval.low)
    verdict: Verdict = "not shown"
    if interval.low == interval.high:
        worst = -np.inf
    elif worst > -margin:
        verdict = "non-inferior"
    elif best < -margin:
        verdict = "inferior"
    reason = interval.correction.reason
    return NonInferiority(verdict, worst > 0, value, limits, margin, alpha, larger_is_better, reason)
