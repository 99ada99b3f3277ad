from __future__ import annotations

import numpy as np
import pytest

from fascnet.data.label_forms.cvat_shapes import blend, read_shape, write_shape
from fascnet.data.label_forms.rater_events import MaskPixels
from fascnet.data.labelling.regions import find_centre, measure_area_px, rasterise_region
from fascnet.errors import LabelError
from fascnet.types import Box, Point, Polygon


def test_cvat_counts_from_the_corner_of_the_image() -> None:
    box = read_shape("box", {"xtl": "10", "ytl": "4", "xbr": "20", "ybr": "8"}, "t")
    assert box == Box(9.5, 3.5, 19.5, 7.5)
    inside = rasterise_region(box, (0, 0, 30, 20), (20, 30))
    assert inside[4:8, 10:20].all() and inside.sum() == 40
    assert read_shape("points", {"points": "10.5,4.5"}, "t") == Point(10, 4)
    polygon = read_shape("polygon", {"points": "10,4;20,4;20,8;10,8"}, "t")
    assert isinstance(polygon, Polygon)
    assert np.array_equal(rasterise_region(polygon, (0, 0, 30, 20), (20, 30)), inside)


def test_turned_boxes_and_ellipses_are_outlines() -> None:
    turned = read_shape("box", {"xtl": "10", "ytl": "10", "xbr": "30", "ybr": "14", "rotation": "90"}, "t")
    assert isinstance(turned, Polygon) and find_centre(turned) == pytest.approx((19.5, 11.5))
    xs, ys = zip(*turned.points, strict=True)
    assert (max(xs) - min(xs), max(ys) - min(ys)) == pytest.approx((4, 20))
    # Clockwise on the screen: the upper right corner goes to the lower right.
    slightly = read_shape("box", {"xtl": "0", "ytl": "0", "xbr": "20", "ybr": "2", "rotation": "10"}, "t")
    assert isinstance(slightly, Polygon) and slightly.points[1][1] > slightly.points[0][1]
    ellipse = read_shape("ellipse", {"cx": "20", "cy": "10", "rx": "8", "ry": "4"}, "t")
    assert isinstance(ellipse, Polygon) and find_centre(ellipse) == pytest.approx((19.5, 9.5))
    assert measure_area_px(ellipse) == pytest.approx(np.pi * 32, rel=0.01)


@pytest.mark.parametrize(
    "region",
    [
        Box(9.5, 3.5, 19.5, 7.5),
        Box(0.1234, 0, 5, 6.5),
        Point(3, 4.25),
        Polygon(((0, 0), (5, 0), (5.5, 7.25))),
        MaskPixels(3, 4, np.array([[True, False, True], [False, True, True]])),
    ],
    ids=lambda region: type(region).__name__,
)
def test_written_shapes_come_back(region: Box | Point | Polygon | MaskPixels) -> None:
    kind, attributes = write_shape(region)
    again = read_shape(kind, attributes, "t")
    if isinstance(region, MaskPixels):
        assert isinstance(again, MaskPixels) and (again.x0, again.y0) == (3, 4)
        assert np.array_equal(again.inside, region.inside)
    elif isinstance(region, Box):
        assert isinstance(again, Box)
        assert (again.x0, again.y0, again.x1, again.y1) == pytest.approx(
            (region.x0, region.y0, region.x1, region.y1)
        )
    else:
        assert again == region


def test_a_mask_of_cvats_documents() -> None:
    """Runs of outside and inside, row by row, beginning with outside (docs.cvat.ai, run-length encoding)."""
    attributes = {"rle": "3, 4, 9, 1, 3", "left": "102", "top": "208", "width": "5", "height": "4"}
    mask = read_shape("mask", attributes, "t")
    assert isinstance(mask, MaskPixels)
    # Inside are pixels 3-6 and 16 of the 5x4 box.
    inside = np.zeros(20, bool)
    inside[3:7] = inside[16] = True
    found = np.zeros((4, 5), bool)
    rows, columns = mask.inside.shape
    found[mask.y0 - 208 : mask.y0 - 208 + rows, mask.x0 - 102 : mask.x0 - 102 + columns] = mask.inside
    assert np.array_equal(found, inside.reshape(4, 5))


def test_between_key_frames_corners_move_in_a_straight_line() -> None:
    assert blend(Box(0, 0, 4, 4), Box(8, 0, 16, 4), 0.25) == Box(2, 0, 7, 4)
    assert blend(Point(0, 0), Point(4, 8), 0.5) == Point(2, 4)
    one, other = Polygon(((0, 0), (4, 0), (4, 4))), Polygon(((2, 2), (6, 2), (6, 6)))
    assert blend(one, other, 0.5) == Polygon(((1, 1), (5, 1), (5, 5)))
    more = blend(one, Polygon(((10, 0), (14, 0), (14, 4), (10, 4))), 0.5)
    assert isinstance(more, Polygon) and min(x for x, _ in more.points) == pytest.approx(5, abs=1)


@pytest.mark.parametrize(
    ("kind", "attributes", "said"),
    [
        ("box", {"xtl": "1", "ytl": "1", "xbr": "1", "ybr": "4"}, "no area"),
        ("box", {"xtl": "nan", "ytl": "1", "xbr": "1", "ybr": "4"}, "xtl is nan"),
        ("box", {"xtl": "1"}, "ytl is '', not a number"),
        ("polygon", {"points": "1,2;3,4"}, "2 corners has no area"),
        ("polygon", {"points": "1,2;3"}, "y is ''"),
        ("polygon", {"points": "1,2;3,inf;5,6"}, "y is inf"),
        ("ellipse", {"cx": "1", "cy": "1", "rx": "0", "ry": "4"}, "no area"),
        ("mask", {"rle": "1, x", "left": "0", "top": "0", "width": "2", "height": "2"}, "no numbers"),
        ("mask", {"rle": "4", "left": "0", "top": "0", "width": "2", "height": "2"}, "is empty"),
        ("mask", {"rle": "1" + "0" * 5000, "left": "0", "top": "0", "width": "2", "height": "2"}, "mask"),
    ],
)
def test_shapes_that_are_none_are_one_line(kind: str, attributes: dict[str, str], said: str) -> None:
    with pytest.raises(LabelError, match=said) as refusal:
        read_shape(kind, attributes, "a.xml track 2 frame 5")
    assert str(refusal.value).startswith("a.xml track 2 frame 5") and "\n" not in str(refusal.value)
