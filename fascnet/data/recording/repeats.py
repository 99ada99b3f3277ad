"""Finds frames that repeat the one before: doubled by a slower scanner, or frozen."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.errors import RecordingError
from fascnet.types import Frame, PixelBox, Recording

FROZEN_S = 0.2
"""A picture that stands still for longer is frozen: a twitch lasts 0.1-0.6 s (choice of this project)."""

SAME_LEVELS = 0.5
"""Mean difference in grey levels below which two frames can be one, coded twice (see `find_repeats`)."""

SAME_SHARE = 0.1
"""... and below this share of what is usual between the clip's differing frames."""


@dataclass(frozen=True, slots=True)
class Run:
    """Frames in a row that show one picture.

    Attributes:
        first: index of the first of them.
        n_frames: how many, at least 2.
        start_s: time of the first.
        end_s: time of the next frame that differs; of the last frame where there is none.
    """

    first: int
    n_frames: int
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Repeats:
    """Repeated frames of a recording.

    Attributes:
        n_frames: frames that were decoded.
        n_identical: frames that equal the one before, sample for sample.
        n_recoded: frames that show the one before, coded anew (such as at a key frame).
        runs: where, in order of time.
        duration_s: from the first to the last frame.
    """

    n_frames: int
    n_identical: int
    n_recoded: int
    runs: tuple[Run, ...]
    duration_s: float

    @property
    def n_repeats(self) -> int:
        """Frames that show nothing new."""
        return self.n_identical + self.n_recoded

    @property
    def share(self) -> float:
        """Share of the frames that show nothing new, 0-1."""
        return self.n_repeats / self.n_frames if self.n_frames else 0.0

    @property
    def frozen(self) -> tuple[Run, ...]:
        """Runs of `FROZEN_S` and more."""
        return tuple(run for run in self.runs if run.end_s - run.start_s >= FROZEN_S - 1e-9)

    @property
    def picture_rate_hz(self) -> float | None:
        """Different pictures a second outside frozen runs: what the scanner drew. None without any."""
        frozen = self.frozen
        # A frozen run that ends takes one change with it.
        ended = sum(run.first + run.n_frames < self.n_frames for run in frozen)
        changes = self.n_frames - 1 - self.n_repeats - ended
        seconds = self.duration_s - sum(run.end_s - run.start_s for run in frozen)
        return changes / seconds if changes > 0 and seconds > 0 else None


class RepeatFinder:
    """Finds repeats while frames pass by: push each one, then ask. Keeps one frame and 12 bytes a frame.

    Args:
        box: imaging area (x0, y0, x1, y1); a clock that runs on beside a frozen picture does not matter.
    """

    def __init__(self, box: PixelBox) -> None:
        self._box = box
        self._last: NDArray[np.uint8] | None = None
        self._times_s = array("d")
        self._differences = array("f")

    def push(self, frame: Frame) -> None:
        """Look at the next frame."""
        x0, y0, x1, y1 = self._box
        image = frame.image[y0:y1, x0:x1]
        if self._last is not None:
            total = cv2.sumElems(cv2.absdiff(image, self._last))[0]
            self._differences.append(total / image.size)
        self._last = image
        self._times_s.append(frame.time_s)

    def finish(self) -> Repeats:
        """Return what was found.

        A repeat equals the frame before, sample for sample. A lossy codec may also code it anew, at a key
        frame for instance, with slightly other samples: a difference below `SAME_LEVELS` and `SAME_SHARE` of
        the median is one as well, if it stands alone between frames that differ or beside a repeat. Several
        such in a row are more likely a muscle at rest.
        """
        differences = np.asarray(self._differences, np.float64)
        identical = differences == 0
        changed = differences[~identical]
        usual = float(np.median(changed)) if changed.size else 0.0
        alike = ~identical & (differences < min(SAME_LEVELS, SAME_SHARE * usual))
        before = np.concatenate([[False], alike[:-1]])[: alike.size]
        after = np.concatenate([alike[1:], [False]])[: alike.size]
        beside = np.concatenate([[False], identical[:-1]])[: alike.size]
        beside |= np.concatenate([identical[1:], [False]])[: alike.size]
        recoded = alike & (beside | ~(before | after))
        times_s = np.asarray(self._times_s, np.float64)
        return Repeats(
            n_frames=len(times_s),
            n_identical=int(identical.sum()),
            n_recoded=int(recoded.sum()),
            runs=tuple(_list_runs(identical | recoded, times_s)),
            duration_s=float(times_s[-1] - times_s[0]) if times_s.size else 0.0,
        )


def find_repeats(recording: Recording) -> Repeats:
    """Decode a recording once and find its repeated frames; of one that breaks off, those of its sound part.

    Raises:
        RecordingError: not a single frame can be decoded.
    """
    finder = RepeatFinder(recording.info.box)
    count = 0
    try:
        for frame in recording.frames():
            finder.push(frame)
            count += 1
    except RecordingError:
        if count == 0:
            raise
    return finder.finish()


def _list_runs(repeats: NDArray[np.bool_], times_s: NDArray[np.float64]) -> Iterator[Run]:
    """Yield runs; `repeats[k]` says that frame k + 1 shows frame k."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], repeats, [False]]).astype(np.int8)))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        end = min(int(last) + 1, len(times_s) - 1)
        yield Run(int(first), int(last - first) + 1, float(times_s[first]), float(times_s[end]))
