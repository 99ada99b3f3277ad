"""The classical bar: residual optical flow (Farneback 2003), smoothed, with a threshold per clip.

Lag 2 and one frame of temporal smoothing were the best of a prototype on semi-synthetic clips; the threshold
of 16 MAD, its half for the offset and the spatial blur of 8 px were chosen on a phantom's validation split
(F1 0.64 there; 8 MAD without hysteresis and 4 px: 0.26).
The smoothing looks into the future; a causal network that beats it beats a detector with an advantage.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.errors import SettingError
from fascnet.models.preprocessing import CELL_PX, Preprocessor, Tick
from fascnet.types import ClipCalibration, EventDefinition, HeatmapStream, Recording

FlowMap = NDArray[np.float32]

FARNEBACK = (0.5, 3, 15, 3, 5, 1.2)
"""Pyramid scale, levels, window, iterations, poly_n, poly_sigma: OpenCV's customary values, and those of the
published tongue detector but for its window of 20 px."""

MIN_MAD_PX_PER_S = 0.1
"""Floor of a clip's noise level. The flow between two equal pictures reaches 0.3 px/s at the borders, which
must not become events; a twitch of 5 mm/s moves at 30 px/s."""

_CHUNK = 32
"""Heatmaps yielded at once."""


def measure_residual_speed(
    previous: NDArray[np.uint8], current: NDArray[np.uint8], elapsed_s: float, spatial_sigma_px: float
) -> FlowMap:
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
    h, w = current.shape[0] // CELL_PX, current.shape[1] // CELL_PX
    pooled = speed.reshape(h, CELL_PX, w, CELL_PX).mean(axis=(1, 3)) / np.float32(elapsed_s)
    return np.asarray(pooled, dtype=np.float32)


def trace_residual_speed(
    ticks: Iterable[Tick], lags: tuple[int, ...], spatial_sigma_px: float
) -> Iterator[tuple[FlowMap, ...]]:
    """Yield per tick the residual speed over each lag, counted in distinct frames.

    A held frame repeats the maps before it. At the start of a clip the lag is as long as there are frames;
    the first tick is all zero.
    """
    history: deque[tuple[float, NDArray[np.uint8]]] = deque(maxlen=max(lags) + 1)
    maps: tuple[FlowMap, ...] | None = None
    now_s = 0.0
    for tick in ticks:
        if maps is not None and tick.dt_s <= 0:
            yield maps
            continue
        now_s += tick.dt_s
        history.append((now_s, tick.image))
        by_step: dict[int, FlowMap] = {}
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


def smooth_in_time(maps: Iterable[FlowMap], sigma_frames: float) -> Iterator[FlowMap]:
    """Smooth a stream with a Gaussian over past and future maps, repeating the first and last at the ends.

    Equals `scipy.ndimage.gaussian_filter1d(maps, sigma, axis=0, mode="nearest")`, holding 8 sigma + 1 maps.
    """
    radius = int(4 * sigma_frames + 0.5)
    if radius == 0:
        yield from maps
        return
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma_frames) ** 2)
    kernel = (kernel / kernel.sum()).astype(np.float32)
    window: deque[FlowMap] = deque(maxlen=2 * radius + 1)
    n_maps = 0
    for item in maps:
        window.extend([item] * (radius + 1 if n_maps == 0 else 1))
        n_maps += 1
        if len(window) == 2 * radius + 1:
            yield np.tensordot(kernel, np.stack(window), axes=1)
    if n_maps == 0:
        return
    # The first `radius` maps came without output; the last map stands in for the future that is missing.
    missing = min(n_maps, radius)
    last = window[-1]
    for _ in range(radius - missing):
        window.append(last)
    for _ in range(missing):
        window.append(last)
        yield np.tensordot(kernel, np.stack(window), axes=1)


def find_level(patterns: NDArray[np.int64]) -> float:
    """Return the lower median of non-negative float16 values, counted by bit pattern (65536,).

    The patterns of non-negative float16 ascend with the values, so that a median over any number of values
    takes constant memory and is exact.
    """
    total = int(patterns.sum())
    if total == 0:
        return 0.0
    rank = int(np.searchsorted(np.cumsum(patterns), (total + 1) // 2))
    return float(np.array([rank], dtype=np.uint16).view(np.float16)[0])


def count_patterns(values: NDArray[np.float16]) -> NDArray[np.int64]:
    """Count non-negative float16 values by bit pattern: (65536,)."""
    return np.bincount(np.ascontiguousarray(values).view(np.uint16).ravel(), minlength=65536)


class FarnebackPredictor:
    """Residual optical flow behind the Predictor protocol.

    Probability is z / (z + k_mad) with z the robust z score of the smoothed speed over the clip, so that 0.5
    stands at median + k_mad · 1.4826 MAD. Two passes: maps go to a temporary file, so that memory does not
    grow with the clip.

    Args:
        lag: frames between the two pictures compared, from 1.
        sigma_frames: temporal Gaussian in working frames, from 0.
        k_mad: threshold in robust standard deviations above the clip's median, above 0.
        spatial_sigma_px: spatial Gaussian in working pixels, from 0.
        pitch_mm: working pixel spacing, as the network's.
        rate_hz: working rate, as the network's.
        assumed_mm_per_px: spacing assumed for recordings that state none, as the network's.

    Raises:
        SettingError: an argument is outside its range.
    """

    def __init__(
        self,
        lag: int = 2,
        sigma_frames: float = 1.0,
        k_mad: float = 16.0,
        spatial_sigma_px: float = 8.0,
        pitch_mm: float = 0.15,
        rate_hz: float = 30.0,
        assumed_mm_per_px: float = 0.1,
    ) -> None:
        if not 1 <= lag <= 30:
            raise SettingError(f"farneback: lag is {lag}; give 1 to 30 frames")
        if not 0 <= sigma_frames <= 30:
            raise SettingError(f"farneback: sigma_frames is {sigma_frames}; give 0 to 30")
        if not 0 < k_mad <= 1000:
            raise SettingError(f"farneback: k_mad is {k_mad}; give a value above 0, up to 1000")
        if not 0 <= spatial_sigma_px <= 50:
            raise SettingError(f"farneback: spatial_sigma_px is {spatial_sigma_px}; give 0 to 50")
        self.lag = lag
        self.sigma_frames = sigma_frames
        self.k_mad = k_mad
        self.spatial_sigma_px = spatial_sigma_px
        self.preprocessor = Preprocessor(pitch_mm, rate_hz, assumed_mm_per_px)

    @property
    def name(self) -> str:
        """Short name for tables."""
        return "farneback"

    @property
    def event_definition(self) -> EventDefinition:
        """Hysteresis between `k_mad` and half of it; gaps below 0.1 s are bridged."""
        return EventDefinition(onset_threshold=0.5, offset_threshold=1 / 3, min_off_s=0.1)

    @property
    def calibration(self) -> ClipCalibration:
        """Not calibrated: its clip scores rank clips, they are no probabilities."""
        return ClipCalibration()

    def describe(self) -> dict[str, object]:
        """Plain facts for `run.json`."""
        return {
            "name": self.name,
            "lag": self.lag,
            "sigma_frames": self.sigma_frames,
            "k_mad": self.k_mad,
            "spatial_sigma_px": self.spatial_sigma_px,
            "pitch_mm": self.preprocessor.pitch_mm,
            "rate_hz": self.preprocessor.rate_hz,
            "assumed_mm_per_px": self.preprocessor.assumed_mm_per_px,
            "farneback": list(FARNEBACK),
        }

    def stream(self, recording: Recording) -> HeatmapStream:
        """Start on a recording; nothing is decoded before `chunks` is consumed."""
        grid = self.preprocessor.plan(recording.info)
        ticks = self.preprocessor.ticks(recording, grid)
        maps = (found[0] for found in trace_residual_speed(ticks, (self.lag,), self.spatial_sigma_px))
        chunks = self._score(smooth_in_time(maps, self.sigma_frames), grid.cells, grid.covered)
        return HeatmapStream(
            grid.rate_hz,
            grid.box,
            grid.cells,
            grid.mm_per_px,
            grid.assumed_mm_per_px,
            map(grid.silence, chunks),
            grid.covered,
            grid.pixel_aspect,
        )

    def _score(
        self, maps: Iterator[FlowMap], shape: tuple[int, int], covered: NDArray[np.bool_] | None = None
    ) -> Iterator[NDArray[np.float32]]:
        """Spool the maps to disk, find the clip's median and MAD, then yield probabilities."""
        with tempfile.TemporaryFile() as spool:
            patterns = np.zeros(65536, dtype=np.int64)
            for item in maps:
                stored = np.minimum(item, 65504).astype(np.float16)
                # What is blank would pull the median down.
                patterns += count_patterns(stored if covered is None else stored[covered])
                spool.write(stored.tobytes())
            median = np.float32(find_level(patterns))
            # Deviations follow from the counts alone: every stored value is one of 65536.
            values = np.arange(65536, dtype=np.uint16).view(np.float16).astype(np.float32)
            used = np.flatnonzero(patterns)
            deviation = np.zeros(65536, dtype=np.int64)
            np.add.at(
                deviation, np.abs(values[used] - median).astype(np.float16).view(np.uint16), patterns[used]
            )
            scale = np.float32(1.4826 * max(find_level(deviation), MIN_MAD_PX_PER_S))
            spool.seek(0)
            size = 2 * shape[0] * shape[1]
            while block := spool.read(_CHUNK * size):
                found = np.frombuffer(block, dtype=np.float16).reshape(-1, *shape).astype(np.float32)
                z = np.maximum((found - median) / scale, 0)
                yield np.asarray(z / (z + np.float32(self.k_mad)), dtype=np.float32)
