"""How far is the found outline from the true one? Mean distance of both boundaries, in mm.

At every moment where a twitch is labelled and something was found: the mean over the cells of either boundary
of the distance to the other boundary (average symmetric surface distance, Heimann et al. 2009, IEEE Trans Med
Imaging 28:1251), and the distance that 95 % of these cells stay within (Huttenlocher 1993's Hausdorff
distance, its 95th percentile). A moment where nothing was found has no outline: how many there were is what
recall and Dice say, not this.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, distance_transform_edt

from fascnet.evaluation.uncertainty.bootstrap import FloatArray, divide

BoolArray = NDArray[np.bool_]

COLUMNS = 3
"""Sum of mean distances in mm, sum of 95 % distances in mm, moments."""


@dataclass(frozen=True, slots=True)
class BoundaryDistance:
    """Distances between two outlines in mm: the symmetric mean, and what 95 % stay within."""

    mean_mm: float
    p95_mm: float


def measure_boundary(truth: BoolArray, found: BoolArray, cell_mm: tuple[float, float]) -> BoundaryDistance:
    """Measure the distance between the outlines of two masks (h, w), neither of them empty.

    Args:
        truth: what is true.
        found: what was found.
        cell_mm: height and width of a cell in mm.

    Raises:
        ValueError: a mask is empty.
    """
    if not (truth.any() and found.any()):
        raise ValueError("boundary: an empty mask has no outline")
    edges = [mask & ~binary_erosion(mask) for mask in (truth, found)]
    away = [np.asarray(distance_transform_edt(~edge, sampling=cell_mm)) for edge in edges]
    distances = np.concatenate([away[1][edges[0]], away[0][edges[1]]])
    return BoundaryDistance(float(distances.mean()), float(np.quantile(distances, 0.95)))


def sum_boundary(
    truth: BoolArray, found: BoolArray, valid: BoolArray, cell_mm: tuple[float, float]
) -> FloatArray:
    """Sum distances over the moments that have both outlines: (`COLUMNS`,).

    Args:
        truth: true cells (T, h, w).
        found: found cells (T, h, w).
        valid: cells that are known (T, h, w); found cells in the ignore ring are no error and count as not
            found.
        cell_mm: height and width of a cell in mm.
    """
    sums = np.zeros(COLUMNS)
    kept = found & valid
    for moment in np.flatnonzero(truth.any(axis=(1, 2)) & kept.any(axis=(1, 2))):
        distance = measure_boundary(truth[moment], kept[moment], cell_mm)
        sums += (distance.mean_mm, distance.p95_mm, 1)
    return sums


def mean_distance_mm(sums: FloatArray) -> FloatArray:
    """Mean distance over moments, of sums (..., 3)."""
    return divide(sums[..., 0], sums[..., 2])


def p95_distance_mm(sums: FloatArray) -> FloatArray:
    """Mean over moments of the distance that 95 % stay within, of sums (..., 3)."""
    return divide(sums[..., 1], sums[..., 2])
