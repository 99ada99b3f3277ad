"""Draws numbers from ranges."""

from __future__ import annotations

import numpy as np

from fascnet.phantom.settings import Range


def draw(bounds: Range, rng: np.random.Generator) -> float:
    """Draw evenly from a range."""
    return float(rng.uniform(bounds[0], bounds[1]))


def draw_log(bounds: Range, rng: np.random.Generator) -> float:
    """Draw from a range above 0, evenly on a log scale."""
    return float(np.exp(rng.uniform(np.log(bounds[0]), np.log(bounds[1]))))


def draw_whole(bounds: Range, rng: np.random.Generator) -> int:
    """Draw a whole number, both ends included."""
    return int(rng.integers(round(bounds[0]), round(bounds[1]), endpoint=True))
