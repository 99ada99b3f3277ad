"""Displacement of tissue against a reference frame, at sub-pixel accuracy on a grid of cells.

Lucas-Kanade (1981) in its inverse form (Baker and Matthews 2004): the gradients are those of the reference
frame, so that the equations of a cell are set up once and each further frame costs a warp and a few sums.
Repeated with a light smoothing of the field, the window governs how fast it settles and the smoothing how
fine it gets; a single step with such a window reads movements of a few mm in diameter too small.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]

CELL_MM = 0.5
"""Side of a cell. A core is 3-6 mm across (Birkbeck 2020, field notes 3a)."""

WINDOW_MM = 0.6
"""Standard deviation of the window. Of 0.5, 0.7 and 1.0 mm the middle one erred least on phantom twitches."""

_ROUNDS = 5
_SMOOTHING_CELLS = 0.6
_PRE_SMOOTHING_PX = 0.8
"""Speckle drawn finer than the pixels can carry would be interpolated wrongly."""

_LARGEST_STEP_PX = 2.0
_FLOOR = 1e-3
"""Share of the median texture added to every cell's equations: nothing moves where nothing is seen."""


class DisplacementTracker:
    """Tracks frames against one reference frame.

    Args:
        reference: uint8 (H, W).
        mm_per_px: spacing of the frames.
    """

    def __init__(self, reference: NDArray[np.uint8], mm_per_px: float) -> None:
        self._cell_px = max(2, round(CELL_MM / mm_per_px))
        self._mm_per_px = mm_per_px
        height, width = reference.shape
        self.shape = (max(1, height // self._cell_px), max(1, width // self._cell_px))
        self._size = (self.shape[1] * self._cell_px, self.shape[0] * self._cell_px)
        self._reference = self._prepare(reference)
        half = np.array([[-0.5, 0.0, 0.5]], dtype=np.float32)
        self._gx = cv2.filter2D(self._reference, -1, half)
        self._gy = cv2.filter2D(self._reference, -1, half.T)
        self._window_cells = WINDOW_MM / self.cell_mm
        xx, yy = self._pool(self._gx * self._gx), self._pool(self._gy * self._gy)
        floor = np.float32(_FLOOR) * np.median(xx + yy) + np.float32(1e-6)
        self._xx, self._yy, self._xy = xx + floor, yy + floor, self._pool(self._gx * self._gy)
        self._determinant = self._xx * self._yy - self._xy * self._xy
        self.texture: Image = np.sqrt(xx + yy)
        """RMS gradient of each cell's window, (h, w) in grey levels per pixel."""
        x, y = np.meshgrid(
            np.arange(self._size[0], dtype=np.float32), np.arange(self._size[1], dtype=np.float32)
        )
        self._x, self._y = x, y

    @property
    def cell_mm(self) -> float:
        """Side of a cell in mm."""
        return self._cell_px * self._mm_per_px

    @property
    def cell_px(self) -> int:
        """Side of a cell in pixels of the frames."""
        return self._cell_px

    def track(self, frame: NDArray[np.uint8], start: Image) -> Image:
        """Return where the reference frame's tissue is in another frame.

        Args:
            frame: uint8 (H, W).
            start: displacement (h, w, 2) in mm to begin with, such as a neighbouring frame's.

        Returns:
            Displacement (x, y) in mm, float32 (h, w, 2).
        """
        image = self._prepare(frame)
        u, v = (np.ascontiguousarray(start[..., axis] / self._mm_per_px) for axis in range(2))
        for _ in range(_ROUNDS):
            warped = cv2.remap(
                image,
                self._x + self._enlarge(u),
                self._y + self._enlarge(v),
                cv2.INTER_CUBIC,
                borderMode=cv2.BORDER_REPLICATE,
            )
            error = warped - self._reference
            xt, yt = self._pool(self._gx * error), self._pool(self._gy * error)
            du = (self._xy * yt - self._yy * xt) / self._determinant
            dv = (self._xy * xt - self._xx * yt) / self._determinant
            shorter = np.minimum(1.0, _LARGEST_STEP_PX / np.maximum(np.hypot(du, dv), 1e-6))
            u = _blur(u + du * shorter, _SMOOTHING_CELLS)
            v = _blur(v + dv * shorter, _SMOOTHING_CELLS)
        return np.asarray(np.stack([u, v], axis=-1) * self._mm_per_px, dtype=np.float32)

    def _prepare(self, frame: NDArray[np.uint8]) -> Image:
        cut = frame[: self._size[1], : self._size[0]].astype(np.float32)
        return _blur(cut, _PRE_SMOOTHING_PX)

    def _pool(self, products: Image) -> Image:
        cells = cv2.resize(products, (self.shape[1], self.shape[0]), interpolation=cv2.INTER_AREA)
        return _blur(np.asarray(cells, dtype=np.float32), self._window_cells)

    def _enlarge(self, cells: Image) -> Image:
        return np.asarray(cv2.resize(cells, self._size, interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def track_displacement(
    frames: Sequence[NDArray[np.uint8]], reference: int, mm_per_px: float
) -> tuple[NDArray[np.float32], DisplacementTracker]:
    """Track a window of frames, from the reference frame forwards and backwards.

    Args:
        frames: uint8 (H, W) each, in order of time.
        reference: index of the reference frame.
        mm_per_px: spacing.

    Returns:
        Displacement (T, h, w, 2) in mm, and the tracker, which knows cells and texture.
    """
    tracker = DisplacementTracker(frames[reference], mm_per_px)
    found = np.zeros((len(frames), *tracker.shape, 2), dtype=np.float32)
    for order in (range(reference + 1, len(frames)), range(reference - 1, -1, -1)):
        last = found[reference]
        for index in order:
            last = tracker.track(frames[index], last)
            found[index] = last
    return found, tracker


def _blur(image: NDArray[np.floating], sigma: float) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), dtype=np.float32)
