"""Shapes drawn frame by frame, joined into events: a label file holds one region for an event.

A region that moves or changes becomes the area that it ever covers; a point, its mean place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fascnet.data.label_forms.rater_events import FormEvent, FormRegion, FrameSpan, MaskPixels, PercentBox
from fascnet.data.labelling.regions import POINT_RADIUS_PX, rasterise_region
from fascnet.errors import LabelError
from fascnet.types import Box, Point, Polygon

_MAX_JOINED_PX = 64 * 2**20


@dataclass(frozen=True, slots=True, eq=False)
class FrameShape:
    """A shape in one frame.

    Attributes:
        frame: which frame, from 0.
        region: the shape; None for a label of the whole frame.
        label: what it is, as the form calls it.
        where: file and track, for messages.
        identity: shapes of one identity are one thing, None when the form does not say.
        certainty: as `FormEvent`.
        peak: frame of the largest displacement of the event, if known.
    """

    frame: int
    region: FormRegion | None
    label: str
    where: str
    identity: str | None = None
    certainty: str | None = None
    peak: float | None = None


def join_shapes(shapes: Iterable[FrameShape], step: int = 1) -> list[FormEvent]:
    """Join shapes of following frames into events.

    Shapes of one identity belong together, and so do shapes without one that have one label and overlap. An
    event ends where the next frame has no shape of it.

    Args:
        shapes: in any order.
        step: frames from one labelled frame to the next.

    Returns:
        Events in the order of their first frames, each to the frame after its last.
    """
    open_runs: list[list[FrameShape]] = []
    done: list[list[FrameShape]] = []
    for shape in sorted(shapes, key=lambda one: one.frame):
        still: list[list[FrameShape]] = []
        for run in open_runs:
            (still if shape.frame - run[-1].frame <= step else done).append(run)
        open_runs = still
        fitting = [run for run in open_runs if _belongs(run, shape)]
        if fitting:
            max(fitting, key=lambda run: _measure_overlap(run[-1].region, shape.region)).append(shape)
        else:
            open_runs.append([shape])
    runs = sorted([*done, *open_runs], key=lambda run: run[0].frame)
    return [_build_event(run, step) for run in runs]


def span_frames(frames: list[int], step: int) -> list[FrameSpan]:
    """Return the spans of following frames, each half-open."""
    spans: list[FrameSpan] = []
    for frame in frames:
        if spans and frame <= spans[-1].stop:
            spans[-1] = FrameSpan(spans[-1].start, frame + step)
        else:
            spans.append(FrameSpan(frame, frame + step))
    return spans


def join_regions(regions: Sequence[FormRegion], where: str) -> FormRegion:
    """Return the area that any of the regions covers.

    Equal ones stay what they are, boxes become the box around them, points their mean, others a mask.

    Raises:
        LabelError: the area is too large to be a part of an image.
    """
    first = regions[0]
    if all(region is first or (not isinstance(region, MaskPixels) and region == first) for region in regions):
        return first
    if all(isinstance(region, Point) for region in regions):
        points = np.array([(p.x, p.y) for p in regions if isinstance(p, Point)])
        return Point(*(float(v) for v in points.mean(axis=0)))
    if all(isinstance(region, Box) for region in regions):
        corners = np.array([find_corners(region) for region in regions])
        low, high = corners[:, :2].min(axis=0), corners[:, 2:].max(axis=0)
        return Box(float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    if all(isinstance(region, PercentBox) and region.turned_deg == 0 for region in regions):
        corners = np.array([find_corners(region) for region in regions])
        low, high = corners[:, :2].min(axis=0), corners[:, 2:].max(axis=0)
        return PercentBox(float(low[0]), float(low[1]), *(float(v) for v in high - low))
    if any(isinstance(region, PercentBox) for region in regions):
        raise LabelError(f"{where}: a turned rectangle moves, which is not readable; draw it upright")
    return _join_as_mask(regions, where)


def crop_mask(inside: NDArray[np.bool_], x0: int = 0, y0: int = 0) -> MaskPixels | None:
    """Cut a mask down to what is inside; None when nothing is."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if rows.size == 0:
        return None
    cut = inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return MaskPixels(x0 + int(columns[0]), y0 + int(rows[0]), np.ascontiguousarray(cut))


def fill_mask(mask: MaskPixels, width: int, height: int, where: str) -> NDArray[np.bool_]:
    """Lay a mask into an image, bool (height, width).

    Raises:
        LabelError: it reaches out of the image.
    """
    rows, columns = mask.inside.shape
    if mask.x0 < 0 or mask.y0 < 0 or mask.x0 + columns > width or mask.y0 + rows > height:
        raise LabelError(
            f"{where}: the mask reaches ({mask.x0 + columns}, {mask.y0 + rows}), outside the image of "
            f"{width}x{height}; label the recording at its own size"
        )
    whole = np.zeros((height, width), bool)
    whole[mask.y0 : mask.y0 + rows, mask.x0 : mask.x0 + columns] = mask.inside
    return whole


def _belongs(run: Sequence[FrameShape], shape: FrameShape) -> bool:
    last = run[-1]
    if last.label != shape.label or last.identity != shape.identity:
        return False
    if shape.identity is not None:
        return True
    # In one frame two shapes are two things, unless the form says that they are one.
    return shape.frame != last.frame and _overlap(last.region, shape.region)


def _overlap(one: FormRegion | None, other: FormRegion | None) -> bool:
    if one is None or other is None:
        return one is other
    return _measure_overlap(one, other) > 0


def _measure_overlap(one: FormRegion | None, other: FormRegion | None) -> float:
    """Return the shared area of the boxes around two regions; 0 when they only touch."""
    if one is None or other is None:
        return 0.0
    ax0, ay0, ax1, ay1 = find_corners(one)
    bx0, by0, bx1, by1 = find_corners(other)
    # Points have no area: the published tolerance of a click keeps those of one place together.
    reach = POINT_RADIUS_PX / 2 if isinstance(one, Point) and isinstance(other, Point) else 0.0
    shared_x = min(ax1, bx1) - max(ax0, bx0) + 2 * reach
    shared_y = min(ay1, by1) - max(ay0, by0) + 2 * reach
    return max(shared_x, 0.0) * max(shared_y, 0.0)


def _build_event(run: Sequence[FrameShape], step: int) -> FormEvent:
    first, last = run[0], run[-1]
    regions = [shape.region for shape in run if shape.region is not None]
    certainties = [shape.certainty for shape in run if shape.certainty is not None]
    peaks = [shape.peak for shape in run if shape.peak is not None]
    return FormEvent(
        span=FrameSpan(first.frame, last.frame + step),
        where=first.where,
        region=join_regions(regions, first.where) if regions else None,
        label=first.label,
        certainty=certainties[0] if certainties else None,
        peak=peaks[0] if peaks else None,
    )


def find_corners(region: FormRegion) -> tuple[float, float, float, float]:
    """Return the box around a region, (x0, y0, x1, y1), in the region's own unit."""
    if isinstance(region, Box):
        return region.x0, region.y0, region.x1, region.y1
    if isinstance(region, Point):
        return region.x, region.y, region.x, region.y
    if isinstance(region, PercentBox):
        return region.x, region.y, region.x + region.width, region.y + region.height
    if isinstance(region, MaskPixels):
        rows, columns = region.inside.shape
        return region.x0 - 0.5, region.y0 - 0.5, region.x0 + columns - 0.5, region.y0 + rows - 0.5
    xs, ys = [x for x, _ in region.points], [y for _, y in region.points]
    return min(xs), min(ys), max(xs), max(ys)


def _join_as_mask(regions: Sequence[FormRegion], where: str) -> MaskPixels:
    corners = np.array([find_corners(region) for region in regions])
    x0, y0 = (int(v) for v in np.floor(corners[:, :2].min(axis=0)))
    x1, y1 = (int(v) + 1 for v in np.ceil(corners[:, 2:].max(axis=0)))
    if (x1 - x0) * (y1 - y0) > _MAX_JOINED_PX:
        raise LabelError(f"{where}: covers {x1 - x0}x{y1 - y0} pixels, more than an image; mend the corners")
    inside = np.zeros((y1 - y0, x1 - x0), bool)
    for region in regions:
        if isinstance(region, MaskPixels):
            moved = replace(region, x0=region.x0 - x0, y0=region.y0 - y0)
            inside |= fill_mask(moved, x1 - x0, y1 - y0, where)
        elif isinstance(region, Box | Point | Polygon):
            inside |= rasterise_region(region, (x0, y0, x1, y1), (y1 - y0, x1 - x0))
    mask = crop_mask(inside, x0, y0)
    if mask is None:
        raise LabelError(f"{where}: the drawn area is empty; draw it again or remove it")
    return mask
