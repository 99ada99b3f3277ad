"""The movement of a place in even steps: where it is strongest, where it comes again in the same form."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d, uniform_filter1d
from scipy.signal import find_peaks

from fascnet.inference.movement.trace import Course

STEP_S = 1 / 60
"""Courses are brought to even steps."""

BEAT_S = 0.4
"""A beat's form covers so many seconds."""

BEFORE_S, AFTER_S = 0.1, 0.05
"""An event's movement lies between so long before its onset and so long after its end."""

_GAP_S = 0.15
"""Steps longer than this hide what moved."""

_LEAST_APART_S = 0.4
"""Of two movements closer than this only the one that is more like the event is a beat: pulses stay below
2 Hz."""

_ANY_SIZE = (0.3, 3.0)
"""A beat of the same movement has so many times its size."""

_CELL = 1
"""Blocks on each side of the event's own that are taken along."""


def make_even(
    course: Course, block: tuple[int, int], smooth_s: float, base_s: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bring the velocity of an event's blocks to even steps (n, k), smoothed, without what is slower.

    A course of less than ten steps gives none.
    """
    row, col = block
    around = course.mm_per_s[:, max(0, row - _CELL) : row + _CELL + 1, max(0, col - _CELL) : col + _CELL + 1]
    if len(course.times_s) < 10:
        return np.zeros(0), np.zeros((0, 1))
    flat = around.reshape(len(around), -1).astype(np.float64)
    times_s = np.arange(course.times_s[0], course.times_s[-1], STEP_S)
    # Linear interpolation would flatten a tremor of 11 Hz, which 30 frames/s show in 2.7 points.
    even = np.asarray(CubicSpline(course.times_s, flat)(times_s), dtype=np.float64)
    # Across a standing picture a spline swings; nothing is known there.
    after = np.clip(np.searchsorted(course.times_s, times_s), 1, len(course.times_s) - 1)
    even[course.times_s[after] - course.times_s[after - 1] > _GAP_S] = 0.0
    even = gaussian_filter1d(even, smooth_s / STEP_S, axis=0)
    return times_s, even - uniform_filter1d(even, round(base_s / STEP_S), axis=0)


def find_strongest(
    times_s: NDArray[np.float64], velocity: NDArray[np.float64], onset_s: float, offset_s: float
) -> int | None:
    """Return the step of an event about which it moves most."""
    within = np.flatnonzero((times_s >= onset_s - BEFORE_S) & (times_s <= offset_s + AFTER_S))
    if within.size == 0:
        return None
    energy = uniform_filter1d(np.square(velocity).sum(axis=1), round(0.2 / STEP_S))
    return int(within[np.argmax(energy[within])])


def find_alike(
    times_s: NDArray[np.float64], velocity: NDArray[np.float64], middle: int, likeness: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return when the movement about `middle` is seen, itself among them, and at how many times its size."""
    half = round(BEAT_S / STEP_S / 2)
    start, stop = max(0, middle - half), min(len(times_s), middle + half + 1)
    form = velocity[start:stop]
    length, size = len(form), float(np.square(form).sum())
    if size <= 0 or length < half:
        return np.zeros(0), np.zeros(0)
    windows = np.lib.stride_tricks.sliding_window_view(velocity, length, axis=0)
    product = np.einsum("tkl,lk->t", windows, form)
    energy = np.convolve(np.square(velocity).sum(axis=1), np.ones(length), mode="valid")
    alike = product / np.sqrt(np.maximum(energy, 1e-12) * size)
    found, _ = find_peaks(
        np.pad(alike, 1, constant_values=-1.0), height=likeness, distance=round(_LEAST_APART_S / STEP_S)
    )
    found = found - 1
    sizes = product[found] / size
    alike_in_size = (sizes >= _ANY_SIZE[0]) & (sizes <= _ANY_SIZE[1])
    return times_s[found[alike_in_size] + (middle - start)], sizes[alike_in_size]


def measure_excess(
    times_s: NDArray[np.float64],
    velocity: NDArray[np.float64],
    beats_s: NDArray[np.float64],
    onset_s: float,
    offset_s: float,
) -> float:
    """Measure what an event moves beyond the beats of its place: a twitch on an artery moves more.

    Args:
        times_s: even steps, (n,).
        velocity: of the place, (n, k).
        beats_s: when it beats, increasing.
        onset_s: start of the event.
        offset_s: its end.

    Returns:
        The event's largest deviation from the median beat over 0.15 s, as a multiple of what is usual at the
        same phase of other beats; about 1 for a beat. Infinite when too few beats are apart from the event.
    """
    own_s = float(beats_s[np.argmin(np.abs(beats_s - (onset_s + offset_s) / 2))])
    own = round((own_s - float(times_s[0])) / STEP_S)
    first = max(round((onset_s - 0.05 - own_s) / STEP_S), -own)
    last = min(round((offset_s + 0.05 - own_s) / STEP_S), len(times_s) - 1 - own)
    others = []
    for beat_s in beats_s:
        middle = round((float(beat_s) - float(times_s[0])) / STEP_S)
        # Beats within the event's length would hold a part of what it moves besides.
        if abs(beat_s - own_s) > offset_s - onset_s and first + middle >= 0 and last + middle < len(times_s):
            others.append(velocity[middle + first : middle + last + 1])
    if len(others) < 3 or last <= first:
        return math.inf
    form = np.median(np.stack(others), axis=0)
    usual = float(np.median([_find_largest(one - form) for one in others]))
    excess = _find_largest(velocity[own + first : own + last + 1] - form)
    return excess / usual if usual > 0 else math.inf


def _find_largest(velocity: NDArray[np.float64]) -> float:
    """Return the largest size of a movement (n, k), averaged over 0.15 s."""
    energy = uniform_filter1d(np.square(velocity).sum(axis=1), round(0.15 / STEP_S))
    return float(np.sqrt(energy.max()))


def autocorrelate(velocity: NDArray[np.float64], n_lags: int) -> NDArray[np.float64]:
    """Return the correlation of a course (n, k) with itself at each lag, each lag normalised by itself."""
    found = np.ones(n_lags)
    for lag in range(1, n_lags):
        early, late = velocity[:-lag], velocity[lag:]
        size = np.sqrt(np.square(early).sum() * np.square(late).sum())
        found[lag] = (early * late).sum() / size if size > 0 else 0.0
    return found
