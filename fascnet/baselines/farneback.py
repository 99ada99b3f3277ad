"""The classical bar: residual optical flow (Farneback 2003), smoothed, with a threshold per clip.

Lag 2 and one frame of temporal smoothing were the best of a prototype on semi-synthetic clips; the threshold
of 16 MAD, its half for the offset and the spatial blur of 8 px were chosen on a phantom's validation split
(F1 0.64 there; 8 MAD without hysteresis and 4 px: 0.26).
The smoothing looks into the future; a causal network that beats it beats a detector with an advantage.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.baselines.detector import ClassicalDetector, average_cells
from fascnet.baselines.robust_score import FloatMap, define_hysteresis, score_against_clip
from fascnet.baselines.time_filter import smooth_in_time
from fascnet.models.preprocessing import CELL_PX, Tick, WorkingGrid
from fascnet.spacing import ASSUMED_MM_PER_PX
from fascnet.types import EventDefinition, Recording

FARNEBACK = (0.5, 3, 15, 3, 5, 1.2)
"""Pyramid scale, levels, window, iterations, poly_n, poly_sigma: OpenCV's customary values, and those of the
published tongue detector but for its window of 20 px."""

MIN_MAD_PX_PER_S = 0.1
"""Floor of a clip's noise level. The flow between two equal pictures reaches 0.3 px/s at the borders, which
must not become events; a twitch of 5 mm/s moves at 30 px/s."""


def measure_residual_speed(
    previous: NDArray[np.uint8], current: NDArray[np.uint8], elapsed_s: float, spatial_sigma_px: float
) -> FloatMap:
    """Measure how fast tissue moves against the whole picture.

    Args:
        previous: working image uint8 (height, width).
        current: a later one.
        elapsed_s: seconds between them, above 0.
        spatial_sigma_px: Gaussian blur of the speed in working pixels; 0 for none.

    Returns:
        Speed of flow minus median flow, averaged over heatmap cells: float32 (height / 4, width / 4), working
        px/s.
    """
    flow = np.empty((*current.shape, 2), dtype=np.float32)
    found = cv2.calcOpticalFlowFarneback(previous, current, flow, *FARNEBACK, 0)
    flow = np.asarray(found, dtype=np.float32)
    flow -= np.median(flow.reshape(-1, 2), axis=0)
    speed = cv2.magnitude(flow[..., 0], flow[..., 1])
    if spatial_sigma_px > 0:
        speed = cv2.GaussianBlur(speed, (0, 0), spatial_sigma_px)
    cells = (current.shape[0] // CELL_PX, current.shape[1] // CELL_PX)
    return average_cells(np.asarray(speed, dtype=np.float32), cells) / np.float32(elapsed_s)


def trace_residual_speed(
    ticks: Iterable[Tick], lags: tuple[int, ...], spatial_sigma_px: float
) -> Iterator[tuple[FloatMap, ...]]:
    """Yield per tick the residual speed over each lag, counted in distinct frames.

    A held frame repeats the maps before it. At the start of a clip the lag is as long as there are frames;
    the first tick is all zero.
    """
    history: deque[tuple[float, NDArray[np.uint8]]] = deque(maxlen=max(lags) + 1)
    maps: tuple[FloatMap, ...] | None = None
    now_s = 0.0
    for tick in ticks:
        if maps is not None and tick.dt_s <= 0:
            yield maps
            continue
        now_s += tick.dt_s
        history.append((now_s, tick.image))
        by_step: dict[int, FloatMap] = {}
        for step in {min(lag, len(history) - 1) for lag in lags}:
            if step == 0:
                by_step[0] = np.zeros(
                    (tick.image.shape[0] // CELL_PX, tick.image.shape[1] // CELL_PX), np.float32
                )
            else:
                then_s, then = history[-1 - step]
                by_step[step] = measure_residual_speed(then, tick.image, now_s - then_s, spatial_sigma_px)
        maps = tuple(by_step[min(lag, len(history) - 1)] for lag in lags)
        yield maps


@dataclass(frozen=True)
class FarnebackPredictor(ClassicalDetector[FloatMap]):
    """Residual optical flow behind the Predictor protocol.

    Probability is z / (z + k_mad) with z the robust z score of the smoothed speed over the clip.

    Args:
        lag: frames between the two pictures compared, 1-30.
        sigma_frames: temporal Gaussian in working frames, 0-30; 0 for none.
        k_mad: threshold in robust standard deviations above the clip's median, above 0.
        spatial_sigma_px: spatial Gaussian in working pixels, 0-50.
        offset_share: threshold of an event's end as a share of `k_mad`, above 0 to 1.
        min_on_s: shorter events are dropped, in s.
        min_off_s: shorter gaps are bridged, in s.
        pitch_mm: working pixel spacing, as the network's; None for stored pixels.
        rate_hz: working rate, as the network's; None for the recording's.
        assumed_mm_per_px: spacing assumed for recordings that state none, as the network's.

    Raises:
        SettingError: an argument is outside its range.
    """

    NAME = "farneback"
    RANGES: ClassVar = {
        "lag": (1, 30),
        "sigma_frames": (0, 30),
        "k_mad": (0.01, 1000),
        "spatial_sigma_px": (0, 50),
        "offset_share": (0.01, 1),
        "min_on_s": (0, 10),
        "min_off_s": (0, 10),
    }
    MEASURED_WITH = frozenset({"lag", "spatial_sigma_px", "pitch_mm", "rate_hz", "assumed_mm_per_px"})

    lag: int = 2
    sigma_frames: float = 1.0
    k_mad: float = 16.0
    spatial_sigma_px: float = 8.0
    offset_share: float = 0.5
    min_on_s: float = 0.067
    min_off_s: float = 0.1
    pitch_mm: float | None = 0.15
    rate_hz: float | None = 30.0
    assumed_mm_per_px: float = ASSUMED_MM_PER_PX

    @property
    def event_definition(self) -> EventDefinition:
        """Hysteresis between `k_mad` and a share of it."""
        return define_hysteresis(self.offset_share, self.min_on_s, self.min_off_s)

    def describe(self) -> dict[str, object]:
        """Plain facts for `run.json`."""
        return {**super().describe(), "farneback": list(FARNEBACK)}

    def measure(self, recording: Recording, grid: WorkingGrid) -> Iterator[FloatMap]:
        """Yield the residual speed of each tick, working px/s."""
        ticks = self.ticks(recording, grid)
        return (maps[0] for maps in trace_residual_speed(ticks, (self.lag,), self.spatial_sigma_px))

    def judge(self, measurements: Iterable[FloatMap], grid: WorkingGrid) -> Iterator[FloatMap]:
        """Smooth in time, then score against the clip."""
        smooth = smooth_in_time(measurements, self.sigma_frames)
        return score_against_clip(smooth, grid.cells, self.k_mad, MIN_MAD_PX_PER_S, grid.covered)
