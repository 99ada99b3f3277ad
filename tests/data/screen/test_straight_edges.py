from __future__ import annotations

import numpy as np
import pytest

from fascnet.data.screen.evidence import measure_evidence
from fascnet.data.screen.straight_edges import find_spanned_rows, place_edges
from tests.data.screen.drawn_screens import make_screen

BOX = (120, 50, 420, 350)


@pytest.mark.parametrize("rough", [BOX, (100, 60, 430, 330), (130, 40, 400, 370)])
@pytest.mark.parametrize("ground", [0, 50, 200])
def test_edges_are_placed_to_the_pixel(rough: tuple[int, int, int, int], ground: int) -> None:
    placed = place_edges(rough, measure_evidence(make_screen(BOX, ground=ground)))
    assert np.abs(np.array(placed.box) - BOX).max() <= 1
    assert min(placed.steps) > 0.5


def test_a_column_of_text_beside_the_picture_is_no_edge() -> None:
    frames = make_screen(BOX)
    frames[:, 60:340, 432:440:2] = 220
    placed = place_edges((118, 50, 442, 350), measure_evidence(frames))
    assert abs(placed.box[2] - 420) <= 1


def test_a_dark_band_between_the_same_sides_is_inside() -> None:
    """A probe in air: bright lines at the top, nothing below them, noise at the bottom."""
    frames = make_screen(BOX)
    frames[:, 58:200, 120:420] = 0
    frames[:, 50:54, 120:420] = 250
    placed = place_edges((120, 200, 420, 350), measure_evidence(frames))
    assert placed.box[1] == 50
    assert placed.steps[1] >= 0.5


def test_spanned_rows_need_furniture_beside_them() -> None:
    level = np.full((100, 200), 60, np.float32)
    level[20:30, 50:150] = 0
    level[40:50] = 0
    rows = find_spanned_rows(level, 50, 150)
    assert rows[20:30].all() and not rows[40:50].any() and not rows[60:].any()
    assert not find_spanned_rows(level, 0, 150).any()
