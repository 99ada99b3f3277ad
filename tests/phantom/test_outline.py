from __future__ import annotations

import numpy as np
import pytest

from fascnet.data.labelling.regions import find_centre, measure_area_px, rasterise_region
from fascnet.phantom.movement.motion import Positions
from fascnet.phantom.outline import MAX_CORNERS, PictureFrame, map_sizes, outline
from fascnet.types import Polygon

FRAME = PictureFrame(height_px=120, width_px=160, mm_per_px=0.2)
BOX = (0, 0, 160, 120)

Discs = tuple[tuple[float, float, float], ...]


def map_discs(discs: Discs, frame: PictureFrame = FRAME) -> np.ndarray:
    """Cones of height 1 at (x_px, y_px) that fall to 0.5 at a radius (px)."""

    def find_modes(places: Positions) -> np.ndarray:
        pixels = places / np.float32(frame.mm_per_px)
        size = np.zeros(len(pixels), np.float32)
        for x, y, radius in discs:
            distance = np.hypot(pixels[:, 0] - x, pixels[:, 1] - y)
            size = np.maximum(size, 1 - 0.5 * distance / radius)
        return np.stack([size, np.zeros_like(size)], axis=-1)[None]

    return map_sizes(frame, find_modes)[0]


def fill(region: Polygon | None, box: tuple[int, int, int, int] = BOX) -> np.ndarray:
    assert region is not None
    return rasterise_region(region, box, (box[3] - box[1], box[2] - box[0]))


def draw_disc(x: float, y: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[0 : FRAME.height_px, 0 : FRAME.width_px]
    return np.hypot(columns - x, rows - y) <= radius


def measure_overlap(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.count_nonzero(first & second) / np.count_nonzero(first | second))


@pytest.mark.parametrize(("x", "y", "radius"), [(80.0, 60.0, 20.0), (41.3, 77.8, 9.0), (100.0, 50.0, 45.0)])
def test_outlines_the_area_above_the_level(x: float, y: float, radius: float) -> None:
    region = outline(map_discs(((x, y, radius),)), 0.5, FRAME)
    assert isinstance(region, Polygon)
    assert 3 <= len(region.points) <= MAX_CORNERS
    assert measure_overlap(fill(region), draw_disc(x, y, radius)) > 0.93
    assert measure_area_px(region) == pytest.approx(np.pi * radius**2, rel=0.06)
    assert find_centre(region) == pytest.approx((x, y), abs=0.2)


def test_a_lower_level_is_a_wider_area() -> None:
    sizes = map_discs(((80.0, 60.0, 20.0),))
    core, ring = outline(sizes, 0.5, FRAME), outline(sizes, 0.25, FRAME)
    assert np.all(fill(ring)[fill(core)])
    assert measure_overlap(fill(ring), draw_disc(80.0, 60.0, 30.0)) > 0.95


@pytest.mark.parametrize(
    "discs",
    [
        ((50.0, 60.0, 15.0), (110.0, 60.0, 15.0)),
        ((50.0, 30.0, 18.0), (100.0, 85.0, 12.0)),
        ((40.0, 40.0, 14.0), (120.0, 40.0, 12.0), (80.0, 95.0, 10.0)),
    ],
)
def test_split_parts_are_joined_by_a_bridge_that_holds_no_area(discs: Discs) -> None:
    region = outline(map_discs(discs), 0.5, FRAME)
    expected = np.logical_or.reduce([draw_disc(*disc) for disc in discs])
    inside = fill(region)
    assert measure_overlap(inside, expected) > 0.93
    assert np.count_nonzero(inside) == pytest.approx(np.count_nonzero(expected), rel=0.06)
    assert region is not None
    assert measure_area_px(region) == pytest.approx(np.count_nonzero(expected), rel=0.06)


def test_a_speck_beside_the_core_is_left_out() -> None:
    sizes = map_discs(((60.0, 60.0, 20.0), (130.0, 60.0, 3.0)))
    assert not fill(outline(sizes, 0.5, FRAME))[:, 110:].any()


def test_nothing_above_the_level_is_nothing() -> None:
    assert outline(map_discs(((80.0, 60.0, 20.0),)), 1.5, FRAME) is None


def test_what_lies_beside_the_picture_is_nothing() -> None:
    assert outline(map_discs(((-16.0, 60.0, 8.0),)), 0.5, FRAME) is None


def test_what_the_edge_cuts_ends_there() -> None:
    region = outline(map_discs(((0.0, 60.0, 20.0),)), 0.5, FRAME)
    assert region is not None
    points = np.array(region.points)
    assert points[:, 0].min() == 0.0
    assert measure_overlap(fill(region), draw_disc(0.0, 60.0, 20.0)) > 0.93


def test_what_is_carried_away_is_outlined_where_it_is() -> None:
    sizes = map_discs(((80.0, 60.0, 20.0),))
    still = outline(sizes, 0.5, FRAME)
    moved = outline(sizes, 0.5, FRAME, lambda places: np.full_like(places, 2.0))
    assert still is not None and moved is not None
    assert np.subtract(find_centre(moved), find_centre(still)) == pytest.approx((10.0, 10.0), abs=0.05)


def test_what_is_carried_into_the_picture_is_seen() -> None:
    sizes = map_discs(((-10.0, 60.0, 8.0),))
    region = outline(sizes, 0.5, FRAME, lambda places: np.full_like(places, [4.0, 0.0]))
    assert measure_overlap(fill(region), draw_disc(10.0, 60.0, 8.0)) > 0.9


def test_the_screen_s_offset_shifts_every_corner() -> None:
    sizes = map_discs(((80.0, 60.0, 20.0),))
    on_screen = PictureFrame(120, 160, 0.2, offset_px=(213, 57))
    bare, framed = outline(sizes, 0.5, FRAME), outline(sizes, 0.5, on_screen)
    assert bare is not None and framed is not None
    np.testing.assert_allclose(
        np.subtract(framed.points, bare.points), [(213, 57)] * len(bare.points), atol=0.011
    )
    screen_box = (213, 57, 373, 177)
    np.testing.assert_array_equal(fill(framed, screen_box), fill(bare))


def test_every_mode_is_mapped_by_its_length() -> None:
    def find_modes(places: Positions) -> np.ndarray:
        right = np.tile(np.float32([3.0, 4.0]), (len(places), 1))
        return np.stack([right, 0.5 * right])

    sizes = map_sizes(FRAME, find_modes)
    assert sizes.shape[0] == 2
    np.testing.assert_allclose(sizes[0], 5.0)
    np.testing.assert_allclose(sizes[1], 2.5)
