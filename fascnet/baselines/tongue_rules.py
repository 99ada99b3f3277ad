"""The tongue tool's rules about frames, hits and blobs, each with a short memory of frames gone by."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.models.preprocessing import WorkingGrid

SHARPNESS_FRAMES = 31
"""A frame's sharpness is held against the median of so many, itself the last."""


class FrameCheck:
    """Tells frames that are neither blurred nor jolted.

    Args:
        min_sharpness: least variance of the Laplacian as a share of the median of the last frames.
        max_speed_p95_px: largest 95th percentile of the flow.
        max_speed_median_px: largest median of the flow.
    """

    def __init__(self, min_sharpness: float, max_speed_p95_px: float, max_speed_median_px: float) -> None:
        self._limits = min_sharpness, max_speed_p95_px, max_speed_median_px
        self._sharpness: deque[float] = deque(maxlen=SHARPNESS_FRAMES)

    def passes(self, sharpness: float, speed_p95_px: float, speed_median_px: float) -> bool:
        """Take the next frame's figures and say whether it is sound."""
        self._sharpness.append(sharpness)
        blurred = sharpness < self._limits[0] * float(np.median(self._sharpness))
        return not blurred and speed_p95_px <= self._limits[1] and speed_median_px <= self._limits[2]


class RollingCount:
    """Counts, for each pixel, the hits of the last frames.

    Args:
        length: frames counted; at least one is.
        shape: (H, W).
    """

    def __init__(self, length: int, shape: tuple[int, int]) -> None:
        self.length = max(1, length)
        self.counts = np.zeros(shape, np.int16)
        # One bit a pixel: four seconds of a large picture at a high rate are many masks.
        self._masks: deque[NDArray[np.uint8]] = deque()

    def push(self, mask: NDArray[np.uint8]) -> None:
        """Take the next frame's hits, 0 or 1 (H, W)."""
        if len(self._masks) == self.length:
            gone = np.unpackbits(self._masks.popleft(), count=mask.size)
            self.counts -= gone.reshape(mask.shape)
        self._masks.append(np.packbits(mask))
        self.counts += mask


@dataclass(frozen=True, slots=True)
class BlobRules:
    """What a blob must be; the attributes are those of `TonguePredictor`."""

    min_area_px: int
    min_area_upper_px: int
    max_area_share: float
    min_coherence: float
    min_magnitude_px: float
    max_busy_share: float


@dataclass(slots=True, eq=False)
class Blob:
    """A blob of one frame.

    Attributes:
        x: its centre.
        y: its centre.
        probability: m / (m + min_magnitude_px) with its mean flow m.
        rows: of its pixels.
        columns: of its pixels.
        confirmed: whether neighbouring frames hold it too.
    """

    x: float
    y: float
    probability: float
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    confirmed: bool = False


def find_blobs(
    mask: NDArray[np.uint8],
    flow: NDArray[np.float32],
    speed: NDArray[np.float32],
    busy_share: NDArray[np.floating],
    rules: BlobRules,
) -> list[Blob]:
    """List the connected parts of a mask (H, W) that obey the rules.

    Args:
        mask: 0 or 1.
        flow: residual flow (H, W, 2), px a frame.
        speed: its length.
        busy_share: share of the last seconds in which each pixel was hit.
        rules: what a blob must be.
    """
    count, parts, stats, centres = cv2.connectedComponentsWithStats(mask, connectivity=8)
    found = []
    for part in range(1, count):
        x, y = (float(value) for value in centres[part])
        left, top, wide, high, area = (int(value) for value in stats[part])
        least = rules.min_area_px if y >= mask.shape[0] / 2 else rules.min_area_upper_px
        if not least <= area <= rules.max_area_share * mask.size:
            continue
        inside = (slice(top, top + high), slice(left, left + wide))
        own = parts[inside] == part
        magnitude = float(speed[inside][own].mean())
        together = float(np.hypot(*flow[inside][own].mean(axis=0)))
        if (
            magnitude < rules.min_magnitude_px
            or together < rules.min_coherence * magnitude
            or float(busy_share[inside][own].mean()) > rules.max_busy_share
        ):
            continue
        rows, columns = np.nonzero(own)
        probability = magnitude / (magnitude + rules.min_magnitude_px)
        found.append(Blob(x, y, probability, rows + top, columns + left))
    return found


@dataclass(eq=False)
class Confirmation:
    """Keeps blobs that neighbouring frames hold too, and paints them a few frames later.

    Attributes:
        frames: among so many frames that follow one another
        hits: so many must hold a blob
        distance_px: this near to each other.
        skipped_frames: the last frames of a clip, in which nothing is found.
        grid: what is painted.
    """

    frames: int
    hits: int
    distance_px: float
    skipped_frames: int
    grid: WorkingGrid
    _waiting: deque[list[Blob]] = field(default_factory=deque, init=False)

    def push(self, blobs: Sequence[Blob]) -> list[NDArray[np.float32]]:
        """Take the next frame's blobs; return the heatmaps that are now settled, none or one."""
        self._waiting.append(list(blobs))
        earlier = list(self._waiting)[-self.frames : -1]
        for blob in blobs:
            near = [[b for b in frame if _is_near(b, blob, self.distance_px)] for frame in earlier]
            if 1 + sum(map(bool, near)) >= self.hits:
                blob.confirmed = True
                for partner in (b for frame in near for b in frame):
                    partner.confirmed = True
        if len(self._waiting) < max(self.frames, self.skipped_frames + 1):
            return []
        return [self._paint(self._waiting.popleft())]

    def finish(self) -> list[NDArray[np.float32]]:
        """End the clip: return the heatmaps of the frames that still wait."""
        kept = max(0, len(self._waiting) - self.skipped_frames)
        return [self._paint(blobs if i < kept else []) for i, blobs in enumerate(self._waiting)]

    def _paint(self, blobs: Sequence[Blob]) -> NDArray[np.float32]:
        h, w = self.grid.cells
        heatmap = np.zeros((h, w), np.float32)
        for blob in blobs:
            if blob.confirmed:
                cells = blob.rows * h // self.grid.height, blob.columns * w // self.grid.width
                heatmap[cells] = np.maximum(heatmap[cells], np.float32(blob.probability))
        return heatmap


def _is_near(one: Blob, other: Blob, distance_px: float) -> bool:
    return bool(np.hypot(one.x - other.x, one.y - other.y) <= distance_px)
