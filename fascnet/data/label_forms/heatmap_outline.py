"""The outline of a predicted event, drawn around the cells of the heatmap that it covered."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.types import Event, PixelBox, Point, Polygon

_SMOOTHING_CELLS = 0.5
"""Steps of cells are cut off by at most this: a rater has to move the corners by hand."""

_REACH_CELLS = 6.0
"""Cells further from an event's place are another event's: the middle of a crescent lies a few cells off."""

_FINER = 4
"""Cells are split into this many pixels a side, so that the outline runs near the cells' edges."""


def outline_event(
    event: Event, heatmap: NDArray[np.uint8], fps: float, box: PixelBox, threshold: float
) -> Polygon | Point | None:
    """Outline the cells that reached a probability during an event, around its place.

    Args:
        event: of the clip, with its place as a point if it has one.
        heatmap: uint8 (T, h, w), 255 = probability 1; heatmap k stands at k / fps.
        fps: heatmaps per second.
        box: what the heatmap covers, (x0, y0, x1, y1) in stored pixels.
        threshold: probability 0-1.

    Returns:
        The outer outline of the group of touching cells at the event's place (the largest group, if it has
        no place); the event's own region where no cell near it reaches the threshold, as none does of what
        was named after a rhythm.
    """
    own = event.region if isinstance(event.region, Point | Polygon) else None
    first, stop = int(np.floor(event.onset_s * fps + 1e-6)), int(np.ceil(event.offset_s * fps - 1e-6))
    during = heatmap[max(first, 0) : max(stop, first + 1)]
    if len(during) == 0:
        return own
    active = (during.max(axis=0) >= threshold * 255.0).astype(np.uint8)
    count, groups = cv2.connectedComponents(active, connectivity=8)
    group = None if count < 2 else _choose_group(groups, count, event, box)
    if group is None:
        return own
    fine = np.kron((groups == group).astype(np.uint8), np.ones((_FINER, _FINER), np.uint8))
    contours, _ = cv2.findContours(fine, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    largest = max(contours, key=cv2.contourArea)
    smooth = cv2.approxPolyDP(largest, _SMOOTHING_CELLS * _FINER, closed=True)
    corners = (smooth if len(smooth) >= 3 else largest).reshape(-1, 2).astype(np.float64)
    rows, columns = active.shape
    x0, y0, x1, y1 = box
    x = x0 - 0.5 + (corners[:, 0] + 0.5) / _FINER * ((x1 - x0) / columns)
    y = y0 - 0.5 + (corners[:, 1] + 0.5) / _FINER * ((y1 - y0) / rows)
    return Polygon(tuple((round(float(a), 2), round(float(b), 2)) for a, b in zip(x, y, strict=True)))


def _choose_group(groups: NDArray[np.int32], count: int, event: Event, box: PixelBox) -> int | None:
    if isinstance(event.region, Point):
        rows, columns = np.nonzero(groups)
        x0, y0, x1, y1 = box
        # In cells, as the middle of cell 0 lies at 0.
        x = (event.region.x + 0.5 - x0) / (x1 - x0) * groups.shape[1] - 0.5
        y = (event.region.y + 0.5 - y0) / (y1 - y0) * groups.shape[0] - 0.5
        distances = np.hypot(columns - x, rows - y)
        nearest = int(np.argmin(distances))
        return int(groups[rows[nearest], columns[nearest]]) if distances[nearest] <= _REACH_CELLS else None
    return 1 + int(np.argmax(np.bincount(groups.ravel(), minlength=count)[1:]))
