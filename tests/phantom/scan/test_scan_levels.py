from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fascnet.phantom.scan.scan_grid import plan_grid
from fascnet.phantom.scan.scan_levels import draw_noise, find_levels
from fascnet.phantom.scan.scan_settings import ScanSettings

SETTINGS = ScanSettings(192, 192, 0.15, noise_slope_db_per_mm=0.0)


def test_levels_follow_the_picture_at_rest() -> None:
    settings = replace(SETTINGS, noise_db=-20.0)
    envelope = np.linspace(0, 1, 100_001, dtype=np.float32)[None]
    assert find_levels(settings, envelope) == pytest.approx((0.995, 0.05))
    assert find_levels(settings, np.zeros((3, 3), dtype=np.float32)) == (1.0, 0.0)


def test_noise_is_white_and_nearly_gaussian() -> None:
    noise = draw_noise(plan_grid(SETTINGS), 3.0, np.random.default_rng(0)).astype(float)
    power = np.square(noise).sum(axis=0)
    assert power.mean() == pytest.approx(9.0, rel=0.02)
    assert abs(noise.mean()) < 0.02
    assert np.mean(noise**4) / np.mean(noise**2) ** 2 == pytest.approx(3 - 1.2 / 4, abs=0.02)
    for before, after in (
        (noise[:, 1:], noise[:, :-1]),
        (noise[..., 1:], noise[..., :-1]),
        (noise[:1], noise[1:]),
    ):
        assert abs(np.corrcoef(before.ravel(), after.ravel())[0, 1]) < 0.01


def test_noise_rises_with_depth() -> None:
    grid = plan_grid(replace(SETTINGS, noise_slope_db_per_mm=0.5))
    noise = draw_noise(grid, 1.0, np.random.default_rng(0))
    rms = np.sqrt(np.square(noise).sum(axis=0).mean(axis=1))
    thick = np.polyfit(np.arange(len(rms)) * grid.row_mm, 20 * np.log10(rms), 1)
    assert thick[0] == pytest.approx(0.5, abs=0.02)
