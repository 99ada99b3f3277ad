"""A floor that every report should carry: grey-level energy at 2-12 Hz in each pixel, a threshold per clip.

A twitch lasts 0.1-0.6 s, so most of its energy lies there; breathing and slow drift lie below, noise is
spread over all frequencies. No publication states settings for it in fasciculation detection beyond the band;
these are this project's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin

from fascnet.baselines.detector import ClassicalDetector, average_cells
from fascnet.baselines.robust_score import FloatMap, define_hysteresis, score_against_clip
from fascnet.baselines.time_filter import filter_in_time, smooth_in_time
from fascnet.errors import SettingError
from fascnet.models.preprocessing import WorkingGrid
from fascnet.spacing import ASSUMED_MM_PER_PX
from fascnet.types import EventDefinition, Recording

MIN_MAD_GREY = 0.05
"""Floor of a clip's noise level in grey levels."""


@dataclass(frozen=True)
class BandpassPredictor(ClassicalDetector[FloatMap]):
    """Band-passed grey level, root mean square over each cell and a short time, then median + k · MAD.

    The filter is symmetric (no phase), so it looks half of `filter_s` ahead.

    Args:
        low_hz: lower edge of the band, 0.1-20.
        high_hz: upper edge, above `low_hz` and below half of `rate_hz`.
        filter_s: length of the filter, 0.2-5 s.
        sigma_frames: Gaussian in working frames over the energy, 0-30; 0 for none.
        k_mad: threshold in robust standard deviations above the clip's median, above 0.
        offset_share: threshold of an event's end as a share of `k_mad`, above 0 to 1.
        min_on_s: shorter events are dropped, in s.
        min_off_s: shorter gaps are bridged, in s.
        pitch_mm: working pixel spacing; None for stored pixels.
        rate_hz: working rate.
        assumed_mm_per_px: spacing assumed for recordings that state none.

    Raises:
        SettingError: an argument is outside its range.
    """

    NAME = "bandpass"
    RANGES: ClassVar = {
        "low_hz": (0.1, 20),
        "high_hz": (0.2, 49),
        "filter_s": (0.2, 5),
        "sigma_frames": (0, 30),
        "k_mad": (0.01, 1000),
        "offset_share": (0.01, 1),
        "min_on_s": (0, 10),
        "min_off_s": (0, 10),
    }
    MEASURED_WITH = frozenset({"low_hz", "high_hz", "filter_s", "pitch_mm", "rate_hz", "assumed_mm_per_px"})

    low_hz: float = 2.0
    high_hz: float = 12.0
    filter_s: float = 1.0
    sigma_frames: float = 2.0
    k_mad: float = 8.0
    offset_share: float = 1.0
    min_on_s: float = 0.067
    min_off_s: float = 0.1
    pitch_mm: float | None = 0.15
    rate_hz: float = 30.0
    assumed_mm_per_px: float = ASSUMED_MM_PER_PX

    def __post_init__(self) -> None:
        """Check the settings, and the band against the rate."""
        super().__post_init__()
        if not self.low_hz < self.high_hz < self.rate_hz / 2:
            raise SettingError(
                f"bandpass: low_hz is {self.low_hz} and high_hz is {self.high_hz}; give a band that rises "
                f"and ends below {self.rate_hz / 2:g} Hz, half of rate_hz"
            )

    @property
    def event_definition(self) -> EventDefinition:
        """Hysteresis between `k_mad` and a share of it."""
        return define_hysteresis(self.offset_share, self.min_on_s, self.min_off_s)

    def measure(self, recording: Recording, grid: WorkingGrid) -> Iterator[FloatMap]:
        """Yield the energy of the band at each tick and cell, in squared grey levels."""
        images = (tick.image.astype(np.float32) for tick in self.ticks(recording, grid))
        for passed in filter_in_time(images, self._design()):
            yield average_cells(passed**2, grid.cells)

    def judge(self, measurements: Iterable[FloatMap], grid: WorkingGrid) -> Iterator[FloatMap]:
        """Average the energy over time, take its root, then score against the clip."""
        smooth = smooth_in_time(measurements, self.sigma_frames)
        # Rounding can leave a tiny negative energy.
        roots = (np.sqrt(np.maximum(energy, 0)) for energy in smooth)
        return score_against_clip(roots, grid.cells, self.k_mad, MIN_MAD_GREY, grid.covered)

    def _design(self) -> NDArray[np.float32]:
        """Design the filter: windowed sinc (Hamming), its sum made zero: grey itself is no energy."""
        half = max(1, round(self.filter_s * self.rate_hz / 2))
        kernel = firwin(2 * half + 1, [self.low_hz, self.high_hz], fs=self.rate_hz, pass_zero=False)
        kernel = kernel - kernel.mean()
        return np.asarray(kernel, dtype=np.float32)
