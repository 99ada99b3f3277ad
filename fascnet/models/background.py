"""What tissue does all the time: a few fields of motion that come back, learned from one clip.

An artery, breathing or tremor moves the same tissue in the same way again and again. What an affine field
leaves of that is as large as a small twitch; a few fields (modes), each with a strength that changes from
tick to tick, describe most of it. They are learned from ticks without twitches: otherwise a motor unit that
fires often would be taken away too.
"""

from __future__ import annotations

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
    typical = _average(torch.linalg.vector_norm(moved, dim=1), counted)
    calm = 1.0 / (1.0 + (typical / (2.0 * typical.median() + LEAST_ERROR)).square())
    scaled = (moved * (weights * calm[:, None]).sqrt()[:, None]).flatten(1)
    values, vectors = torch.linalg.eigh(scaled @ scaled.T)
    strongest = vectors[:, -n_modes:].T / values[-n_modes:].clamp(min=1e-12).sqrt()[:, None]
    modes = (strongest @ scaled).view(n_modes, 2, -1)
    del scaled  # the largest arrays decide how much memory a clip needs
    for _ in range(N_ROUNDS):
        strengths, weights = _fit(moved, modes, counted, weights)
        calm_weights = weights * calm[:, None]
        products = (strengths[:, :, None] * strengths[:, None]).flatten(1)
        normal = (calm_weights.T @ products).view(-1, n_modes, n_modes)
        ridge = CELL_RIDGE * normal.mean(dim=0).trace() / n_modes * torch.eye(n_modes)
        right = strengths.T @ (moved * calm_weights[:, None]).flatten(1)
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
    moved, fields = velocity.flatten(2), modes.flatten(2)
    asked = counted.flatten(1).to(moved.dtype)
    strengths, _ = _fit(moved, fields, asked, weigh(moved, asked))
    return (strengths @ fields.flatten(1)).view_as(velocity)


def weigh(error: Tensor, counted: Tensor) -> Tensor:
    """Return Cauchy's weights (T, C): errors (T, 2, C) of `TOLERANCE` times the typical one weigh half."""
    lengths: Tensor = torch.linalg.vector_norm(error, dim=1)
    typical = _average(lengths, counted)[:, None]
    return counted / (1.0 + (lengths / (TOLERANCE * typical + LEAST_ERROR)).square())


def _average(lengths: Tensor, counted: Tensor) -> Tensor:
    """Return the mean (T,) of lengths (T, C) over the cells that count."""
    return (counted * lengths).sum(dim=1) / counted.sum(dim=1).clamp(min=1.0)


def _fit(moved: Tensor, modes: Tensor, counted: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Fit strengths (T, K) of modes (K, 2, C) to (T, 2, C); return them and the last weights (T, C)."""
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
    return strengths, weights
