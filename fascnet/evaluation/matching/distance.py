"""How far apart are two regions? Distances in stored pixels, for matching events in space.

Pixels may be wider than high: distances in mm count across what a pixel is wide, with the height as the unit.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fascnet.data.labelling.regions import find_centre, read_mask
from fascnet.errors import LabelError
from fascnet.types import Box, Point, Polygon, Region


def measure_distance_px(first: Region, second: Region, aspect: float = 1.0) -> float:
    """Return the distance from the centre of one region to the other, 0 inside; the smaller of both ways.

    Unless `aspect`, the width of a stored pixel over its height, is left at 1, it is in heights of a pixel.

    A detection is a point, so this is its distance to the reference region. Taking the smaller of both ways
    makes the measure symmetric when two raters both drew outlines.
    """
    if isinstance(first, Point) and not isinstance(second, Point):
        return _measure_from_point(first.x, first.y, second, aspect)
    if isinstance(second, Point):
        return _measure_from_point(second.x, second.y, first, aspect)
    return min(
        _measure_from_point(*find_centre(first), second, aspect),
        _measure_from_point(*find_centre(second), first, aspect),
    )


def _measure_from_point(x: float, y: float, region: Region, aspect: float) -> float:
    if isinstance(region, Point):
        return float(np.hypot(aspect * (x - region.x), y - region.y))
    if isinstance(region, Box):
        dx = max(region.x0 - x, 0.0, x - region.x1)
        dy = max(region.y0 - y, 0.0, y - region.y1)
        return float(np.hypot(aspect * dx, dy))
    across = np.array([aspect, 1.0])
    if isinstance(region, Polygon):
        return _measure_to_polygon(aspect * x, y, _list_corners(region) * across)
    inside = _read_mask_cells(region.path)
    # A mask pixel is a unit square around its centre.
    away = np.maximum(np.abs(inside - np.array([x, y])) - 0.5, 0.0) * across
    return float(np.sqrt((away**2).sum(axis=1).min()))


def _measure_to_polygon(x: float, y: float, corners: NDArray[np.float64]) -> float:
    start, end = corners, np.concatenate((corners[1:], corners[:1]))
    # Even-odd rule: inside when a ray to the right crosses the outline an odd number of times.
    crosses = (start[:, 1] > y) != (end[:, 1] > y)
    height = np.where(crosses, end[:, 1] - start[:, 1], 1.0)
    x_cross = start[:, 0] + (y - start[:, 1]) / height * (end[:, 0] - start[:, 0])
    if np.count_nonzero(crosses & (x < x_cross)) % 2:
        return 0.0
    along = end - start
    length2 = np.maximum((along**2).sum(axis=1), 1e-12)
    share = np.clip(((np.array([x, y]) - start) * along).sum(axis=1) / length2, 0.0, 1.0)
    nearest = start + share[:, None] * along
    return float(np.sqrt(((nearest - np.array([x, y])) ** 2).sum(axis=1).min()))


@lru_cache(maxsize=1024)
def _list_corners(region: Polygon) -> NDArray[np.float64]:
    return np.asarray(region.points, dtype=np.float64)


@lru_cache(maxsize=64)
def _read_mask_cells(path: Path) -> NDArray[np.float64]:
    rows, columns = np.nonzero(read_mask(path))
    if len(rows) == 0:
        raise LabelError(f"{path}: the mask is empty; draw the region or leave the event without one")
    return np.column_stack([columns, rows]).astype(np.float64)
