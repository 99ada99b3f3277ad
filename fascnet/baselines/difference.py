"""A floor that every report should carry: how much the picture changes, with a threshold per clip.

No motion is estimated, so noise, gain steps and moving specular lines count like twitches. No publication
states settings for it in fasciculation detection; these are this project's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fascnet.baselines.detector import ClassicalDetector, average_cells, measure_frames
from fascnet.baselines.robust_score import FloatMap, define_hysteresis, score_against_clip
from fascnet.baselines.time_filter import smooth_in_time
from fascnet.models.preprocessing import Tick, WorkingGrid
from fascnet.spacing import ASSUMED_MM_PER_PX
from fascnet.types import EventDefinition, Recording

MIN_MAD_GREY = 0.05
"""Floor of a clip's noise level in grey levels: a tenth of the rounding to whole grey levels, roughly."""


@dataclass(frozen=True)
class DifferencePredictor(ClassicalDetector[FloatMap]):
    """Root mean square difference of two frames in each cell, then median + k · MAD over the clip.

    Args:
        lag: frames between the two pictures compared, 1-30.
        sigma_frames: temporal Gaussian in working frames, 0-30; 0 for none.
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

    NAME = "difference"
    RANGES: ClassVar = {
        "lag": (1, 30),
        "sigma_frames": (0, 30),
        "k_mad": (0.01, 1000),
        "offset_share": (0.01, 1),
        "min_on_s": (0, 10),
        "min_off_s": (0, 10),
    }
    MEASURED_WITH = frozenset({"lag", "pitch_mm", "rate_hz", "assumed_mm_per_px"})

    lag: int = 1
    sigma_frames: float = 0.0
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
        """Yield the difference at each tick in grey levels; the first is zero."""
        history: deque[NDArray[np.float32]] = deque(maxlen=self.lag + 1)

        def compare(tick: Tick) -> FloatMap:
            history.append(tick.image.astype(np.float32))
            return np.sqrt(average_cells((history[-1] - history[0]) ** 2, grid.cells))

        return measure_frames(self.ticks(recording, grid), compare)

    def judge(self, measurements: Iterable[FloatMap], grid: WorkingGrid) -> Iterator[FloatMap]:
        """Smooth in time, then score against the clip."""
        smooth = smooth_in_time(measurements, self.sigma_frames)
        return score_against_clip(smooth, grid.cells, self.k_mad, MIN_MAD_GREY, grid.covered)
