from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fascnet.phantom.scan.scan_settings import FWHM_PER_SIGMA, ScanSettings

FINE = ScanSettings(400, 400, 0.05)


def test_wavelength_pulse_and_beam() -> None:
    assert FINE.wavelength_mm == pytest.approx(1.54 / 7.5)
    assert FWHM_PER_SIGMA * FINE.axial_sigma_mm == pytest.approx(1.8 * 1.54 / 7.5)
    still = replace(FINE, attenuation_db_per_cm_mhz=0.0)
    waist = still.lateral_sigma_mm(still.focus_mm)
    assert FWHM_PER_SIGMA * waist == pytest.approx(2.8 * 1.54 / 7.5)
    for depth_mm in (still.focus_mm - still.focus_length_mm, still.focus_mm + still.focus_length_mm):
        assert still.lateral_sigma_mm(depth_mm) == pytest.approx(np.sqrt(2) * waist)


def test_attenuation_lowers_the_frequency_and_widens_the_beam() -> None:
    # 0.5 dB/cm/MHz on a pulse of 40 % bandwidth: by numerical integration over its spectrum.
    settings = replace(FINE, pulse_wavelengths=0.4413 / 0.4)
    depth_mm = 40.0
    f = np.linspace(0.5, 20, 4000)
    sigma = 0.4 * 7.5 / (2 * np.sqrt(2 * np.log(2)))
    spectrum = np.exp(-0.5 * ((f - 7.5) / sigma) ** 2) * 10 ** (-2 * 0.5 * depth_mm / 10 * f / 20)
    expected = np.average(f, weights=spectrum)
    assert settings.frequency_mhz(depth_mm) == pytest.approx(expected, rel=0.01)
    assert settings.frequency_mhz(0.0) == settings.centre_frequency_mhz
    still = replace(settings, attenuation_db_per_cm_mhz=0.0)
    assert settings.lateral_sigma_mm(depth_mm) > 1.03 * still.lateral_sigma_mm(depth_mm)


def test_frequency_never_falls_below_half() -> None:
    wide = replace(FINE, pulse_wavelengths=0.3, attenuation_db_per_cm_mhz=3.0)
    assert wide.frequency_mhz(100.0) == 0.5 * wide.centre_frequency_mhz


def test_the_point_spread_is_never_finer_than_the_pixels_show() -> None:
    coarse = replace(FINE, mm_per_px=0.3, centre_frequency_mhz=15.0)
    assert FWHM_PER_SIGMA * coarse.axial_sigma_mm == pytest.approx(0.6)
    assert FWHM_PER_SIGMA * coarse.lateral_sigma_mm(coarse.focus_mm) == pytest.approx(0.6)


def test_depth_gain_adds_slope_sliders_and_focus() -> None:
    settings = replace(
        FINE, tgc_slope_db_per_mm=-0.2, tgc_steps_db=(0.0, 4.0), focal_gain_db=3.0, focus_mm=10.0
    )
    depths_mm = np.array([0.0, 10.0, 20.0])
    away = 3.0 / (1 + (10.0 / settings.focus_length_mm) ** 2)
    np.testing.assert_allclose(settings.depth_gain_db(depths_mm), [2.0 + away, 2.0 + 3.0, -2.0 + 4.0 + away])
