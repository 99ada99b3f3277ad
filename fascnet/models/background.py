"""What tissue does all the time: a few fields of motion that come back, learned from one clip.

An artery, breathing or tremor moves the same tissue in the same way again and again. What an affine field
leaves of that is as large as a small twitch; a few fields (modes), each with a strength that changes from
tick to tick, describe most of it. They are learned from ticks without twitches: otherwise a motor unit that
fires often would be taken away too.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from fascnet.models.global_motion import LEAST_ERROR, TOLERANCE

HORIZON_TICKS = 3
"""Modes are learned from displacement over so many ticks, which stands out of the noise of velocity."""

N_ROUNDS = 4
"""Alternations between strengths and fields, and reweightings of a fit."""

RIDGE = 1e-2
"""Share of the mean weight that holds strengths at 0 where hardly a cell counts."""

CELL_RIDGE = 1e-3
"""The same for the field of a cell that hardly a tick counts for."""

ASKED_CELLS = 1024
"""About so many cells, on a regular grid, say how strong the modes are in a tick: a few numbers need no more,
and all cells of a picture of 64x64 take four times as long."""


def learn_modes(displacement: Tensor, textured: Tensor, n_modes: int) -> Tensor:
    """Learn the fields that describe most of what moves, by robust alternating least squares.

    Cells that move otherwise than the fields say count less (Cauchy's weights), and so do ticks in which all
    moves much: it is the probe's, not the tissue's.

    Args:
        displacement: (T, 2, h, w) over `HORIZON_TICKS`, in ticks without twitches, `n_modes` or more.
        textured: bool (T, h, w), cells with enough texture to see motion in.
        n_modes: how many.

    Returns:
        Modes (`n_modes`, 2, h, w), orthonormal.
    """
    height, width = displacement.shape[-2:]
    moved = displacement.flatten(2)
    counted = textured.flatten(1).to(moved.dtype)
    weights = weigh(moved, counted)
    typical = _average(_measure_lengths(moved), counted)
    calm = 1.0 / (1.0 + (typical / (2.0 * typical.median() + LEAST_ERROR)).square())
    scaled = (moved * (weights * calm[:, None]).sqrt()[:, None]).flatten(1)
    values, vectors = torch.linalg.eigh(scaled @ scaled.T)
    strongest = vectors[:, -n_modes:].T / values[-n_modes:].clamp(min=1e-12).sqrt()[:, None]
    modes = (strongest @ scaled).view(n_modes, 2, -1)
    del scaled  # the largest arrays decide how much memory a clip needs
    cells = choose_cells(height, width)
    asked, asked_counted, asked_weights = moved[..., cells], counted[:, cells], weights[:, cells]
    for _ in range(N_ROUNDS):
        strengths = _fit(asked, modes[..., cells], asked_counted, asked_weights)
        changed = (strengths @ modes.flatten(1)).view_as(moved)
        weights = weigh(torch.sub(moved, changed, out=changed), counted)
        asked_weights = weights[:, cells]
        calm_weights = weights.mul_(calm[:, None])
        products = (strengths[:, :, None] * strengths[:, None]).flatten(1)
        normal = (calm_weights.T @ products).view(-1, n_modes, n_modes)
        ridge = CELL_RIDGE * normal.mean(dim=0).trace() / n_modes * torch.eye(n_modes)
        right = strengths.T @ torch.mul(moved, calm_weights[:, None], out=changed).flatten(1)
        right = right.view(n_modes, 2, -1).permute(2, 0, 1)
        fields = torch.linalg.solve(normal + ridge + 1e-12 * torch.eye(n_modes), right)
        modes = torch.linalg.qr(fields.permute(2, 0, 1).flatten(0, 1)).Q.T.view(n_modes, 2, -1)
    shaped: Tensor = modes.view(n_modes, 2, height, width)
    return shaped


def fit_modes(velocity: Tensor, modes: Tensor, counted: Tensor) -> Tensor:
    """Return what the modes say of each tick's velocity, cells that move otherwise counting little.

    Args:
        velocity: (T, 2, h, w).
        modes: (K, 2, h, w), from `learn_modes`.
        counted: (T, h, w) bool, the cells that are asked: with texture and without a twitch.

    Returns:
        The field (T, 2, h, w).
    """
    cells = choose_cells(*velocity.shape[-2:])
    moved, asked = velocity.flatten(2)[..., cells], counted.flatten(1)[:, cells].to(velocity.dtype)
    strengths = _fit(moved, modes.flatten(2)[..., cells], asked, weigh(moved, asked))
    return (strengths @ modes.flatten(1)).view_as(velocity)


def choose_cells(height: int, width: int) -> Tensor:
    """Return the flat indices of about `ASKED_CELLS` cells evenly spread, of all where there are fewer."""
    step = max(1, round(math.sqrt(height * width / ASKED_CELLS)))
    return torch.arange(height * width).view(height, width)[::step, ::step].flatten()


def weigh(error: Tensor, counted: Tensor) -> Tensor:
    """Return Cauchy's weights (T, C): errors (T, 2, C) of `TOLERANCE` times the typical one weigh half."""
    lengths = _measure_lengths(error)
    typical = _average(lengths, counted)[:, None]
    return counted / lengths.div_(TOLERANCE * typical + LEAST_ERROR).square_().add_(1.0)


def _measure_lengths(vectors: Tensor) -> Tensor:
    """Return the lengths (T, C) of (T, 2, C); `torch.linalg.vector_norm` takes 40 times as long for them."""
    return torch.hypot(vectors[:, 0], vectors[:, 1])


def _average(lengths: Tensor, counted: Tensor) -> Tensor:
    """Return the mean (T,) of lengths (T, C) over the cells that count."""
    return (counted * lengths).sum(dim=1) / counted.sum(dim=1).clamp(min=1.0)


def _fit(moved: Tensor, modes: Tensor, counted: Tensor, weights: Tensor) -> Tensor:
    """Fit strengths (T, K) of modes (K, 2, C) to (T, 2, C), with weights (T, C) to begin with."""
    n_modes = len(modes)
    products = (modes[:, None] * modes[None]).sum(dim=2).flatten(0, 1)
    identity = torch.eye(n_modes)
    strengths = moved.new_zeros(len(moved), n_modes)
    for _ in range(N_ROUNDS):
        normal = (weights @ products.T).view(-1, n_modes, n_modes)
        # Next to nothing, so that a picture without texture can be solved at all.
        ridge = (RIDGE * weights.mean(dim=1) + 1e-12)[:, None, None] * identity
        right = (moved * weights[:, None]).flatten(1) @ modes.flatten(1).T
        strengths = torch.linalg.solve(normal + ridge, right)
        said = (strengths @ modes.flatten(1)).view_as(moved)
        weights = weigh(torch.sub(moved, said, out=said), counted)
    return strengths
