"""Building blocks whose temporal parts carry exact streaming state.

A stateful block takes the `State` of the ticks before and leaves its own behind, under its own key. Running a
clip in one piece or in chunks of any length gives the same numbers, because both run this same code; a
missing entry means the start of a clip.
"""

from __future__ import annotations

import copy
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

_Network = TypeVar("_Network", bound=nn.Module)

State = dict[str, Tensor]
"""Streaming state: what each stateful block must remember of the past, keyed by the block's name."""


def prepend_past(x: Tensor, state: State, key: str, n_past: int) -> Tensor:
    """Return `x` (B, T, ...) with the `n_past` ticks before it in front; keep the newest for next time.

    Before a clip begins there is nothing: zeros.
    """
    past = state.get(key)
    if past is None:
        past = x.new_zeros((x.shape[0], n_past, *x.shape[2:]))
    joined = torch.cat([past, x], dim=1)
    # A copy, so that the state does not keep the whole chunk alive.
    state[key] = joined[:, joined.shape[1] - n_past :].detach().clone()
    return joined


class TemporalMixer(nn.Module):
    """Causal depthwise convolution along time, added to its input.

    Summed slices instead of Conv3d: faster on a CPU and free of scatter operations when exported.

    Args:
        channels: channels C of the input (B, T, C, H, W).
        key: name of its entry in the state.
        kernel: taps, newest last.
        dilation: ticks between taps.
    """

    def __init__(self, channels: int, key: str, kernel: int = 5, dilation: int = 1) -> None:
        super().__init__()
        self.key = key
        self.dilation = dilation
        self.n_past = (kernel - 1) * dilation
        self.taps = nn.Parameter(torch.randn(kernel, channels) * 0.1 / kernel)

    def forward(self, x: Tensor, state: State) -> Tensor:
        """Mix (B, T, C, H, W) over the last `n_past` + 1 ticks."""
        # Channels last, as the convolutions leave them: joining tensors of two layouts costs more than the
        # network.
        channels_last = x.permute(0, 1, 3, 4, 2)
        joined = prepend_past(channels_last.detach(), state, self.key, self.n_past)
        taps = self.taps.to(x.dtype)
        if torch.is_grad_enabled() and x.requires_grad:
            mixed: Tensor = _MixPast.apply(channels_last, joined, taps, self.dilation)
        else:
            mixed = _mix(channels_last, joined, taps, self.dilation)
        return mixed.permute(0, 1, 4, 2, 3)


def _mix(x: Tensor, joined: Tensor, taps: Tensor, dilation: int) -> Tensor:
    """Add to (B, T, H, W, C) its weighted past, found in `joined` (B, past + T, H, W, C)."""
    n_ticks = x.shape[1]
    mixed = x
    for index in range(taps.shape[0]):
        start = index * dilation
        mixed = torch.addcmul(mixed, joined[:, start : start + n_ticks], taps[index])
    return mixed


class _MixPast(torch.autograd.Function):
    """`_mix` with its own gradient: what autograd makes of the slices fills and adds a zero tensor for each.

    Takes x, joined (x behind its past, without gradient), taps and dilation.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, joined: Tensor, taps: Tensor, dilation: int) -> Tensor:
        ctx.save_for_backward(joined, taps)
        ctx.dilation = dilation
        return _mix(x, joined, taps, dilation)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, Tensor, None]:
        joined, taps = ctx.saved_tensors
        (grad,) = grads
        n_ticks, n_taps = grad.shape[1], taps.shape[0]
        grad_x = grad.clone()
        grad_taps = torch.empty_like(taps)
        for index in range(n_taps):
            start = index * ctx.dilation
            grad_taps[index] = (grad * joined[:, start : start + n_ticks]).sum(dim=(0, 1, 2, 3))
            # A tick reaches the ticks after it by this tap only if the chunk lasts so long.
            later = (n_taps - 1) * ctx.dilation - start
            if later < n_ticks:
                grad_x[:, : n_ticks - later].addcmul_(grad[:, later:], taps[index])
        return grad_x, None, grad_taps, None


class SpatialConv(nn.Module):
    """3x3 convolution, batch normalisation and ReLU on each tick by itself.

    Batch normalisation, because its statistics are constants at prediction: normalising over time would make
    the result depend on how a clip is cut into chunks.
    """

    def __init__(self, channels_in: int, channels_out: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 3, stride=stride, padding=1, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C', H / stride, W / stride)."""
        normalised: Tensor = self.norm(self.conv(x))
        return torch.relu(normalised)


def fold_norms(network: _Network) -> _Network:
    """Return a copy for prediction whose batch norms are part of its convolutions: one pass fewer for each.

    Args:
        network: in evaluation mode; not changed.
    """
    folded = copy.deepcopy(network)
    for block in list(folded.modules()):
        if isinstance(block, SpatialConv) and isinstance(block.norm, nn.BatchNorm2d):
            block.conv = fuse_conv_bn_eval(block.conv, block.norm)
            block.norm = nn.Identity()
    return folded.to(memory_format=torch.channels_last)


class Stage(nn.Module):
    """One resolution of the U-Net: convolution in space, mixing in time, convolution in space, residual."""

    def __init__(self, channels_in: int, channels: int, key: str, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.enter = SpatialConv(channels_in, channels, stride)
        self.mix = TemporalMixer(channels, key, dilation=dilation)
        self.refine = SpatialConv(channels, channels)

    def forward(self, x: Tensor, state: State) -> Tensor:
        """Map (B, T, C, H, W) to (B, T, C', H / stride, W / stride)."""
        n_batch, n_ticks = x.shape[:2]
        y = self.enter(x.flatten(0, 1))
        y = self.mix(y.unflatten(0, (n_batch, n_ticks)), state).flatten(0, 1)
        refined: Tensor = y + self.refine(y)
        return torch.unflatten(refined, 0, (n_batch, n_ticks))
