"""Which moment of the scan each stored frame shows: freezes, doubled frames, dropped frames.

Two clocks run. *Scan time* is the tissue's: movements are drawn in it. *File time* is what a reader sees:
stored frame k is at k / fps and lasts until (k + 1) / fps. Labels are in file time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from fascnet.errors import SettingError

FREEZE = "freeze"
DOUBLED_FRAMES = "doubled_frames"
DROPPED_FRAMES = "dropped_frames"


@dataclass(frozen=True, slots=True)
class Timeline:
    """The moments that the frames of one file show. Build it with `make`.

    Attributes:
        n_frames: stored frames, >= 1.
        fps: frames per second of scanner and file.
        freezes: half-open runs [a, b) of stored frames that show frame a - 1 while time goes on.
        doubled: stored frames that are the frame before once more; all that follows comes one frame later.
        dropped: (k, n): n frames are missing before stored frame k; all that follows comes n frames earlier.
    """

    n_frames: int
    fps: float
    freezes: tuple[tuple[int, int], ...] = ()
    doubled: tuple[int, ...] = ()
    dropped: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if self.n_frames < 1:
            raise SettingError(f"n_frames={self.n_frames}: give 1 or more")
        if not (math.isfinite(self.fps) and self.fps > 0):
            raise SettingError(f"fps={self.fps}: give a number above 0")
        for first, last in self.freezes:
            if not 1 <= first < last <= self.n_frames:
                raise SettingError(f"freezes: [{first}, {last}) must lie within [1, {self.n_frames})")
        for (_, end), (start, _) in zip(self.freezes, self.freezes[1:], strict=False):
            if start < end:
                raise SettingError(f"freezes: one ends at frame {end}, the next starts at {start}")
        for frame in (*self.doubled, *(frame for frame, _ in self.dropped)):
            if not 1 <= frame < self.n_frames:
                raise SettingError(f"frame {frame}: doubled and dropped frames lie in [1, {self.n_frames})")
        cuts = [*self.doubled, *(frame for frame, _ in self.dropped)]
        if len(set(cuts)) != len(cuts):
            raise SettingError("doubled and dropped: each stored frame at most once")
        for frame, missing in self.dropped:
            if missing < 1:
                raise SettingError(f"dropped: {missing} frames before frame {frame}; give 1 or more")

    @classmethod
    def make(
        cls,
        n_frames: int,
        fps: float,
        freezes: Iterable[tuple[int, int]] = (),
        doubled: Iterable[int] = (),
        dropped: Iterable[tuple[int, int]] = (),
    ) -> Timeline:
        """Build a timeline; all frame numbers count stored frames, in any order.

        Args:
            n_frames: stored frames.
            fps: frames per second.
            freezes: half-open runs of frames that repeat the frame before them.
            doubled: frames that are the frame before once more.
            dropped: (frame, how many frames are missing before it).

        Raises:
            SettingError: a frame lies outside the file or has two fates.
        """
        return cls(n_frames, fps, tuple(sorted(freezes)), tuple(sorted(doubled)), tuple(sorted(dropped)))

    @property
    def source_s(self) -> NDArray[np.float64]:
        """Scan time (n_frames,) in seconds that each stored frame shows; never decreases."""
        frames = np.arange(self.n_frames)
        last_new = np.maximum.accumulate(np.where(self.repeats, 0, frames))
        return self._count_scanned()[last_new] / self.fps

    @property
    def repeats(self) -> NDArray[np.bool_]:
        """Whether each stored frame (n_frames,) is the frame before once more."""
        same = np.zeros(self.n_frames, bool)
        same[list(self.doubled)] = True
        for first, last in self.freezes:
            same[first:last] = True
        return same

    @property
    def scan_duration_s(self) -> float:
        """Scan time from the first stored frame to the end of the last one."""
        return float((self._count_scanned()[-1] + 1) / self.fps)

    @overload
    def to_stored_s(self, t_s: float) -> float: ...

    @overload
    def to_stored_s(self, t_s: NDArray[np.float64]) -> NDArray[np.float64]: ...

    def to_stored_s(self, t_s: float | NDArray[np.float64]) -> float | NDArray[np.float64]:
        """Map moments of the scan to file time: never decreases, and is the identity without effects.

        The scan moment of a stored frame maps to the file time of that frame, for a doubled frame to its
        first copy. A dropped moment maps to the cut, which is the first frame after the gap. A freeze
        changes nothing: time goes on behind it (`count_shown` tells what it hides).

        Args:
            t_s: scan time in seconds, a number or an array of any shape.

        Returns:
            File time in seconds, same form.
        """
        moments = np.asarray(t_s, dtype=np.float64)
        if not (self.doubled or self.dropped):
            stored = moments
        else:
            scanned_s = self._count_scanned() / self.fps
            # First frame at or after the moment: of a doubled frame the first copy.
            after = np.searchsorted(scanned_s, moments, side="left")
            before = np.clip(after - 1, 0, None)
            # At most one frame period: what lies beyond it was dropped.
            past = np.where(
                after < self.n_frames,
                np.minimum((moments - scanned_s[before]) * self.fps, 1.0),
                (moments - scanned_s[before]) * self.fps,
            )
            stored = (before + past) / self.fps
            whole = (after < self.n_frames) & (scanned_s[np.minimum(after, self.n_frames - 1)] == moments)
            stored = np.where(whole, after / self.fps, stored)
        return float(stored) if np.ndim(t_s) == 0 else stored.copy()

    def count_shown(self, start_s: float, end_s: float) -> int:
        """Count different stored frames of scan time [start_s, end_s): 0 when freeze or drop hide it all."""
        shown_s = self.source_s[~self.repeats]
        return int(np.count_nonzero((shown_s >= start_s) & (shown_s < end_s)))

    def events(self) -> list[tuple[str, float, float]]:
        """Return (label, onset_s, offset_s) in file time, by onset.

        A freeze lasts as long as its repeated frames, a doubled frame one frame; dropped frames are seen in
        the first frame after the gap.
        """
        found = [(FREEZE, first / self.fps, last / self.fps) for first, last in self.freezes]
        for label, frames in (
            (DOUBLED_FRAMES, self.doubled),
            (DROPPED_FRAMES, tuple(frame for frame, _ in self.dropped)),
        ):
            found += [(label, frame / self.fps, (frame + 1) / self.fps) for frame in frames]
        return sorted(found, key=lambda event: (event[1], event[2], event[0]))

    def _count_scanned(self) -> NDArray[np.int64]:
        """Frame periods (n_frames,) that the scanner has run when each stored frame is due, frozen or not."""
        steps = np.ones(self.n_frames, np.int64)
        steps[0] = 0
        steps[list(self.doubled)] = 0
        for frame, missing in self.dropped:
            steps[frame] = 1 + missing
        return np.cumsum(steps)
