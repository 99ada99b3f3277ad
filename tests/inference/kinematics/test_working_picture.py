from __future__ import annotations

import numpy as np
import pytest

from fascnet.inference.kinematics.working_picture import FINEST_MM_PER_PX, WorkingPicture


def test_fine_pictures_are_reduced_and_coarse_ones_kept():
    fine = WorkingPicture((10, 20, 210, 120), 0.05)
    assert fine.size == (50, 100)
    assert fine.working_mm_per_px == pytest.approx(FINEST_MM_PER_PX)
    coarse = WorkingPicture((10, 20, 210, 120), 0.2)
    assert coarse.size == (100, 200)
    assert coarse.working_mm_per_px == pytest.approx(0.2)


def test_places_go_to_and_fro():
    picture = WorkingPicture((10, 20, 210, 120), 0.05)
    # The first working pixel covers stored pixels 10 and 11, so its centre lies at 10.5.
    assert picture.to_stored(0.0, 0.0) == pytest.approx((10.5, 20.5))
    assert picture.to_working(*picture.to_stored(33.3, 7.0)) == pytest.approx((33.3, 7.0))


def test_shrinking_crops_and_copies():
    image = np.zeros((130, 220), np.uint8)
    image[20:120, 10:210] = 80
    for mm_per_px in (0.05, 0.2):
        small = WorkingPicture((10, 20, 210, 120), mm_per_px).shrink(image)
        assert small.dtype == np.uint8
        assert (small == 80).all()
        assert not np.shares_memory(small, image)


def test_an_unknown_spacing_is_assumed():
    assert WorkingPicture((0, 0, 100, 100), None, 0.05).size == (50, 50)


def test_working_pixels_are_square():
    """Stored pixels a third wider than high: 0.1 mm downwards, 0.133 mm across."""
    picture = WorkingPicture((10, 20, 160, 170), 0.1, pixel_aspect=4 / 3)
    assert picture.size == (150, 200)
    assert picture.working_mm_per_px == pytest.approx(0.1)
    assert picture.to_stored(*picture.to_working(40.0, 60.0)) == pytest.approx((40.0, 60.0))
    half = WorkingPicture((0, 0, 150, 150), 0.05, pixel_aspect=4 / 3)
    assert half.size == (75, 100)
    assert half.working_mm_per_px == pytest.approx(0.1)
