"""Movement of the whole picture, such as the probe's, breathing's or pressing's, taken off a displacement."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ROUNDS = 4
_RIDGE = 1e-3
"""Weight of "no slope" in units of a cell: keeps the plane level where all cells lie on one side."""

_FLOOR_MM = 1e-4


def remove_background_motion(
    displacement_mm: NDArray[np.float32], elsewhere: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Subtract the movement of the surroundings, continued into the event's place.

    A probe that slides moves all tissue alike, one that presses or tilts moves it in proportion to depth or
    position: each component is a plane over the picture, fitted frame by frame by weighted least squares
    whose weights fall with a cell's residual (Cauchy), so that other movements in the surroundings count
    little.

    Args:
        displacement_mm: (T, h, w, 2).
        elsewhere: cells (h, w) that do not belong to the event.

    Returns:
        Displacement (T, h, w, 2) in mm without the background's; unchanged if there are fewer than 8 cells
        elsewhere.
    """
    moved = displacement_mm.astype(np.float64)
    if np.count_nonzero(elsewhere) < 8:
        return moved
    height, width = elsewhere.shape
    rows, columns = np.mgrid[:height, :width]
    plane = np.stack(
        [
            np.ones((height, width)),
            2 * columns / max(width - 1, 1) - 1,
            2 * rows / max(height - 1, 1) - 1,
        ],
        axis=-1,
    )
    basis = plane[elsewhere]
    ridge = np.diag([0.0, _RIDGE * len(basis), _RIDGE * len(basis)])
    for field in moved:
        for axis in range(2):
            values = field[..., axis][elsewhere]
            fit = np.array([np.median(values), 0.0, 0.0])
            for _ in range(_ROUNDS):
                residual = values - basis @ fit
                scale = 2 * 1.4826 * np.median(np.abs(residual)) + _FLOOR_MM
                weighted = basis * (1 / (1 + np.square(residual / scale)))[:, None]
                fit = np.linalg.solve(weighted.T @ basis + ridge, weighted.T @ values)
            field[..., axis] -= plane @ fit
    return moved
