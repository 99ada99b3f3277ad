"""How much a recording's pixels jitter and how much texture they have: what they can show of a shift."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fascnet.evaluation.figures.tracking_bound import bound_picture_shift_px
from fascnet.spacing import ASSUMED_MM_PER_PX, choose_spacing
from fascnet.types import Recording

FloatArray = NDArray[np.float64]

MOST_FRAMES = 60
"""Frames looked at: bounds memory, and is enough for a median."""

MIN_GREY = 8.0
"""Blocks darker than this on average hold no echo."""

MIN_TRIPLES = 3


def measure_picture_bound_um(
    recording: Recording, kernel_mm: float, assumed_mm_per_px: float = ASSUMED_MM_PER_PX
) -> float | None:
    """Measure the smallest deviation of an axial shift that a recording's pictures allow, in µm.

    The noise of a block is the median over time of its mean second difference in time, squared: steady
    movement cancels and brief movement does not count. What remains is electronic noise, coding noise,
    decorrelation and shake, as recorded; persistence hides some of it. The gradient's own noise is taken off.

    Args:
        recording: the clip; its first frames are read.
        kernel_mm: side of the square block, in which the tissue is taken to move as one.
        assumed_mm_per_px: spacing where the recording states none.

    Returns:
        The median over blocks that hold an echo; None where there is none, or too few frames differ.
    """
    info = recording.info
    mm_per_px = choose_spacing(info.mm_per_px, assumed_mm_per_px)
    side_px = max(4, round(kernel_mm / mm_per_px))
    x0, y0, x1, y1 = info.box
    if min(x1 - x0, y1 - y0) < side_px + 2:
        return None
    noise, energy, grey = [], [], []
    for before, middle, after in _read_triples(recording):
        parts = [image[y0:y1, x0:x1].astype(np.float64) for image in (before, middle, after)]
        # Independent noise in three frames with weights 1, -2, 1 has six times the variance of one.
        second = np.square(parts[0] - 2 * parts[1] + parts[2])[1:-1] / 6
        slope = 0.5 * (parts[1][2:] - parts[1][:-2])
        noise.append(_average_blocks(second, side_px))
        energy.append(side_px**2 * _average_blocks(np.square(slope), side_px))
        grey.append(_average_blocks(parts[1][1:-1], side_px))
    if len(noise) < MIN_TRIPLES:
        return None
    variance = np.median(noise, axis=0)
    # A central difference of noise has half of its variance.
    texture = np.maximum(np.median(energy, axis=0) - side_px**2 * variance / 2, 0.0)
    bound_px = bound_picture_shift_px(variance, texture)[np.median(grey, axis=0) >= MIN_GREY]
    if bound_px.size == 0 or not np.isfinite(np.median(bound_px)):
        return None
    return float(1000 * mm_per_px * np.median(bound_px))


def _read_triples(
    recording: Recording,
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]]:
    """Yield neighbouring frames that differ: a frame stored twice has no noise."""
    held: list[NDArray[np.uint8]] = []
    for frame in recording.frames():
        if frame.index >= MOST_FRAMES:
            return
        if held and np.array_equal(held[-1], frame.image):
            continue
        held = [*held[-2:], frame.image]
        if len(held) == 3:
            yield held[0], held[1], held[2]


def _average_blocks(values: FloatArray, side_px: int) -> FloatArray:
    """Average (H, W) over whole blocks: (H // side, W // side)."""
    rows, columns = values.shape[0] // side_px, values.shape[1] // side_px
    whole = values[: rows * side_px, : columns * side_px]
    return np.asarray(whole.reshape(rows, side_px, columns, side_px).mean(axis=(1, 3)), dtype=np.float64)
