"""Heatmaps of validation clips on disk: many event definitions can be tried on one run of the network."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fascnet.inference.heatmap_store import quantise


class HeatmapSpool:
    """Keeps the heatmaps of some clips as bytes in one temporary file, in the order in which they come.

    Use it as a context manager: the file is gone afterwards.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._clips: list[tuple[int, int, tuple[int, int]]] = []

    def begin(self, shape: tuple[int, int]) -> None:
        """Begin the next clip, whose heatmaps have `shape` (h, w)."""
        self._clips.append((self._file.seek(0, 2), 0, shape))

    def append(self, chunk: NDArray[np.float32]) -> None:
        """Keep heatmaps (t, h, w) of probabilities 0-1 of the clip begun last, to within 1/510."""
        start, n_ticks, shape = self._clips[-1]
        self._file.write(quantise(chunk).tobytes())
        self._clips[-1] = (start, n_ticks + len(chunk), shape)

    def read(self, index: int) -> Iterator[NDArray[np.float32]]:
        """Yield the heatmaps (h, w) of a clip, in order."""
        start, n_ticks, (height, width) = self._clips[index]
        for tick in range(n_ticks):
            self._file.seek(start + tick * height * width)
            codes = np.frombuffer(self._file.read(height * width), np.uint8).reshape(height, width)
            yield codes.astype(np.float32) / np.float32(255.0)

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self._clips)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
