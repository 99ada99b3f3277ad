"""From labels to targets: which cells twitch at which moment, and which are known at all.

Wherever the labels say nothing, `valid` is False, and neither training nor scoring looks there. An outline
and a mask say all; weaker labels say less:

- time only: it may be anywhere, all of the image is unknown while it lasts; a window that shows the whole
  image then learns that something in it twitches (`mark_somewhere`);
- a point: a click on the moving place. Around it a small disc twitches, a wide ring is unknown, the rest is
  still;
- a box: around the moving area, not along its edge. Its middle twitches, the rest of it is unknown, and what
  lies outside is still.

Training takes them so. The benchmark's pixel figures take a box, and a point's small disc, at their word, as
the rater drew them, unless they are asked not to (`rasterise_truth(..., weak=True)`).

The sizes follow the territory of a human motor unit in cross-section, long axis 10.7 ± 3.3 mm and short axis
4.5 ± 1.2 mm (Birkbeck 2020, PMC7208543). How far a click may lie beside the middle (1 mm) is the published
tolerance of 15 pixels (`POINT_RADIUS_PX`) at the 0.07 mm a pixel of such recordings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fascnet.data.labelling.regions import POINT_RADIUS_PX, find_centre, rasterise_region
from fascnet.spacing import choose_spacing
from fascnet.types import Box, Event, Interval, Labels, PixelBox, Point, Polygon

BACKGROUND = 0
TWITCH = 1
UNKNOWN = 2
SOMEWHERE = 3
"""Unknown, but some of the cells so marked at a tick twitch; only training windows use it."""

TYPICAL_MM_PER_PX = 0.07
"""Where a clip's spacing is not known: the middle of 0.061-0.092 mm of published fasciculation recordings."""

POINT_TWITCH_MM = POINT_RADIUS_PX * TYPICAL_MM_PER_PX
"""1.05 mm around a click twitches: half the short axis (2.25 mm) less the error of the click."""

POINT_UNKNOWN_MM = 8.0
"""So far around a click is unknown: half the long axis and its spread (7 mm), and the error of the click."""

BOX_TWITCH_SHARE = 0.5
"""The middle of a box: the ellipse of half its width and height, choice of this project ..."""

BOX_TWITCH_MM = 2.25
"""... and at most so far from the centre, half the short axis: boxes are often larger than what moves."""

_ELLIPSE_CORNERS = 32


@dataclass(frozen=True, slots=True, eq=False)
class Stencil:
    """One fasciculation's place on a grid and when it lasts.

    Attributes:
        onset_s: first moment.
        offset_s: end.
        place: uint8 (h, w): `TWITCH` where it surely is, `UNKNOWN` where it may be (everywhere, for an event
            without region), else `BACKGROUND`.
    """

    onset_s: float
    offset_s: float
    place: NDArray[np.uint8]


def cut_stencils(
    labels: Labels,
    box: PixelBox,
    shape: tuple[int, int],
    mm_per_px: float | None = None,
    pixel_aspect: float = 1.0,
    *,
    weak: bool = True,
) -> list[Stencil]:
    """Rasterise each fasciculation of a clip once.

    Args:
        labels: one rater's labels of the clip.
        box: stored pixels that the grid covers, (x0, y0, x1, y1).
        shape: (h, w) of the grid.
        mm_per_px: spacing of the stored pixels downwards, for the sizes of weak labels; None:
            `TYPICAL_MM_PER_PX`.
        pixel_aspect: width of a stored pixel over its height.
        weak: whether points and boxes leave something unknown; else a point is its small disc and a box all
            of it.

    Returns:
        In order of onset.
    """
    pitch = _Pitch(choose_spacing(mm_per_px, TYPICAL_MM_PER_PX), pixel_aspect)
    cut = _cut_weak if weak else _cut
    return [Stencil(e.onset_s, e.offset_s, cut(e, box, shape, pitch)) for e in labels.fasciculations()]


class _Pitch(NamedTuple):
    """Height of a stored pixel in mm, and its width over its height."""

    down_mm: float
    aspect: float


def _cut(event: Event, box: PixelBox, shape: tuple[int, int], pitch: _Pitch) -> NDArray[np.uint8]:
    if event.region is None:
        return np.full(shape, UNKNOWN, np.uint8)
    place = np.zeros(shape, np.uint8)
    if event.ignore_region is not None:
        place[rasterise_region(event.ignore_region, box, shape)] = UNKNOWN
    radius_px = POINT_TWITCH_MM / pitch.down_mm
    place[rasterise_region(event.region, box, shape, radius_px, pitch.aspect)] = TWITCH
    return place


def _cut_weak(event: Event, box: PixelBox, shape: tuple[int, int], pitch: _Pitch) -> NDArray[np.uint8]:
    place = _cut(event, box, shape, pitch)
    if isinstance(event.region, Point):
        radius_px = POINT_UNKNOWN_MM / pitch.down_mm
        around = rasterise_region(event.region, box, shape, radius_px, pitch.aspect)
        place[around & (place != TWITCH)] = UNKNOWN
    elif isinstance(event.region, Box):
        place[place == TWITCH] = UNKNOWN
        place[rasterise_region(_find_middle(event.region, pitch), box, shape)] = TWITCH
    return place


def paint_stencils(
    stencils: Sequence[Stencil],
    examined: Sequence[Interval],
    times_s: NDArray[np.float64],
    rows: slice,
    columns: slice,
    part_s: float = 0.0,
) -> NDArray[np.uint8]:
    """Paint what is known at some moments on a part of the grid.

    Args:
        stencils: the clip's fasciculations.
        examined: the seconds that the rater looked at.
        times_s: (T,) moments, in any order.
        rows: rows of the grid, with start and stop.
        columns: columns of the grid, with start and stop.
        part_s: so long before a twitch its place is still, even if the twitch before it has not ended: what a
            network learns to leave between two twitches, so that they can be told apart and counted.

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
    for stencil in stencils if part_s > 0 else ():
        just_before = (times_s >= stencil.onset_s - part_s) & (times_s < stencil.onset_s)
        if just_before.any():
            again = (stencil.place[rows, columns] == TWITCH) & (painted[just_before] == TWITCH)
            painted[just_before] = np.where(again, np.uint8(BACKGROUND), painted[just_before])
    painted[~find_examined(examined, times_s)] = UNKNOWN
    return painted


def find_examined(examined: Sequence[Interval], times_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which of some moments (T,) lie in the examined seconds, bool (T,)."""
    found = np.zeros(len(times_s), bool)
    for start_s, end_s in examined:
        found |= (times_s >= start_s) & (times_s < end_s)
    return found


def rasterise_truth(
    labels: Labels,
    times_s: NDArray[np.float64],
    box: PixelBox,
    shape: tuple[int, int],
    mm_per_px: float | None = None,
    pixel_aspect: float = 1.0,
    *,
    weak: bool = False,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return what is true and where that is known at given moments.

    Args:
        labels: one rater's labels of the clip.
        times_s: (T,) moments.
        box: stored pixels that the grid covers, (x0, y0, x1, y1).
        shape: (h, w) of the grid.
        mm_per_px: as for `cut_stencils`.
        pixel_aspect: as for `cut_stencils`.
        weak: as for `cut_stencils`.

    Returns:
        (truth, valid), each bool (T, h, w).
    """
    stencils = cut_stencils(labels, box, shape, mm_per_px, pixel_aspect, weak=weak)
    painted = paint_stencils(stencils, labels.examined, times_s, slice(0, shape[0]), slice(0, shape[1]))
    return painted == TWITCH, painted != UNKNOWN


def mark_somewhere(painted: NDArray[np.uint8], labels: Labels, times_s: NDArray[np.float64]) -> None:
    """Turn `UNKNOWN` into `SOMEWHERE` while a fasciculation without a place lasts, in the examined seconds.

    That trains the pooled logit of windows that show the whole image; a part of it may miss the event.

    Args:
        painted: uint8 (T, h, w) of the whole image, changed in place.
        labels: one rater's labels of the clip.
        times_s: (T,) moments.
    """
    lasts = np.zeros(len(times_s), bool)
    for event in labels.fasciculations():
        if event.region is None:
            lasts |= (times_s >= event.onset_s) & (times_s < event.offset_s)
    examined = find_examined(labels.examined, times_s)
    painted[(lasts & examined)[:, None, None] & (painted == UNKNOWN)] = SOMEWHERE


def _find_middle(box: Box, pitch: _Pitch) -> Polygon:
    """Return the ellipse in the middle of a box, as an outline."""
    most_px = BOX_TWITCH_MM / pitch.down_mm
    reach_x = min(BOX_TWITCH_SHARE * (box.x1 - box.x0) / 2.0, most_px / pitch.aspect)
    reach_y = min(BOX_TWITCH_SHARE * (box.y1 - box.y0) / 2.0, most_px)
    x, y = find_centre(box)
    angles = np.linspace(0.0, 2.0 * np.pi, _ELLIPSE_CORNERS, endpoint=False)
    return Polygon(tuple((float(x + reach_x * np.cos(a)), float(y + reach_y * np.sin(a))) for a in angles))
