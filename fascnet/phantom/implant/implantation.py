"""Moves the tissue in real frames as twitches and confounders say, to a few hundredths of a pixel.

A movement says where the tissue that rests at x0 is: x = x0 + d(x0). A frame needs the opposite: what rests
at x0 appears at x. The equation is solved by fixed-point iteration on a coarse grid, which converges because
tissue never folds (the slope of d is below 1), and refined to pixels by Catmull-Rom interpolation, which
keeps straight lines straight. Each real frame is moved with its own noise. Out-of-plane movement cannot be
taken from one plane and is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from scipy.ndimage import map_coordinates, spline_filter

from fascnet.phantom.implant.subpixel import SUPPORT_PX, Picture, sample_picture
from fascnet.phantom.movement.tissue_motion import TissueMotion
from fascnet.phantom.script import Script

GRID_STEP_PX = 4
"""Distance of the coarse grid's nodes: 0.2-0.5 mm on clinical exports, where movements change over 2 mm."""

STILL_PX = 0.006
"""A pixel that moves less keeps its value: at the steepest edges it would change by half a grey level."""

FADE_RATIO = 3.0
"""Edges that are held are this many times as wide as the largest movement, so that tissue never folds there:
the steepest slope of the fade is 1.5 / 3. Model choice."""

_BEYOND_NODES = 4
_MAX_ROUNDS = 20
_SETTLED_PX = 0.001


class Implanter:
    """Moves the frames of one clip; moments must not go backwards, as movements that are over are dropped.

    Args:
        script: its twitches and confounders move, in mm from the top left of the frames.
        shape: (H, W) of the frames.
        mm_per_px: pixel spacing.
        hold_px: width of a border in which movement fades out, so that what lies around the frames can stay
            still; 0 lets the border move.
    """

    def __init__(
        self, script: Script, shape: tuple[int, int], mm_per_px: float, hold_px: float = 0.0
    ) -> None:
        self._shape = shape
        self._pitch = np.float32(mm_per_px)
        # A few nodes beyond the picture: tissue that moves in from outside is asked for there.
        rows, columns = np.meshgrid(
            *(
                (np.arange(-(-size // GRID_STEP_PX) + 1 + 2 * _BEYOND_NODES) - _BEYOND_NODES) * GRID_STEP_PX
                for size in shape
            ),
            indexing="ij",
        )
        nodes = np.stack([columns, rows], axis=-1).astype(np.float32)
        self._grid = nodes.shape
        self._places_mm = nodes.reshape(-1, 2) * self._pitch
        self._motion = TissueMotion(script, self._places_mm)
        self._share = _hold_edges(nodes, shape, hold_px)

    def find_shift(self, t_s: float) -> Picture:
        """Return (H, W, 2), in px: where each pixel's tissue rests, against the pixel itself; x, then y."""
        moved = (self._motion.displace(t_s) - self._places_mm).reshape(self._grid) / self._pitch
        return refine_field(invert_field((moved * self._share).astype(np.float32)), self._shape)

    def move(self, picture: Picture, t_s: float) -> Picture:
        """Return the picture, float32 (H, W), as it looks at a moment; where nothing moves, unchanged."""
        return shift_picture(picture, self.find_shift(t_s))


def find_reach_px(
    script: Script, shape: tuple[int, int], mm_per_px: float, times_s: Sequence[float]
) -> tuple[int, int, int, int]:
    """Return how many px (left, top, right, bottom) tissue from outside the frames moves into them at most.

    Args:
        script: what moves.
        shape: (H, W) of the frames.
        mm_per_px: pixel spacing.
        times_s: moments of the frames, in order.
    """
    height, width = shape
    x, y = np.arange(0, width, GRID_STEP_PX), np.arange(0, height, GRID_STEP_PX)
    sides = (
        np.stack([np.zeros_like(y), y], axis=-1),
        np.stack([x, np.zeros_like(x)], axis=-1),
        np.stack([np.full_like(y, width - 1), y], axis=-1),
        np.stack([x, np.full_like(x, height - 1)], axis=-1),
    )
    places = (np.concatenate(sides) * mm_per_px).astype(np.float32)
    ends = np.cumsum([len(side) for side in sides])[:-1]
    motion = TissueMotion(script, places)
    reach = [0.0, 0.0, 0.0, 0.0]
    for t_s in times_s:
        moved = np.split((motion.displace(t_s) - places) / mm_per_px, ends)
        inward = (moved[0][:, 0], moved[1][:, 1], -moved[2][:, 0], -moved[3][:, 1])
        reach = [max(old, float(new.max())) for old, new in zip(reach, inward, strict=True)]
    # Movements too small to see need no margin.
    left, top, right, bottom = (int(np.ceil(side)) if side > 0.1 else 0 for side in reach)
    return left, top, right, bottom


def invert_field(displacement: Picture) -> Picture:
    """Solve x0 = x - d(x0) on the nodes.

    Args:
        displacement: float32 (h, w, 2), d at resting nodes in px, x then y; nodes are `GRID_STEP_PX` apart.

    Returns:
        float32 (h, w, 2): x0 - x in px at each node x.
    """
    if not np.any(displacement):
        return displacement
    splines = [
        spline_filter(displacement[..., k].astype(np.float64), order=3, mode="nearest") for k in (0, 1)
    ]
    rows, columns = np.meshgrid(*(np.arange(n) for n in displacement.shape[:2]), indexing="ij")
    back = -displacement
    for _ in range(_MAX_ROUNDS):
        at = np.stack([rows + back[..., 1] / GRID_STEP_PX, columns + back[..., 0] / GRID_STEP_PX])
        found = np.stack(
            [-map_coordinates(spline, at, order=3, mode="nearest", prefilter=False) for spline in splines],
            axis=-1,
        ).astype(np.float32)
        change = float(np.abs(found - back).max())
        back = found
        if change < _SETTLED_PX:
            break
    return back


def refine_field(field: Picture, shape: tuple[int, int]) -> Picture:
    """Interpolate a field at an `Implanter`'s nodes to the pixels of frames of `shape`, (H, W, 2)."""
    for axis, size in enumerate(shape):
        field = np.moveaxis(_refine_first_axis(np.moveaxis(field, axis, 0), size), 0, axis)
    return np.ascontiguousarray(field)


def shift_picture(picture: Picture, shift: Picture) -> Picture:
    """Return the picture with the value of x + shift(x) at each pixel x; what moves too little, unchanged.

    Args:
        picture: float32 (H, W).
        shift: float32 (H, W, 2) in px, x then y.
    """
    size = np.maximum(np.abs(shift[..., 0]), np.abs(shift[..., 1]))
    moves = size > STILL_PX
    if not moves.any():
        return picture
    rows, columns = np.flatnonzero(moves.any(axis=1)), np.flatnonzero(moves.any(axis=0))
    y0, y1, x0, x1 = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    reach = SUPPORT_PX + int(np.ceil(size.max()))
    top, left = max(y0 - reach, 0), max(x0 - reach, 0)
    at_y, at_x = np.nonzero(moves)
    by = shift[at_y, at_x]
    moved = picture.copy()
    moved[at_y, at_x] = sample_picture(
        picture[top : y1 + reach, left : x1 + reach],
        (at_x - left + by[:, 0]).astype(np.float32),
        (at_y - top + by[:, 1]).astype(np.float32),
    )
    return moved


def _hold_edges(nodes: Picture, shape: tuple[int, int], hold_px: float) -> Picture:
    """Return the share (h, w, 1) of movement that is left near the edges: 0 on them, 1 inside."""
    if hold_px <= 0:
        return np.ones((*nodes.shape[:2], 1), dtype=np.float32)
    x, y = nodes[..., 0], nodes[..., 1]
    nearest = np.minimum(np.minimum(x, shape[1] - 1 - x), np.minimum(y, shape[0] - 1 - y))
    share = np.clip(nearest / np.float32(hold_px), 0, 1)
    return cast(Picture, (share * share * (3 - 2 * share))[..., None].astype(np.float32))


def _refine_first_axis(field: Picture, size: int) -> Picture:
    """Interpolate from nodes to `size` pixels along the first axis, Catmull-Rom (Keys 1981, a = -1/2)."""
    count = -(-size // GRID_STEP_PX)
    fine = np.empty((count * GRID_STEP_PX, *field.shape[1:]), dtype=np.float32)
    parts = [field[_BEYOND_NODES + k : _BEYOND_NODES + k + count] for k in (-1, 0, 1, 2)]
    for step in range(GRID_STEP_PX):
        s = step / GRID_STEP_PX
        weights = (
            0.5 * (-s + 2 * s**2 - s**3),
            0.5 * (2 - 5 * s**2 + 3 * s**3),
            0.5 * (s + 4 * s**2 - 3 * s**3),
            0.5 * (-(s**2) + s**3),
        )
        total = np.float32(weights[0]) * parts[0]
        for weight, part in zip(weights[1:], parts[1:], strict=True):
            total = total + np.float32(weight) * part
        fine[step::GRID_STEP_PX] = total
    return fine[:size]
