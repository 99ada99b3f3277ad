"""Outlines pictures that are no box: trapezoids, sectors, sectors cut by the frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.data.screen.evidence import TEXTURE_WINDOW_PX
from fascnet.types import PixelBox

Mask = NDArray[np.bool_]
Points = NDArray[np.float64]
"""Corners (N, 2) in pixels: x, y along pixels' edges, so that the frame reaches from 0 to W and 0 to H."""

FAINT_LEVELS = 0.4
"""Texture of the faintest echoes in a sector's wings, above the 0 of an empty screen."""

FIRM_SHARE = 0.25
ALIKE_SHARE = 0.88
"""Codecs ring around a picture by less than the first share of its own texture. What is above it is taken
where it reaches over the second share of all that is textured: then the rest is ringing, not faint wings."""

SMOOTHED_SHARE = 0.015
THINNEST_SHARE = 0.03
JOINED_SHARE = 0.04
"""Of the shorter side, the shorter side and the longer side: gaps that are closed, structures that are
dropped (text, traces, rulers), and gaps across which parts of one picture are joined (choice of this
project)."""

THINNEST_PX = 2 * TEXTURE_WINDOW_PX - 1
"""The texture's window makes a line this wide; it is dropped on the smallest screens too."""

SPARSE_FILL = 0.85
"""A sector that fills less of its hull has dark walls: its outline is fitted instead of drawn around it."""

SECTOR_SLACK = 0.02
"""A sector fits when it is filled as well as the hull is, but for this share."""

STRAY_SHARE = 0.0005
"""Of the lit pixels, at either end of depth and angle, may lie outside a sector: codecs smear them."""

_SAMPLED_PIXELS = 4000

WIDEST_RAD = 1.2
"""Half of a sector's angle, at most: 69 degrees; endocavity probes reach that."""

_TOLERANCE_SHARE = 0.004
"""Corners nearer to the outline than this share of its size are left out."""

_ARC_CORNERS = 24


def outline_part(texture: NDArray[np.float32], may_be_sector: bool) -> tuple[Points, float] | None:
    """Outline everything textured that is thicker than text and hangs together.

    A sector is laid around it where that leaves hardly more empty than a rubber band does, or where dark
    walls make the rubber band meaningless.

    Args:
        texture: float32 (H, W), weighed.
        may_be_sector: otherwise it is always a rubber band.

    Returns:
        Corners (N, 2) within the frame, and the share of the outline that is textured; None when nothing is.
    """
    mask = find_lit_part(texture)
    if np.count_nonzero(mask) < 9:
        return None
    hull = _find_hull(mask)
    filled = _measure_fill(mask, hull)
    if may_be_sector:
        sector = fit_sector(mask)
        filled_sector = _measure_fill(mask, sector)
        if filled < SPARSE_FILL or filled_sector >= filled - SECTOR_SLACK:
            return clip_outline(sector, mask.shape), filled_sector
    return clip_outline(hull, mask.shape), filled


def _measure_fill(mask: Mask, corners: Points) -> float:
    inside = draw_outline(corners, mask.shape)
    return float((mask & inside).sum()) / max(float(inside.sum()), 1.0)


def find_lit_part(texture: NDArray[np.float32]) -> Mask:
    """Return the pixels (H, W) of the largest group of textured parts, faint ones where they lead further."""
    faint = _find_group(texture, FAINT_LEVELS)
    if not faint.any():
        return faint
    firm = _find_group(texture, max(FAINT_LEVELS, FIRM_SHARE * float(np.median(texture[faint]))))
    if not firm.any():
        return faint
    areas = [float(cv2.contourArea(_find_hull(mask).astype(np.float32))) for mask in (firm, faint)]
    return firm if areas[0] >= ALIKE_SHARE * areas[1] else faint


def _find_group(texture: NDArray[np.float32], least: float) -> Mask:
    shorter, longer = min(texture.shape), max(texture.shape)
    mask = (texture > least).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _make_disc(shorter * SMOOTHED_SHARE)).astype(np.uint8)
    thinnest = max(shorter * THINNEST_SHARE, THINNEST_PX)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, _make_disc(thinnest)).astype(np.uint8)
    joined = cv2.dilate(mask, _make_disc(longer * JOINED_SHARE))
    _, groups = cv2.connectedComponents(joined)
    sizes = np.bincount(groups[mask > 0], minlength=2)
    sizes[0] = 0
    kept = ((groups == int(sizes.argmax())) & (mask > 0)).astype(np.uint8)
    # The texture's window reaches past the edge of the picture.
    kept = cv2.erode(kept, np.ones((TEXTURE_WINDOW_PX, TEXTURE_WINDOW_PX), np.uint8)).astype(np.uint8)
    return np.asarray(kept > 0)


def fit_sector(mask: Mask) -> Points:
    """Fit the smallest upright sector around a mask: dark walls hide a heart's sides, never its symmetry.

    Sectors of phased and curved probes are parts of a ring about a point above them: about an upright axis,
    between two radii. The one of least area that holds nearly all of the mask is searched on a grid of
    apexes.

    Args:
        mask: bool (H, W), not empty.

    Returns:
        Corners (N, 2), which may lie outside the frame.
    """
    hull = _find_hull(mask)
    rows, columns = np.nonzero(mask)
    some = slice(None, None, max(1, rows.size // _SAMPLED_PIXELS))
    x_px, y_px = columns[some] + 0.5, rows[some] + 0.5
    x0, y0 = hull.min(axis=0)
    width, height = hull.max(axis=0) - hull.min(axis=0)
    depths = np.concatenate([[0.0, 0.01, 0.02], np.linspace(0.04, 1.5, 40)])
    best: tuple[float, float, float, float, float, float] | None = None
    for x in np.linspace(x0 + 0.25 * width, x0 + 0.75 * width, 31):
        for y in y0 - depths * height:
            radii = np.hypot(x_px - x, y_px - y)
            inner, outer = np.quantile(radii, (STRAY_SHARE, 1 - STRAY_SHARE))
            half = float(np.quantile(np.abs(np.arctan2(x_px - x, y_px - y)), 1 - STRAY_SHARE))
            area = half * float(outer**2 - inner**2)
            if half <= WIDEST_RAD and (best is None or area < best[0]):
                best = (area, float(x), float(y), half, float(inner), float(outer))
    if best is None:
        return hull
    _, x, y, half, inner, outer = best
    angles = np.linspace(-half, half, _ARC_CORNERS)
    arc = np.stack([np.sin(angles), np.cos(angles)], axis=1)
    apex = np.array([x, y])
    top = apex + inner * arc[::-1] if inner > 2 else apex[None]
    return np.concatenate([apex + outer * arc, top])


def clip_outline(corners: Points, shape: tuple[int, int]) -> Points:
    """Clip an outline to the frame (H, W) and leave out corners that hardly show."""
    inside = draw_outline(corners, shape)
    if not inside.any():
        return np.array([(0, 0), (shape[1], 0), (shape[1], shape[0]), (0, shape[0])], np.float64)
    outline = _trace(inside)
    return np.asarray(cv2.approxPolyDP(outline, _TOLERANCE_SHARE * max(shape), True)[:, 0], np.float64)


def draw_outline(corners: Points, shape: tuple[int, int]) -> Mask:
    """Return the pixels (H, W) whose centres lie within an outline (N, 2)."""
    # Not OpenCV's fillPoly, which also draws the outline itself, half a pixel too far on every side.
    mask = np.zeros(shape, bool)
    starts, ends = corners, np.roll(corners, -1, axis=0)
    top = max(int(np.floor(corners[:, 1].min())), 0)
    for row in range(top, min(int(np.ceil(corners[:, 1].max())), shape[0])):
        y = row + 0.5
        crossed = (starts[:, 1] <= y) != (ends[:, 1] <= y)
        (x0, y0), (x1, y1) = starts[crossed].T, ends[crossed].T
        at = np.sort(x0 + (y - y0) * (x1 - x0) / (y1 - y0))
        # Pixel x has its centre at x + 0.5.
        for left, right in np.clip(np.ceil(at - 0.5), 0, shape[1]).astype(int).reshape(-1, 2):
            mask[row, left:right] = True
    return mask


def find_box(corners: Points, shape: tuple[int, int]) -> PixelBox:
    """Return the smallest box of whole pixels around an outline, within the frame (H, W)."""
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    return (
        int(max(np.floor(left), 0)),
        int(max(np.floor(top), 0)),
        int(min(np.ceil(right), shape[1])),
        int(min(np.ceil(bottom), shape[0])),
    )


def _find_hull(mask: Mask) -> Points:
    """Convex outline (N, 2) of a mask along the outer edges of its pixels."""
    rows = np.flatnonzero(mask.any(axis=1))
    # The ends of each row are enough.
    first, last = mask[rows].argmax(axis=1), mask.shape[1] - mask[rows, ::-1].argmax(axis=1)
    ends = [np.stack([columns, rows + below], axis=1) for columns in (first, last) for below in (0, 1)]
    corners = np.concatenate(ends)
    return np.asarray(cv2.convexHull(corners.astype(np.int32))[:, 0], np.float64)


def _trace(mask: Mask) -> NDArray[np.int32]:
    """Outline the largest part of a mask along the outer edges of its pixels."""
    # Twice the size, so that the outline through pixels' centres becomes one along their edges.
    large = np.repeat(np.repeat(mask.astype(np.uint8), 2, axis=0), 2, axis=1)
    found, _ = cv2.findContours(large, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(found, key=cv2.contourArea)
    return np.asarray((largest + 1) // 2, np.int32)


def _make_disc(diameter_px: float) -> NDArray[np.uint8]:
    side = max(3, round(diameter_px)) | 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
