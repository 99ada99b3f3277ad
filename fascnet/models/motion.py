"""The motion front end: what moved, by how much, how surely, measured inside the network.

A twitch moves tissue by 0.1-0.7 mm, often less than a pixel between frames; networks fed with pixels and
differences learn that slowly. The front end solves the Lucas-Kanade normal equations (Lucas & Kanade 1981) in
closed form for every heatmap cell at two scales, removes the motion of the probe, and hands on velocity,
displacement, the clip's own noise and the confidence. It has no weights, is elementwise work and pooling, and
streams with a short state.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fascnet.models.blocks import State, prepend_past
from fascnet.models.preprocessing import CELL_PX

END_OF_CLIP = -1.0
"""`dt_s` of the ticks that are appended after the last frame to let the look-ahead drain: no motion there."""

MAX_GAP_S = 0.25
"""Frames further apart are not compared: over a twitch's whole contraction there is no flow to follow."""

TICK_S = 1 / 30
"""Velocities are expressed in working pixels per 1/30 s, whatever the spacing of the frames in time."""

MAX_PX_PER_TICK = 6.0
"""Faster is no measurement: at 0.15 mm and 30 Hz this is 27 mm/s, above any twitch (5.5±2.6 mm/s)."""


class MotionFrontEnd(nn.Module):
    """Measures motion between consecutive ticks on the heatmap's grid.

    Channels out, all of order 1: residual velocity at the fine scale (x, y), the same over the clip's noise
    (x, y), residual velocity at the coarse scale (x, y), displacement over the long and over the short
    horizon (x, y each), displacement over noise (magnitude), log confidence, log of the brightness change
    that motion does not explain, grey level, probe velocity (x, y), log noise.

    Args:
        long_ticks: displacement is the running sum of velocity minus its mean over this many ticks.
        short_ticks: the same over a shorter horizon.
        noise_ticks: the noise level is the mean of the last so many ticks' spatial medians.
        regularisation: added to the diagonal of the normal equations, in (grey per pixel)² for grey 0-1: what
            counts as too little texture to see motion in. Speckle has about 2.5e-3.
    """

    N_CHANNELS = 17

    long_filter: Tensor
    short_filter: Tensor

    def __init__(
        self, long_ticks: int = 36, short_ticks: int = 10, noise_ticks: int = 30, regularisation: float = 1e-4
    ) -> None:
        super().__init__()
        self.noise_ticks = noise_ticks
        self.regularisation = regularisation
        self.register_buffer("long_filter", make_displacement_filter(long_ticks), persistent=False)
        self.register_buffer("short_filter", make_displacement_filter(short_ticks), persistent=False)

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
        n_batch, n_ticks = grey.shape[:2]
        smooth = blur(grey)
        previous = state.get("motion.image")
        first = smooth[:, :1] if previous is None else previous
        state["motion.image"] = smooth[:, -1:].clone()
        before = torch.cat([first, smooth[:, :-1]], dim=1)

        fine, confidence, unexplained = self._solve(before, smooth, CELL_PX)
        coarse, _, _ = self._solve(F.avg_pool2d(before, 2), F.avg_pool2d(smooth, 2), CELL_PX // 2)

        velocity = torch.cat([fine, 2.0 * coarse], dim=2)
        velocity = self._per_tick(velocity, dt_s, state)
        textured = confidence > self.regularisation
        probe = take_spatial_median(velocity[:, :, :2], textured)
        residual = velocity - torch.cat([probe, probe], dim=2)[..., None, None]
        noise = self._measure_noise(residual[:, :, :2], textured, state)[:, :, None, None, None]

        long = self._filter_past(residual[:, :, :2], self.long_filter, "motion.long", state)
        short = self._filter_past(residual[:, :, :2], self.short_filter, "motion.short", state)
        ratio = residual[:, :, :2] / noise
        extent = short.square().sum(dim=2, keepdim=True).sqrt() / noise
        height, width = residual.shape[-2:]
        grey_cells = F.avg_pool2d(grey.flatten(0, 1).unsqueeze(1), CELL_PX)
        grey_cells = torch.unflatten(grey_cells, 0, (n_batch, n_ticks))
        everywhere = torch.cat([torch.asinh(2.0 * probe), noise[..., 0, 0].log()], dim=2)[..., None, None]
        return torch.cat(
            [
                torch.asinh(4.0 * residual[:, :, :2]),
                0.5 * torch.asinh(ratio),
                torch.asinh(4.0 * residual[:, :, 2:]),
                torch.asinh(2.0 * long),
                torch.asinh(2.0 * short),
                0.5 * torch.asinh(extent),
                0.25 * (confidence + 1e-6).log() + 1.5,
                0.25 * (unexplained + 1e-6).log() + 2.0,
                2.0 * grey_cells - 0.5,
                everywhere.expand(-1, -1, -1, height, width),
            ],
            dim=2,
        )

    def _solve(self, before: Tensor, after: Tensor, cell_px: int) -> tuple[Tensor, Tensor, Tensor]:
        """Solve the normal equations for a shift and a brightness offset in each cell's neighbourhood.

        The offset makes the result blind to gain steps, which on log-compressed images add a constant.

        Returns:
            Shift in pixels of this scale, (B, T, 2, h, w) as (x, y); the smaller eigenvalue of the structure
            tensor and the variance of the brightness change left over, each (B, T, 1, h, w).
        """
        n_batch, n_ticks = before.shape[:2]
        mean = 0.5 * (before + after).flatten(0, 1)
        change = (after - before).flatten(0, 1)
        dx = F.pad(0.5 * (mean[:, :, 2:] - mean[:, :, :-2]), (1, 1, 0, 0))
        dy = F.pad(0.5 * (mean[:, 2:, :] - mean[:, :-2, :]), (0, 0, 1, 1))
        products = torch.stack(
            [dx * dx, dy * dy, dx * dy, dx * change, dy * change, change * change, dx, dy, change], dim=1
        )
        moments = blur(F.avg_pool2d(products, cell_px))
        xx, yy, xy, xt, yt, tt, x, y, t = moments.unbind(dim=1)
        xx, yy, xy = xx - x * x, yy - y * y, xy - x * y
        xt, yt, tt = xt - x * t, yt - y * t, tt - t * t
        xx_r, yy_r = xx + self.regularisation, yy + self.regularisation
        determinant = xx_r * yy_r - xy * xy
        u = -(yy_r * xt - xy * yt) / determinant
        v = -(xx_r * yt - xy * xt) / determinant
        half_trace = 0.5 * (xx + yy)
        smaller = half_trace - (0.25 * (xx - yy).square() + xy * xy).sqrt()
        unexplained = tt + u * xt + v * yt
        shape = (n_batch, n_ticks)
        return (
            torch.unflatten(torch.stack([u, v], dim=1), 0, shape),
            torch.unflatten(smaller.clamp(min=0.0).unsqueeze(1), 0, shape),
            torch.unflatten(unexplained.clamp(min=0.0).unsqueeze(1), 0, shape),
        )

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


def make_displacement_filter(n_ticks: int) -> Tensor:
    """Return the causal filter (n_ticks - 1,) that turns velocity into displacement, newest tap last.

    Displacement is the running sum of velocity minus that sum's mean over the last `n_ticks`, which forgets
    drift and needs no infinite memory: the two sums combine into weights that fall linearly from (n - 1) / n
    to 1 / n.
    """
    return torch.arange(1, n_ticks, dtype=torch.float32) / n_ticks


def take_spatial_median(x: Tensor, where: Tensor) -> Tensor:
    """Return the median (B, T, C) of (B, T, C, H, W) over the cells of `where` (B, T, 1, H, W); 0 if none.

    Black margins show no motion whatever the probe does; counting them would hide its motion.
    """
    masked = torch.where(where, x, torch.nan).flatten(-2)
    return masked.nanmedian(dim=-1).values.nan_to_num(0.0)


def blur(x: Tensor) -> Tensor:
    """Blur the last two axes of (..., H, W) with the binomial 1-4-6-4-1, edges replicated.

    Summed slices: a one-channel convolution takes ten times as long on a CPU.
    """
    shape = x.shape
    flat = F.pad(x.reshape(1, -1, *shape[-2:]), (2, 2, 2, 2), mode="replicate")
    rows = (
        (flat[:, :, :-4] + flat[:, :, 4:])
        + 4.0 * (flat[:, :, 1:-3] + flat[:, :, 3:-1])
        + 6.0 * flat[:, :, 2:-2]
    )
    both = (
        (rows[..., :-4] + rows[..., 4:]) + 4.0 * (rows[..., 1:-3] + rows[..., 3:-1]) + 6.0 * rows[..., 2:-2]
    )
    return (both * (1.0 / 256.0)).view(shape)
