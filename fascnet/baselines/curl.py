"""Local rotation of optical flow, as the Tagawa laboratory (TMU) computes it, with a threshold added.

Published and kept: Farneback flow of the stored pixels (scale 0.5, 3 levels, window 15, 20 iterations, poly_n
5, sigma 1.0: their settings for real recordings), its curl by forward differences, averaged over concentric
squares of 5 to 100 px in steps of 5, a moving average over three frames, divided by 8. They start a
variational model with it and publish no decision; added here is the clip's median + k · 1.4826 MAD of its
magnitude. A twitch that moves tissue straight on has curl at its flanks only, on either side and of either
sign.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.baselines.detector import ClassicalDetector, average_cells, measure_frames
from fascnet.baselines.robust_score import FloatMap, define_hysteresis, score_against_clip
from fascnet.baselines.time_filter import filter_in_time
from fascnet.errors import SettingError
from fascnet.models.preprocessing import Tick, WorkingGrid
from fascnet.spacing import ASSUMED_MM_PER_PX
from fascnet.types import EventDefinition, Recording

MIN_MAD = 1e-5
"""Floor of a clip's noise level, in eighths of a radian per frame."""

SQUARE_STEP_PX = 5

SCALE = 8.0
"""The published curl is divided by it."""


@dataclass(frozen=True)
class CurlPredictor(ClassicalDetector[FloatMap]):
    """Curl of Farneback flow over squares of many sizes, then median + k · MAD over the clip.

    Args:
        iterations: Farneback's iterations, 1-50.
        smallest_square_px: smallest square the curl is averaged over, 5-500 px.
        largest_square_px: largest, from `smallest_square_px`, 5-500 px.
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

    NAME = "curl"
    RANGES: ClassVar = {
        "iterations": (1, 50),
        "smallest_square_px": (5, 500),
        "largest_square_px": (5, 500),
        "k_mad": (0.01, 1000),
        "offset_share": (0.01, 1),
        "min_on_s": (0, 10),
        "min_off_s": (0, 10),
    }
    MEASURED_WITH = frozenset(
        {
            "iterations",
            "smallest_square_px",
            "largest_square_px",
            "pitch_mm",
            "rate_hz",
            "assumed_mm_per_px",
        }
    )

    iterations: int = 20
    smallest_square_px: int = 5
    largest_square_px: int = 100
    k_mad: float = 8.0
    offset_share: float = 1.0
    min_on_s: float = 0.067
    min_off_s: float = 0.1
    pitch_mm: float | None = None
    rate_hz: float | None = None
    assumed_mm_per_px: float = ASSUMED_MM_PER_PX

    def __post_init__(self) -> None:
        """Check the settings, and the squares against each other."""
        super().__post_init__()
        if self.largest_square_px < self.smallest_square_px:
            raise SettingError(
                f"curl: largest_square_px is {self.largest_square_px}; give at least smallest_square_px, "
                f"{self.smallest_square_px}"
            )

    @property
    def event_definition(self) -> EventDefinition:
        """Hysteresis between `k_mad` and a share of it."""
        return define_hysteresis(self.offset_share, self.min_on_s, self.min_off_s)

    def measure(self, recording: Recording, grid: WorkingGrid) -> Iterator[FloatMap]:
        """Yield the averaged curl of each cell, with its sign; zero at the first tick."""
        previous: NDArray[np.uint8] | None = None

        def turn(tick: Tick) -> FloatMap:
            nonlocal previous
            then, previous = previous, tick.image
            # Between equal pictures Farneback finds a little flow at the borders, and nothing else.
            if then is None or np.array_equal(then, tick.image):
                return np.zeros(grid.cells, np.float32)
            return average_cells(self._average_squares(self._measure_curl(then, tick.image)), grid.cells)

        return measure_frames(self.ticks(recording, grid), turn)

    def judge(self, measurements: Iterable[FloatMap], grid: WorkingGrid) -> Iterator[FloatMap]:
        """Average over three frames, take the magnitude, then score against the clip."""
        third = np.full(3, 1 / 3, dtype=np.float32)
        scale = np.float32(SCALE)
        maps = (
            np.asarray(np.abs(curl) / scale, dtype=np.float32) for curl in filter_in_time(measurements, third)
        )
        return score_against_clip(maps, grid.cells, self.k_mad, MIN_MAD, grid.covered)

    def _measure_curl(self, then: NDArray[np.uint8], now: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return dv/dx - du/dy by forward differences, per frame; zero where there is no next pixel."""
        flow = np.zeros((*now.shape, 2), dtype=np.float32)
        found = cv2.calcOpticalFlowFarneback(then, now, flow, 0.5, 3, 15, self.iterations, 5, 1.0, 0)
        flow = np.asarray(found, dtype=np.float32)
        curl = np.zeros(now.shape, dtype=np.float32)
        curl[:, :-1] += np.diff(flow[..., 1], axis=1)
        curl[:-1] -= np.diff(flow[..., 0], axis=0)
        return curl

    def _average_squares(self, curl: NDArray[np.float32]) -> NDArray[np.float32]:
        sides = range(self.smallest_square_px, self.largest_square_px + 1, SQUARE_STEP_PX)
        total = np.zeros_like(curl)
        for side in sides:
            total += cv2.boxFilter(curl, -1, (side, side), borderType=cv2.BORDER_REPLICATE)
        return total / np.float32(len(sides))
