from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from fascnet.models.background import choose_cells, fit_modes, learn_modes

H, W, T = 12, 16, 90
EVERYWHERE = torch.ones(T, H, W, dtype=torch.bool)


def make_bump(row: float, column: float, size: float, angle: float) -> Tensor:
    """A field (2, H, W) that moves one place along one direction, of length 1."""
    y, x = torch.arange(H)[:, None], torch.arange(W)
    height = torch.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * size**2))
    field = torch.stack([math.cos(angle) * height, math.sin(angle) * height])
    return field / field.square().sum().sqrt()


ARTERY, BREATH = make_bump(3, 4, 2.5, 0.4), make_bump(9, 11, 4.0, 1.9)


def make_background(strength: float = 3.0) -> Tensor:
    """Two fields that come and go at their own rates, (T, 2, H, W)."""
    t = torch.arange(T) / 30
    beats, breath = torch.sin(2 * math.pi * 1.2 * t), torch.cos(2 * math.pi * 0.4 * t)
    return strength * (beats[:, None, None, None] * ARTERY + breath[:, None, None, None] * BREATH)


def make_noise(sigma: float = 0.01) -> Tensor:
    return sigma * torch.randn(T, 2, H, W, generator=torch.Generator().manual_seed(0))


def test_learns_what_moves_all_the_time() -> None:
    modes = learn_modes(make_background() + make_noise(), EVERYWHERE, 2)
    assert torch.allclose(modes.flatten(1) @ modes.flatten(1).T, torch.eye(2), atol=1e-5)
    for field in (ARTERY, BREATH):
        assert (modes * field).sum(dim=(1, 2, 3)).square().sum() > 0.995


def test_takes_the_background_away_and_leaves_a_twitch() -> None:
    background, noise = make_background(), make_noise()
    modes = learn_modes(background + noise, EVERYWHERE, 2)
    twitch = torch.zeros(T, 2, H, W)
    twitch[40:44, 0, 5:8, 6:10] = 0.3
    counted = EVERYWHERE.clone()
    counted[38:48, 4:9, 5:11] = False
    moved = background + noise + twitch
    left = moved - fit_modes(moved, modes, counted)
    assert (left - noise - twitch).abs().max() < 0.05
    assert moved[:38].abs().mean() > 4 * left[:38].abs().mean()


@pytest.mark.parametrize("speed", [0.5, 3.0])
def test_a_twitch_that_nobody_has_hidden_sways_little(speed: float) -> None:
    modes = learn_modes(make_background() + make_noise(), EVERYWHERE, 2)
    twitch = torch.zeros(T, 2, H, W)
    twitch[40:44, 1, 5:8, 6:10] = speed
    moved = make_background() + make_noise() + twitch
    left = moved - fit_modes(moved, modes, EVERYWHERE)
    assert left[40:44, 1, 5:8, 6:10].mean() > 0.85 * speed


def test_rare_ticks_in_which_all_moves_teach_little() -> None:
    jolts = torch.zeros(T, 2, H, W)
    jolts[[10, 50], 0, :, 8:] = 3.0
    modes = learn_modes(make_background() + make_noise() + jolts, EVERYWHERE, 2)
    for field in (ARTERY, BREATH):
        assert (modes * field).sum(dim=(1, 2, 3)).square().sum() > 0.95


def test_cells_without_texture_say_nothing() -> None:
    textured = EVERYWHERE.clone()
    textured[:, :, 13:] = False
    moved = make_background() + make_noise()
    moved[..., 13:] = 5.0 * torch.randn(T, 2, H, 3, generator=torch.Generator().manual_seed(1))
    modes = learn_modes(moved, textured, 2)
    left = moved - fit_modes(moved, modes, textured)
    assert left[..., :13].abs().mean() < 0.02


@pytest.mark.parametrize("counted", [EVERYWHERE, ~EVERYWHERE])
def test_a_still_picture_stays_still(counted: Tensor) -> None:
    still = torch.zeros(T, 2, H, W)
    modes = learn_modes(still, counted, 2)
    assert modes.isfinite().all()
    field = fit_modes(still, modes, counted)
    assert field.abs().max() == 0


@pytest.mark.parametrize(
    ("height", "width", "step"), [(12, 16, 1), (1, 3000, 2), (32, 32, 1), (64, 64, 2), (120, 160, 4)]
)
def test_a_regular_grid_of_cells_is_asked(height: int, width: int, step: int) -> None:
    cells = choose_cells(height, width)
    rows, columns = cells // width, cells % width
    assert set(rows.tolist()) == set(range(0, height, step))
    assert set(columns.tolist()) == set(range(0, width, step))


def test_large_pictures_are_fitted_as_surely() -> None:
    """Every fourth cell is asked how strong the modes are, and all of them get their share."""
    y, x = torch.arange(64)[:, None], torch.arange(64)
    bump = torch.exp(-((y - 20) ** 2 + (x - 40) ** 2) / 800.0)
    field = torch.stack([bump, 0.5 * bump])
    beats = torch.sin(torch.arange(T) * 0.25)[:, None, None, None]
    moved = beats * field + 0.01 * torch.randn(T, 2, 64, 64, generator=torch.Generator().manual_seed(0))
    everywhere = torch.ones(T, 64, 64, dtype=torch.bool)
    modes = learn_modes(moved, everywhere, 2)
    assert (fit_modes(moved, modes, everywhere) - beats * field).abs().max() < 0.08
