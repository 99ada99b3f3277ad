from __future__ import annotations

import numpy as np
import pytest

from fascnet.phantom.scan.scan_grid import SAMPLES_PER_PULSE, plan_grid
from fascnet.phantom.scan.scan_settings import FWHM_PER_SIGMA, ScanSettings

SETTINGS = [
    ScanSettings(192, 192, 0.15),
    ScanSettings(480, 640, 0.08),
    ScanSettings(100, 90, 0.3, centre_frequency_mhz=12.0),
    ScanSettings(128, 150, 0.06, lines_per_beam=5.0, sidelobe_db=-30.0),
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_field_is_sampled_as_densely_as_its_width_needs(settings: ScanSettings) -> None:
    grid = plan_grid(settings)
    assert grid.row_mm <= FWHM_PER_SIGMA * settings.axial_sigma_mm / SAMPLES_PER_PULSE + 1e-9
    waist_mm = FWHM_PER_SIGMA * settings.lateral_sigma_mm(settings.focus_mm)
    assert grid.line_mm == pytest.approx(waist_mm / settings.lines_per_beam)
    assert grid.rows == settings.height_px * grid.samples_per_px


@pytest.mark.parametrize("settings", SETTINGS)
def test_samples_of_a_pixel_lie_about_its_middle(settings: ScanSettings) -> None:
    grid = plan_grid(settings)
    depths = grid.first_row_mm + grid.row_mm * np.arange(grid.rows).reshape(settings.height_px, -1)
    np.testing.assert_allclose(
        depths.mean(axis=1), np.arange(settings.height_px) * settings.mm_per_px, atol=1e-9
    )


@pytest.mark.parametrize("settings", SETTINGS)
def test_columns_are_interpolated_from_their_neighbours(settings: ScanSettings) -> None:
    grid = plan_grid(settings)
    weights = grid.line_weights[..., 0].astype(float)
    np.testing.assert_allclose(weights.sum(axis=0), 1.0, atol=1e-6)
    # Cubic interpolation is exact for a straight line.
    lines_mm = grid.first_line_mm + grid.line_mm * np.arange(grid.lines)
    columns_mm = (weights * lines_mm[grid.line_taps]).sum(axis=0)
    np.testing.assert_allclose(columns_mm, np.arange(settings.width_px) * settings.mm_per_px, atol=1e-5)


@pytest.mark.parametrize("settings", SETTINGS)
def test_kernels_have_unit_energy(settings: ScanSettings) -> None:
    grid = plan_grid(settings)
    assert 2 * np.square(grid.axial).sum() - grid.axial[0] ** 2 == pytest.approx(1, abs=1e-5)
    rows = 0
    for block in grid.blocks:
        assert block.first == rows
        rows = block.last
        energy = 2 * np.square(block.weights).sum(axis=0) - np.square(block.weights[0])
        np.testing.assert_allclose(energy, 1, atol=1e-5)
    assert rows == grid.rows + 2 * grid.row_pad
