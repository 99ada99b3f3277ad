from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.path import Path as Outline

from fascnet.data.labelling.regions import find_centre, measure_area_px, rasterise_region, read_mask
from fascnet.errors import LabelError
from fascnet.types import Box, MaskFile, Point, Polygon

FRAME = (0, 0, 40, 30)


def test_box_on_the_pixel_grid_is_exact() -> None:
    inside = rasterise_region(Box(10, 5, 20, 8), FRAME, (30, 40))
    expected = np.zeros((30, 40), bool)
    expected[5:8, 10:20] = True
    assert np.array_equal(inside, expected)
    assert inside.sum() == measure_area_px(Box(10, 5, 20, 8)) == 30


def test_coarse_grid_asks_cell_centres() -> None:
    # Cells of 4 px in a box that starts at x 8: centres at 9.5, 13.5, 17.5, ...
    inside = rasterise_region(Box(9.5, 0, 13.5, 30), (8, 0, 40, 30), (1, 8))
    assert inside.tolist() == [[True] + [False] * 7]


@given(st.lists(st.tuples(st.floats(-5, 45), st.floats(-5, 35)), min_size=3, max_size=3))
def test_triangles_agree_with_another_implementation(corners: list[tuple[float, float]]) -> None:
    polygon = Polygon(tuple(corners))
    if measure_area_px(polygon) < 20:
        return
    inside = rasterise_region(polygon, FRAME, (30, 40))
    x, y = np.meshgrid(np.arange(40), np.arange(30))
    places = np.stack([x.ravel(), y.ravel()], axis=1)
    # Points on the outline may fall either way; Outline's tolerance brackets them.
    outline = Outline([*corners, corners[0]], closed=True)
    wider = outline.contains_points(places, radius=1e-3) | outline.contains_points(places, radius=-1e-3)
    narrower = outline.contains_points(places, radius=1e-3) & outline.contains_points(places, radius=-1e-3)
    assert np.all(wider.reshape(30, 40)[inside] | (inside.sum() == 1))
    assert np.all(inside[narrower.reshape(30, 40)])


def test_polygons_that_share_an_edge_neither_overlap_nor_gap() -> None:
    left = rasterise_region(Polygon(((0, 0), (20, 0), (10, 30), (0, 30))), FRAME, (30, 40))
    right = rasterise_region(Polygon(((20, 0), (40, 0), (40, 30), (10, 30))), FRAME, (30, 40))
    assert np.all(left ^ right)


def test_concave_and_self_crossing_outlines() -> None:
    u_shape = Polygon(((0, 0), (30, 0), (30, 30), (20, 30), (20, 10), (10, 10), (10, 30), (0, 30)))
    inside = rasterise_region(u_shape, FRAME, (30, 40))
    assert inside[20, 5] and inside[20, 25] and not inside[20, 15]
    bow = rasterise_region(Polygon(((0, 0), (20, 20), (20, 0), (0, 20))), FRAME, (30, 40))
    assert bow[10, 2] and bow[10, 18]


def test_point_is_a_disc_and_small_regions_keep_one_cell() -> None:
    disc = rasterise_region(Point(20, 15), FRAME, (30, 40), point_radius_px=3)
    assert disc.sum() == sum(dx * dx + dy * dy <= 9 for dx in range(-3, 4) for dy in range(-3, 4))
    wide = rasterise_region(Point(20, 15), FRAME, (30, 40), point_radius_px=6, pixel_aspect=2.0)
    assert wide[:, 20].sum() == 13 and wide[15].sum() == 7, (
        "pixels twice as wide as high: half as many across"
    )
    tiny = rasterise_region(Box(21.1, 14.1, 21.2, 14.2), FRAME, (6, 8))
    assert np.argwhere(tiny).tolist() == [[2, 4]]
    assert not rasterise_region(Box(100, 100, 101, 101), FRAME, (6, 8)).any()


def test_mask_file(tmp_path: Path) -> None:
    picture = np.zeros((30, 40), np.uint8)
    picture[10:14, 20:30] = 255
    path = tmp_path / "müsk.png"
    path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    region = MaskFile(path)
    assert np.array_equal(rasterise_region(region, FRAME, (30, 40)), picture > 0)
    shifted = rasterise_region(region, (15, 5, 45, 35), (30, 30))
    assert np.array_equal(np.argwhere(shifted).min(axis=0), [5, 5])
    assert shifted.sum() == 40 == measure_area_px(region)
    assert find_centre(region) == (24.5, 11.5)


def test_unreadable_masks(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "empty.png").write_text("")
    for name in ("text.png", "empty.png", "absent.png"):
        with pytest.raises(LabelError, match=name):
            read_mask(tmp_path / name)


def test_centres_and_areas() -> None:
    square = Polygon(((1000, 1000), (1010, 1000), (1010, 1010), (1000, 1010)))
    assert find_centre(square) == pytest.approx((1005, 1005))
    assert measure_area_px(square) == 100
    l_shape = Polygon(((0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)))
    assert find_centre(l_shape) == pytest.approx((5 / 6, 5 / 6))
    assert find_centre(Polygon(((0, 0), (1, 1), (2, 2)))) == (1, 1)
    assert find_centre(Box(0, 0, 4, 2)) == (2, 1)
    assert find_centre(Point(3, 4)) == (3, 4)
