"""A clip's pooled logit, tick by tick, on disk: pooled again without what must not count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from fascnet.data.spool import Spool
from fascnet.inference.events import Footprint
from fascnet.inference.heatmap_store import HeatmapStore
from fascnet.inference.scores import ClipPool, pool_cells
from fascnet.types import NotScored

_READ_TICKS = 256
_FLANK_CELLS = 2
"""Cells around a place that is left out: probability falls off around it without reaching an event's."""

_TOLERANCE_S = 1e-6


@dataclass(frozen=True, slots=True)
class Place:
    """Cells over some seconds.

    Attributes:
        footprint: which cells, as `EventFinder.footprint` gives them.
        start_s: from when.
        end_s: until when.
    """

    footprint: Footprint
    start_s: float
    end_s: float


class PooledCourse:
    """Keeps the exact pooled logit of each tick in a temporary file, 8 bytes a tick. A context manager."""

    def __init__(self) -> None:
        self._spool = Spool("the scores of the clip")
        self._n = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()

    def append(self, pooled: float) -> None:
        """Add the next tick's pooled logit.

        Raises:
            OutputError: the folder for temporary files is full.
        """
        self._spool.append(np.float64(pooled).tobytes())
        self._n += 1

    def pool_again(
        self,
        store: HeatmapStore,
        fps: float,
        not_scored: Sequence[NotScored],
        left_out: Sequence[Place],
        counted: Sequence[Place],
    ) -> float | None:
        """Pool the clip anew.

        Ticks that are not scored end a run: nothing is smoothed across them. At ticks with a place that is
        left out, the cells are read back from the store; they are quantised there, so the exact value of the
        tick is kept as an upper bound.

        Args:
            store: the clip's heatmaps.
            fps: ticks per second.
            not_scored: seconds to leave out.
            left_out: places to leave out, with a few cells around them.
            counted: places that count all the same: a twitch on a pulsating artery.

        Returns:
            The clip's logit, or None when not a single tick is left.
        """
        pool = ClipPool()
        for start in range(0, self._n, _READ_TICKS):
            stop = min(start + _READ_TICKS, self._n)
            values = np.frombuffer(self._spool.read(8 * start, 8 * (stop - start)), dtype=np.float64)
            times_s = np.arange(start, stop) / fps
            hidden = _unpack(left_out, times_s, widen=True)
            shown = _unpack(counted, times_s, widen=False)
            heatmaps = store.read(start, stop) if hidden else None
            for k, time_s in enumerate(times_s.tolist()):
                if any(part.start_s - _TOLERANCE_S <= time_s < part.end_s for part in not_scored):
                    pool.interrupt()
                    continue
                value = float(values[k])
                if heatmaps is not None:
                    mask = _join(hidden, time_s, store.shape) & ~_join(shown, time_s, store.shape)
                    if mask.any():
                        value = min(value, pool_cells(np.where(mask, 0.0, heatmaps[k] / 255.0)))
                pool.push_pooled(value)
        return pool.finish()


_Mask = tuple[float, float, NDArray[np.bool_]]


def _unpack(places: Sequence[Place], times_s: NDArray[np.float64], widen: bool) -> list[_Mask]:
    """Unpack the places of a block of ticks only: there may be thousands in a long clip."""
    found = []
    for place in places:
        if place.start_s <= times_s[-1] and place.end_s > times_s[0]:
            cells = place.footprint.cells()
            if widen:
                cells = ndimage.binary_dilation(cells, iterations=_FLANK_CELLS)
            found.append((place.start_s, place.end_s, cells))
    return found


def _join(masks: Sequence[_Mask], time_s: float, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the cells that any of the masks of this moment covers."""
    joined = np.zeros(shape, dtype=bool)
    for start_s, end_s, cells in masks:
        if start_s <= time_s < end_s:
            joined |= cells
    return joined
