"""Shapes of CVAT's XML 1.1 as regions of stored pixels, and regions as its shapes.

CVAT counts from the corner of the image, so that the first pixel spans 0-1; here its centre is 0: half a
pixel less.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from fascnet.data.label_forms.outline_blend import blend_outlines
from fascnet.data.label_forms.rater_events import FormRegion, MaskPixels
from fascnet.data.label_forms.run_lengths import pack_rows, unpack_rows
from fascnet.data.label_forms.shapes import crop_mask
from fascnet.errors import LabelError
from fascnet.types import Box, Point, Polygon

SHAPES = ("box", "polygon", "points", "mask", "ellipse")
UNREADABLE_SHAPES = ("polyline", "cuboid", "skeleton")

_HALF_PX = 0.5
_ELLIPSE_CORNERS = 64
_MAX_CORNERS = 100_000


def read_shape(kind: str, attributes: Mapping[str, str], where: str) -> FormRegion:
    """Turn a shape element's attributes into a region.

    Raises:
        LabelError: an attribute is missing or no number, or the shape has no area.
    """
    if kind == "box":
        return _read_box(attributes, where)
    if kind == "ellipse":
        return _read_ellipse(attributes, where)
    if kind == "mask":
        return _read_mask(attributes, where)
    corners = _read_points(attributes, where)
    if kind == "points":
        # Several points of one shape mark one place more than once.
        return Point(*(float(v) for v in np.mean(corners, axis=0)))
    if len(corners) < 3:
        raise LabelError(f"{where}: a polygon of {len(corners)} corners has no area; draw it again")
    return Polygon(tuple(corners))


def write_shape(region: Polygon | Box | Point | MaskPixels) -> tuple[str, dict[str, str]]:
    """Turn a region into CVAT's element name and the attributes of its place."""
    if isinstance(region, Box):
        edges = zip(("xtl", "ytl", "xbr", "ybr"), (region.x0, region.y0, region.x1, region.y1), strict=True)
        return "box", {name: _write(value) for name, value in edges}
    if isinstance(region, MaskPixels):
        rows, columns = region.inside.shape
        return "mask", {
            "rle": ", ".join(str(length) for length in pack_rows(region.inside)),
            "left": str(region.x0),
            "top": str(region.y0),
            "width": str(columns),
            "height": str(rows),
        }
    if isinstance(region, Point):
        return "points", {"points": f"{_write(region.x)},{_write(region.y)}"}
    return "polygon", {"points": ";".join(f"{_write(x)},{_write(y)}" for x, y in region.points)}


def blend(one: FormRegion, other: FormRegion, share: float) -> FormRegion:
    """Return the shape between two key frames as CVAT draws it, `share` 0-1 of the way to `other`.

    Boxes, points and corners of polygons move in a straight line (`outline_blend`, where their numbers
    differ); all else stays until the next key frame.
    """
    if isinstance(one, Box) and isinstance(other, Box):
        pairs = zip((one.x0, one.y0, one.x1, one.y1), (other.x0, other.y0, other.x1, other.y1), strict=True)
        return Box(*(a + (b - a) * share for a, b in pairs))
    if isinstance(one, Point) and isinstance(other, Point):
        return Point(one.x + (other.x - one.x) * share, one.y + (other.y - one.y) * share)
    if isinstance(one, Polygon) and isinstance(other, Polygon):
        return blend_outlines(one, other, share)
    return one


def read_number(attributes: Mapping[str, str], name: str, where: str, default: float | None = None) -> float:
    """Return an attribute as a finite number.

    Raises:
        LabelError: it is missing without a default, or no number.
    """
    text = attributes.get(name)
    if text is None and default is not None:
        return default
    try:
        value = float("" if text is None else text)
    except ValueError as error:
        raise LabelError(
            f"{where}: {name} is '{'' if text is None else text[:20]}', not a number; export it again"
        ) from error
    if not (math.isfinite(value) and abs(value) <= 1e7):
        raise LabelError(f"{where}: {name} is {value:g}; export it again")
    return value


def _read_box(attributes: Mapping[str, str], where: str) -> Box | Polygon:
    x0, y0, x1, y1 = (
        read_number(attributes, name, where) - _HALF_PX for name in ("xtl", "ytl", "xbr", "ybr")
    )
    if not (x0 < x1 and y0 < y1):
        raise LabelError(f"{where}: a box has no area; draw it again or remove it")
    turned_deg = read_number(attributes, "rotation", where, 0.0)
    if turned_deg == 0:
        return Box(x0, y0, x1, y1)
    corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    return _turn(corners, turned_deg)


def _read_ellipse(attributes: Mapping[str, str], where: str) -> Polygon:
    cx, cy = (read_number(attributes, name, where) - _HALF_PX for name in ("cx", "cy"))
    rx, ry = (abs(read_number(attributes, name, where)) for name in ("rx", "ry"))
    if rx == 0 or ry == 0:
        raise LabelError(f"{where}: an ellipse has no area; draw it again or remove it")
    angles = np.linspace(0, 2 * np.pi, _ELLIPSE_CORNERS, endpoint=False)
    corners = np.stack([cx + rx * np.cos(angles), cy + ry * np.sin(angles)], axis=1)
    return _turn(corners, read_number(attributes, "rotation", where, 0.0))


def _turn(corners: np.ndarray[tuple[int, ...], np.dtype[np.float64]], turned_deg: float) -> Polygon:
    """Turn corners clockwise on the screen about their middle."""
    angle = math.radians(turned_deg)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    middle = (corners.min(axis=0) + corners.max(axis=0)) / 2
    turned = (corners - middle) @ turn.T + middle
    return Polygon(tuple((float(x), float(y)) for x, y in turned))


def _read_mask(attributes: Mapping[str, str], where: str) -> MaskPixels:
    left, top, width, height = (
        int(read_number(attributes, name, where)) for name in ("left", "top", "width", "height")
    )
    text = attributes.get("rle", "")
    try:
        counts = [int(part) for part in text.split(",")]
    except ValueError as error:
        raise LabelError(f"{where}: the run lengths of a mask are no numbers; export it again") from error
    mask = crop_mask(unpack_rows(counts, width, height, where), left, top)
    if mask is None:
        raise LabelError(f"{where}: a mask is empty; draw it again or remove it")
    return mask


def _read_points(attributes: Mapping[str, str], where: str) -> list[tuple[float, float]]:
    pairs = attributes.get("points", "").split(";")
    if len(pairs) > _MAX_CORNERS:
        raise LabelError(f"{where}: has {len(pairs)} corners, more than {_MAX_CORNERS}; export it again")
    corners = []
    for pair in pairs:
        x, _, y = pair.partition(",")
        place = {"x": x, "y": y}
        corners.append((read_number(place, "x", where) - _HALF_PX, read_number(place, "y", where) - _HALF_PX))
    return corners


def _write(value: float) -> str:
    # CVAT writes two decimals; four keep what comes from percentages or sub-pixel outlines.
    return f"{value + _HALF_PX:.4f}".rstrip("0").rstrip(".")
