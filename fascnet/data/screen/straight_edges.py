"""Places the four straight edges of a linear probe's picture to the pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.data.screen.evidence import CHANGE_WEIGHT, Evidence
from fascnet.types import PixelBox

SEARCHED_SHARE = 0.12
"""An edge is looked for within this share of the picture's size of where it seems to be: bars of text and
dark rims are narrower."""

EDGE_SHARE = 0.015
"""Width over which outside is compared with inside, as a share of the picture's size; at least 4 pixels."""

FLAT_LEVELS = 8
APART_LEVELS = 10
"""Furniture beside a row varies by less than the first; a row of the picture differs from it by more than the
second, in grey levels (choice of this project, from compressed screens)."""

SPANNED_STEP = 0.5
"""Sharpness of an edge that rows between exactly the picture's sides have placed."""

_ROUNDS = 2
"""The second round measures along edges that the first has placed."""

Profile = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PlacedBox:
    """A box and how sharp its edges are.

    Attributes:
        box: half-open stored pixels.
        steps: rise of the evidence at the left, top, right, bottom edge, 0-1 of the tissue's own.
    """

    box: PixelBox
    steps: tuple[float, float, float, float]


def place_edges(box: PixelBox, evidence: Evidence) -> PlacedBox:
    """Move the edges of a rough box to where tissue really ends.

    Args:
        box: from `find_textured_part`; may cut dark parts off or hold some furniture.
        evidence: weighed maps (H, W).
    """
    height, width = evidence.level.shape
    steps = (0.0, 0.0, 0.0, 0.0)
    for _ in range(_ROUNDS):
        x0, y0, x1, y1 = box
        tall, wide = y1 - y0, x1 - x0
        core = np.s_[y0 + tall // 5 : y1 - tall // 5, x0 + wide // 5 : x1 - wide // 5]
        columns = _scale(evidence.down, evidence.change, core)[y0 + tall // 10 : y1 - tall // 10].mean(axis=0)
        inside = float(columns[x0 + wide // 4 : x1 - wide // 4].mean())
        left, left_step = _find_edge(columns, x0, wide, inside)
        right, right_step = _find_edge(columns[::-1], width - x1, wide, inside)
        right = width - right
        if right - left < 8:
            break
        shown = np.s_[:, x0 + wide // 10 : x1 - wide // 10]
        rows = _scale(evidence.across, evidence.change, core)[shown].mean(axis=1)
        inside = float(rows[y0 + tall // 4 : y1 - tall // 4].mean())
        spanned = find_spanned_rows(evidence.level, left, right)
        rows = np.where(spanned, np.maximum(rows, inside), rows)
        top, top_step = _find_edge(rows, y0, tall, inside)
        bottom, bottom_step = _find_edge(rows[::-1], height - y1, tall, inside)
        bottom = height - bottom
        # The round before may have taken such rows in already.
        if np.count_nonzero(spanned[top : top + 6]) >= 3:
            top_step = max(top_step, SPANNED_STEP)
        if np.count_nonzero(spanned[max(bottom - 6, 0) : bottom]) >= 3:
            bottom_step = max(bottom_step, SPANNED_STEP)
        above, below = _measure_further(spanned[:top][::-1]), _measure_further(spanned[bottom:])
        top, bottom = top - above, bottom + below
        if bottom - top < 8:
            break
        box, steps = (left, top, right, bottom), (left_step, top_step, right_step, bottom_step)
    return PlacedBox(box, steps)


def find_spanned_rows(level: NDArray[np.float32], x0: int, x1: int) -> NDArray[np.bool_]:
    """Find rows that differ from flat furniture exactly between two columns: white lines, shadows on grey.

    Args:
        level: median greys (H, W).
        x0: left edge of the picture.
        x1: right edge, half-open.

    Returns:
        bool (H,); all False when there is no furniture beside the picture.
    """
    width = level.shape[1]
    spanned = np.ones(level.shape[0], bool)
    if x0 < 8 or x1 + 8 > width or x1 - x0 < 40:
        return np.zeros_like(spanned)
    rim = (x1 - x0) // 20
    low, high = np.percentile(level[:, x0 + rim : x1 - rim], (25, 75), axis=1)
    one_side = np.zeros_like(spanned)
    for outer, inner in ((x0 - 8, x0 + 2), (x1 + 2, x1 - 8)):
        outside, inside = level[:, outer : outer + 6], level[:, inner : inner + 6]
        grey = np.median(outside, axis=1)
        flat = outside.max(axis=1) - outside.min(axis=1) <= FLAT_LEVELS
        apart = np.abs(np.median(inside, axis=1) - grey) > APART_LEVELS
        apart &= (low > grey + APART_LEVELS) | (high < grey - APART_LEVELS)
        # A mark or a tick beside the picture says nothing; then the other side decides.
        spanned &= apart | ~flat
        one_side |= apart & flat
    spanned &= one_side
    return spanned


def _scale(
    differences: NDArray[np.float32], change: NDArray[np.float32], core: tuple[slice, slice]
) -> Profile:
    """Evidence of each pixel as a share, 0-1, of what the middle of the picture shows."""
    evidence = np.maximum(differences, np.float32(CHANGE_WEIGHT) * change)
    usual = max(1.5, float(np.median(evidence[core])))
    return np.asarray(np.minimum(evidence / usual, 1.0), np.float64)


def _find_edge(profile: Profile, start: int, size: int, inside: float) -> tuple[int, float]:
    """Return where the profile rises most, near `start`, and by how much; outside is at index 0.

    Args:
        profile: evidence a row or column, 0-1.
        start: rough edge.
        size: of the picture along the profile.
        inside: usual evidence within the picture.
    """
    while start > 0 and profile[start - 1] > 0.5 * inside:
        start -= 1
    reach = round(SEARCHED_SHARE * size) + 3
    width = max(4, round(EDGE_SHARE * size))
    # Inside has to go on: a ruler or a line of text is as bright, but narrow.
    depth = 4 * width
    padded = np.concatenate([np.zeros(width), profile, np.full(depth, inside)])
    sums = np.concatenate([[0.0], np.cumsum(padded)])
    at = np.arange(max(0, start - reach), min(start + reach, profile.size - 1) + 1)
    outer = (sums[at + width] - sums[at]) / width
    near = (sums[at + 2 * width] - sums[at + width]) / width
    deep = (sums[at + width + depth] - sums[at + width]) / depth
    rise = np.minimum(near, deep) - outer
    # Of equal rises, the one where the evidence starts.
    best = int((rise + 0.01 * near).argmax())
    return int(at[best]), float(np.clip(rise[best], 0.0, 1.0))


def _measure_further(spanned: NDArray[np.bool_]) -> int:
    """Return how far, beyond an edge, rows span the picture: past dark rows there is more of it."""
    at = np.flatnonzero(spanned)
    # One or two rows are a line of the screen; three in a run are tissue or the probe's own echo.
    runs = np.split(at, np.flatnonzero(np.diff(at) > 1) + 1) if at.size else []
    return max((int(run[-1]) + 1 for run in runs if run.size >= 3), default=0)
