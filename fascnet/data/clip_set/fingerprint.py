"""What a recording shows, in a few kilobytes: equal for copies, whatever codec or container they came in.

Two marks. A *sketch* of exact frames finds copies whose pixels are equal, also excerpts of one another. A
*signature* of coarse movement finds copies that were encoded again or scaled.
"""

from __future__ import annotations

import hashlib
import heapq

import cv2
import numpy as np
from numpy.typing import NDArray

SKETCH_SIZE = 512
"""Frames kept in a sketch. Clips of fewer frames are kept whole; memory does not grow with longer ones."""

FLAT_LEVELS = 1.0
"""A frame with a smaller standard deviation shows nothing: black frames are no mark of a recording."""

GRID = 16
"""Rows and columns of a signature: coarse enough to survive half the size."""

TIMES = 32
"""Moments of a signature, spread evenly over the clip."""

FINE_SIGMA = 2.0
"""Grid cells; the Gaussian that takes shading away. Chosen, like `SAME_MOVEMENT`, on 14 real clips, of which
12 move: it leaves their 36 copies (h264 crf 28, MPEG-4 qscale 6, half size) at a correlation of 0.95 or
more, and lowers that of the most alike of six pairs of trials of one subject from 0.81 to 0.68."""

LEAST_MOVEMENT_LEVELS = 0.5
"""Grey levels (rms over the grid). Below, a clip is so still that a codec's noise outweighs what moves."""


class FrameSketch:
    """The smallest hashes of a clip's different frames: a bottom-k sketch (Broder 1997, min-wise hashing).

    Two sketches say which share of the frames two clips have in common, whichever part that is.
    """

    def __init__(self) -> None:
        self._largest_first: list[int] = []
        self._kept: set[int] = set()

    def add(self, key: int) -> None:
        """Take a frame's hash, 0 to 2**64 - 1."""
        if key in self._kept:
            return
        if len(self._kept) < SKETCH_SIZE:
            self._kept.add(key)
            heapq.heappush(self._largest_first, -key)
        elif key < -self._largest_first[0]:
            self._kept.add(key)
            self._kept.discard(-heapq.heappushpop(self._largest_first, -key))

    def keys(self) -> NDArray[np.uint64]:
        """Return the hashes kept, sorted."""
        return np.array(sorted(self._kept), np.uint64)


class MovementSignature:
    """Coarse pictures at even distances, whose number stays bounded however long the clip is."""

    def __init__(self) -> None:
        self._pictures: list[tuple[int, NDArray[np.float32]]] = []
        self._step = 1
        self._count = 0

    def add(self, image: NDArray[np.uint8]) -> None:
        """Take the next frame, uint8 (H, W)."""
        if self._count % self._step == 0:
            coarse = cv2.resize(image, (GRID, GRID), interpolation=cv2.INTER_AREA).astype(np.float32)
            self._pictures.append((self._count, coarse))
            if len(self._pictures) == 2 * TIMES:
                self._pictures = self._pictures[::2]
                self._step *= 2
        self._count += 1

    def vector(self) -> NDArray[np.float16] | None:
        """Return the signature as a unit vector (TIMES * GRID * GRID,), None for a clip that hardly moves.

        What does not change over the clip (a scanner's screen, the anatomy) is taken out, then its shading.
        """
        if self._count < 2:
            return None
        fine = [picture - cv2.GaussianBlur(picture, (0, 0), FINE_SIGMA) for _, picture in self._pictures]
        at = np.array([index for index, _ in self._pictures], np.float64)
        series = _interpolate(np.stack(fine).reshape(len(fine), -1), at, self._count - 1)
        moving = series - series.mean(axis=0)
        rms = float(np.sqrt(np.mean(moving**2)))
        if rms < LEAST_MOVEMENT_LEVELS:
            return None
        unit: NDArray[np.float16] = (moving / np.linalg.norm(moving)).astype(np.float16).ravel()
        return unit


def hash_frame(image: NDArray[np.uint8]) -> int:
    """Hash a frame's size and pixels to 64 bits (BLAKE2b, RFC 7693)."""
    digest = hashlib.blake2b(np.asarray(image.shape, np.int64).tobytes(), digest_size=8)
    digest.update(np.ascontiguousarray(image).data)
    return int.from_bytes(digest.digest(), "big")


def is_flat(image: NDArray[np.uint8]) -> bool:
    """Whether a frame shows nothing."""
    # Every fourth pixel of every fourth row is enough to see that something is there.
    return float(image[::4, ::4].std()) < FLAT_LEVELS


def _interpolate(values: NDArray[np.float32], at: NDArray[np.float64], last: int) -> NDArray[np.float64]:
    """Bring values at some frames to `TIMES` moments from the first frame to the last."""
    wanted = np.linspace(0.0, float(last), TIMES)
    below = np.clip(np.searchsorted(at, wanted, side="right") - 1, 0, len(at) - 2)
    weight = np.clip((wanted - at[below]) / (at[below + 1] - at[below]), 0.0, 1.0)[:, None]
    return np.asarray(values[below] * (1.0 - weight) + values[below + 1] * weight, np.float64)
