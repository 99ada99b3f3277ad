"""From labels to targets: which cells twitch at which moment, and which are known at all.

Wherever the labels say nothing, `valid` is False, and neither training nor scoring looks there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.data.labelling.regions import rasterise_region
from fascnet.types import Event, Interval, Labels, PixelBox

BACKGROUND = 0
TWITCH = 1
UNKNOWN = 2


@dataclass(frozen=True, slots=True, eq=False)
class Stencil:
    """One fasciculation's place on a grid and when it lasts.

    Attributes:
        onset_s: first moment.
        offset_s: end.
        place: uint8 (h, w): `TWITCH` in its region, `UNKNOWN` in its ignore ring (or everywhere, for an event
            without region: it may be anywhere), else `BACKGROUND`.
    """

    onset_s: float
    offset_s: float
    place: NDArray[np.uint8]


def cut_stencils(labels: Labels, box: PixelBox, shape: tuple[int, int]) -> list[Stencil]:
    """Rasterise each fasciculation of a clip once, on a (h, w) grid over `box` (x0, y0, x1, y1)."""
    return [Stencil(e.onset_s, e.offset_s, _cut(e, box, shape)) for e in labels.fasciculations()]


def _cut(event: Event, box: PixelBox, shape: tuple[int, int]) -> NDArray[np.uint8]:
    if event.region is None:
        return np.full(shape, UNKNOWN, np.uint8)
    place = np.zeros(shape, np.uint8)
    if event.ignore_region is not None:
        place[rasterise_region(event.ignore_region, box, shape)] = UNKNOWN
    place[rasterise_region(event.region, box, shape)] = TWITCH
    return place


def paint_stencils(
    stencils: Sequence[Stencil],
    examined: Sequence[Interval],
    times_s: NDArray[np.float64],
    rows: slice,
    columns: slice,
) -> NDArray[np.uint8]:
    """Paint what is known at some moments on a part of the grid.

    Args:
        stencils: the clip's fasciculations.
        examined: the seconds that the rater looked at.
        times_s: (T,) moments, in any order.
        rows: rows of the grid, with start and stop.
        columns: columns of the grid, with start and stop.

    Returns:
        uint8 (T, rows, columns) of `BACKGROUND`, `TWITCH`, `UNKNOWN`; `UNKNOWN` outside the examined seconds.
    """
    painted = np.zeros((len(times_s), rows.stop - rows.start, columns.stop - columns.start), np.uint8)
    # Rings first: where one event's ring meets another's core, the core is known.
    for value in (UNKNOWN, TWITCH):
        for stencil in stencils:
            during = (times_s >= stencil.onset_s) & (times_s < stencil.offset_s)
            if during.any():
                inside = stencil.place[rows, columns] == value
                painted[during] = np.where(inside, np.uint8(value), painted[during])
    known = np.zeros(len(times_s), bool)
    for start_s, end_s in examined:
        known |= (times_s >= start_s) & (times_s < end_s)
    painted[~known] = UNKNOWN
    return painted


def rasterise_truth(
    labels: Labels, times_s: NDArray[np.float64], box: PixelBox, shape: tuple[int, int]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return what is true and where that is known at given moments.

    Args:
        labels: one rater's labels of the clip.
        times_s: (T,) moments.
        box: stored pixels that the grid covers, (x0, y0, x1, y1).
        shape: (h, w) of the grid.

    Returns:
        (truth, valid), each bool (T, h, w).
    """
    stencils = cut_stencils(labels, box, shape)
    painted = paint_stencils(stencils, labels.examined, times_s, slice(0, shape[0]), slice(0, shape[1]))
    return painted == TWITCH, painted != UNKNOWN
