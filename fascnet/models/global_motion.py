"""Motion of the whole picture, which is the probe's or the body's and no fascicle's.

A hand that shifts the probe moves all tissue alike; pressure, breathing, an artery or a contraction beside
the picture stretch it, which is motion that grows along the picture. Whatever is left after both are taken
away is local.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

GLOBAL_MOTIONS = ("none", "shift", "affine")
"""What is taken for the motion of the whole picture: nothing, its median, or an affine field."""

N_REWEIGHTINGS = 3
"""Fits after the first, each with weights from the one before; three more changed nothing to speak of."""

TOLERANCE = 2.0
"""Residuals of so many times their typical size weigh half as much."""

LEAST_ERROR = 1e-3
"""Residuals below it, in pixels per tick, are all alike: a still picture has no outliers."""

SLOPE_RIDGE = 1e-3
"""Share of all cells' weight that holds slopes at 0: too few textured cells give a shift, not a tilt."""


def estimate_global_motion(velocity: Tensor, where: Tensor, kind: str) -> Tensor:
    """Estimate the motion that the whole picture makes.

    Args:
        velocity: (B, T, 2, h, w) as (x, y).
        where: bool (B, T, 1, h, w), cells with enough texture to see motion in.
        kind: one of `GLOBAL_MOTIONS`.

    Returns:
        (B, T, 2, h, w), in the units of `velocity`.
    """
    if kind == "none":
        return torch.zeros_like(velocity)
    shift = take_spatial_median(velocity, where)[..., None, None]
    return shift.expand_as(velocity) if kind == "shift" else fit_affine_motion(velocity, where, shift)


def fit_affine_motion(velocity: Tensor, where: Tensor, start: Tensor) -> Tensor:
    """Fit velocity = a + b x + c y to most of the cells, by reweighted least squares with Cauchy's weights.

    What moves otherwise, a twitching fascicle too, counts the less the more it does (Holland & Welsch 1977).

    Args:
        velocity: (B, T, 2, h, w).
        where: bool (B, T, 1, h, w), the cells that count.
        start: (B, T, 2, 1, 1), a first guess that few cells cannot sway.

    Returns:
        The field (B, T, 2, h, w).
    """
    n_batch, n_ticks, _, height, width = velocity.shape
    # In reduced precision the differences of moments would be lost.
    with torch.autocast(velocity.device.type, enabled=False):
        basis = make_plane_basis(height, width, velocity.device)
        products = (basis[:, None] * basis[None]).flatten(0, 1)
        # The offset is held by next to nothing: only so that a picture without texture can be solved at all.
        ridge = SLOPE_RIDGE * height * width * basis.new_tensor([1e-6, 1.0, 1.0]).diag()
        observed = velocity.float().flatten(0, 1).flatten(-2)
        counted = where.float().flatten(0, 1).flatten(-2)
        n_counted = counted.sum(dim=-1, keepdim=True).clamp(min=1.0)
        error = observed - start.float().flatten(0, 1).flatten(-2)
        field = observed
        for _ in range(1 + N_REWEIGHTINGS):
            squared = error.square().sum(dim=1, keepdim=True)
            typical = (counted * squared.sqrt()).sum(dim=-1, keepdim=True) / n_counted
            weights = counted / (1.0 + squared / (TOLERANCE * typical + LEAST_ERROR).square())
            normal = torch.unflatten((weights @ products.T).squeeze(1), -1, (3, 3)) + ridge
            right = (weights * observed) @ basis.T
            field = torch.linalg.solve(normal, right.mT).mT @ basis
            error = observed - field
    return field.to(velocity.dtype).view(n_batch, n_ticks, 2, height, width)


@cache
def make_plane_basis(height: int, width: int, device: torch.device) -> Tensor:
    """Return (3, height * width): one, x and y of each cell, the places from -1 to 1."""
    # Kept for later calls, which may train: a tensor made in inference mode could not take part in that.
    with torch.inference_mode(False):
        y, x = (torch.linspace(-1.0, 1.0, n, device=device) for n in (height, width))
        planes = [
            torch.ones(height, width, device=device),
            x.expand(height, width),
            y[:, None].expand(height, width),
        ]
        return torch.stack(planes).flatten(1)


def take_spatial_median(x: Tensor, where: Tensor) -> Tensor:
    """Return the median (B, T, C) of (B, T, C, H, W) over the cells of `where` (B, T, 1, H, W); 0 if none.

    Black margins show no motion whatever the probe does; counting them would hide its motion.
    """
    masked = torch.where(where, x, torch.nan).flatten(-2)
    return masked.nanmedian(dim=-1).values.nan_to_num(0.0)
