"""Generated ultrasound-like frames: the same for every candidate, drawn from a seed, nothing to download."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.types import Frame, RecordingInfo

Image = NDArray[np.uint8]

FPS = 30.0
"""Frames per second of every generated recording: the working rate, so that a frame is a tick."""

WORKING_MM_PER_PX = 0.15
"""The working pitch: nothing is resampled where a candidate is timed alone."""


@dataclass(frozen=True)
class GeneratedRecording:
    """Moving speckle, made frame by frame, so that nothing but a predictor's own memory grows.

    Attributes:
        n_frames: its length.
        height: rows.
        width: columns.
        mm_per_px: pixel spacing.
        path: a name.
    """

    n_frames: int
    height: int
    width: int
    mm_per_px: float = WORKING_MM_PER_PX
    path: Path = Path("generated")

    @property
    def info(self) -> RecordingInfo:
        """The whole picture is imaging area."""
        box = (0, 0, self.width, self.height)
        seconds = self.n_frames / FPS
        return RecordingInfo(self.height, self.width, self.n_frames, FPS, seconds, self.mm_per_px, box)

    def frames(self) -> Iterator[Frame]:
        """Yield the frames, the same each time."""
        rng = np.random.default_rng(0)
        still = cv2.GaussianBlur(rng.random((self.height, self.width), dtype=np.float32), (0, 0), 1.5)
        still = 20 + 180 * (still - still.min()) / (still.max() - still.min())
        for index in range(self.n_frames):
            shift = np.array([[1, 0, 0.8 * np.sin(index / 5)], [0, 1, 0.5 * np.cos(index / 7)]])
            size = (self.width, self.height)
            moved = np.asarray(cv2.warpAffine(still, shift, size, borderMode=cv2.BORDER_REFLECT))
            noisy = moved + rng.normal(0, 3, moved.shape)
            yield Frame(index, index / FPS, np.clip(noisy, 0, 255).astype(np.uint8))


@dataclass(frozen=True)
class HeldRecording:
    """Frames in memory as a recording: nothing to decode."""

    images: Sequence[Image]
    mm_per_px: float = WORKING_MM_PER_PX
    path: Path = Path("held")

    @property
    def info(self) -> RecordingInfo:
        """The whole picture is imaging area."""
        height, width = self.images[0].shape
        return GeneratedRecording(len(self.images), height, width, self.mm_per_px).info

    def frames(self) -> Iterator[Frame]:
        """Yield the frames."""
        yield from (Frame(index, index / FPS, image) for index, image in enumerate(self.images))


def draw_images(n_frames: int, height: int, width: int) -> list[Image]:
    """Return generated frames as a list."""
    return [frame.image for frame in GeneratedRecording(n_frames, height, width).frames()]
