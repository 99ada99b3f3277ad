"""How the picture moved between two frames: as one, and block by block. OpenCV and NumPy only.

Dense inverse search (Kroeger et al. 2016, "Fast optical flow using dense inverse search") on a small picture:
what is asked for is the movement of blocks of 2-4 mm, not its outline.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.types import PixelBox

LONGER_SIDE_PX = 160
"""Longer side of the small picture: 0.25 mm/px where the imaging area is 40 mm wide. Own choice."""

BLOCK_PX = 10
"""Side of a block in small pixels: 16 along the longer side, 2.5 mm each in 40 mm, less than a twitch."""

SMALLEST_SIDE_PX = 30
"""Dense inverse search needs some room; a flatter imaging area is stretched to this."""

_NEAR_PX, _NEAR_SHARE = 0.15, 0.5
"""A pixel moves with the picture when it is within 0.15 px plus half of the shift: flow halves at noise."""

_DETAIL_PX = 2.0
"""Deviation of the blur in small pixels that separates speckle from anatomy: 0.5 mm in 40 mm."""

LEAST_TEXTURE = 1.5
"""Deviation in grey levels below which a block is too flat to be followed."""


@dataclass(frozen=True, slots=True, eq=False)
class Movement:
    """What happened between two small pictures.

    Attributes:
        shift_px: median (x, y) of the flow over blocks with texture, small pixels.
        agreement: share of those blocks that move with the shift, 0-1; 0 without any.
        median_px: median length of the flow over those blocks, in any direction.
        blocks_px: mean flow of each block, float32 (gy, gx, 2), x before y.
    """

    shift_px: tuple[float, float]
    agreement: float
    median_px: float
    blocks_px: NDArray[np.float32]


class SmallPicture:
    """Brings the imaging area of a frame to a small picture of whole blocks.

    Args:
        box: imaging area (x0, y0, x1, y1) in stored pixels.
    """

    def __init__(self, box: PixelBox) -> None:
        x0, y0, x1, y1 = box
        self._box = box
        scale = LONGER_SIDE_PX / max(x1 - x0, y1 - y0)
        self.width = BLOCK_PX * max(SMALLEST_SIDE_PX // BLOCK_PX, round((x1 - x0) * scale / BLOCK_PX))
        self.height = BLOCK_PX * max(SMALLEST_SIDE_PX // BLOCK_PX, round((y1 - y0) * scale / BLOCK_PX))
        self.stored_px_x = (x1 - x0) / self.width
        """Stored pixels to a small one, along x."""
        self.stored_px_y = (y1 - y0) / self.height
        """Stored pixels to a small one, along y."""

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns (gy, gx) of blocks."""
        return self.height // BLOCK_PX, self.width // BLOCK_PX

    def take(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Shrink a frame, uint8 (H, W) as stored, to uint8 (height, width)."""
        x0, y0, x1, y1 = self._box
        area = image[y0:y1, x0:x1]
        shrinks = area.shape[0] >= self.height and area.shape[1] >= self.width
        mode = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(area, (self.width, self.height), interpolation=mode), dtype=np.uint8)

    def find_block(self, x_px: float, y_px: float) -> tuple[int, int]:
        """Return the block (row, column) of a place in stored pixels; the nearest one if it lies outside."""
        rows, cols = self.grid
        row = int((y_px + 0.5 - self._box[1]) / self.stored_px_y // BLOCK_PX)
        col = int((x_px + 0.5 - self._box[0]) / self.stored_px_x // BLOCK_PX)
        return min(max(row, 0), rows - 1), min(max(col, 0), cols - 1)


class BlockFlow:
    """Measures `Movement` between small pictures of one size; keeps buffers between calls.

    Args:
        height: rows, a multiple of `BLOCK_PX`.
        width: columns, a multiple of `BLOCK_PX`.
    """

    def __init__(self, height: int, width: int) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        # A finest scale of half a pixel is fine enough for means over blocks of 10 px.
        self._flow.setFinestScale(1)
        rows, cols = np.mgrid[:height, :width].astype(np.float32)
        self._grid = np.dstack((cols, rows))

    def measure(self, before: NDArray[np.uint8], now: NDArray[np.uint8]) -> Movement:
        """Measure the movement from one small picture to a later one, both uint8 (height, width)."""
        blocks = _mean_blocks(self._follow(before, now))
        textured = measure_texture(before) >= LEAST_TEXTURE
        if not textured.any():
            return Movement((0.0, 0.0), 0.0, 0.0, blocks)
        moved = blocks[textured]
        shift = np.median(moved, axis=0)
        distance = np.hypot(moved[:, 0] - shift[0], moved[:, 1] - shift[1])
        near = distance <= _NEAR_PX + _NEAR_SHARE * float(np.hypot(shift[0], shift[1]))
        median_px = float(np.median(np.hypot(moved[:, 0], moved[:, 1])))
        return Movement((float(shift[0]), float(shift[1])), float(near.mean()), median_px, blocks)

    def correlate(self, before: NDArray[np.uint8], now: NDArray[np.uint8]) -> float:
        """Return how alike the detail of two small pictures is once the movement between them is undone.

        Returns:
            Correlation, -1 to 1: near 1 however far the picture moved, low where speckle changed.
        """
        flow = self._follow(before, now)
        from_x, from_y = cv2.split(self._grid + flow)
        undone = cv2.remap(now, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return _correlate(_keep_detail(before), _keep_detail(np.asarray(undone)))

    def _follow(self, before: NDArray[np.uint8], now: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(self._flow.calc(before, now, np.zeros((*now.shape, 2), np.float32)), np.float32)


def measure_texture(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the deviation in grey levels within each block of a small picture: float32 (gy, gx)."""
    grey = picture.astype(np.float32)
    mean = _mean_blocks(grey)
    square = _mean_blocks(np.square(grey))
    return np.sqrt(np.maximum(square - np.square(mean), 0.0))


def measure_change(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> tuple[float, float]:
    """Return (mean, lower quartile over blocks) of the absolute change of small pictures, grey levels.

    The quartile is high only when the picture changes everywhere, as when it is drawn anew.
    """
    blocks = _mean_blocks(cv2.absdiff(before, now).astype(np.float32))
    return float(blocks.mean()), float(np.percentile(blocks, 25))


def _mean_blocks(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average (height, width) or (height, width, 2) over blocks; a resize by area is that, and fast."""
    size = (values.shape[1] // BLOCK_PX, values.shape[0] // BLOCK_PX)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def _keep_detail(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Leave out what is coarser than speckle: layers of muscle look alike long after the plane changed."""
    grey = picture.astype(np.float32)
    return np.asarray(grey - cv2.GaussianBlur(grey, (0, 0), _DETAIL_PX), dtype=np.float32)


def _correlate(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    one, other = one - one.mean(), other - other.mean()
    size = float(np.sqrt(np.square(one).sum() * np.square(other).sum()))
    # Two flat pictures are alike.
    return float((one * other).sum()) / size if size > 0 else 1.0
