"""The time course of a twitch: a smooth rise, a slower relaxation with a tail, and how pulses add up."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SUPERPOSITION_EXPONENT = 1.5
"""Neighbouring units add less than linearly (Lubel 2023); 1 is a plain sum. The value is a model choice."""

REST_LEVEL = 0.001
"""Below this share of its peak a pulse counts as over."""

TENTH_LEVEL = 0.1
HALF_LEVEL = 0.5

_TAIL_STRETCH = 2.5
"""The slow part of the relaxation takes this much longer than the fast one. Model choice."""


def shape_pulse(
    since_s: NDArray[np.float64],
    contraction_s: float,
    relaxation_s: float,
    tail: float = 0.0,
    skew: float = 1.0,
) -> NDArray[np.float64]:
    """Rise to 1, relax to 10 % after `relaxation_s`; nowhere a jump in velocity.

    The rise is sin², the relaxation that of a critically damped spring, (1 + s) exp(-s), in part slowed
    down: the forms are model choices that give the published biphasic velocity with a longer, lower second
    lobe (field notes 3a).

    Args:
        since_s: time since the start of the pulse in s, any shape.
        contraction_s: from the start to the peak, > 0.
        relaxation_s: from the peak to 10 % of it, > 0.
        tail: share of the relaxation that is slow, 0-1; the larger, the earlier half is reached against 10 %.
        skew: above 1 the rise starts slowly, below 1 it starts fast; above 0.5.
    """
    part = np.clip(since_s / contraction_s, 0, 1)
    rise = np.sin(0.5 * np.pi * np.power(part, skew)) ** 2
    s = np.maximum(since_s - contraction_s, 0) * (find_level_time(TENTH_LEVEL, tail) / relaxation_s)
    return np.asarray(np.where(since_s < contraction_s, rise, _relax(s, tail)))


def find_level_time(level: float, tail: float) -> float:
    """Return the time, in units of the fast relaxation, at which the relaxation falls to a level (0-1)."""
    return _solve_level(round(level, 6), round(tail, 6))


def add_pulses(pulses: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Add pulses of one place less than linearly: a p-norm with p = `SUPERPOSITION_EXPONENT`."""
    p = SUPERPOSITION_EXPONENT
    return np.asarray(np.power(np.power(np.stack(pulses), p).sum(axis=0), 1 / p))


def _relax(s: NDArray[np.float64], tail: float) -> NDArray[np.float64]:
    fast = (1 + s) * np.exp(-s)
    slow = (1 + s / _TAIL_STRETCH) * np.exp(-s / _TAIL_STRETCH)
    return np.asarray((1 - tail) * fast + tail * slow)


@lru_cache(maxsize=4096)
def _solve_level(level: float, tail: float) -> float:
    low, high = 0.0, 60.0
    for _ in range(60):  # bisection; the relaxation falls all the way
        middle = (low + high) / 2
        if float(_relax(np.array(middle), tail)) > level:
            low = middle
        else:
            high = middle
    return high
