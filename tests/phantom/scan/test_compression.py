from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fascnet.phantom.scan.acquisition import Scanner
from fascnet.phantom.scan.compression import make_grey_table
from fascnet.phantom.scan.scan_settings import ScanSettings

SETTINGS = ScanSettings(8, 8, 0.15, dynamic_range_db=60.0)


def find_grey(level_db: float, gain_db: float = 0.0, **changes: float) -> float:
    """Grey of an even envelope so far from white."""
    scanner = Scanner(replace(SETTINGS, **changes))
    even = np.ones((scanner.grid.rows, scanner.grid.lines), dtype=np.float32)
    scanner.calibrate(even)
    greys = scanner.compress(even * np.float32(10 ** (level_db / 20)), gain_db)
    assert np.ptp(greys) < 1e-3
    return float(greys.mean())


@pytest.mark.parametrize(
    ("level_db", "grey"),
    [(-200, 0), (-80, 0), (-60, 0), (-30, 127.5), (-12.3, 255 * 47.7 / 60), (0, 255), (20, 255)],
)
def test_greys_are_the_logarithm_over_the_dynamic_range(level_db: float, grey: float) -> None:
    assert find_grey(level_db) == pytest.approx(grey, abs=0.03)


def test_gain_adds_decibels() -> None:
    assert find_grey(-30, gain_db=6.0) == pytest.approx(255 * 36 / 60, abs=0.03)
    assert find_grey(-30, gain_db=-6.0) == pytest.approx(find_grey(-36), abs=0.03)
    # The scanner's own gain is over the automatic one.
    assert find_grey(-30, **{"gain_db": 4.0}) == pytest.approx(find_grey(-26), abs=0.03)


def test_grey_maps() -> None:
    assert find_grey(-30, gamma=2.0) == pytest.approx(255 * 0.25, abs=0.05)
    assert find_grey(-30, s_curve=0.8) == pytest.approx(127.5, abs=0.05)
    assert find_grey(-45, s_curve=1.0) == pytest.approx(255 * (3 / 16 - 2 / 64), abs=0.05)
    assert find_grey(-45, s_curve=-0.5) > find_grey(-45)


@pytest.mark.parametrize("s_curve", [-1.0, 0.0, 1.0])
@pytest.mark.parametrize("gamma", [0.7, 1.0, 1.7])
def test_a_brighter_echo_is_never_darker(s_curve: float, gamma: float) -> None:
    table = make_grey_table(replace(SETTINGS, s_curve=s_curve, gamma=gamma), 3.0)
    assert np.all(np.diff(table) >= -1e-4)
    assert table[0] == 0
    assert table[-1] == 255
