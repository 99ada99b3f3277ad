"""Finds the ultrasound picture on a scanner's screen: its box, outline and kind, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.data.screen.confidence import rate_edges, rate_fill
from fascnet.data.screen.evidence import Evidence, measure_evidence
from fascnet.data.screen.picture_outline import Points, draw_outline, find_box, outline_part
from fascnet.data.screen.straight_edges import PlacedBox, place_edges
from fascnet.data.screen.textured_part import find_textured_part
from fascnet.types import PixelBox, Polygon

LEAST_SIDE_STEP = 0.2
"""A linear probe's picture starts at its left and right edge over its whole height; a sector's does not."""

LEAST_SHARE = 0.08
"""An area below this share of the frame is no reason to throw the rest away: the whole frame is kept."""

WHOLE_PX = 2
"""A picture whose edges lie within this many pixels of the frame's fills it."""

CORNER_SHARE = 0.006
"""Both upper corners of a box have to be empty by this share of its area, or it is a box."""

TRAPEZOID_SLOPE = 0.4
"""Sides that lean by less than this (22 degrees) make a trapezoid: a linear probe steers no further; curved
probes open by 25 degrees and more on either side (choice of this project)."""


@dataclass(frozen=True, slots=True)
class PictureArea:
    """Where the picture lies.

    Attributes:
        box: half-open stored pixels, never empty.
        polygon: outline in stored pixels; the box's corners for a linear probe.
        kind: `linear`, `trapezoid`, `sector`, or `whole` when the picture fills the frame or was not found.
        confidence: 0-1, see `fascnet.data.screen.confidence`.
        method: `given`, `dicom`, `found` or `whole`.
    """

    box: PixelBox
    polygon: Polygon
    kind: str
    confidence: float
    method: str


def make_box_polygon(box: PixelBox) -> Polygon:
    """Return the corners of a box, clockwise from the top left."""
    x0, y0, x1, y1 = box
    return Polygon(((x0, y0), (x1, y0), (x1, y1), (x0, y1)))


def find_picture(frames: NDArray[np.uint8]) -> PictureArea:
    """Find the picture in a few frames of one clip; a still works too.

    Args:
        frames: uint8 (N, H, W), N >= 1, spread over the clip.

    Returns:
        The picture; the whole frame when there is no furniture, or nothing that looks like a picture.
    """
    return find_in_evidence(measure_evidence(frames))


def find_in_evidence(evidence: Evidence) -> PictureArea:
    """Find the picture in maps that have been measured already; as `find_picture`."""
    height, width = evidence.level.shape
    part = find_textured_part(evidence.texture)
    if part is None:
        return keep_all((height, width), 0.0)
    evidence = evidence.weigh(part[1])
    part = find_textured_part(evidence.texture)
    placed = None if part is None else place_edges(part[0], evidence)
    if placed is not None and min(placed.steps[0], placed.steps[2]) >= LEAST_SIDE_STEP:
        area = _describe_straight(placed, evidence)
    else:
        area = _describe_sector(evidence)
    x0, y0, x1, y1 = area.box
    if (x1 - x0) * (y1 - y0) < LEAST_SHARE * height * width:
        return keep_all((height, width), 0.0)
    return area


def _describe_straight(placed: PlacedBox, evidence: Evidence) -> PictureArea:
    """Describe a picture with sharp sides: a box, unless its upper corners are empty."""
    shape = evidence.level.shape
    x0, y0, x1, y1 = placed.box
    margin = max(x1 - x0, y1 - y0) // 30
    near = np.zeros_like(evidence.texture)
    area = np.s_[y0:y1, max(x0 - margin, 0) : x1 + margin]
    near[area] = evidence.texture[area]
    # A linear probe's picture may be as dark as a heart, but it is no sector for that.
    hull = outline_part(near, may_be_sector=False)
    if hull is not None:
        polygon = _stretch(hull[0], placed.box)
        box = find_box(polygon, shape)
        corners, lean = _measure_upper_corners(polygon, box)
        if min(corners) >= CORNER_SHARE:
            kind = "trapezoid" if lean < TRAPEZOID_SLOPE else "sector"
            return PictureArea(box, _to_polygon(polygon), kind, rate_fill(hull[1]), "found")
    if max(x0, y0, shape[1] - x1, shape[0] - y1) <= WHOLE_PX:
        return keep_all(shape, rate_edges(placed.steps))
    return PictureArea(placed.box, make_box_polygon(placed.box), "linear", rate_edges(placed.steps), "found")


def _stretch(polygon: Points, box: PixelBox) -> Points:
    """Stretch an outline to a box's top and, if that is lower, its bottom: straight edges are sharper."""
    top, bottom = float(polygon[:, 1].min()), float(polygon[:, 1].max())
    scale = (max(bottom, box[3]) - box[1]) / max(bottom - top, 1.0)
    return np.stack([polygon[:, 0], box[1] + (polygon[:, 1] - top) * scale], axis=1)


def _describe_sector(evidence: Evidence) -> PictureArea:
    shape = evidence.level.shape
    hull = outline_part(evidence.texture, may_be_sector=True)
    if hull is None:
        return keep_all(shape, 0.0)
    polygon, fill = hull
    box = find_box(polygon, shape)
    kind = "trapezoid" if _measure_upper_corners(polygon, box)[1] < TRAPEZOID_SLOPE else "sector"
    return PictureArea(box, _to_polygon(polygon), kind, rate_fill(fill), "found")


def keep_all(shape: tuple[int, int], confidence: float) -> PictureArea:
    """Return the whole frame (H, W) as the picture."""
    box = (0, 0, shape[1], shape[0])
    return PictureArea(box, make_box_polygon(box), "whole", confidence, "whole")


def _measure_upper_corners(polygon: Points, box: PixelBox) -> tuple[tuple[float, float], float]:
    """Measure what the outline leaves empty in the two upper corners of its box.

    Returns:
        Share of the box's area in the left and the right corner, and the lean of the steeper side (width of
        its corner by height).
    """
    x0, y0, x1, y1 = box
    inside = draw_outline(polygon - [x0, y0], (y1 - y0, x1 - x0))
    shares, leans = [], []
    for side in (inside, inside[:, ::-1]):
        # Rows from the top until the outline first reaches this side of the box.
        reached = np.flatnonzero(side[:, : max(1, (x1 - x0) // 100)].any(axis=1))
        rows = side[: int(reached[0])] if reached.size else side
        empty = np.cumprod(rows == 0, axis=1).sum(axis=1)
        shares.append(float(empty.sum()) / inside.size)
        # The first rows may belong to an arc.
        leans.append(float(empty[len(rows) // 20]) / len(rows) if len(rows) else 0.0)
    return (shares[0], shares[1]), max(leans)


def _to_polygon(corners: Points) -> Polygon:
    return Polygon(tuple((round(float(x), 1), round(float(y), 1)) for x, y in corners))
