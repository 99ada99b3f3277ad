from __future__ import annotations

import numpy as np
import pytest

from tests.phantom.moving import PRESSURE


def test_deep_tissue_comes_nearer_and_the_vein_collapses() -> None:
    column = np.array([[5, 0], [5, 16], [5, 32]], dtype=np.float32)
    np.testing.assert_allclose(PRESSURE.displacement(column, 1.8)[:, 1], [0, -0.5, -1.0], atol=1e-6)
    walls = np.array([[20, 13.5], [20, 16.5]], dtype=np.float32)
    moved = walls + PRESSURE.displacement(walls, 1.8)
    assert moved[1, 1] - moved[0, 1] < 0.75 * 3.0


def test_pressure_comes_and_goes() -> None:
    assert PRESSURE.courses(1.75)[0] == pytest.approx(1.0)
    assert PRESSURE.courses(2.6)[0] == pytest.approx(0.0)
    assert PRESSURE.slice_angle(1.75) == pytest.approx(0.3)
