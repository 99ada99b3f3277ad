"""Splits an event's movement into a field (where, how far, in which direction) and a waveform (when).

A twitch is close to one pattern that grows and fades: displacement(t, place) = waveform(t) · field(place).
The two are found in turn, each by least squares given the other (power iteration), starting from the event's
place and moment. The field is read from the rise only: later frames add more decorrelated speckle than
signal.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

CORE_LEVEL = 0.5
"""Core: where the displacement reaches this share of its peak: the truth's definition (docs/phantom.md)."""

_ROUNDS = 3
_SMOOTHING_CELLS = 0.8
_WIDEST_CELLS = 2.0
_SMOOTHING_STEP_CELLS = 0.4
_CLEAR = 5.0
"""A field whose peak is not this many times the residual movement elsewhere is smoothed more."""

_AFTER_PEAK_S = 0.04
_START_SPREAD_S = 0.1

Field = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class SeparatedTwitch:
    """Field and waveform of one event.

    Attributes:
        field_mm: displacement (h, w, 2) where the waveform is 1.
        peak_cell: (row, column) of the largest displacement.
        core: cells (h, w) that reach half of it and hang together with it.
        waveform: (T,), about 1 at its peak.
        elsewhere_ratio: RMS of the field outside the event's surroundings against its peak.
        explained: share of the core's movement that is this one pattern, at most 1.
    """

    field_mm: Field
    peak_cell: tuple[int, int]
    core: Mask
    waveform: NDArray[np.float64]
    elsewhere_ratio: float
    explained: float

    @property
    def size_mm(self) -> NDArray[np.float64]:
        """Length of the field (h, w)."""
        return np.hypot(self.field_mm[..., 0], self.field_mm[..., 1])


def separate_twitch(
    displacement_mm: NDArray[np.float64],
    times_s: NDArray[np.float64],
    *,
    quiet: Mask,
    span_s: tuple[float, float],
    start_s: float,
    near: Mask,
    elsewhere: Mask,
) -> SeparatedTwitch | None:
    """Find field and waveform.

    Args:
        displacement_mm: (T, h, w, 2), background removed.
        times_s: (T,).
        quiet: frames (T,) before the event, at least one: what displacement is measured from.
        span_s: (from, to) within which the event moves.
        start_s: a moment near its peak.
        near: cells (h, w) at which the event may be.
        elsewhere: cells (h, w) at which it is not.

    Returns:
        The twitch, or None when nothing moves.
    """
    moved = displacement_mm - displacement_mm[quiet].mean(axis=0)
    active = (times_s >= span_s[0]) & (times_s <= span_s[1])
    if not near.any() or not active.any():
        return None
    candidates = np.flatnonzero(active & (np.abs(times_s - start_s) <= _START_SPREAD_S))
    if candidates.size == 0:
        candidates = np.array([int(np.argmin(np.abs(times_s - start_s)))])
    # The mean over three frames is steadier than the frame with the largest noise.
    energy = np.square(moved[:, near]).sum(axis=(1, 2))
    first = int(candidates[np.argmax(energy[candidates])])
    field: Field = moved[max(first - 1, 0) : first + 2].mean(axis=0)
    for _ in range(_ROUNDS):
        smooth = _smooth(field, near, elsewhere)
        if smooth is None:
            return None
        core, _cell = _find_core(smooth, near)
        waveform = _project(moved, smooth, core, quiet)
        peak = int(np.argmax(np.where(active, waveform, -np.inf)))
        rise_end_s = times_s[peak] + max(_AFTER_PEAK_S, times_s[peak] - times_s[quiet].max())
        weights = np.where(active & (times_s <= rise_end_s), np.maximum(waveform, 0.0), 0.0)
        total = float(np.square(weights).sum())
        if total <= 0.0:
            return None
        field = np.tensordot(weights, moved, axes=1) / total
    smooth = _smooth(field, near, elsewhere)
    if smooth is None:
        return None
    core, cell = _find_core(smooth, near)
    waveform = _project(moved, smooth, core, quiet)
    size = np.hypot(smooth[..., 0], smooth[..., 1])
    in_core = moved[active][:, core]
    rest = in_core - waveform[active][:, None, None] * smooth[core]
    energy_all = float(np.square(in_core).sum())
    return SeparatedTwitch(
        field_mm=smooth,
        peak_cell=cell,
        core=core,
        waveform=waveform,
        elsewhere_ratio=_measure_elsewhere(size, elsewhere) / float(size[cell]),
        explained=1 - float(np.square(rest).sum()) / energy_all if energy_all > 0 else 0.0,
    )


def find_connected(mask: Mask, cell: tuple[int, int]) -> Mask:
    """Return the cells of a mask that hang together (8 neighbours) with one of them."""
    _, parts = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    return np.asarray(mask & (parts == parts[cell]))


def reach_half(size: NDArray[np.float64], cell: tuple[int, int]) -> Mask:
    """Return the cells (h, w) that reach half of a cell's length and hang together with it."""
    return find_connected(size >= CORE_LEVEL * size[cell], cell)


def _smooth(field: Field, near: Mask, elsewhere: Mask) -> Field | None:
    """Smooth a field as much as its noise asks for; None when it is zero."""
    sigma = _SMOOTHING_CELLS
    while True:
        blurred = [cv2.GaussianBlur(field[..., axis], (0, 0), sigma) for axis in range(2)]
        smooth: Field = np.stack(blurred, axis=-1).astype(np.float64)
        size = np.hypot(smooth[..., 0], smooth[..., 1])
        peak = float(size[near].max())
        if peak <= 0.0:
            return None
        if peak >= _CLEAR * _measure_elsewhere(size, elsewhere) or sigma + 1e-9 >= _WIDEST_CELLS:
            return smooth
        sigma += _SMOOTHING_STEP_CELLS


def _measure_elsewhere(size: NDArray[np.float64], elsewhere: Mask) -> float:
    return float(np.sqrt(np.mean(np.square(size[elsewhere])))) if elsewhere.any() else 0.0


def _find_core(field: Field, near: Mask) -> tuple[Mask, tuple[int, int]]:
    size = np.where(near, np.hypot(field[..., 0], field[..., 1]), 0.0)
    row, column = np.unravel_index(int(np.argmax(size)), size.shape)
    cell = (int(row), int(column))
    return reach_half(size, cell), cell


def _project(moved: Field, field: Field, core: Mask, quiet: Mask) -> NDArray[np.float64]:
    """Return the amplitude-weighted mean over the core of the movement along the field, 1 if they agree."""
    pattern = field[core]
    course = np.tensordot(moved[:, core], pattern, axes=2) / float(np.square(pattern).sum())
    return np.asarray(course - course[quiet].mean())
