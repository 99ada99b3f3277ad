from __future__ import annotations

import numpy as np
import pytest

from fascnet.inference.kinematics.field_shape import measure_field
from fascnet.inference.kinematics.separation import SeparatedTwitch, find_connected

ROWS, COLUMNS = np.mgrid[:40, :50]


def make_twitch(direction, centre=(20.3, 24.6), elsewhere_ratio=0.0):
    """A Gaussian of sigma 5 cells; `direction` gives unit vectors from (row, column) offsets."""
    r, c = ROWS - centre[0], COLUMNS - centre[1]
    size = 0.4 * np.exp(-0.5 * (r**2 + c**2) / 25)
    field = size[..., None] * direction(r, c)
    cell = tuple(int(i) for i in np.unravel_index(size.argmax(), size.shape))
    core = find_connected(size >= 0.5 * size[cell], cell)
    return SeparatedTwitch(field, cell, core, np.zeros(3), elsewhere_ratio, 1.0)


def to_the_right(r, c):
    return np.stack([np.ones_like(r), np.zeros_like(r)], axis=-1)


def outward(r, c):
    return np.stack([c, r], axis=-1) / np.hypot(r, c)[..., None]


def half_circle(r, c):
    angle = np.pi * (np.abs(np.arctan2(r, c)) / np.pi - 0.5)
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


SEEN = np.ones(ROWS.shape, dtype=bool)


def test_areas_and_epicentre_of_a_gaussian():
    found = measure_field(make_twitch(to_the_right), SEEN, 0.5)
    assert found.peak_mm == pytest.approx(0.4, rel=0.01)
    assert found.core_cells == pytest.approx(2 * np.pi * 25 * np.log(2), rel=0.05)
    assert found.moving_cells == pytest.approx(2 * np.pi * 25 * np.log(1 / 0.15), rel=0.05)
    assert (found.row, found.column) == pytest.approx((20.3, 24.6), abs=0.05)


def test_anisotropy_is_the_length_of_the_mean_direction():
    assert measure_field(make_twitch(to_the_right), SEEN, 0.5).anisotropy == pytest.approx(1.0)
    assert measure_field(make_twitch(outward), SEEN, 0.5).anisotropy < 0.03
    # Directions spread evenly over half a circle have a mean of length 2 / pi.
    assert measure_field(make_twitch(half_circle), SEEN, 0.5).anisotropy == pytest.approx(2 / np.pi, abs=0.03)


def test_noise_is_taken_off_before_the_core_is_cut():
    plain = measure_field(make_twitch(to_the_right), SEEN, 0.5).pointed_cells
    noisy = measure_field(make_twitch(to_the_right, elsewhere_ratio=0.3), SEEN, 0.5).pointed_cells
    # sqrt(s² - 0.09) reaches half of sqrt(1 - 0.09) at s² = 0.3175.
    assert noisy / plain == pytest.approx(np.log(0.3175) / np.log(0.25), abs=0.05)


def test_one_cell_that_stands_out_hardly_changes_the_core():
    twitch = make_twitch(to_the_right)
    plain = measure_field(twitch, SEEN, 0.5)
    twitch.field_mm[twitch.peak_cell] *= 1.3
    found = measure_field(twitch, SEEN, 0.5)
    assert found.core_cells == pytest.approx(plain.core_cells, rel=0.05)
    # What reaches half of that cell is less by log(0.65) / log(0.5).
    assert found.pointed_cells / plain.pointed_cells == pytest.approx(0.62, abs=0.05)


def test_cells_without_tissue_do_not_count_as_moving():
    seen = SEEN.copy()
    seen[:, 30:] = False
    twitch = make_twitch(to_the_right)
    assert measure_field(twitch, seen, 0.5).moving_cells < measure_field(twitch, SEEN, 0.5).moving_cells
