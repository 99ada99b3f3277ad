"""The normal equations of a shift, averaged over each cell's neighbourhood and solved in closed form."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor


def solve_equations(moments: Iterable[Tensor], ridge: float) -> tuple[Tensor, Tensor, Tensor]:
    """Solve for the shift that explains most of the change.

    Args:
        moments: neighbourhood means xx, yy, xy of products of slopes, xt, yt of slope and change, and tt of
            the squared change, (B, T, h, w) each.
        ridge: added to xx and yy: less than that is too little texture to see motion in.

    Returns:
        The shift, (B, T, 2, h, w) as (x, y); the smaller eigenvalue of the structure tensor and the mean
        squared change left over, each (B, T, 1, h, w).
    """
    xx, yy, xy, xt, yt, tt = moments
    xx_r, yy_r = xx + ridge, yy + ridge
    determinant = xx_r * yy_r - xy * xy
    u = -(yy_r * xt - xy * yt) / determinant
    v = -(xx_r * yt - xy * xt) / determinant
    half_trace = 0.5 * (xx + yy)
    smaller = half_trace - (0.25 * (xx - yy).square() + xy * xy).sqrt()
    unexplained = tt + u * xt + v * yt
    return (
        torch.stack([u, v], dim=2),
        smaller.clamp(min=0.0).unsqueeze(2),
        unexplained.clamp(min=0.0).unsqueeze(2),
    )


def pool_moments(joined: Tensor, cell_px: int) -> Tensor:
    """Average the products of gradients and brightness change over each cell and its neighbours.

    On a CPU one picture is worked on at a time: its dozen intermediate arrays then stay in the cache, which
    is several times faster than passing whole chunks through memory.

    Args:
        joined: (B, T + 1, H, W) pictures; each is compared with the one before it.
        cell_px: pixels along a cell; divides H and W.

    Returns:
        (B, T, 9, H / cell_px, W / cell_px): means of xx, yy, xy, xt, yt, tt, x, y, t.
    """
    n_ticks = joined.shape[1] - 1
    if joined.device.type != "cpu":
        return _pool_moments(joined[:, :-1], joined[:, 1:], cell_px)
    ticks = [_pool_moments(joined[:, i : i + 1], joined[:, i + 1 : i + 2], cell_px) for i in range(n_ticks)]
    return torch.cat(ticks, dim=1)


def _pool_moments(before: Tensor, after: Tensor, cell_px: int) -> Tensor:
    mean = 0.5 * (before + after)
    change = after - before
    dx = F.pad(0.5 * (mean[..., 2:] - mean[..., :-2]), (1, 1, 0, 0))
    dy = F.pad(0.5 * (mean[..., 2:, :] - mean[..., :-2, :]), (0, 0, 1, 1))
    products = (dx * dx, dy * dy, dx * dy, dx * change, dy * change, change * change, dx, dy, change)
    return average_neighbourhoods(products, cell_px)


def average_neighbourhoods(pictures: Iterable[Tensor], cell_px: int) -> Tensor:
    """Average pictures, (B, T, H, W) each, over each cell and its neighbours: (B, T, N, h, w)."""
    sums = torch.stack([add_rows(picture, cell_px) for picture in pictures], dim=2)
    height, width = sums.shape[-2], sums.shape[-1] // cell_px
    rows = make_neighbourhood(height, 1, sums.device, sums.dtype)
    columns = make_neighbourhood(width, cell_px, sums.device, sums.dtype)
    # In reduced precision the differences of products would be lost.
    with torch.autocast(sums.device.type, enabled=False):
        return rows @ (sums @ (columns.T / cell_px))


def add_rows(x: Tensor, n: int) -> Tensor:
    """Add up each `n` rows of (..., H, W): (..., H / n, W)."""
    parts = torch.unflatten(x, -2, (x.shape[-2] // n, n)).unbind(dim=-2)
    total: Tensor = parts[0] + parts[1]
    for part in parts[2:]:
        total = total + part
    return total


@cache
def make_neighbourhood(n_cells: int, cell_px: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return (n_cells, n_cells * cell_px): the mean over a cell's pixels, blurred over cells by 1-4-6-4-1.

    Pooling and blurring along one axis as one matrix product, with the edge cells replicated.
    """
    # Kept for later calls, which may train: a tensor made in inference mode could not take part in that.
    with torch.inference_mode(False):
        return _make_neighbourhood(n_cells, cell_px).to(device, dtype)


def _make_neighbourhood(n_cells: int, cell_px: int) -> Tensor:
    weights = torch.zeros(n_cells, n_cells, dtype=torch.float64)
    for offset, weight in zip(range(-2, 3), (1, 4, 6, 4, 1), strict=True):
        for cell in range(n_cells):
            weights[cell, min(max(cell + offset, 0), n_cells - 1)] += weight / 16
    return (weights / cell_px).repeat_interleave(cell_px, dim=1)
