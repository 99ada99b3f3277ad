"""The motion front end: what moved, by how much, how surely, measured inside the network.

A twitch moves tissue by 0.1-0.7 mm, often less than a pixel between frames; networks fed with pixels and
differences learn that slowly. The front end solves the Lucas-Kanade normal equations (Lucas & Kanade 1981) in
closed form for every heatmap cell at two scales, takes the motion of the whole picture away, and hands on
velocity, displacement, the clip's own noise and the confidence. It has no weights, is elementwise work and
pooling, and streams with a short state.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fascnet.models.blocks import State, prepend_past
from fascnet.models.global_motion import GLOBAL_MOTIONS, estimate_global_motion, take_spatial_median
from fascnet.models.normal_equations import pool_moments, solve_equations
from fascnet.models.preprocessing import CELL_PX

END_OF_CLIP = -1.0
"""`dt_s` of the ticks that are appended after the last frame to let the look-ahead drain: no motion there."""

MAX_GAP_S = 0.25
"""Frames further apart are not compared: over a twitch's whole contraction there is no flow to follow."""

TICK_S = 1 / 30
"""Velocities are expressed in working pixels per 1/30 s, whatever the spacing of the frames in time."""

MAX_PX_PER_TICK = 6.0
"""Faster is no measurement: at 0.15 mm and 30 Hz this is 27 mm/s, above any twitch (5.5±2.6 mm/s)."""


class MeasuredMotion(NamedTuple):
    """What moved, before it is set against the clip's noise and its past; cells, in the front end's units.

    Attributes:
        residual: (B, T, 4, h, w) what is left of the velocity (x, y) at the fine and at the coarse scale.
        shared: (B, T, 2, h, w) the motion of the whole picture, which was taken away.
        confidence: (B, T, 1, h, w) smaller eigenvalue of the structure tensor.
        unexplained: (B, T, 1, h, w) variance of the brightness change that motion does not explain.
        grey: (B, T, 1, h, w) grey level 0-1.
    """

    residual: Tensor
    shared: Tensor
    confidence: Tensor
    unexplained: Tensor
    grey: Tensor

    def join(self) -> Tensor:
        """Return all of it as (B, T, `N_MEASURED`, h, w)."""
        return torch.cat(list(self), dim=2)

    @classmethod
    def split(cls, joined: Tensor) -> Self:
        """Return what `join` has joined."""
        return cls(*torch.split(joined, [4, 2, 1, 1, 1], dim=2))


BLUR_TAPS = (1, 3, 5)
"""Lengths of the binomials 1, 1-2-1 and 1-4-6-4-1."""

N_MEASURED = 9
"""Channels of `MeasuredMotion`."""


class MotionFrontEnd(nn.Module):
    """Measures motion between consecutive ticks on the heatmap's grid.

    Channels out, all of order 1: residual velocity at the fine scale (x, y), the same over the clip's noise
    (x, y), residual velocity at the coarse scale (x, y), displacement over the long and over the short
    horizon (x, y each), displacement over noise (magnitude), log confidence, log of the brightness change
    that motion does not explain, grey level, global velocity (x, y), log noise.

    Args:
        long_ticks: displacement is the running sum of velocity minus its mean over this many ticks.
        short_ticks: the same over a shorter horizon.
        noise_ticks: the noise level is the mean of the last so many ticks' spatial medians.
        regularisation: added to the diagonal of the normal equations, in (grey per pixel)² for grey 0-1: what
            counts as too little texture to see motion in. Speckle has about 2.5e-3.
        global_motion: one of `GLOBAL_MOTIONS`, taken away before anything is looked at.
        blur_taps: pictures are first blurred with a binomial of so many taps, one of `BLUR_TAPS`.
    """

    N_CHANNELS = 17
    VERSION = 1
    """Raised when the channels change: measured clips that were kept are measured again."""
    MIRROR_SIGNS = np.array([-1, 1, -1, 1, -1, 1, -1, 1, -1, 1, 1, 1, 1, 1, -1, 1, 1], np.float32)
    """Factor of each channel in a picture mirrored left to right: shifts along x change their sign."""
    UPSIDE_DOWN_SIGNS = np.array([1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, 1, 1, 1, 1, -1, 1], np.float32)
    """The same for a picture upside down: shifts along y change theirs."""

    GROUPS: Mapping[str, slice] = MappingProxyType(
        {
            "velocity": slice(0, 2),
            "velocity_over_noise": slice(2, 4),
            "coarse_velocity": slice(4, 6),
            "displacement": slice(6, 10),
            "displacement_over_noise": slice(10, 11),
            "confidence": slice(11, 12),
            "unexplained_change": slice(12, 13),
            "grey": slice(13, 14),
            "probe": slice(14, 16),
            "noise": slice(16, 17),
        }
    )
    """What the channels are, for experiments that leave some out."""

    long_filter: Tensor
    short_filter: Tensor

    def __init__(
        self,
        long_ticks: int = 36,
        short_ticks: int = 10,
        noise_ticks: int = 30,
        regularisation: float = 1e-4,
        global_motion: str = "affine",
        blur_taps: int = 3,
    ) -> None:
        super().__init__()
        self.noise_ticks = noise_ticks
        self.regularisation = regularisation
        if global_motion not in GLOBAL_MOTIONS:
            raise ValueError(f"global_motion is {global_motion}; give one of {', '.join(GLOBAL_MOTIONS)}")
        if blur_taps not in BLUR_TAPS:
            raise ValueError(f"blur_taps is {blur_taps}; give one of {', '.join(map(str, BLUR_TAPS))}")
        self.global_motion = global_motion
        self.blur_taps = blur_taps
        self.register_buffer("long_filter", make_displacement_filter(long_ticks), persistent=False)
        self.register_buffer("short_filter", make_displacement_filter(short_ticks), persistent=False)

    @property
    def identity(self) -> list[str | int]:
        """What networks choose of it, and the version of the rest, for the names of measured clips."""
        # What was measured before there was a choice of blurs is found again.
        return [self.VERSION, self.global_motion, *([] if self.blur_taps == 5 else [self.blur_taps])]

    def forward(self, grey: Tensor, dt_s: Tensor, state: State) -> Tensor:
        """Measure motion.

        Args:
            grey: (B, T, H, W) grey levels 0-1, H and W multiples of `2 * CELL_PX`.
            dt_s: (B, T) seconds since the frame before; 0 where a frame is held, `END_OF_CLIP` behind the
                end.
            state: streaming state, updated in place.

        Returns:
            (B, T, `N_CHANNELS`, H / CELL_PX, W / CELL_PX).
        """
        return self.describe(self.measure(grey, dt_s, state), state)

    def measure(self, grey: Tensor, dt_s: Tensor, state: State) -> MeasuredMotion:
        """Measure motion and take that of the whole picture away; arguments as those of `forward`."""
        n_batch, n_ticks = grey.shape[:2]
        smooth = blur(grey, self.blur_taps)
        previous = state.get("motion.image")
        joined = torch.cat([smooth[:, :1] if previous is None else previous, smooth], dim=1)
        state["motion.image"] = smooth[:, -1:].clone()

        fine, confidence, unexplained = self.solve(joined, CELL_PX)
        coarse, _, _ = self.solve(F.avg_pool2d(joined, 2), CELL_PX // 2)

        velocity = torch.cat([fine, 2.0 * coarse], dim=2)
        velocity = self._per_tick(velocity, dt_s, state)
        textured = confidence > self.regularisation
        shared = estimate_global_motion(velocity[:, :, :2], textured, self.global_motion)
        grey_cells = F.avg_pool2d(grey.flatten(0, 1).unsqueeze(1), CELL_PX)
        grey_cells = torch.unflatten(grey_cells, 0, (n_batch, n_ticks))
        residual = velocity - torch.cat([shared, shared], dim=2)
        return MeasuredMotion(residual, shared, confidence, unexplained, grey_cells)

    def describe(self, measured: MeasuredMotion, state: State) -> Tensor:
        """Set motion against the clip's noise and its past: the channels that the network sees.

        Args:
            measured: what moved in these ticks.
            state: streaming state, updated in place.

        Returns:
            As `forward`.
        """
        residual, shared, confidence, unexplained, grey = measured
        textured = confidence > self.regularisation
        noise = self._measure_noise(residual[:, :, :2], textured, state)[:, :, None, None, None]

        long = self._filter_past(residual[:, :, :2], self.long_filter, "motion.long", state)
        short = self._filter_past(residual[:, :, :2], self.short_filter, "motion.short", state)
        ratio = residual[:, :, :2] / noise
        extent = short.square().sum(dim=2, keepdim=True).sqrt() / noise
        height, width = residual.shape[-2:]
        return torch.cat(
            [
                compress(4.0 * residual[:, :, :2]),
                0.5 * compress(ratio),
                compress(4.0 * residual[:, :, 2:]),
                compress(2.0 * long),
                compress(2.0 * short),
                0.5 * compress(extent),
                0.25 * (confidence + 1e-6).log() + 1.5,
                0.25 * (unexplained + 1e-6).log() + 2.0,
                2.0 * grey - 0.5,
                compress(2.0 * shared),
                noise.log().expand(-1, -1, -1, height, width),
            ],
            dim=2,
        )

    def solve(self, joined: Tensor, cell_px: int) -> tuple[Tensor, Tensor, Tensor]:
        """Solve the normal equations for a shift and a brightness offset in each cell's neighbourhood.

        The offset makes the result blind to gain steps, which on log-compressed images add a constant.

        Args:
            joined: (B, T + 1, H, W) smoothed pictures, the one before the first tick in front.
            cell_px: pixels of this scale along a cell.

        Returns:
            Shift in pixels of this scale, (B, T, 2, h, w) as (x, y); the smaller eigenvalue of the structure
            tensor and the variance of the brightness change left over, each (B, T, 1, h, w).
        """
        xx, yy, xy, xt, yt, tt, x, y, t = pool_moments(joined, cell_px).unbind(dim=2)
        centred = (xx - x * x, yy - y * y, xy - x * y, xt - x * t, yt - y * t, tt - t * t)
        return solve_equations(centred, self.regularisation)

    def _per_tick(self, shift: Tensor, dt_s: Tensor, state: State) -> Tensor:
        """Turn shifts between frames into velocities per 1/30 s; a held frame keeps the velocity before it.

        Holding makes the running sum right: at 25 Hz five frame intervals of 0.83 ticks each fill six ticks.
        """
        scale = torch.where(
            (dt_s > 0) & (dt_s <= MAX_GAP_S), TICK_S / dt_s.clamp(min=1e-3), torch.zeros_like(dt_s)
        )
        velocity = (shift * scale[:, :, None, None, None]).clamp(-MAX_PX_PER_TICK, MAX_PX_PER_TICK)
        held = dt_s == 0
        last = state.get("motion.velocity")
        if bool(held.any()):
            ticks = list(velocity.unbind(dim=1))
            before = torch.zeros_like(ticks[0]) if last is None else last
            for index, tick in enumerate(ticks):
                before = torch.where(held[:, index, None, None, None], before, tick)
                ticks[index] = before
            velocity = torch.stack(ticks, dim=1)
        state["motion.velocity"] = velocity[:, -1].clone()
        return velocity

    def _measure_noise(self, residual: Tensor, textured: Tensor, state: State) -> Tensor:
        """Return (B, T) the clip's velocity noise: median residual speed, averaged over the recent past."""
        level = take_spatial_median(residual.square().sum(dim=2, keepdim=True).sqrt(), textured).squeeze(2)
        counted = torch.stack([level, torch.ones_like(level)], dim=2)
        joined = prepend_past(counted, state, "motion.noise", self.noise_ticks - 1)
        total = joined.unfold(1, self.noise_ticks, 1).sum(dim=-1)
        return (total[..., 0] / total[..., 1]).clamp(min=0.005)

    def _filter_past(self, x: Tensor, taps: Tensor, key: str, state: State) -> Tensor:
        """Apply a causal filter along time to (B, T, C, H, W); `taps` (K,), newest last."""
        n_batch, n_ticks, n_channels, height, width = x.shape
        joined = prepend_past(x, state, key, taps.numel() - 1)
        # One matrix product instead of K slices: (T, T + K - 1) holds the taps on its diagonals.
        lag = torch.arange(joined.shape[1], device=x.device) - torch.arange(n_ticks, device=x.device)[:, None]
        band = torch.where((lag >= 0) & (lag < taps.numel()), taps[lag.clamp(0, taps.numel() - 1)], 0.0)
        # In reduced precision a sum of small steps would be rounded to three digits.
        with torch.autocast(x.device.type, enabled=False):
            out = torch.matmul(band, joined.reshape(n_batch, joined.shape[1], -1))
        return out.view(n_batch, n_ticks, n_channels, height, width)


def compress(x: Tensor) -> Tensor:
    """Compress the range of a signed quantity: sign(x) log(1 + |x|).

    Much like asinh, which torch does not vectorise on a CPU, nor log1p: the plain logarithm took 0.07 ms
    where they took 1.2 and 0.8 (65,536 values, one thread).
    """
    return torch.copysign((1.0 + x.abs()).log(), x)


def make_displacement_filter(n_ticks: int) -> Tensor:
    """Return the causal filter (n_ticks - 1,) that turns velocity into displacement, newest tap last.

    Displacement is the running sum of velocity minus that sum's mean over the last `n_ticks`, which forgets
    drift and needs no infinite memory: the two sums combine into weights that fall linearly from (n - 1) / n
    to 1 / n.
    """
    return torch.arange(1, n_ticks, dtype=torch.float32) / n_ticks


def blur(x: Tensor, n_taps: int) -> Tensor:
    """Blur the last two axes of (..., H, W) with the binomial of `n_taps` (`BLUR_TAPS`), edges replicated.

    Summed slices: a one-channel convolution takes ten times as long on a CPU.
    """
    if n_taps == 1:
        return x
    shape, reach = x.shape, n_taps // 2
    flat = F.pad(x.reshape(1, -1, *shape[-2:]), (reach,) * 4, mode="replicate")
    if n_taps == 3:
        rows = flat[:, :, :-2] + flat[:, :, 2:] + 2.0 * flat[:, :, 1:-1]
        both = rows[..., :-2] + rows[..., 2:] + 2.0 * rows[..., 1:-1]
        return (both * (1.0 / 16.0)).view(shape)
    rows = (
        (flat[:, :, :-4] + flat[:, :, 4:])
        + 4.0 * (flat[:, :, 1:-3] + flat[:, :, 3:-1])
        + 6.0 * flat[:, :, 2:-2]
    )
    both = (
        (rows[..., :-4] + rows[..., 4:]) + 4.0 * (rows[..., 1:-3] + rows[..., 3:-1]) + 6.0 * rows[..., 2:-2]
    )
    return (both * (1.0 / 256.0)).view(shape)
