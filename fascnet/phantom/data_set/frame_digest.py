"""A clip's frames in a few numbers: to know them again, bit for bit or as near as other hardware comes."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

GREY_TOLERANCE = 0.05
"""Largest difference of the means that rounding on other hardware explains, in grey levels."""

MEANS = ("grey_mean", "grey_sd", "frame_difference")


class FrameDigest:
    """Takes the frames of a clip in order."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._count = 0
        self._sums = np.zeros(3)
        self._last: NDArray[np.uint8] | None = None

    def add(self, frame: NDArray[np.uint8]) -> None:
        """Take the next frame (H, W)."""
        self._sha256.update(np.ascontiguousarray(frame).tobytes())
        grey = frame.astype(np.float64)
        difference = 0.0 if self._last is None else float(np.abs(grey - self._last).mean())
        self._sums += (grey.mean(), np.square(grey).mean(), difference)
        self._count += 1
        self._last = frame

    def describe(self) -> dict[str, str]:
        """Return `frames`, `frames_sha256` (of all frames, row by row) and `MEANS`, in grey levels."""
        mean, square, difference = self._sums / max(self._count, 1)
        numbers = (mean, np.sqrt(max(square - mean**2, 0.0)), difference)
        return {
            "frames": str(self._count),
            "frames_sha256": self._sha256.hexdigest(),
            **{name: f"{value:.3f}" for name, value in zip(MEANS, numbers, strict=True)},
        }
