"""When each frame of a recording was taken, so that frames and seconds become each other without a rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.data.recording.recordings import open_recording
from fascnet.errors import RecordingError
from fascnet.types import ClipSource

_SLACK_FRAMES = 0.02
"""Times of three decimals lie up to 0.5 ms beside their frame: 2 % of one at 40 frames/s."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameClock:
    """The times of a recording's frames.

    Attributes:
        times_s: float64 (T,), increasing, first 0; as the recording says it, at constant or variable rate.
        end_s: end of the last frame.
        width: columns as stored, None when the recording could not be opened.
        height: rows as stored, None when the recording could not be opened.
        known_end: whether the recording was read to its end; else `times_s` goes on at a constant rate.
    """

    times_s: NDArray[np.float64]
    end_s: float
    width: int | None = None
    height: int | None = None
    known_end: bool = True

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.times_s)

    def time_of(self, frame: float) -> float:
        """Return when a frame begins; `n_frames` is the end, fractions lie between two frames.

        Raises:
            ValueError: outside 0 to `n_frames`.
        """
        if not 0 <= frame <= self.n_frames:
            raise ValueError(f"frame {frame:g}")
        edges = np.append(self.times_s, self.end_s)
        # To the microsecond: finer digits are rounding noise of the file's clock.
        return round(float(np.interp(frame, np.arange(len(edges)), edges)), 6)

    def nearest_frame(self, time_s: float) -> int:
        """Return the frame whose beginning is nearest."""
        index = int(np.searchsorted(self.times_s, time_s))
        around = [k for k in (index - 1, index) if 0 <= k < self.n_frames]
        return min(around, key=lambda k: abs(float(self.times_s[k]) - time_s))

    def frames_in(self, start_s: float, stop_s: float) -> tuple[int, int]:
        """Return the frames (first, stop) that begin within a half-open span; at least one.

        A span that lies between two frames gives the one that was shown at its middle.
        """
        slack_s = _SLACK_FRAMES * (self.end_s / self.n_frames)
        first = int(np.searchsorted(self.times_s, start_s - slack_s))
        stop = int(np.searchsorted(self.times_s, stop_s - slack_s))
        if first >= stop:
            first = int(np.searchsorted(self.times_s, (start_s + stop_s) / 2, side="right")) - 1
            first = min(max(first, 0), self.n_frames - 1)
            stop = first + 1
        return first, stop


def read_frame_clock(source: ClipSource) -> FrameClock:
    """Read the times of all frames; the recording is decoded once, a frame at a time.

    A recording that breaks off counts as far as it can be decoded. One that is not there (labels are often
    sorted away from the recordings) is taken at the manifest's `fps`, if it has one.

    Raises:
        RecordingError: it cannot be opened, and the manifest has no `fps`.
    """
    if not source.path.exists() and source.fps is not None:
        # An hour, which no label can tell from the clip's true end.
        times_s = np.arange(round(3600 * source.fps)) / source.fps
        return FrameClock(times_s, len(times_s) / source.fps, known_end=False)
    recording = open_recording(source.path, fps=source.fps, find_area=False)
    times: list[float] = []
    try:
        for frame in recording.frames():
            times.append(frame.time_s)
    except RecordingError:
        if not times:
            raise
    info = recording.info
    step_s = (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else 1.0 / info.fps
    return FrameClock(np.asarray(times, np.float64), times[-1] + step_s, info.width, info.height)
