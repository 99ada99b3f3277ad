from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from fascnet.errors import SettingError
from fascnet.training.losses import LossSettings, compute_loss

ALL = LossSettings(1.0, 1.0, 0.5, 0.1)


def make_batch(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shape = (3, 10, 6, 7)
    logits = torch.randn(shape, generator=generator)
    target = (torch.rand(shape, generator=generator) < 0.2).float()
    valid = torch.rand(shape, generator=generator) < 0.6
    valid[0, 3] = False
    valid[2] = False
    return logits, target, valid


def run(logits: Tensor, target: Tensor, valid: Tensor, settings: LossSettings = ALL) -> tuple[float, Tensor]:
    logits = logits.clone().requires_grad_()
    loss, _ = compute_loss(logits, target, valid, settings)
    loss.backward()
    assert logits.grad is not None
    return loss.item(), logits.grad


@pytest.mark.parametrize("size", [1.0, 50.0])
def test_what_is_not_known_has_no_influence(size: float) -> None:
    logits, target, valid = make_batch()
    loss, gradient = run(logits, target, valid)
    other_logits = torch.where(valid, logits, size * torch.randn_like(logits))
    other_target = torch.where(valid, target, 1.0 - target)
    other_loss, other_gradient = run(other_logits, other_target, valid)
    assert other_loss == loss
    assert torch.equal(other_gradient, gradient)
    assert gradient[~valid].abs().max() == 0
    assert gradient[valid].abs().min() > 0


def test_nothing_known_is_no_loss_and_no_gradient() -> None:
    logits, target, valid = make_batch()
    loss, gradient = run(logits, target, torch.zeros_like(valid))
    assert loss == pytest.approx(0.0, abs=1e-6)
    assert gradient.abs().max() == 0


def test_known_values() -> None:
    """Every cell at probability 1/2, half of them true, all known."""
    logits = torch.zeros(1, 4, 2, 2)
    target = torch.zeros(1, 4, 2, 2)
    target[:, :, 0] = 1.0
    loss, parts = compute_loss(
        logits, target, torch.ones_like(target, dtype=torch.bool), LossSettings(1, 2, 1, 1)
    )
    assert parts["focal"].item() == pytest.approx(0.25 * math.log(2))
    assert parts["dice"].item() == pytest.approx(1 - (2 * 4 + 1) / (8 + 8 + 1))
    assert parts["clip"].item() == pytest.approx(math.log(2))
    assert loss.item() == pytest.approx(sum(part.item() for part in parts.values()))


def test_a_twitch_somewhere_raises_the_best_cells_of_its_ticks_and_no_others() -> None:
    logits, _, valid = make_batch()
    target = torch.zeros_like(logits)
    somewhere = torch.zeros_like(valid)
    somewhere[1, 4:6, :4] = True
    valid &= ~somewhere
    logits[1, 8, 0, 0], valid[1, 8, 0, 0] = 5.0, True  # the highest logit stands elsewhere
    free = logits.clone().requires_grad_()
    weights = LossSettings(0.0, 1.0, 0.0, 1.0)
    loss, _ = compute_loss(free, target, valid, weights, somewhere)
    loss.backward()
    gradient = free.grad
    assert gradient is not None
    assert (gradient[1][somewhere[1]] <= 0).all() and gradient[1][somewhere[1]].min() < 0
    assert gradient[1][~somewhere[1]].abs().max() == 0
    assert gradient[0].max() > 0, "a still window is pushed down"
    plain, _ = compute_loss(logits, target, valid, weights)
    same, _ = compute_loss(logits, target, valid, weights, torch.zeros_like(somewhere))
    assert same.item() == plain.item() != loss.item()


def test_gamma_0_is_cross_entropy() -> None:
    logits, target, _ = make_batch()
    loss, _ = compute_loss(
        logits, target, torch.ones_like(target, dtype=torch.bool), LossSettings(1, 0, 0, 0)
    )
    wanted = torch.nn.functional.binary_cross_entropy_with_logits(logits, target)
    assert loss.item() == pytest.approx(wanted.item(), rel=1e-5)


@given(seed=st.integers(0, 1000), focal=st.floats(0.01, 2), dice=st.floats(0, 2))
def test_a_better_answer_is_a_smaller_loss(seed: int, focal: float, dice: float) -> None:
    _, target, valid = make_batch(seed)
    weights = LossSettings(focal, 1.0, dice, 0.0)
    losses = [compute_loss(s * (2 * target - 1), target, valid, weights)[0].item() for s in (-4, -1, 1, 4)]
    assert losses == sorted(losses, reverse=True)
    assert all(math.isfinite(x) and x >= 0 for x in losses)


def test_extreme_logits_stay_finite() -> None:
    logits, target, valid = make_batch()
    loss, gradient = run(1e4 * logits, target, valid)
    assert math.isfinite(loss)
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("name", ["focal_weight", "focal_gamma", "dice_weight", "clip_weight"])
@pytest.mark.parametrize("value", [-0.1, 11.0, float("nan")])
def test_settings_out_of_range_are_named(name: str, value: float) -> None:
    with pytest.raises(SettingError, match=rf"loss\.{name} is"):
        LossSettings(**{name: value})
