"""Cuts out the numbers that stand beside a ruler's ticks."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.data.screen.label_shapes import Shape
from fascnet.data.screen.ruler_ticks import Ticks
from fascnet.types import PixelBox

LEAST_HEIGHT_PX, MOST_HEIGHT_PX = 5, 26
"""Heights of digits on screens of 240 to 1080 rows."""

REACH_PX = 64
"""Columns beside the ruler in which its numbers stand: four digits of the largest kind."""

OVERLAP_PX = 36
"""Columns by which a number such as `4.0cm` may reach into the picture."""

INK_SHARE = 0.45
"""Ink is what differs from the background by more than this share of the strongest difference."""

LEAST_CONTRAST = 25.0
"""Grey levels by which a number differs from its background, at least."""

GAP_HEIGHTS = 0.7
"""Letters of one number are less than this share of their height apart."""


Map = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Label:
    """A number beside a tick.

    Attributes:
        index: of the tick, 0 at the picture's top.
        box: on the screen.
        shape: coverage 0-1 of the box.
    """

    index: int
    box: PixelBox
    shape: Shape


def find_labels(level: Map, ticks: Ticks, picture: PixelBox) -> tuple[tuple[Label, ...], tuple[Label, ...]]:
    """Find what may be numbers at the left and at the right of a ruler.

    Args:
        level: median greys of the screen (H, W).
        ticks: the ruler.
        picture: the picture's box; numbers hardly reach into it.

    Returns:
        Candidates at the left and at the right, in order of their ticks; words and marks may be among them.
    """
    first, last = ticks.columns
    left, right = first - REACH_PX, last + REACH_PX
    if first >= picture[2]:
        left = max(left, picture[2] - OVERLAP_PX)
        outside = (picture[2], level.shape[1])
    else:
        right = min(right, picture[0] + OVERLAP_PX)
        outside = (0, picture[0])
    found = []
    for x0, x1, is_left in ((max(left, 0), first, True), (last, min(right, level.shape[1]), False)):
        labels = []
        if x1 - x0 >= 3:
            # One further than the last tick seen: the lowest may be hidden below its number.
            for index in range(ticks.comb.last + 2):
                label = _cut_label(level, ticks, index, (x0, x1), outside, is_left)
                if label is not None:
                    labels.append(label)
        found.append(tuple(_keep_alike(labels)))
    return found[0], found[1]


def _cut_label(
    level: Map, ticks: Ticks, index: int, columns: tuple[int, int], outside: tuple[int, int], is_left: bool
) -> Label | None:
    """Cut the group of letters nearest to a tick, at one side of it, that is not wholly in the picture."""
    row = ticks.comb.place(index)
    reach = int(min(0.48 * ticks.comb.pitch_px * ticks.ratio, MOST_HEIGHT_PX))
    top, bottom = max(round(row) - reach, 0), min(round(row) + reach + 1, level.shape[0])
    area = level[top:bottom, columns[0] : columns[1]]
    if area.shape[0] < LEAST_HEIGHT_PX or area.shape[1] < 3:
        return None
    # The screen beside the picture is the ground, not the tissue that a number may reach into.
    beside = slice(max(outside[0] - columns[0], 0), max(outside[1] - columns[0], 0))
    if area[:, beside].size == 0:
        return None
    ground = float(np.median(area[:, beside]))
    ink = (area - ground) if ticks.is_bright else (ground - area)
    strongest = float(np.percentile(ink[:, beside], 99.5))
    if strongest < LEAST_CONTRAST:
        return None
    mask = (ink > INK_SHARE * strongest).astype(np.uint8)
    _, _, statistics, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    letters = [
        (int(x), int(y), int(x + w), int(y + h))
        for x, y, w, h, _ in statistics[1:]
        if LEAST_HEIGHT_PX <= h <= MOST_HEIGHT_PX and w <= 4 * h and y > 0 and y + h < area.shape[0]
    ]
    group = _gather(letters, row - top, area.shape[1], is_left)
    if group is None:
        return None
    x0, y0, x1, y1 = group
    # Speckle near the edge of the picture is no number; one that reaches into it stands outside as well.
    if columns[0] + x1 <= outside[0] + 1 or columns[0] + x0 >= outside[1] - 1:
        return None
    shape = np.clip(ink[y0:y1, x0:x1] / strongest, 0, 1).astype(np.float32)
    return Label(index, (columns[0] + x0, top + y0, columns[0] + x1, top + y1), shape)


def _gather(
    letters: list[tuple[int, int, int, int]], row: float, width: int, is_left: bool
) -> tuple[int, int, int, int] | None:
    """Join letters of one line, from the one nearest to the ruler outwards."""
    if not letters:
        return None

    def measure_distance(box: tuple[int, int, int, int]) -> float:
        away = width - box[2] if is_left else box[0]
        return away + abs(0.5 * (box[1] + box[3]) - row)

    letters = sorted(letters, key=measure_distance)
    group = letters[0]
    grown = True
    while grown:
        grown = False
        tall = group[3] - group[1]
        for box in letters:
            is_inside = group[0] <= box[0] and box[2] <= group[2]
            gap = max(box[0] - group[2], group[0] - box[2])
            level = abs(box[3] - group[3]) <= 0.3 * tall
            if not is_inside and gap <= GAP_HEIGHTS * tall and level:
                group = (
                    min(group[0], box[0]), min(group[1], box[1]), max(group[2], box[2]), max(group[3], box[3])
                )  # fmt: skip
                grown = True
    return group


def _keep_alike(labels: list[Label]) -> list[Label]:
    """Keep numbers of about the usual height: others are marks and words."""
    if not labels:
        return []
    heights = [label.shape.shape[0] for label in labels]
    usual = float(np.median(heights))
    return [
        label for label, tall in zip(labels, heights, strict=True) if 0.75 * usual <= tall <= 1.33 * usual
    ]
