"""Measures, pixel by pixel, what speaks for tissue: speckle in each frame, and change from frame to frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.types import PixelBox

Map = NDArray[np.float32]

TEXTURE_WINDOW_PX = 5
MOST_LEVELS = 20.0
"""Differences count up to this many grey levels: a white letter weighs no more than coarse speckle."""

STILL_SHARE = 0.25
"""What changes by less than this share of the tissue's change is furniture, the more the less it changes."""

MOVING_LEVELS = 1.0
"""Tissue that changes by less than this many grey levels a frame is a still: change says nothing."""

CHANGE_WEIGHT = 0.7
"""Change counts a little less than speckle: a running clock changes too (choice of this project)."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Maps of one clip, float32 (H, W), in grey levels.

    Attributes:
        level: median grey over the frames.
        texture: standard deviation in a small window, median over the frames.
        down: mean difference to the pixel above: nothing leaks sideways, so that columns have sharp ends.
        across: mean difference to the pixel at the left, for the ends of rows.
        change: mean difference from frame to frame; 0 for a single frame.
    """

    level: Map
    texture: Map
    down: Map
    across: Map
    change: Map

    def crop(self, box: PixelBox) -> Evidence:
        """Return the maps within a box."""
        area = np.s_[box[1] : box[3], box[0] : box[2]]
        return Evidence(
            level=self.level[area],
            texture=self.texture[area],
            down=self.down[area],
            across=self.across[area],
            change=self.change[area],
        )

    def weigh(self, tissue: NDArray[np.bool_]) -> Evidence:
        """Return the evidence with what does not change made fainter, if the tissue changes.

        Args:
            tissue: (H, W), surely part of the picture.
        """
        usual = float(np.median(self.change[tissue])) if tissue.any() else 0.0
        if usual < MOVING_LEVELS:
            return self
        window = (TEXTURE_WINDOW_PX, TEXTURE_WINDOW_PX)
        weight = np.minimum(cv2.blur(self.change, window) / (STILL_SHARE * usual), 1.0).astype(np.float32)
        return Evidence(
            level=self.level,
            texture=self.texture * weight,
            down=self.down * weight,
            across=self.across * weight,
            change=self.change,
        )


def measure_evidence(frames: NDArray[np.uint8]) -> Evidence:
    """Measure a few frames of one clip.

    Args:
        frames: uint8 (N, H, W), N >= 1, spread over the clip.
    """
    shape = frames.shape[1:]
    down, across, change = (np.zeros(shape, np.float32) for _ in range(3))
    last: Map | None = None
    for frame in frames:
        grey = frame.astype(np.float32)
        down[1:] += _measure_step(grey[1:], grey[:-1])
        across[:, 1:] += _measure_step(grey[:, 1:], grey[:, :-1])
        if last is not None:
            change += _measure_step(grey, last)
        last = grey
    count = np.float32(len(frames))
    # Six frames give the same median texture as all.
    textures = [_measure_texture(frame) for frame in frames[:: max(1, len(frames) // 6)]]
    return Evidence(
        level=np.median(frames, axis=0).astype(np.float32),
        texture=np.median(textures, axis=0).astype(np.float32),
        down=down / count,
        across=across / count,
        change=change / max(count - 1, np.float32(1)),
    )


def _measure_step(one: Map, other: Map) -> Map:
    return np.asarray(np.minimum(np.abs(one - other), np.float32(MOST_LEVELS)), np.float32)


def _measure_texture(frame: NDArray[np.uint8]) -> Map:
    """Local standard deviation in grey levels."""
    size = (TEXTURE_WINDOW_PX, TEXTURE_WINDOW_PX)
    values = frame.astype(np.float32)
    mean = cv2.blur(values, size)
    variance = cv2.blur(values * values, size) - mean * mean
    return np.sqrt(np.maximum(variance, 0.0)).astype(np.float32)
