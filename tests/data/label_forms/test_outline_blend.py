from __future__ import annotations

import numpy as np
import pytest

from fascnet.data.label_forms.outline_blend import MIN_CORNERS, blend_outlines
from fascnet.data.labelling.regions import find_centre, measure_area_px
from fascnet.types import Polygon


def make_circle(x: float, y: float, radius: float, corners: int, start: int = 0, turn: int = 1) -> Polygon:
    angles = turn * 2 * np.pi * (np.arange(corners) + start) / corners
    return Polygon(tuple((float(x + radius * np.cos(a)), float(y + radius * np.sin(a))) for a in angles))


def test_equal_numbers_of_corners_are_paired_as_drawn() -> None:
    one, other = Polygon(((0, 0), (4, 0), (4, 4))), Polygon(((2, 2), (6, 2), (6, 6)))
    assert blend_outlines(one, other, 0.25) == Polygon(((0.5, 0.5), (4.5, 0.5), (4.5, 4.5)))


@pytest.mark.parametrize(("start", "turn"), [(0, 1), (3, 1), (0, -1), (5, -1)])
@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_an_outline_with_another_corner_moves_and_grows_evenly(start: int, turn: int, share: float) -> None:
    one, other = make_circle(10, 10, 5, 12), make_circle(50, 20, 9, 13, start, turn)
    between = blend_outlines(one, other, share)
    assert len(between.points) == MIN_CORNERS
    assert find_centre(between) == pytest.approx((10 + 40 * share, 10 + 10 * share), abs=0.1)
    # Corners that crossed over would shrink it.
    assert measure_area_px(between) == pytest.approx(np.pi * (5 + 4 * share) ** 2, rel=0.06)


def test_a_corner_added_on_a_side_changes_nothing() -> None:
    square = Polygon(((0, 0), (8, 0), (8, 8), (0, 8)))
    same = Polygon(((0, 8), (0, 0), (4, 0), (8, 0), (8, 8)))
    between = blend_outlines(square, same, 0.5)
    assert measure_area_px(between) == pytest.approx(64, rel=0.01)
    assert np.abs(np.asarray(between.points) - 4).max() <= 4 + 1e-9
