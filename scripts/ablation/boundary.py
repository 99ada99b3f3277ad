"""The boundary loss, which counts an error by how far it lies from the edge of the truth."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch import Tensor

FARTHEST_CELLS = 5.0
"""Distances count up to here: a false event weighs the same wherever it lies."""


def compute_boundary_loss(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Compute the mean of probability times signed distance to the truth's edge (Kervadec et al. 2019).

    Ticks without a twitch have no edge and do not count, as in the original.

    Args:
        logits: (B, T, h, w).
        target: (B, T, h, w) of 0 and 1.
        valid: (B, T, h, w) bool; cells outside do not count.

    Returns:
        From about -1 to 1; the less, the better.
    """
    shape = target.shape
    maps = target.flatten(0, 1).numpy() > 0.5
    distance = torch.from_numpy(np.stack([_measure_distance(twitching) for twitching in maps])).view(shape)
    known = valid.to(logits.dtype)
    return (torch.sigmoid(logits) * distance * known).sum() / known.sum().clamp(min=1.0)


def _measure_distance(twitching: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return distances to the edge over `FARTHEST_CELLS`, -1 to 1, negative inside; 0 without an edge."""
    if not twitching.any() or twitching.all():
        return np.zeros(twitching.shape, np.float32)
    # Half a cell off on both sides: the edge lies between cells.
    outside = np.maximum(distance_transform_edt(~twitching) - 0.5, 0.0)
    inside = np.maximum(distance_transform_edt(twitching) - 0.5, 0.0)
    return np.clip((outside - inside) / FARTHEST_CELLS, -1.0, 1.0).astype(np.float32)
