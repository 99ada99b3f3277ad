"""KLT features whose movement agrees with their neighbours': the idea behind Harding 2016, not their method.

Harding et al. (IEEE TBME 63:512, 2016) track KLT features (Shi and Tomasi 1994) and decide by the mutual
information between a feature's movement, time and its neighbours. Their window sizes and thresholds are not
public, so this detector must not be reported as theirs. It keeps the idea that noise moves features
independently while a twitch moves neighbours together: the statistic is the length of the neighbourhood's
mean velocity times its coherence, the ratio of that length to the mean speed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.baselines.detector import ClassicalDetector, measure_frames
from fascnet.baselines.robust_score import FloatMap, define_hysteresis, score_against_clip
from fascnet.baselines.time_filter import smooth_in_time
from fascnet.models.preprocessing import Tick, WorkingGrid
from fascnet.spacing import ASSUMED_MM_PER_PX
from fascnet.types import EventDefinition, Recording

MIN_MAD_PX_PER_S = 0.1
"""Floor of a clip's noise level, as Farneback's."""

PRIOR_FEATURES = 0.02
"""Still features assumed in each cell beside those found: a lone feature at the edge is not believed. A grid
of 64x64 cells with 400 features has 0.1 in each."""

_QUALITY = 0.01
"""Weakest corner used, as a share of the strongest: OpenCV's customary value."""


@dataclass(frozen=True)
class KltPredictor(ClassicalDetector[FloatMap]):
    """Coherent speed of tracked features, then median + k · MAD over the clip.

    Args:
        features: most features tracked in each frame, 20-5000.
        spacing_px: smallest distance between two of them in working pixels, 1-50.
        window_px: side of the Lucas-Kanade window in working pixels, 5-101.
        lag: frames between the two pictures compared, 1-30.
        neighbourhood_px: Gaussian over neighbours in working pixels, 1-100.
        sigma_frames: temporal Gaussian over velocities in working frames, 0-30; 0 for none.
        k_mad: threshold in robust standard deviations above the clip's median, above 0.
        offset_share: threshold of an event's end as a share of `k_mad`, above 0 to 1.
        min_on_s: shorter events are dropped, in s.
        min_off_s: shorter gaps are bridged, in s.
        pitch_mm: working pixel spacing; None for stored pixels.
        rate_hz: working rate; None for the recording's.
        assumed_mm_per_px: spacing assumed for recordings that state none.

    Raises:
        SettingError: an argument is outside its range.
    """

    NAME = "klt"
    RANGES: ClassVar = {
        "features": (20, 5000),
        "spacing_px": (1, 50),
        "window_px": (5, 101),
        "lag": (1, 30),
        "neighbourhood_px": (1, 100),
        "sigma_frames": (0, 30),
        "k_mad": (0.01, 1000),
        "offset_share": (0.01, 1),
        "min_on_s": (0, 10),
        "min_off_s": (0, 10),
    }
    MEASURED_WITH = frozenset(
        {"features", "spacing_px", "window_px", "lag", "pitch_mm", "rate_hz", "assumed_mm_per_px"}
    )

    features: int = 400
    spacing_px: int = 4
    window_px: int = 15
    lag: int = 1
    neighbourhood_px: float = 12.0
    sigma_frames: float = 1.0
    k_mad: float = 8.0
    offset_share: float = 1.0
    min_on_s: float = 0.067
    min_off_s: float = 0.1
    pitch_mm: float | None = 0.15
    rate_hz: float | None = 30.0
    assumed_mm_per_px: float = ASSUMED_MM_PER_PX

    @property
    def event_definition(self) -> EventDefinition:
        """Hysteresis between `k_mad` and a share of it."""
        return define_hysteresis(self.offset_share, self.min_on_s, self.min_off_s)

    def measure(self, recording: Recording, grid: WorkingGrid) -> Iterator[FloatMap]:
        """Yield each tick's features by cell, (h, w, 4): sums of vx, vy, speed (px/s), and their number."""
        history: deque[tuple[float, NDArray[np.uint8]]] = deque(maxlen=self.lag + 1)
        now_s = 0.0

        def track(tick: Tick) -> FloatMap:
            nonlocal now_s
            now_s += tick.dt_s
            history.append((now_s, tick.image))
            then_s, then = history[0]
            if len(history) == 1:
                return np.zeros((*grid.cells, 4), np.float32)
            points, moved = self._track(then, tick.image)
            return _collect(points, moved / np.float32(now_s - then_s), tick.image.shape, grid.cells)

        return measure_frames(self.ticks(recording, grid), track)

    def judge(self, measurements: Iterable[FloatMap], grid: WorkingGrid) -> Iterator[FloatMap]:
        """Average over neighbours and time, weigh by coherence, then score against the clip."""
        sigma_cells = self.neighbourhood_px * grid.cells[1] / grid.width

        def weigh(sums: FloatMap) -> FloatMap:
            near = cv2.GaussianBlur(sums, (0, 0), sigma_cells, borderType=cv2.BORDER_CONSTANT)
            together = cv2.magnitude(near[..., 0], near[..., 1])
            coherence = together / np.maximum(near[..., 2], np.float32(1e-6))
            return np.asarray(coherence * together / (near[..., 3] + PRIOR_FEATURES), dtype=np.float32)

        maps = map(weigh, smooth_in_time(measurements, self.sigma_frames))
        return score_against_clip(maps, grid.cells, self.k_mad, MIN_MAD_PX_PER_S, grid.covered)

    def _track(
        self, then: NDArray[np.uint8], now: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Find features in a frame and follow them into another: (n, 2) places and displacements, px."""
        found = cv2.goodFeaturesToTrack(then, self.features, _QUALITY, self.spacing_px)
        if found is None or len(found) == 0:
            return np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32)
        start = np.asarray(found, dtype=np.float32).reshape(-1, 1, 2)
        end, kept, _ = cv2.calcOpticalFlowPyrLK(
            then, now, start, start.copy(), winSize=(self.window_px, self.window_px), maxLevel=3
        )
        good = np.asarray(kept).reshape(-1) > 0
        points = start.reshape(-1, 2)[good]
        moved = np.asarray(end, dtype=np.float32).reshape(-1, 2)[good] - points
        if len(moved):
            # The probe's movement is what most features do.
            moved = moved - np.median(moved, axis=0)
        return points, moved


def _collect(
    points: NDArray[np.float32],
    velocity: NDArray[np.float32],
    picture: tuple[int, ...],
    cells: tuple[int, int],
) -> FloatMap:
    """Sum the features of each cell: (h, w, 4) of vx, vy, speed and number."""
    sums = np.zeros((*cells, 4), np.float32)
    rows = np.clip(((points[:, 1] + 0.5) * cells[0] / picture[0]).astype(np.intp), 0, cells[0] - 1)
    columns = np.clip(((points[:, 0] + 0.5) * cells[1] / picture[1]).astype(np.intp), 0, cells[1] - 1)
    speed = np.hypot(velocity[:, 0], velocity[:, 1])
    facts = np.stack([velocity[:, 0], velocity[:, 1], speed, np.ones_like(speed)], axis=1)
    np.add.at(sums, (rows, columns), facts)
    return sums
