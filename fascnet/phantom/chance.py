"""Draws numbers from ranges."""

from __future__ import annotations

import math

import numpy as np

from fascnet.phantom.ranges import Range


def make_rng(stream: int, *key: int) -> np.random.Generator:
    """Make the generator of one purpose and one thing: the same numbers whatever else is drawn.

    Args:
        stream: tells purposes apart.
        key: seed of the run, then indexes of the thing, all >= 0.
    """
    # A lone seed is no sequence of one: SeedSequence tells them apart.
    entropy = key[0] if len(key) == 1 else key
    return np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=(stream,)))


def draw(bounds: Range, rng: np.random.Generator) -> float:
    """Draw evenly from a range."""
    return float(rng.uniform(bounds[0], bounds[1]))


def draw_log(bounds: Range, rng: np.random.Generator) -> float:
    """Draw from a range above 0, evenly on a log scale."""
    # math, not NumPy: NumPy's functions differ in the last bit from processor to processor.
    drawn = math.exp(float(rng.uniform(math.log(bounds[0]), math.log(bounds[1]))))
    # exp(log(20)) is not 20; a range of one value gives that value.
    return min(max(drawn, bounds[0]), bounds[1])


def draw_mostly_low(bounds: Range, rng: np.random.Generator) -> float:
    """Draw from a range above 0 with a density that falls with the square: the reciprocal is even."""
    return 1.0 / float(rng.uniform(1.0 / bounds[1], 1.0 / bounds[0]))


def draw_whole(bounds: Range, rng: np.random.Generator) -> int:
    """Draw a whole number, both ends included."""
    return int(rng.integers(round(bounds[0]), round(bounds[1]), endpoint=True))
