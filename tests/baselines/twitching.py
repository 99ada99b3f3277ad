"""A recording in memory: speckle that drifts, with one local twitch whose place and time are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.types import Frame, Polygon, RecordingInfo

SIZE = 128
TWITCH_S = (1.0, 1.3)
CENTRE_PX = (80.0, 48.0)


@dataclass
class TwitchingRecording:
    """`n_frames` at `fps`; the twitch moves tissue by `amplitude_px`, all drifts by `drift_px` a frame.

    `noise_grey` is the standard deviation of white noise in grey levels.
    """

    n_frames: int = 60
    fps: float = 30.0
    amplitude_px: float = 3.0
    drift_px: float = 0.2
    noise_grey: float = 0.0
    path: Path = Path("twitching.mp4")

    @property
    def info(self) -> RecordingInfo:
        duration_s = self.n_frames / self.fps
        return RecordingInfo(SIZE, SIZE, self.n_frames, self.fps, duration_s, 0.15, (0, 0, SIZE, SIZE))

    def frames(self) -> Iterator[Frame]:
        speckle = cv2.GaussianBlur(
            np.random.default_rng(0).random((256, 256)).astype(np.float32), (0, 0), 2.0
        )
        speckle = cv2.normalize(speckle, None, 20, 220, cv2.NORM_MINMAX)
        y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
        near = np.exp(-((x - CENTRE_PX[0]) ** 2 + (y - CENTRE_PX[1]) ** 2) / (2 * 9.0**2)).astype(np.float32)
        start_s, end_s = TWITCH_S
        for index in range(self.n_frames):
            time_s = index / self.fps
            inside = start_s <= time_s < end_s
            phase = np.sin(np.pi * (time_s - start_s) / (end_s - start_s)) if inside else 0.0
            map_x = x + 40 + self.drift_px * index + np.float32(self.amplitude_px * phase) * near
            image = cv2.remap(speckle, map_x.astype(np.float32), y + 40, cv2.INTER_LINEAR)
            if self.noise_grey > 0:
                image = np.clip(
                    image + np.random.default_rng(index).normal(0, self.noise_grey, image.shape), 0, 255
                )
            yield Frame(index, time_s, image.astype(np.uint8))


@dataclass
class PictureRecording:
    """Given pictures, one a frame; `times_s` where they are not evenly spaced."""

    pictures: Sequence[NDArray[np.uint8]]
    fps: float = 30.0
    times_s: Sequence[float] | None = None
    outline: Polygon | None = None
    pixel_aspect: float = 1.0
    path: Path = Path("pictures.mp4")

    @property
    def info(self) -> RecordingInfo:
        height, width = self.pictures[0].shape
        n_frames = len(self.pictures)
        box = (0, 0, width, height)
        return RecordingInfo(
            height,
            width,
            n_frames,
            self.fps,
            n_frames / self.fps,
            0.15,
            box,
            outline=self.outline,
            pixel_aspect=self.pixel_aspect,
        )

    def frames(self) -> Iterator[Frame]:
        for index, picture in enumerate(self.pictures):
            yield Frame(index, index / self.fps if self.times_s is None else self.times_s[index], picture)
