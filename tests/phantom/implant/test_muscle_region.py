from __future__ import annotations

import numpy as np
import pytest

from fascnet.phantom.implant.muscle_region import STEEPEST_RAD, find_muscle, map_fibres

from ..backgrounds import make_muscle

SHAPE, PITCH_MM = (320, 360), 0.12


def test_muscle_lies_below_the_fascia() -> None:
    frame = make_muscle(0, SHAPE)
    x0, y0, x1, y1 = find_muscle(frame, PITCH_MM)
    assert round(0.1 * SHAPE[0]) + 4 < y0 < 0.2 * SHAPE[0]
    assert y1 == round(0.8 * SHAPE[0])
    assert (x0, SHAPE[1] - x1) == (18, 18)


def test_a_flat_picture_gets_a_box_too() -> None:
    x0, y0, x1, y1 = find_muscle(np.full((60, 60), 80, np.uint8), 0.2)
    assert 0 <= x0 < x1 <= 60 and 0 <= y0 < y1 <= 60


@pytest.mark.parametrize("fibre_deg", [-25.0, -12.0, 0.0, 15.0, 28.0])
def test_fibres_point_where_the_streaks_do(fibre_deg: float) -> None:
    frame = make_muscle(3, SHAPE, fibre_deg)
    fibres = map_fibres(frame, find_muscle(frame, PITCH_MM), PITCH_MM)
    assert np.rad2deg(fibres.overall_rad) == pytest.approx(fibre_deg, abs=6)
    local = np.rad2deg(fibres.find_direction(0.5 * SHAPE[1], 0.5 * SHAPE[0]))
    assert local == pytest.approx(fibre_deg, abs=12)


def test_no_direction_counts_as_horizontal() -> None:
    frame = np.random.default_rng(0).integers(0, 255, SHAPE).astype(np.uint8)
    fibres = map_fibres(frame, (20, 40, 340, 250), PITCH_MM)
    assert fibres.contrast < 0.7
    assert np.abs(fibres.local_rad).max() <= STEEPEST_RAD
    assert fibres.find_direction(-50, 9999) == fibres.local_rad[-1, 0]
