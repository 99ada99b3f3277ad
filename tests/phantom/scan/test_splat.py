from __future__ import annotations

import numpy as np
import pytest

from fascnet.phantom.scan.scan_grid import plan_grid
from fascnet.phantom.scan.scan_settings import ScanSettings
from fascnet.phantom.scan.splat import Splat

SETTINGS = ScanSettings(60, 50, 0.15, attenuation_db_per_cm_mhz=0.0)


def test_an_echo_is_shared_so_that_its_middle_is_its_place() -> None:
    grid = plan_grid(SETTINGS)
    splat = Splat(grid)
    rng = np.random.default_rng(0)
    for _ in range(20):
        x, z = rng.uniform(1, 6, 2)
        splat.place(np.array([[x, z]], dtype=np.float32))
        field = splat.collect(np.ones(1, dtype=np.complex64), 0.0)
        size = np.hypot(field[0], field[1]).astype(float)
        assert np.count_nonzero(size) <= 4
        assert size.sum() == pytest.approx(1, abs=1e-3)
        rows, lines = np.indices(size.shape)
        row_mm = grid.first_row_mm + grid.row_mm * (np.average(rows, weights=size) - grid.row_pad)
        line_mm = grid.first_line_mm + grid.line_mm * (np.average(lines, weights=size) - grid.line_pad)
        assert (line_mm, row_mm) == pytest.approx((x, z), abs=2e-3)


def test_the_phase_turns_twice_in_a_wavelength() -> None:
    splat = Splat(plan_grid(SETTINGS))
    phases = []
    for depth_mm in (4.0, 4.0 + SETTINGS.wavelength_mm / 8):
        splat.place(np.array([[3.0, depth_mm]], dtype=np.float32))
        field = splat.collect(np.ones(1, dtype=np.complex64), 0.0).sum(axis=(1, 2))
        phases.append(np.angle(field[0] + 1j * field[1]))
    assert np.exp(1j * (phases[1] - phases[0])) == pytest.approx(-1j, abs=2e-3)


def test_a_complex_echo_turns_the_field() -> None:
    splat = Splat(plan_grid(SETTINGS))
    splat.place(np.array([[3.0, 4.0]], dtype=np.float32))
    real, turned = (splat.collect(np.array([echo], dtype=np.complex64), 0.0) for echo in (1.0, 1j))
    np.testing.assert_allclose(turned[0], -real[1], atol=1e-5)
    np.testing.assert_allclose(turned[1], real[0], atol=1e-5)


def test_echoes_add_up_in_any_order_and_far_ones_stay_in_the_pad() -> None:
    grid = plan_grid(SETTINGS)
    rng = np.random.default_rng(1)
    places = rng.uniform(-3, 12, (5000, 2)).astype(np.float32)
    echoes = (rng.standard_normal(5000) + 1j * rng.standard_normal(5000)).astype(np.complex64)
    order = rng.permutation(5000)
    fields = []
    for chosen in (np.arange(5000), order):
        splat = Splat(grid)
        splat.place(places[chosen])
        fields.append(splat.collect(echoes[chosen], 0.0))
    np.testing.assert_array_equal(*fields)
    splat.place(np.array([[500.0, 500.0], [-500.0, -500.0]], dtype=np.float32))
    inner = splat.collect(np.ones(2, dtype=np.complex64), 0.0)
    assert not inner[:, 2:-2, 2:-2].any()
