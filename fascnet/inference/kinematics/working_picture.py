"""The part and size of a recording's frames in which movement is tracked."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.spacing import choose_spacing
from fascnet.types import PixelBox

FINEST_MM_PER_PX = 0.1
"""Finer pictures are reduced to this: speckle is wider, and time grows with the pixels."""


@dataclass(frozen=True, slots=True)
class WorkingPicture:
    """How stored pixels become working pixels.

    Attributes:
        box: imaging area in stored pixels.
        mm_per_px: spacing of the stored pixels downwards, or None when unknown.
        assumed_mm_per_px: what is taken instead of an unknown one, for windows and radii, as `choose_spacing`
            says; nothing in mm is reported then.
        pixel_aspect: width of a stored pixel over its height; working pixels are square.
    """

    box: PixelBox
    mm_per_px: float | None
    assumed_mm_per_px: float | None = None
    pixel_aspect: float = 1.0

    @property
    def stored_mm_per_px(self) -> float:
        """Spacing of the stored pixels downwards, known or assumed."""
        return choose_spacing(self.mm_per_px, self.assumed_mm_per_px)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the working frames."""
        x0, y0, x1, y1 = self.box
        factor = min(1.0, self.stored_mm_per_px / FINEST_MM_PER_PX)
        width = (x1 - x0) * self.pixel_aspect
        return max(1, round((y1 - y0) * factor)), max(1, round(width * factor))

    @property
    def scale(self) -> tuple[float, float]:
        """Working pixels per stored pixel, (x, y)."""
        x0, y0, x1, y1 = self.box
        height, width = self.size
        return width / (x1 - x0), height / (y1 - y0)

    @property
    def working_mm_per_px(self) -> float:
        """Spacing of the working pixels, known or assumed."""
        return self.stored_mm_per_px * self.pixel_aspect / self.scale[0]

    def shrink(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a stored frame (H, W) as a working frame, which shares no memory with it."""
        x0, y0, x1, y1 = self.box
        height, width = self.size
        part = image[y0:y1, x0:x1]
        if part.shape == (height, width):
            return part.copy()
        small = cv2.resize(np.ascontiguousarray(part), (width, height), interpolation=cv2.INTER_AREA)
        return np.asarray(small, dtype=np.uint8)

    def to_working(self, x: float, y: float) -> tuple[float, float]:
        """Return where a stored pixel's place lies in working pixels; pixel centres are whole numbers."""
        (sx, sy), (x0, y0, _, _) = self.scale, self.box
        return (x - x0 + 0.5) * sx - 0.5, (y - y0 + 0.5) * sy - 0.5

    def to_stored(self, x: float, y: float) -> tuple[float, float]:
        """Return where a working place lies in stored pixels."""
        (sx, sy), (x0, y0, _, _) = self.scale, self.box
        return x0 + (x + 0.5) / sx - 0.5, y0 + (y + 0.5) / sy - 0.5
