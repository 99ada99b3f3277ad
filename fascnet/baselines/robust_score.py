"""How unusual is a map for its own clip? Robust z scores over a whole clip, at constant memory.

No published classical detector that measures motion or change states a threshold which carries over to other
clips; the median and the MAD of the clip itself do (`median + k · 1.4826 MAD`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from fascnet.data.spool import Spool
from fascnet.types import EventDefinition

FloatMap = NDArray[np.float32]

CHUNK_TICKS = 32
"""Heatmaps yielded at once."""

MAD_TO_SD = 1.4826
"""Makes the MAD of normal noise its standard deviation."""

_HIGHEST = 65504
"""Largest finite float16."""


def score_against_clip(
    maps: Iterable[FloatMap],
    shape: tuple[int, int],
    k_mad: float,
    least_mad: float,
    covered: NDArray[np.bool_] | None = None,
) -> Iterator[FloatMap]:
    """Turn maps of something non-negative into probabilities, by the clip's own median and MAD.

    Probability is z / (z + k_mad) with z the robust z score over all cells and ticks of the clip, negative
    scores as 0: one half stands at median + k_mad · 1.4826 MAD. Two passes: maps go to a temporary file as
    float16, so that memory does not grow with the clip.

    Args:
        maps: non-negative (h, w), one a tick.
        shape: (h, w).
        k_mad: robust standard deviations above the median where the probability is one half, above 0.
        least_mad: floor of the MAD in the maps' unit, above 0; keeps a still clip free of events.
        covered: bool (h, w), cells that show tissue; blank ones would pull the median down. None: all.

    Yields:
        Probabilities float32 (t, h, w), `CHUNK_TICKS` at once.
    """
    with Spool("what the detector measured of the clip") as spool:
        patterns, n_bytes = np.zeros(65536, dtype=np.int64), 0
        for item in maps:
            stored = np.minimum(item, _HIGHEST).astype(np.float16)
            patterns += count_patterns(stored if covered is None else stored[covered])
            n_bytes = spool.append(stored.tobytes()) + stored.nbytes
        median, mad = find_median_and_mad(patterns)
        scale = np.float32(MAD_TO_SD * max(mad, least_mad))
        size = CHUNK_TICKS * 2 * shape[0] * shape[1]
        for place in range(0, n_bytes, size):
            found = (
                np.frombuffer(spool.read(place, size), dtype=np.float16)
                .reshape(-1, *shape)
                .astype(np.float32)
            )
            z = np.maximum((found - np.float32(median)) / scale, 0)
            yield np.asarray(z / (z + np.float32(k_mad)), dtype=np.float32)


def define_hysteresis(offset_share: float, min_on_s: float, min_off_s: float) -> EventDefinition:
    """Say what an event is for probabilities of `score_against_clip`.

    It begins where a cell reaches `k_mad` and goes on where cells stay above `offset_share` of it: a z score
    of share · k_mad has the probability share / (share + 1).

    Args:
        offset_share: threshold of the offset as a share of that of the onset, above 0 to 1.
        min_on_s: shorter events are dropped.
        min_off_s: shorter gaps are bridged.
    """
    return EventDefinition(0.5, offset_share / (1.0 + offset_share), min_on_s, min_off_s)


def find_median_and_mad(patterns: NDArray[np.int64]) -> tuple[float, float]:
    """Return the lower median of counted values, and the median of their distances from it."""
    median = find_level(patterns)
    # Distances follow from the counts alone: every stored value is one of 65536.
    values = np.arange(65536, dtype=np.uint16).view(np.float16).astype(np.float32)
    used = np.flatnonzero(patterns)
    distances = np.zeros(65536, dtype=np.int64)
    away = np.abs(values[used] - np.float32(median)).astype(np.float16)
    np.add.at(distances, away.view(np.uint16), patterns[used])
    return median, find_level(distances)


def find_level(patterns: NDArray[np.int64]) -> float:
    """Return the lower median of non-negative float16 values, counted by bit pattern (65536,).

    The patterns of non-negative float16 ascend with the values, so that a median over any number of values
    takes constant memory and is exact.
    """
    total = int(patterns.sum())
    if total == 0:
        return 0.0
    rank = int(np.searchsorted(np.cumsum(patterns), (total + 1) // 2))
    return float(np.array([rank], dtype=np.uint16).view(np.float16)[0])


def count_patterns(values: NDArray[np.float16]) -> NDArray[np.int64]:
    """Count non-negative float16 values by bit pattern: (65536,)."""
    return np.bincount(np.ascontiguousarray(values).view(np.uint16).ravel(), minlength=65536)
