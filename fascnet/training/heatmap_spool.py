"""Heatmaps of validation clips on disk: many event definitions can be tried on one run of the network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from fascnet.data.spool import Spool
from fascnet.types import ClipCalibration

LOGIT_STEP = 0.1
"""A heatmap is kept as bytes, in steps of its logit: 0.025 of a probability at one half, finer at the ends,
where the cells of a network that was never calibrated may crowd."""

_MIDDLE = 128
_CHUNK_TICKS = 64


class HeatmapSpool:
    """Keeps the heatmaps of some clips as bytes in one temporary file, in the order in which they come.

    Use it as a context manager: the file is gone afterwards.
    """

    def __init__(self) -> None:
        self._spool = Spool("the heatmaps of validation clips")
        self._clips: list[tuple[int, int, tuple[int, int]]] = []
        self._meaning = _decode(ClipCalibration())

    def begin(self, shape: tuple[int, int]) -> None:
        """Begin the next clip, whose heatmaps have `shape` (h, w)."""
        self._clips.append((0, 0, shape))

    def append(self, chunk: NDArray[np.float32]) -> None:
        """Keep heatmaps (t, h, w) of probabilities 0-1 of the clip begun last, to within half a `LOGIT_STEP`.

        A probability of 0 stays 0; others are kept within ±12.7 on the logit scale.
        """
        start, n_ticks, shape = self._clips[-1]
        with np.errstate(divide="ignore"):
            logits = np.log(chunk) - np.log1p(-chunk)
        codes = np.clip(np.rint(logits / LOGIT_STEP) + _MIDDLE, 1, 255).astype(np.uint8)
        codes[chunk <= 0.0] = 0
        place = self._spool.append(codes.tobytes())
        self._clips[-1] = (start if n_ticks else place, n_ticks + len(chunk), shape)

    def calibrate(self, calibration: ClipCalibration) -> None:
        """From now on read sigmoid(slope · logit + intercept) of what was kept."""
        self._meaning = _decode(calibration)

    def read_chunks(self, index: int) -> Iterator[NDArray[np.float32]]:
        """Yield the heatmaps of a clip in order, some (t, h, w) at a time."""
        start, n_ticks, (height, width) = self._clips[index]
        for first in range(0, n_ticks, _CHUNK_TICKS):
            count = min(_CHUNK_TICKS, n_ticks - first)
            raw = self._spool.read(start + first * height * width, count * height * width)
            codes = np.frombuffer(raw, np.uint8)
            yield self._meaning[codes].reshape(count, height, width)

    def read(self, index: int) -> Iterator[NDArray[np.float32]]:
        """Yield the heatmaps (h, w) of a clip, in order."""
        for chunk in self.read_chunks(index):
            yield from chunk

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()


def _decode(calibration: ClipCalibration) -> NDArray[np.float32]:
    """Return the probability (256,) that each byte stands for."""
    logits = LOGIT_STEP * (np.arange(256) - _MIDDLE)
    meaning = expit(calibration.slope * logits + calibration.intercept)
    meaning[0] = 0.0
    return np.asarray(meaning, np.float32)
