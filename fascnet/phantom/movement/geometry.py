"""Places and directions in the picture plane, and the few shapes that every movement is built from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.float32]
"""Places (N, 2) as (x, z) in mm, x to the right, z down from the probe's face; or one component (N,)."""

SURFACE_HOLD_MM = 3.0
"""The probe's face holds the skin still; tissue moves half as much at this depth. Model choice."""


def combine_modes(modes: NDArray[np.float32], courses: NDArray[np.float64]) -> NDArray[np.float32]:
    """Sum modes (K, N, 2) with factors (K,) into a displacement (N, 2) in mm."""
    total = modes[0] * np.float32(courses[0])
    for mode, course in zip(modes[1:], courses[1:], strict=True):
        total += mode * np.float32(course)
    return np.asarray(total, dtype=np.float32)


def rotate_into(
    positions_mm: Positions, centre_mm: tuple[float, float], axis_rad: float
) -> tuple[Positions, Positions]:
    """Return coordinates (u along, v across) of an axis through a centre, in mm."""
    x = positions_mm[:, 0] - np.float32(centre_mm[0])
    z = positions_mm[:, 1] - np.float32(centre_mm[1])
    c, s = np.float32(np.cos(axis_rad)), np.float32(np.sin(axis_rad))
    return x * c + z * s, z * c - x * s


def rotate_back(along: Positions, across: Positions, axis_rad: float) -> NDArray[np.float32]:
    """Return vectors (N, 2) in (x, z) from components along and across an axis."""
    c, s = np.float32(np.cos(axis_rad)), np.float32(np.sin(axis_rad))
    return np.stack([along * c - across * s, along * s + across * c], axis=-1)


def hold_surface(positions_mm: Positions) -> Positions:
    """Return the factor (N,) by which tissue under the probe's face may move: 0 at the face, 1 deep down."""
    z2 = np.square(np.maximum(positions_mm[:, 1], 0))
    return np.asarray(z2 / (z2 + np.float32(SURFACE_HOLD_MM**2)), dtype=np.float32)


def ease(share: float) -> float:
    """Rise from 0 to 1 without a jump in velocity."""
    return float(np.sin(0.5 * np.pi * min(max(share, 0.0), 1.0)) ** 2)


def make_shifts(positions_mm: Positions, shifts_mm: tuple[tuple[float, float], ...]) -> NDArray[np.float32]:
    """Return modes (K, N, 2) that move every place alike, one for each shift (x, z) in mm."""
    shifts = np.array(shifts_mm, dtype=np.float32)
    return np.repeat(shifts[:, None, :], len(positions_mm), axis=1)
