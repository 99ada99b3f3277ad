"""What the classical detectors share: the Predictor protocol in two steps, measuring and judging.

Measuring is slow and sees pictures; judging is fast and sees measurements. Apart from each other, a threshold
can be tuned without measuring again.
"""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Generic, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.errors import RecordingError, SettingError
from fascnet.models.preprocessing import MIN_GRID_PX, Preprocessor, Tick, WorkingGrid, cover_cells
from fascnet.types import ClipCalibration, EventDefinition, HeatmapStream, Recording, RecordingInfo

Measured = TypeVar("Measured")

Range = tuple[float, float]
"""Smallest and largest value allowed, both included."""


class ClassicalDetector(ABC, Generic[Measured]):
    """A detector behind the Predictor protocol; a subclass is a frozen dataclass whose fields are settings.

    Every subclass has the three settings below among its fields.

    Attributes:
        NAME: short name for tables and messages.
        RANGES: smallest and largest value of each setting that is a number.
        MEASURED_WITH: settings that `measure` depends on; the others matter to `judge` alone.
        pitch_mm: working pixel spacing, as the network's; None keeps the stored pixels, as published tools do
            whose settings are in pixels.
        rate_hz: working rate, as the network's; None takes the recording's mean
            rate, which is every frame where they are evenly spaced.
        assumed_mm_per_px: spacing assumed for recordings that state none; only with a `pitch_mm`.
    """

    NAME: ClassVar[str]
    RANGES: ClassVar[Mapping[str, Range]]
    MEASURED_WITH: ClassVar[frozenset[str]]

    pitch_mm: float | None
    rate_hz: float | None
    assumed_mm_per_px: float

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            SettingError: one is outside its range.
        """
        for key, (low, high) in self.RANGES.items():
            value = getattr(self, key)
            if not (math.isfinite(value) and low <= value <= high):
                raise SettingError(f"{self.NAME}: {key} is {value}; give {low:g} to {high:g}")
        self._preprocessor()

    @property
    def name(self) -> str:
        """Short name for tables."""
        return self.NAME

    @property
    @abstractmethod
    def event_definition(self) -> EventDefinition:
        """How its heatmaps become events."""

    @property
    def calibration(self) -> ClipCalibration:
        """Not calibrated: its clip scores rank clips, they are no probabilities."""
        return ClipCalibration()

    @property
    def clip_threshold(self) -> float | None:
        """No operating point was chosen."""
        return None

    @abstractmethod
    def measure(self, recording: Recording, grid: WorkingGrid) -> Iterator[Measured]:
        """Yield one measurement a tick, decoding lazily, at constant memory."""

    @abstractmethod
    def judge(self, measurements: Iterable[Measured], grid: WorkingGrid) -> Iterator[NDArray[np.float32]]:
        """Turn measurements into probabilities (t, h, w), one map a tick, at constant memory."""

    def describe(self) -> dict[str, object]:
        """Plain facts for `run.json`: every setting."""
        return {"name": self.NAME, **self.settings()}

    def settings(self) -> dict[str, Any]:
        """Return the settings by name."""
        fields = dataclasses.fields(self)  # type: ignore[arg-type]  # every subclass is a dataclass
        return {field.name: getattr(self, field.name) for field in fields}

    def shape(self, grid: WorkingGrid) -> tuple[int, int]:
        """Return the shape (h, w) of a heatmap."""
        return grid.cells

    def stream(self, recording: Recording) -> HeatmapStream:
        """Start on a recording; nothing is decoded before `chunks` is consumed."""
        grid = self.plan(recording.info)
        return HeatmapStream(
            grid.rate_hz,
            grid.box,
            self.shape(grid),
            grid.mm_per_px,
            grid.assumed_mm_per_px,
            self.score(self.measure(recording, grid), grid),
            grid.covered,
            grid.pixel_aspect,
        )

    def score(self, measurements: Iterable[Measured], grid: WorkingGrid) -> Iterator[NDArray[np.float32]]:
        """Judge measurements, and silence what lies outside the outline of the imaging area."""
        return map(grid.silence, self.judge(measurements, grid))

    def plan(self, info: RecordingInfo) -> WorkingGrid:
        """Lay the working grid over a recording's imaging area, or keep its pixels and frames.

        `covered` is for the detector's own heatmaps, of the shape that `shape` says.

        Raises:
            RecordingError: the imaging area is too small, or too large to be muscle ultrasound.
        """
        x0, y0, x1, y1 = info.box
        if self.pitch_mm is not None:
            grid = self._preprocessor().plan(info)
        elif min(y1 - y0, x1 - x0) < MIN_GRID_PX:
            raise RecordingError(
                f"the imaging area of {x1 - x0}x{y1 - y0} px has no room for a muscle; "
                f"{self.NAME} needs {MIN_GRID_PX} px along each axis"
            )
        else:
            if info.mm_per_px is not None:
                # Only for what it refuses: an area that is no muscle image at this spacing.
                self._preprocessor().plan(info)
            grid = WorkingGrid(
                y1 - y0, x1 - x0, info.fps, info.box, info.mm_per_px, None, pixel_aspect=info.pixel_aspect
            )
        covered = None
        if info.outline is not None:
            covered = cover_cells(info.outline, info.box, (grid.height, grid.width), self.shape(grid))
        rate_hz = info.fps if self.rate_hz is None else self.rate_hz
        return dataclasses.replace(grid, rate_hz=rate_hz, covered=covered)

    def ticks(self, recording: Recording, grid: WorkingGrid) -> Iterator[Tick]:
        """Yield the working clip tick by tick, decoding lazily and holding one frame."""
        return self._preprocessor().ticks(recording, grid)

    def _preprocessor(self) -> Preprocessor:
        """Build the resampling; a spacing or rate that is None is the grid's business."""
        pitch_mm = 0.15 if self.pitch_mm is None else self.pitch_mm
        rate_hz = 30.0 if self.rate_hz is None else self.rate_hz
        return Preprocessor(pitch_mm, rate_hz, self.assumed_mm_per_px)


def measure_frames(ticks: Iterable[Tick], measure: Callable[[Tick], Measured]) -> Iterator[Measured]:
    """Measure every new frame once; a tick that holds the frame before it repeats the measurement."""
    newest: list[Measured] = []
    for tick in ticks:
        if not newest or tick.dt_s > 0:
            newest = [measure(tick)]
        yield newest[0]


def average_cells(picture: NDArray[np.float32], cells: tuple[int, int]) -> NDArray[np.float32]:
    """Average a picture (H, W) or (H, W, n) over an even division into cells (h, w)."""
    pooled = cv2.resize(picture, (cells[1], cells[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(pooled, dtype=np.float32)
