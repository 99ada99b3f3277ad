from __future__ import annotations

import pytest
import torch
from torch import nn

from fascnet.models.blocks import SpatialConv, Stage, State, TemporalMixer, fold_norms, prepend_past


def test_the_past_is_zeros_at_first_and_then_what_came_before() -> None:
    state: State = {}
    x = torch.arange(1.0, 7.0).reshape(1, 6, 1)
    first = prepend_past(x[:, :4], state, "k", 2)
    second = prepend_past(x[:, 4:], state, "k", 2)
    assert first.flatten().tolist() == [0, 0, 1, 2, 3, 4]
    assert second.flatten().tolist() == [3, 4, 5, 6]


def test_a_chunk_shorter_than_the_past_keeps_older_ticks() -> None:
    state: State = {}
    for value in (1.0, 2.0, 3.0):
        joined = prepend_past(torch.full((1, 1, 1), value), state, "k", 4)
    assert joined.flatten().tolist() == [0, 0, 1, 2, 3]
    assert state["k"].flatten().tolist() == [0, 1, 2, 3]


def test_state_holds_a_copy_without_gradient() -> None:
    state: State = {}
    x = torch.ones(1, 100, 8, requires_grad=True)
    prepend_past(x * 2, state, "k", 3)
    assert not state["k"].requires_grad
    assert state["k"].untyped_storage().nbytes() == 3 * 8 * 4


@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_mixer_is_a_causal_depthwise_convolution(dilation: int) -> None:
    torch.manual_seed(0)
    mixer = TemporalMixer(3, "m", kernel=4, dilation=dilation)
    x = torch.randn(2, 12, 3, 4, 5)
    weight = mixer.taps.t().reshape(3, 1, 4)
    series = x.permute(0, 3, 4, 2, 1).reshape(-1, 3, 12)
    padded = torch.nn.functional.pad(series, (3 * dilation, 0))
    wanted = series + torch.nn.functional.conv1d(padded, weight, dilation=dilation, groups=3)
    got = mixer(x, {}).permute(0, 3, 4, 2, 1).reshape(-1, 3, 12)
    assert torch.allclose(got, wanted, atol=1e-6)


def test_spatial_conv_halves_with_stride_and_is_never_negative() -> None:
    torch.manual_seed(0)
    out = SpatialConv(3, 5, stride=2)(torch.randn(2, 3, 8, 12))
    assert out.shape == (2, 5, 4, 6)
    assert out.min() >= 0


def test_folded_norms_give_the_same_numbers_and_leave_the_network_alone() -> None:
    torch.manual_seed(0)
    stage = Stage(4, 6, "a", stride=2)
    stage(torch.randn(2, 5, 4, 16, 16), {})  # in training mode: its norms learn something
    stage.eval()
    x = torch.randn(1, 7, 4, 8, 8)
    folded = fold_norms(stage)
    torch.testing.assert_close(folded(x, {}), stage(x, {}), rtol=1e-5, atol=1e-5)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    assert isinstance(stage.enter.norm, nn.BatchNorm2d) and stage.enter.conv.bias is None


def test_stages_with_different_keys_share_a_state() -> None:
    state: State = {}
    x = torch.randn(1, 3, 4, 8, 8)
    first, second = Stage(4, 6, "a", stride=2), Stage(6, 6, "b", dilation=2)
    assert second(first(x, state), state).shape == (1, 3, 6, 4, 4)
    assert {key: value.shape[1] for key, value in state.items()} == {"a": 4, "b": 8}


@pytest.mark.parametrize("dilation", [1, 3])
def test_the_mixers_gradient_is_that_of_its_formula(dilation: int) -> None:
    mixer = TemporalMixer(3, "mix", kernel=4, dilation=dilation).double()
    x = torch.randn(2, 6, 3, 2, 2, dtype=torch.double, requires_grad=True)
    weight = torch.randn(2, 6, 3, 2, 2, dtype=torch.double)
    got = torch.autograd.grad((mixer(x, {}) * weight).sum(), [x, mixer.taps])

    padded = torch.cat([x.new_zeros(2, 3 * dilation, 3, 2, 2), x], dim=1)
    shifted = [padded[:, k * dilation : k * dilation + 6] * mixer.taps[k][:, None, None] for k in range(4)]
    expected = torch.autograd.grad(((x + sum(shifted)) * weight).sum(), [x, mixer.taps])

    for mine, formula in zip(got, expected, strict=True):
        torch.testing.assert_close(mine, formula)
