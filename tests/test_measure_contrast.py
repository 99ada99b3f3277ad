"""What `scripts/measure_contrast.py` measures motion with; the table itself is made by hand."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, shift

from fascnet.errors import SettingError

pytestmark = pytest.mark.usefixtures("scripts_on_path")


@pytest.mark.parametrize("name", ["lucas_kanade", "phase", "matching"])
@pytest.mark.parametrize("moved_px", [(0.0, 0.1), (-0.3, 0.8), (1.5, -1.6)], ids=str)
def test_each_way_to_measure_motion_finds_a_shift(name, moved_px):
    speckle = gaussian_filter(np.random.default_rng(0).normal(size=(96, 96)), 1.3)
    speckle = 0.4 + 0.15 * speckle / speckle.std()
    x, y = moved_px
    pictures = torch.tensor(np.stack([speckle, shift(speckle, (y, x), order=5, mode="nearest")])[None])
    front_end = importlib.import_module("contrast.estimates").ESTIMATES[name](global_motion="none")
    measured = front_end.measure(pictures.float(), torch.tensor([[0.0, 1 / 30]]), {})
    inner = measured.residual[0, 1, :2, 4:-4, 4:-4]
    # Lucas-Kanade and phases overestimate large shifts, as equations of small ones do.
    np.testing.assert_allclose(inner.mean(dim=(1, 2)), moved_px, rtol=0.25, atol=0.02)
    assert (inner - inner.mean(dim=(1, 2), keepdim=True)).abs().mean() < 0.15


def test_what_is_no_way_to_measure_motion_is_refused():
    script = importlib.import_module("measure_contrast")
    chosen = script.read_choices(
        {"motion": "phase,matching"}, "motion", ("lucas_kanade", "phase", "matching")
    )
    assert chosen == ["phase", "matching"]
    with pytest.raises(SettingError, match="motion: no radar; choose from lucas_kanade, phase"):
        script.read_choices({"motion": "phase,radar"}, "motion", ("lucas_kanade", "phase"))
