"""The course of movement at every block of a clip, on disk: read back around an event, at constant memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fascnet.data.spool import Spool


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """Movement over some seconds.

    Attributes:
        times_s: middle of each step between two frames, increasing, (n,).
        mm_per_s: velocity of each block against the picture as a whole, float32 (n, gy, gx, 2), x before y.
    """

    times_s: NDArray[np.float64]
    mm_per_s: NDArray[np.float32]


class MovementTrace:
    """Appends block velocities to a temporary file and reads spans of time back. A context manager.

    Args:
        grid: rows and columns (gy, gx) of blocks.
    """

    def __init__(self, grid: tuple[int, int]) -> None:
        self._record = np.dtype([("time_s", "<f8"), ("mm_per_s", "<f4", (*grid, 2))])
        self._spool = Spool("the movement of the clip")
        self._n = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()

    def clear(self) -> None:
        """Forget everything: the recording starts anew."""
        self._spool.clear()
        self._n = 0

    def append(self, time_s: float, mm_per_s: NDArray[np.float32]) -> None:
        """Add a step.

        Args:
            time_s: middle of the step, after that of the step before.
            mm_per_s: velocity of each block, (gy, gx, 2).

        Raises:
            OutputError: the folder for temporary files is full.
        """
        record = np.zeros(1, self._record)
        record["time_s"], record["mm_per_s"] = time_s, mm_per_s
        self._spool.append(record.tobytes())
        self._n += 1

    def read(self, start_s: float, end_s: float) -> Course:
        """Return the steps from `start_s` to `end_s` (half-open); none when there are none."""
        first, last = self._find(start_s), self._find(end_s)
        records = self._read(first, max(first, last))
        return Course(records["time_s"].astype(np.float64), records["mm_per_s"])

    def _find(self, time_s: float) -> int:
        """Return the first step at or after a moment; reads one record a halving."""
        low, high = 0, self._n
        while low < high:
            middle = (low + high) // 2
            if float(self._read(middle, middle + 1)["time_s"][0]) < time_s:
                low = middle + 1
            else:
                high = middle
        return low

    def _read(self, first: int, last: int) -> NDArray[np.void]:
        size = self._record.itemsize
        raw = self._spool.read(first * size, (last - first) * size)
        return np.frombuffer(raw, dtype=self._record)
