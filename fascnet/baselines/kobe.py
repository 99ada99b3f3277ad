"""Kobe's sparse pyramidal Lucas-Kanade tracking (Sugisawa et al., Muscle & Nerve 2026), and a threshold.

The published tool measures fasciculations that somebody has found; it does not detect. Published and kept:
window of 50 px, pyramid as deep as the picture allows (they ask for 30 levels), at most 30 iterations or
0.01 px, a grid of 4 px in the stored pixels without any filter, windows of 2 s that start every 0.5 s, points
that are lost stay where they were last. Added here: the displacements of the windows that see a moment are
averaged into one curve for each point, and its threshold is the clip's median + k · 1.4826 MAD. Left out:
the second, dense tracking and its kinematics, which need a known place.

The cost is that of the points: 4 px in a 512x512 picture means 16,384 of them, each followed by four windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.baselines.detector import ClassicalDetector
from fascnet.baselines.robust_score import FloatMap, define_hysteresis, score_against_clip
from fascnet.models.preprocessing import WorkingGrid
from fascnet.spacing import ASSUMED_MM_PER_PX
from fascnet.types import EventDefinition, Recording

MIN_MAD_PX = 0.02
"""Floor of a clip's noise level: twice the tracker's own stopping criterion."""

MAX_LEVEL = 30
"""Pyramid levels asked for; OpenCV stops where a level would be smaller than the window."""

_STOP = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 30, 0.01)


@dataclass(slots=True, eq=False)
class _TrackingWindow:
    """Points followed from one tick on, (n, 2), and where they started."""

    first_tick: int
    points: NDArray[np.float32]


@dataclass(frozen=True)
class KobePredictor(ClassicalDetector[FloatMap]):
    """Displacement of a grid of tracked points, then median + k · MAD over the clip; one cell a point.

    Args:
        grid_px: distance of the points, 2-64 px.
        window_px: side of the Lucas-Kanade window, 5-101 px.
        window_s: how long points are followed, 0.2-10 s.
        hop_s: after how long the next points start, 0.1-10 s, at most `window_s`.
        subtract_median: take out what all points of a window do together (the probe); not in the original.
        k_mad: threshold in robust standard deviations above the clip's median, above 0; not in the original.
        offset_share: threshold of an event's end as a share of `k_mad`, above 0 to 1.
        min_on_s: shorter events are dropped, in s.
        min_off_s: shorter gaps are bridged, in s.
        pitch_mm: working pixel spacing; None for stored pixels, as in the original.
        rate_hz: working rate; None for the recording's, as in the original.
        assumed_mm_per_px: spacing assumed for recordings that state none.

    Raises:
        SettingError: an argument is outside its range.
    """

    NAME = "kobe"
    RANGES: ClassVar = {
        "grid_px": (2, 64),
        "window_px": (5, 101),
        "window_s": (0.2, 10),
        "hop_s": (0.1, 10),
        "k_mad": (0.01, 1000),
        "offset_share": (0.01, 1),
        "min_on_s": (0, 10),
        "min_off_s": (0, 10),
    }
    MEASURED_WITH = frozenset(
        {
            "grid_px",
            "window_px",
            "window_s",
            "hop_s",
            "pitch_mm",
            "rate_hz",
            "assumed_mm_per_px",
        }
    )

    grid_px: int = 4
    window_px: int = 50
    window_s: float = 2.0
    hop_s: float = 0.5
    subtract_median: bool = False
    k_mad: float = 8.0
    offset_share: float = 1.0
    min_on_s: float = 0.067
    min_off_s: float = 0.1
    pitch_mm: float | None = None
    rate_hz: float | None = None
    assumed_mm_per_px: float = ASSUMED_MM_PER_PX

    @property
    def event_definition(self) -> EventDefinition:
        """Hysteresis between `k_mad` and a share of it."""
        return define_hysteresis(self.offset_share, self.min_on_s, self.min_off_s)

    def shape(self, grid: WorkingGrid) -> tuple[int, int]:
        """Return the number of points along each axis."""
        return max(1, round(grid.height / self.grid_px)), max(1, round(grid.width / self.grid_px))

    def measure(self, recording: Recording, grid: WorkingGrid) -> Iterator[FloatMap]:
        """Yield the mean displacement of each point over the windows that see it, in px, (2, h, w).

        First as it is, then without what all points of a window do together.
        """
        shape = self.shape(grid)
        start = _place_points(grid, shape)
        length = max(1, round(self.window_s * grid.rate_hz))
        hop = min(length, max(1, round(self.hop_s * grid.rate_hz)))
        windows: list[_TrackingWindow] = []
        previous: NDArray[np.uint8] | None = None
        found = np.zeros((2, *shape), np.float32)
        for index, tick in enumerate(self.ticks(recording, grid)):
            windows = [window for window in windows if index - window.first_tick < length]
            if previous is not None and tick.dt_s > 0 and windows:
                self._advance(windows, previous, tick.image)
                found = _average(windows, start).reshape(2, *shape)
            if index % hop == 0:
                windows.append(_TrackingWindow(index, start.copy()))
            previous = tick.image
            yield found

    def judge(self, measurements: Iterable[FloatMap], grid: WorkingGrid) -> Iterator[FloatMap]:
        """Choose one of the two, then score against the clip."""
        maps = (displacements[int(self.subtract_median)] for displacements in measurements)
        return score_against_clip(maps, self.shape(grid), self.k_mad, MIN_MAD_PX, grid.covered)

    def _advance(
        self, windows: list[_TrackingWindow], before: NDArray[np.uint8], now: NDArray[np.uint8]
    ) -> None:
        """Follow all windows' points by one frame, in one call that shares the pyramids."""
        points = np.concatenate([window.points for window in windows])
        moved, kept, _ = cv2.calcOpticalFlowPyrLK(
            before,
            now,
            points.reshape(-1, 1, 2),
            points.reshape(-1, 1, 2).copy(),
            winSize=(self.window_px, self.window_px),
            maxLevel=MAX_LEVEL,
            criteria=_STOP,
        )
        new = np.asarray(moved, dtype=np.float32).reshape(-1, 2)
        good = (np.asarray(kept).reshape(-1) > 0) & np.isfinite(new).all(axis=1)
        points = np.where(good[:, None], new, points)
        for window, own in zip(windows, np.split(points, len(windows)), strict=True):
            window.points = own


def _average(windows: list[_TrackingWindow], start: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average the displacements of windows, (2, n): as they are, and each window's against its median."""
    total = np.zeros((2, len(start)), np.float32)
    for window in windows:
        away = window.points - start
        total[0] += np.hypot(away[:, 0], away[:, 1])
        away = away - np.median(away, axis=0)
        total[1] += np.hypot(away[:, 0], away[:, 1])
    return total / np.float32(len(windows))


def _place_points(grid: WorkingGrid, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return the centres of an even division of the picture, (h · w, 2) of x, y."""
    rows = (np.arange(shape[0]) + 0.5) * grid.height / shape[0] - 0.5
    columns = (np.arange(shape[1]) + 0.5) * grid.width / shape[1] - 0.5
    x, y = np.meshgrid(columns, rows)
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)
