"""Finds the muscle in a frame without labels, and the direction of its fibres."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.types import PixelBox

FASCIA_SHARE = 0.35
"""The superficial fascia lies within this share of the depth."""

LEAST_DEPTH_SHARE = 0.12
"""Skin and fat take at least this share of the depth."""

BELOW_FASCIA_MM = 1.0
"""The muscle starts this far below the middle of the fascia."""

DEEPEST_SHARE = 0.8
"""Below this share of the depth the picture may be noise or bone shadow."""

SIDE_SHARE = 0.05
"""Contact is often poor at the sides of the probe. This and the shares above are model choices."""

_STRIPS = 8
SPECKLE_RATIO = 2.0
"""Width of speckles against their height on linear arrays, roughly. Model choice."""

STEEPEST_RAD = 0.6
"""A steeper direction is no fascicle's and counts as none: horizontal."""

HORIZONTAL_PRIOR = 0.03
"""Share of all gradients that must agree before fibres count as other than horizontal. Model choice."""

_DETAIL_MM = 0.35
_PATCH_MM = 2.5
_MAP_STEP_PX = 8


@dataclass(frozen=True, eq=False)
class FibreMap:
    """Directions of the fibres, from +x towards +z (down), within ±`STEEPEST_RAD`.

    Attributes:
        overall_rad: of the muscle as a whole.
        contrast: 0 (no direction, as across the fibres) to 1 (one direction) of the muscle as a whole.
        local_rad: float32 (h, w), around every `step_px`-th pixel.
        step_px: distance of the map's points.
    """

    overall_rad: float
    contrast: float
    local_rad: NDArray[np.float32]
    step_px: int = _MAP_STEP_PX

    def find_direction(self, x_px: float, y_px: float) -> float:
        """Return the direction of the fibres around a place in px."""
        rows, columns = self.local_rad.shape
        row = min(max(round(y_px / self.step_px), 0), rows - 1)
        column = min(max(round(x_px / self.step_px), 0), columns - 1)
        return float(self.local_rad[row, column])


def find_muscle(frame: NDArray[np.uint8], mm_per_px: float) -> PixelBox:
    """Return the box in which muscle is taken to lie.

    The rule: below the brightest line of the upper `FASCIA_SHARE` of the picture, the superficial fascia (the
    median of its depths in `_STRIPS` strips), and above `DEEPEST_SHARE` of the depth. It may hold a deep
    aponeurosis and the muscle below it. A wrong guess makes twitches in fat or bone, so look at the pictures
    and give the box where the rule fails.

    Args:
        frame: uint8 (H, W) of the imaging area.
        mm_per_px: pixel spacing.

    Returns:
        (x0, y0, x1, y1), half-open pixels of the frame.
    """
    height, width = frame.shape
    smooth = cv2.GaussianBlur(frame.astype(np.float32), (0, 0), max(0.3 / mm_per_px, 0.5))
    upper = smooth[: max(round(FASCIA_SHARE * height), 1)]
    depths = [int(np.argmax(strip.mean(axis=1))) for strip in np.array_split(upper, _STRIPS, axis=1)]
    top = round(float(np.median(depths)) + BELOW_FASCIA_MM / mm_per_px)
    top = max(top, round(LEAST_DEPTH_SHARE * height))
    side = round(SIDE_SHARE * width)
    bottom = max(round(DEEPEST_SHARE * height), top + 1)
    return side, min(top, bottom - 1), width - side, bottom


def map_fibres(frame: NDArray[np.uint8], box: PixelBox, mm_per_px: float) -> FibreMap:
    """Find the direction of the fibres by a structure tensor (Bigun and Granlund 1987).

    Perimysia are bright lines along the fibres; grey changes fastest across them. Speckles are wide and flat
    whatever the fibres do and would pull every direction towards the horizontal; so directions are measured
    as if the picture were `SPECKLE_RATIO` times narrower. A patch without a direction
    counts as horizontal.

    Args:
        frame: uint8 (H, W) of the imaging area.
        box: the muscle, (x0, y0, x1, y1) in pixels of the frame.
        mm_per_px: pixel spacing.
    """
    x0, y0, x1, y1 = box
    smooth = cv2.GaussianBlur(frame.astype(np.float32), (0, 0), max(_DETAIL_MM / mm_per_px, 1.0))
    gx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0) * np.float32(SPECKLE_RATIO)
    gy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    size2 = gx * gx + gy * gy
    # One bright aponeurosis must not outvote all perimysia.
    weight = 1 / (size2 + np.float32(np.median(size2[y0:y1, x0:x1])) + np.float32(1e-6))
    # Double-angle form: opposite gradients speak for the same direction.
    even, odd = (gx * gx - gy * gy) * weight, 2 * gx * gy * weight
    mean_even, mean_odd = (float(part[y0:y1, x0:x1].mean()) for part in (even, odd))
    total = float((size2 * weight)[y0:y1, x0:x1].mean())
    local_even, local_odd = (
        cv2.GaussianBlur(part, (0, 0), _PATCH_MM / mm_per_px)[::_MAP_STEP_PX, ::_MAP_STEP_PX]
        for part in (even, odd)
    )
    return FibreMap(
        overall_rad=float(_turn(np.array(mean_odd), np.array(mean_even))),
        contrast=float(np.hypot(mean_even, mean_odd)) / max(total, 1e-6),
        local_rad=_turn(local_odd, local_even).astype(np.float32),
    )


def _turn(odd: NDArray[np.floating], even: NDArray[np.floating]) -> NDArray[np.float64]:
    """Direction across the mean gradient, stretched back to the picture's width, within `STEEPEST_RAD`."""
    along = 0.5 * np.arctan2(odd, even - HORIZONTAL_PRIOR) + np.pi / 2
    direction = np.arctan(np.tan(along) / SPECKLE_RATIO)
    return np.asarray(np.where(np.abs(direction) <= STEEPEST_RAD, direction, 0.0), dtype=np.float64)
