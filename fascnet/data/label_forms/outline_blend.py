"""Outlines on the way from one key frame to the next, where the rater added or removed corners.

CVAT moves corners of two key frames into each other also where their numbers differ. How it pairs them is
not documented; here both outlines are walked evenly along their length, in one direction, from the pair of
starts that asks for the least movement.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fascnet.types import Polygon

MIN_CORNERS = 64
"""Corners of what lies between: an outline of a twitch is some 100 pixels round."""


def blend_outlines(first: Polygon, second: Polygon, share: float) -> Polygon:
    """Return the outline at `share` of the way, 0-1, between two with any numbers of corners."""
    if len(first.points) == len(second.points):
        one, other = np.asarray(first.points, np.float64), np.asarray(second.points, np.float64)
    else:
        n = max(MIN_CORNERS, 2 * len(first.points), 2 * len(second.points))
        one, other = _walk(first, n), _walk(second, n)
        if _measure_turn(one) * _measure_turn(other) < 0:
            other = other[::-1]
        # The shape may have moved a long way: starts are paired as if both lay at one place.
        here, there = one - one.mean(axis=0), other - other.mean(axis=0)
        costs = [float(((here - np.roll(there, -start, axis=0)) ** 2).sum()) for start in range(n)]
        other = np.roll(other, -int(np.argmin(costs)), axis=0)
    between = one + share * (other - one)
    return Polygon(tuple((float(x), float(y)) for x, y in between))


def _walk(outline: Polygon, n: int) -> NDArray[np.float64]:
    """Return n points at even steps along an outline, (n, 2)."""
    points = np.asarray(outline.points, np.float64)
    closed = np.concatenate([points, points[:1]])
    lengths = np.hypot(*np.diff(closed, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    at = np.arange(n) * (along[-1] / n)
    return np.column_stack([np.interp(at, along, closed[:, axis]) for axis in (0, 1)])


def _measure_turn(points: NDArray[np.float64]) -> float:
    """Return twice the signed area: its sign says which way round an outline is drawn."""
    x, y = points.T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())
