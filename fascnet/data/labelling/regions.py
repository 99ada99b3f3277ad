"""Regions (polygon, box, point, mask file) as cells of a grid, a centre and an area.

Coordinates are continuous stored pixels with the centre of the top-left pixel at (0, 0). A grid of (h, w)
cells laid over a box (x0, y0, x1, y1) covers the pixels x0 ... x1 - 1, the span x0 - 0.5 ... x1 - 0.5.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.errors import LabelError
from fascnet.types import Box, PixelBox, Point, Polygon, Region

POINT_RADIUS_PX = 15.0
"""Disc drawn for a clicked point: the spatial tolerance of published fasciculation detectors."""


def rasterise_region(
    region: Region,
    box: PixelBox,
    shape: tuple[int, int],
    point_radius_px: float = POINT_RADIUS_PX,
    pixel_aspect: float = 1.0,
) -> NDArray[np.bool_]:
    """Mark the cells whose centre lies inside a region.

    A region too small to hold any cell centre marks the cell that holds its own, if that lies in `box`.

    Args:
        region: outline, rectangle, point (a disc) or mask picture, in stored pixels. Self-crossing outlines
            are filled by the non-zero winding rule.
        box: what the grid covers (x0, y0, x1, y1), half-open stored pixels.
        shape: (h, w) cells.
        point_radius_px: radius of a point's disc, in pixels downwards.
        pixel_aspect: width of a stored pixel over its height: on tissue the disc is round, in pixels that
            are not square it is an ellipse. All other regions are drawn in pixels already.

    Returns:
        bool (h, w).

    Raises:
        LabelError: a mask picture cannot be read.
    """
    x, y = _find_cell_centres(box, shape)
    if isinstance(region, Polygon):
        inside = _fill_polygon(np.asarray(region.points, np.float64), x, y)
    elif isinstance(region, Box):
        columns = (x >= region.x0) & (x < region.x1)
        inside = ((y >= region.y0) & (y < region.y1))[:, None] & columns[None, :]
    elif isinstance(region, Point):
        distance2 = (pixel_aspect * (x[None, :] - region.x)) ** 2 + (y[:, None] - region.y) ** 2
        inside = distance2 <= point_radius_px**2
    else:
        inside = _sample_mask(read_mask(region.path), x, y)
    if not inside.any():
        _mark_cell(inside, find_centre(region), box)
    return inside


def find_centre(region: Region) -> tuple[float, float]:
    """Return a region's centre of area (x_px, y_px) in stored pixels.

    Raises:
        LabelError: a mask picture cannot be read or is empty.
    """
    if isinstance(region, Polygon):
        return _find_polygon_centre(np.asarray(region.points, np.float64))
    if isinstance(region, Box):
        return (region.x0 + region.x1) / 2.0, (region.y0 + region.y1) / 2.0
    if isinstance(region, Point):
        return region.x, region.y
    rows, columns = np.nonzero(read_mask(region.path))
    if rows.size == 0:
        raise LabelError(f"{region.path}: the mask is empty; draw the region or leave the event without one")
    return float(columns.mean()), float(rows.mean())


def measure_area_px(region: Region) -> float:
    """Return a region's area in stored pixels; 0 for a point.

    Raises:
        LabelError: a mask picture cannot be read.
    """
    if isinstance(region, Polygon):
        return abs(_find_signed_area(np.asarray(region.points, np.float64)))
    if isinstance(region, Box):
        return (region.x1 - region.x0) * (region.y1 - region.y0)
    if isinstance(region, Point):
        return 0.0
    return float(np.count_nonzero(read_mask(region.path)))


def read_mask(path: Path) -> NDArray[np.bool_]:
    """Read a mask picture as bool (H, W); any non-zero colour channel counts as inside.

    Raises:
        LabelError: no such file, or not a picture.
    """
    try:
        data = np.fromfile(path, np.uint8)  # not cv2.imread, which fails on non-Latin paths on some systems
    except OSError as error:
        raise LabelError(
            f"{path}: the mask cannot be read ({error.strerror}); put it beside its label"
        ) from error
    picture = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    if picture is None:
        raise LabelError(f"{path}: the mask is not a picture; save it as 8-bit PNG")
    if picture.ndim == 3:
        picture = picture[..., :3].max(axis=2)  # a fourth channel is opacity
    inside: NDArray[np.bool_] = picture > 0
    return inside


def _find_cell_centres(
    box: PixelBox, shape: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x0, y0, x1, y1 = box
    height, width = shape
    x = np.asarray(x0 - 0.5 + (np.arange(width) + 0.5) * ((x1 - x0) / width), np.float64)
    y = np.asarray(y0 - 0.5 + (np.arange(height) + 0.5) * ((y1 - y0) / height), np.float64)
    return x, y


def _fill_polygon(
    points: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Winding number of every centre; cv2.fillPoly would also mark every cell that the outline touches."""
    winding = np.zeros((y.size, x.size + 1), np.int32)
    for (ax, ay), (bx, by) in zip(points, np.roll(points, -1, axis=0), strict=True):
        if ay == by:
            continue
        sign = 1 if by > ay else -1
        # Half-open in y, so that a corner shared by two edges counts once.
        rows = np.nonzero((y >= min(ay, by)) & (y < max(ay, by)))[0]
        crossing = ax + (y[rows] - ay) * ((bx - ax) / (by - ay))
        first_right = np.searchsorted(x, crossing, side="left")
        np.add.at(winding, (rows, first_right), sign)
    inside: NDArray[np.bool_] = np.cumsum(winding, axis=1)[:, :-1] != 0
    return inside


def _sample_mask(
    mask: NDArray[np.bool_], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.bool_]:
    columns = np.floor(x + 0.5).astype(np.int64)
    rows = np.floor(y + 0.5).astype(np.int64)
    height, width = mask.shape
    known = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))[None, :]
    sampled = mask[np.clip(rows, 0, height - 1)[:, None], np.clip(columns, 0, width - 1)[None, :]]
    inside: NDArray[np.bool_] = sampled & known
    return inside


def _mark_cell(inside: NDArray[np.bool_], centre: tuple[float, float], box: PixelBox) -> None:
    x0, y0, x1, y1 = box
    height, width = inside.shape
    column = int(np.floor((centre[0] - (x0 - 0.5)) / (x1 - x0) * width))
    row = int(np.floor((centre[1] - (y0 - 0.5)) / (y1 - y0) * height))
    if 0 <= row < height and 0 <= column < width:
        inside[row, column] = True


def _find_signed_area(points: NDArray[np.float64]) -> float:
    """Shoelace formula."""
    after = np.roll(points, -1, axis=0)
    return float(np.sum(points[:, 0] * after[:, 1] - after[:, 0] * points[:, 1])) / 2.0


def _find_polygon_centre(points: NDArray[np.float64]) -> tuple[float, float]:
    origin = points.mean(axis=0)
    local = points - origin  # far from the origin the shoelace sum would lose digits
    area = _find_signed_area(local)
    if abs(area) < 1e-12:
        return float(origin[0]), float(origin[1])
    after = np.roll(local, -1, axis=0)
    cross = local[:, 0] * after[:, 1] - after[:, 0] * local[:, 1]
    centre = origin + ((local + after) * cross[:, None]).sum(axis=0) / (6.0 * area)
    return float(centre[0]), float(centre[1])
