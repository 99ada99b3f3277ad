from __future__ import annotations

import numpy as np
import pytest

from fascnet.inference.movement.block_flow import BlockFlow, SmallPicture, measure_change, measure_texture

from .moving import make_speckle, shift, spot


def as_grey(picture):
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("by", [(0.0, 0.0), (0.4, -0.3), (2.5, 1.0), (-5.0, 4.0)])
def test_finds_how_far_the_whole_picture_moved(by):
    speckle = make_speckle()
    moved = BlockFlow(160, 160).measure(as_grey(speckle), as_grey(shift(speckle, *by)))
    assert moved.shift_px == pytest.approx(by, abs=0.15)
    assert moved.agreement > 0.85
    assert moved.median_px == pytest.approx(np.hypot(*by), abs=0.2)


def test_a_local_movement_is_seen_in_its_blocks_and_leaves_the_whole_where_it_is():
    speckle = make_speckle(1)
    moved = BlockFlow(160, 160).measure(
        as_grey(speckle), as_grey(shift(speckle, 1.5 * spot(45, 95, 12), 0.0))
    )
    assert moved.shift_px == pytest.approx((0.0, 0.0), abs=0.1)
    row, col = np.unravel_index(np.argmax(moved.blocks_px[..., 0]), (16, 16))
    assert (row, col) in {(8, 4), (9, 4), (8, 3), (9, 3), (8, 5), (9, 5)}
    assert moved.blocks_px[row, col, 0] > 1.0


def test_undone_movement_leaves_likeness_and_new_speckle_does_not():
    flow = BlockFlow(160, 160)
    speckle = make_speckle(2)
    assert flow.correlate(as_grey(speckle), as_grey(shift(speckle, 3.0, -2.0))) > 0.9
    assert flow.correlate(as_grey(speckle), as_grey(make_speckle(3))) < 0.6


def test_a_flat_picture_moves_nowhere():
    flat = np.full((160, 160), 30, np.uint8)
    moved = BlockFlow(160, 160).measure(flat, flat)
    assert (moved.shift_px, moved.agreement, moved.median_px) == ((0.0, 0.0), 0.0, 0.0)


@pytest.mark.parametrize(("box", "grid"), [((10, 20, 410, 320), (12, 16)), ((0, 0, 60, 600), (16, 3))])
def test_small_pictures_are_whole_blocks_and_places_fall_into_them(box, grid):
    small = SmallPicture(box)
    assert small.grid == grid
    image = np.arange(700 * 500, dtype=np.uint32).reshape(700, 500).astype(np.uint8)
    assert small.take(image).shape == (small.height, small.width)
    x0, y0, x1, y1 = box
    assert small.find_block(x0, y0) == (0, 0)
    assert small.find_block(x1 - 1, y1 - 1) == (grid[0] - 1, grid[1] - 1)
    assert small.find_block(-50, 9999) == (grid[0] - 1, 0)
    assert small.find_block((x0 + x1) / 2, (y0 + y1) / 2) == (grid[0] // 2, grid[1] // 2)


def test_change_and_texture_are_those_of_the_blocks():
    before = np.zeros((40, 40), np.uint8)
    now = before.copy()
    now[:10, :10] = 16
    assert measure_change(before, now) == pytest.approx((1.0, 0.0))
    assert measure_change(before, before + 3) == pytest.approx((3.0, 3.0))
    now[:5, :10] = 0
    texture = measure_texture(now)
    assert texture[0, 0] == pytest.approx(8.0)
    assert texture[1:].max() == 0
