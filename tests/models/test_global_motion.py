from __future__ import annotations

import pytest
import torch
from torch import Tensor

from fascnet.models.global_motion import (
    GLOBAL_MOTIONS,
    estimate_global_motion,
    fit_affine_motion,
    take_spatial_median,
)

EVERYWHERE = torch.ones(1, 1, 1, 20, 30, dtype=torch.bool)


def make_field(
    offset: tuple[float, float], slopes: tuple[tuple[float, float], tuple[float, float]]
) -> Tensor:
    """Velocity (1, 1, 2, 20, 30): offset plus slopes times the place, which goes from -1 to 1."""
    y, x = torch.linspace(-1, 1, 20)[:, None], torch.linspace(-1, 1, 30)
    parts = [o + sx * x + sy * y for o, (sx, sy) in zip(offset, slopes, strict=True)]
    return torch.stack(parts)[None, None]


STRETCHED = make_field((0.5, -0.2), ((0.3, 0.1), (-0.2, 0.4)))


def test_nothing_is_taken_away_unless_asked() -> None:
    assert estimate_global_motion(STRETCHED, EVERYWHERE, "none").abs().max() == 0


def test_a_shift_is_the_same_everywhere() -> None:
    got = estimate_global_motion(STRETCHED, EVERYWHERE, "shift")
    assert got.shape == STRETCHED.shape
    assert torch.equal(got[0, 0, :, 3, 4], got[0, 0, :, -1, -1])
    assert got[0, 0, :, 0, 0].tolist() == pytest.approx([0.5, -0.2], abs=0.05)


def test_stretching_and_turning_are_found_whole() -> None:
    assert torch.allclose(estimate_global_motion(STRETCHED, EVERYWHERE, "affine"), STRETCHED, atol=3e-3)


@pytest.mark.parametrize("speed", [0.5, 2.0, 6.0])
def test_a_twitch_over_a_tenth_of_the_picture_does_not_sway_the_fit(speed: float) -> None:
    noise = 0.01 * torch.randn(STRETCHED.shape, generator=torch.Generator().manual_seed(0))
    twitch = torch.zeros_like(STRETCHED)
    twitch[..., 0, 8:16, 18:26] = speed
    got = estimate_global_motion(STRETCHED + noise + twitch, EVERYWHERE, "affine")
    assert (got - STRETCHED).abs().max() < 0.04 + 0.02 * speed


def test_cells_without_texture_do_not_count() -> None:
    where = EVERYWHERE.clone()
    where[..., 15:] = False
    black = torch.where(where, STRETCHED, 0.0)
    assert torch.allclose(estimate_global_motion(black, where, "affine"), STRETCHED, atol=0.02)


@pytest.mark.parametrize("n_cells", [0, 1, 2])
def test_few_cells_give_a_shift_and_no_tilt(n_cells: int) -> None:
    where = torch.zeros_like(EVERYWHERE)
    where.view(-1)[:n_cells] = True
    got = estimate_global_motion(STRETCHED, where, "affine")
    assert torch.isfinite(got).all()
    if n_cells == 0:
        assert got.abs().max() == 0
    assert got.abs().max() < 1.5


def test_each_tick_of_each_clip_is_fitted_by_itself() -> None:
    other = make_field((-1.0, 0.3), ((0.0, 0.2), (0.1, 0.0)))
    both = torch.cat([torch.cat([STRETCHED, other], dim=1), torch.cat([other, other], dim=1)])
    where = EVERYWHERE.expand(2, 2, -1, -1, -1)
    got = fit_affine_motion(both, where, take_spatial_median(both, where)[..., None, None])
    assert torch.allclose(got, both, atol=3e-3)


def test_a_mirrored_picture_has_the_mirrored_motion() -> None:
    noisy = STRETCHED + 0.3 * torch.randn(STRETCHED.shape, generator=torch.Generator().manual_seed(1))
    signs = torch.tensor([-1.0, 1.0])[:, None, None]
    got = estimate_global_motion(noisy, EVERYWHERE, "affine")
    mirrored = estimate_global_motion(noisy.flip(-1) * signs, EVERYWHERE, "affine")
    assert torch.allclose(mirrored.flip(-1) * signs, got, atol=1e-4)


def test_the_median_leaves_out_cells_without_texture() -> None:
    x = torch.tensor([[1.0, 5.0, 3.0, 0.0, 0.0, 0.0, 0.0]]).reshape(1, 1, 1, 1, 7)
    where = torch.tensor([[1, 1, 1, 0, 0, 0, 0]], dtype=torch.bool).reshape(1, 1, 1, 1, 7)
    assert take_spatial_median(x, where).item() == 3.0
    assert take_spatial_median(x, torch.zeros_like(where)).item() == 0.0


def test_all_kinds_have_a_name() -> None:
    for kind in GLOBAL_MOTIONS:
        assert estimate_global_motion(STRETCHED, EVERYWHERE, kind).shape == STRETCHED.shape
