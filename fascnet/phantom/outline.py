"""Outlines of movements in stored pixels: where a movement reaches a share of its peak."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.body.tissue import MARGIN_MM
from fascnet.phantom.movement.motion import Positions
from fascnet.types import Polygon

MAX_CORNERS = 40
SMALLEST_LOBE = 0.1
"""Parts of a split core smaller than this share of the largest are left out."""

_GRID_STEP_PX = 0.5
_FIRST_TOLERANCE_PX = 0.25

Points = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PictureFrame:
    """Where the moving picture lies in the stored frame.

    Attributes:
        height_px: rows of the picture.
        width_px: columns of the picture.
        mm_per_px: pixel spacing.
        offset_px: (x, y) of the picture's top-left pixel in the stored frame.
    """

    height_px: int
    width_px: int
    mm_per_px: float
    offset_px: tuple[int, int] = (0, 0)


def map_sizes(
    frame: PictureFrame, find_modes: Callable[[Positions], NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Return the length (K, rows, columns) of each mode on a grid of half pixels over picture and margin.

    Args:
        frame: the picture.
        find_modes: patterns (K, N, 2) at resting places (N, 2) in mm.
    """
    margin = _find_margin_px(frame)
    x = np.arange(-margin, frame.width_px + margin, _GRID_STEP_PX)
    y = np.arange(-margin, frame.height_px + margin, _GRID_STEP_PX)
    columns, rows = np.meshgrid(x, y)
    places = (np.stack([columns.ravel(), rows.ravel()], axis=-1) * frame.mm_per_px).astype(np.float32)
    modes = find_modes(places)
    return np.hypot(modes[..., 0], modes[..., 1]).reshape(len(modes), len(y), len(x))


def outline(
    sizes: NDArray[np.float32],
    level: float,
    frame: PictureFrame,
    shift: Callable[[Positions], NDArray[np.float32]] | None = None,
) -> Polygon | None:
    """Outline the area above a level in stored pixels.

    Args:
        sizes: (rows, columns) of one mode from `map_sizes`.
        level: lowest size inside.
        frame: the picture.
        shift: displacement (N, 2) in mm of places (N, 2) at the moment that is labelled; None for rest.

    Returns:
        One outline; the parts of a split area are joined by a bridge without width. None if out of view.
    """
    contours, _ = cv2.findContours(
        (sizes >= level).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    parts = [part for part in (_place(contour, frame, shift) for contour in contours) if len(part) >= 3]
    areas = [float(cv2.contourArea(part)) for part in parts]
    if not parts or max(areas) < 1.0:
        return None
    kept = [part for part, area in zip(parts, areas, strict=True) if area >= SMALLEST_LOBE * max(areas)]
    kept.sort(key=lambda part: -float(cv2.contourArea(part)))
    joined = kept[0]
    for part in kept[1:]:
        joined = _bridge(joined, part)
    moved = joined + np.array(frame.offset_px, dtype=np.float32)
    return Polygon(tuple((round(float(x), 2), round(float(y), 2)) for x, y in moved))


def _find_margin_px(frame: PictureFrame) -> int:
    return math.ceil(MARGIN_MM / frame.mm_per_px)


def _place(
    contour: NDArray[Any],
    frame: PictureFrame,
    shift: Callable[[Positions], NDArray[np.float32]] | None,
) -> Points:
    """Turn a contour on the grid into at most `MAX_CORNERS` corners in the picture's pixels."""
    points = contour[:, 0, :].astype(np.float64) * _GRID_STEP_PX - _find_margin_px(frame)
    if shift is not None:
        points = points + shift((points * frame.mm_per_px).astype(np.float32)) / frame.mm_per_px
    inside = np.clip(points, 0, [frame.width_px - 1, frame.height_px - 1]).astype(np.float32)
    tolerance_px = _FIRST_TOLERANCE_PX
    corners = cv2.approxPolyDP(inside, tolerance_px, True)
    while len(corners) > MAX_CORNERS:
        tolerance_px *= 1.3
        corners = cv2.approxPolyDP(inside, tolerance_px, True)
    return np.asarray(corners[:, 0, :], dtype=np.float32)


def _bridge(first: Points, second: Points) -> Points:
    """Join two outlines of one orientation where they are nearest; the bridge encloses nothing."""
    gaps = np.linalg.norm(first[:, None, :] - second[None, :, :], axis=-1)
    i, j = np.unravel_index(int(np.argmin(gaps)), gaps.shape)
    around = np.concatenate([second[j:], second[: j + 1]])
    return np.concatenate([first[: i + 1], around, first[i:]])
