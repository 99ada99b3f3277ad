"""The network: a motion front end and a causal (2+1)D residual U-Net on an eighth of the resolution.

Input is the working clip (grey ticks at 0.15 mm and 30 Hz); output is one logit per 4x4-pixel cell and
tick.
What moved is measured cell by cell, without weights; the U-Net tells twitches from everything else that
moves. It works on blocks of 2x2 cells, whose channels lie side by side (space to depth), so that no detail
is lost and its convolutions run on a 64th of the pixels. All of its memory of the past is explicit state, so
it runs on a window, a whole clip or an endless stream alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fascnet.models.blocks import Stage, State
from fascnet.models.motion import MotionFrontEnd
from fascnet.models.preprocessing import CELL_PX

BLOCK_CELLS = 2
"""Cells of a block along each axis: 1.2 mm at 0.15 mm per pixel, a third of a motor unit's short axis."""


class FasciculationUNet(nn.Module):
    """Segments twitching fascicles in a stream of ticks.

    Args:
        widths: channels at an eighth, a sixteenth, … of the working resolution; two to four stages.
        dilations: ticks between the temporal taps at each stage; one per width.
        deep_dilations: the same for further stages at the coarsest resolution, where seconds of memory are
            cheap: a beat before this one, a tremor that has lasted for a while.
        look_ahead: the logits of tick t are given out at tick t + look_ahead, 0-8; what happens next tells an
            onset from noise and a second twitch from the end of the first. At 30 Hz four ticks are 133 ms.
        ignore: groups of the front end's channels (`MotionFrontEnd.GROUPS`) that the network does not see:
            what each is worth is measured by leaving it out.
        global_motion: what the front end takes for the motion of the whole picture and takes away: one of
            `fascnet.models.global_motion.GLOBAL_MOTIONS`.
        blur_taps: how far the front end blurs pictures before it measures motion: one of
            `fascnet.models.motion.BLUR_TAPS`.
    """

    seen: Tensor

    def __init__(
        self,
        widths: Sequence[int] = (48, 80, 128),
        dilations: Sequence[int] = (1, 1, 2),
        deep_dilations: Sequence[int] = (5,),
        look_ahead: int = 4,
        ignore: Sequence[str] = (),
        global_motion: str = "affine",
        blur_taps: int = 3,
    ) -> None:
        super().__init__()
        _check_arguments(widths, dilations, deep_dilations, look_ahead)
        self.register_buffer("seen", _mask_channels(ignore), persistent=False)
        self.look_ahead = look_ahead
        self.ignores = bool(ignore)
        self.stride = CELL_PX * BLOCK_CELLS * 2 ** (len(widths) - 1)
        self.front_end = MotionFrontEnd(global_motion=global_motion, blur_taps=blur_taps)
        inputs = [MotionFrontEnd.N_CHANNELS * BLOCK_CELLS**2, *widths[:-1]]
        self.down = nn.ModuleList(
            Stage(c_in, c_out, f"down{index}", stride=1 if index == 0 else 2, dilation=dilation)
            for index, (c_in, c_out, dilation) in enumerate(zip(inputs, widths, dilations, strict=True))
        )
        self.deep = nn.ModuleList(
            Stage(widths[-1], widths[-1], f"deep{index}", dilation=dilation)
            for index, dilation in enumerate(deep_dilations)
        )
        shallow = list(range(len(widths) - 1))
        self.lateral = nn.ModuleList(
            nn.Conv2d(widths[index + 1], widths[index], 1, bias=False) for index in shallow
        )
        self.up = nn.ModuleList(Stage(widths[i], widths[i], f"up{i}", dilation=dilations[i]) for i in shallow)
        self.head = nn.Conv2d(widths[0], BLOCK_CELLS**2, 1)
        # Twitching cells are rare: starting at a probability of 2 % saves the first epochs.
        nn.init.constant_(self.head.get_parameter("bias"), -4.0)

    def forward(self, images: Tensor, dt_s: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Segment a chunk of ticks.

        Args:
            images: (B, T, H, W) uint8, or float grey levels 0-255; H and W multiples of `CELL_PX`.
            dt_s: (B, T) seconds since the frame before, as `Tick.dt_s`; `END_OF_CLIP` behind the end.
            state: what the call before returned, or None at the start of a clip. Not changed.

        Returns:
            Logits (B, T, H / CELL_PX, W / CELL_PX), entry t about tick t - look_ahead of the chunk, and the
            new state.
        """
        state = {} if state is None else dict(state)
        height, width = images.shape[-2:]
        grey = self.scale(images)
        # Nothing in the front end learns: no gradient, and half of the memory.
        with torch.no_grad():
            motion = self.front_end(grey, dt_s, state)
        logits = self.judge_motion(motion, state)
        return logits[..., : height // CELL_PX, : width // CELL_PX], state

    def scale(self, images: Tensor) -> Tensor:
        """Return grey levels 0-1 of (B, T, H, W) images, edges replicated to multiples of `stride`."""
        return pad_to_stride(images.to(self.head.weight.dtype) / 255.0, self.stride)

    def judge_motion(self, motion: Tensor, state: State) -> Tensor:
        """Tell twitches from other motion: the part that learns.

        Args:
            motion: (B, T, C, h, w), the front end's channels; edges are replicated to whole blocks.
            state: streaming state, updated in place.

        Returns:
            Logits (B, T, h, w), `look_ahead` ticks late.
        """
        n_ticks, (height, width) = motion.shape[1], motion.shape[-2:]
        padded = pad_to_stride(motion.flatten(1, 2), self.stride // CELL_PX)
        padded = torch.unflatten(padded, 1, (n_ticks, -1))
        seen = padded * self.seen if self.ignores else padded
        blocks = to_channels_last(F.pixel_unshuffle(seen.flatten(0, 1), BLOCK_CELLS))
        x = torch.unflatten(blocks, 0, motion.shape[:2])
        skips: list[Tensor] = []
        for stage in self.down:
            x = stage(x, state)
            skips.append(x)
        for stage in self.deep:
            x = x + stage(x, state)
        for index in reversed(range(len(self.up))):
            shape = x.shape[:2]
            raised = self.lateral[index](x.flatten(0, 1))
            raised = F.interpolate(raised, scale_factor=2.0, mode="nearest")
            x = self.up[index](torch.unflatten(raised, 0, shape) + skips[index], state)
        logits = F.pixel_shuffle(self.head(x.flatten(0, 1)), BLOCK_CELLS)
        return torch.unflatten(logits.squeeze(1), 0, x.shape[:2])[..., :height, :width]


def _mask_channels(ignore: Sequence[str]) -> Tensor:
    """Return (C, 1, 1): 0 for the channels of the named groups, else 1."""
    mask = torch.ones(MotionFrontEnd.N_CHANNELS, 1, 1)
    for group in ignore:
        if group not in MotionFrontEnd.GROUPS:
            raise ValueError(f"ignore: {group} is none of {', '.join(MotionFrontEnd.GROUPS)}")
        mask[MotionFrontEnd.GROUPS[group]] = 0.0
    return mask


def _check_arguments(
    widths: Sequence[int], dilations: Sequence[int], deep_dilations: Sequence[int], look_ahead: int
) -> None:
    for name, values in (("widths", widths), ("dilations", dilations), ("deep_dilations", deep_dilations)):
        if not all(type(value) is int and value >= 1 for value in values):
            raise ValueError(f"{name} {values} must be whole numbers from 1")
    if not 2 <= len(widths) <= 4:
        raise ValueError(f"{len(widths)} widths; give 2 to 4")
    if len(widths) != len(dilations):
        raise ValueError(f"{len(widths)} widths need as many dilations, not {len(dilations)}")
    if look_ahead not in range(9):
        raise ValueError(f"look_ahead is {look_ahead}; give 0 to 8")


def pad_to_stride(grey: Tensor, stride: int) -> Tensor:
    """Replicate the last rows and columns of (B, N, H, W) until H and W are multiples of `stride`."""
    height, width = grey.shape[-2:]
    bottom, right = -height % stride, -width % stride
    return F.pad(grey, (0, right, 0, bottom), mode="replicate") if bottom or right else grey


def to_channels_last(x: Tensor) -> Tensor:
    """Lay (N, C, H, W) out channels last: 1.2-1.6x faster convolutions on a CPU."""
    return x.contiguous(memory_format=torch.channels_last)
