"""Area, epicentre and spread of directions of a displacement field."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.inference.kinematics.separation import SeparatedTwitch, find_connected, reach_half

MOVING_LEVEL = 0.15
"""Cells that move at all: the active area of Kobe's tool (field notes 6a) and the truth's ring."""

DIRECTION_LEVEL = 0.05
"""Directions count from this share of the peak on: the cut-off behind Kobe's reported anisotropy (6a)."""

STRONGEST_MM2, SHARE_OF_STRONGEST = 12.0, 0.6
"""The core's edge, half of the peak: this share of the mean over the so many mm² that move most. One cell's
largest is noise, and 1 % of it is 4 % of the area. For a Gaussian of 27 mm² both agree; chosen on phantom
clips (docs/kinematics.md)."""

_SMOOTHING_CELLS = 1.0

FIELD_MM = 16.0
"""Side of the square around the epicentre in which directions count: 240 px of 68.5 µm (Kobe, 6a)."""


@dataclass(frozen=True, slots=True)
class FieldShape:
    """What a field says.

    Attributes:
        peak_mm: largest displacement where the waveform is 1.
        core_cells: cells that reach half of it and hang together, after smoothing and without the noise.
        pointed_cells: the same, half of what the one cell shows that moves most: few where it is an error.
        moving_cells: cells that reach 15 % of it and hang together.
        anisotropy: length of the mean unit vector, 1 = one common direction, 0 = none.
        row: of the epicentre in cells, between the cells; 0 is the middle of the first.
        column: of the epicentre.
    """

    peak_mm: float
    core_cells: int
    pointed_cells: int
    moving_cells: int
    anisotropy: float
    row: float
    column: float


def measure_field(twitch: SeparatedTwitch, seen: NDArray[np.bool_], cell_mm: float) -> FieldShape:
    """Measure a separated twitch's field.

    Args:
        twitch: field and core.
        seen: cells (h, w) with enough texture to be tracked.
        cell_mm: side of a cell.
    """
    size = twitch.size_mm
    row, column = twitch.peak_cell
    peak = float(size[twitch.peak_cell])
    rows, columns = np.mgrid[: size.shape[0], : size.shape[1]]
    half = FIELD_MM / 2 / cell_mm
    around = (np.abs(rows - row) <= half) & (np.abs(columns - column) <= half)
    counted = seen & around & (size >= DIRECTION_LEVEL * peak)
    units = twitch.field_mm[counted] / size[counted][:, None]
    pointed = reach_half(_take_noise_off(size, twitch), twitch.peak_cell)
    moving = find_connected(seen & (size >= MOVING_LEVEL * peak), twitch.peak_cell)
    return FieldShape(
        peak_mm=peak,
        core_cells=_count_core(size, twitch, cell_mm),
        pointed_cells=int(np.count_nonzero(pointed)),
        moving_cells=int(np.count_nonzero(moving)),
        anisotropy=float(np.hypot(*units.mean(axis=0))),
        row=row + _refine(size[:, column], row),
        column=column + _refine(size[row], column),
    )


def _count_core(size: NDArray[np.float64], twitch: SeparatedTwitch, cell_mm: float) -> int:
    """Count the cells within the core's edge."""
    smooth = np.asarray(cv2.GaussianBlur(size, (0, 0), _SMOOTHING_CELLS), np.float64)
    clean = _take_noise_off(smooth, twitch)
    inside = np.sort(clean[reach_half(clean, twitch.peak_cell)])
    strongest = inside[-max(1, round(STRONGEST_MM2 / cell_mm**2)) :]
    edge = SHARE_OF_STRONGEST * float(strongest.mean())
    return int(np.count_nonzero(find_connected(clean >= edge, twitch.peak_cell)))


def _take_noise_off(size: NDArray[np.float64], twitch: SeparatedTwitch) -> NDArray[np.float64]:
    """Shorten lengths (h, w): with independent noise a signal is longer than without, squares add."""
    noise = twitch.elsewhere_ratio * float(size[twitch.peak_cell])
    return np.asarray(np.sqrt(np.maximum(np.square(size) - noise**2, 0.0)))


def _refine(line: NDArray[np.float64], at: int) -> float:
    """Return how far the vertex of the parabola through three cells lies from the middle one, in cells."""
    if not 0 < at < len(line) - 1:
        return 0.0
    before, here, after = line[at - 1 : at + 2]
    bend = before - 2 * here + after
    return float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < 0 else 0.0
