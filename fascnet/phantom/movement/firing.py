"""When the foci of a clip fire: aperiodic, each at its own rate."""

from __future__ import annotations

import numpy as np

_INTERVAL_SHAPE = 1.0
_TAIL_SHAPE = 4.0
"""Intervals are gamma with a rate that is gamma itself: exponential-like, heavy tail (field notes 3b)."""

_RATE_SPREAD = 0.7
"""Deviation of the logarithm of the rates of a clip's foci. Model choice."""


def share_rate(total_per_min: float, foci: int, rng: np.random.Generator) -> tuple[float, ...]:
    """Share a clip's rate out among its foci, each with a rate of its own.

    Args:
        total_per_min: firings per minute of all foci together, > 0.
        foci: their number, >= 1.
        rng: source of all randomness.
    """
    weights = np.exp(rng.normal(0.0, _RATE_SPREAD, foci))
    return tuple(float(rate) for rate in total_per_min * weights / weights.sum())


def draw_interval_s(mean_s: float, rng: np.random.Generator) -> float:
    """Draw the time to the next firing of a focus; its mean is `mean_s`, its deviation about 1.4 times it."""
    part = float(rng.gamma(_INTERVAL_SHAPE)) / _INTERVAL_SHAPE
    tail = (_TAIL_SHAPE - 1) / float(rng.gamma(_TAIL_SHAPE))
    return mean_s * part * tail


def find_run_in_s(mean_s: float) -> float:
    """Return how long before the clip a focus starts: its rhythm has no beginning in the clip."""
    return max(30.0, 4.0 * mean_s)
