"""Floors without a look at the picture: never a fasciculation, or the same probability for every clip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fascnet.baselines.detector import ClassicalDetector
from fascnet.baselines.robust_score import CHUNK_TICKS
from fascnet.models.preprocessing import WorkingGrid
from fascnet.spacing import ASSUMED_MM_PER_PX
from fascnet.types import EventDefinition, Recording


@dataclass(frozen=True)
class ConstantPredictor(ClassicalDetector[None]):
    """Says one probability everywhere and finds no event.

    With 0 it is the detector that is never wrong about healthy muscle; with the share of positive clips in
    the training split it has the best Brier score that is to be had without looking.

    Args:
        probability: what it says of each clip and cell, 0-0.99.
        pitch_mm: working pixel spacing; None for stored pixels.
        rate_hz: working rate; None for the recording's.
        assumed_mm_per_px: spacing assumed for recordings that state none.

    Raises:
        SettingError: an argument is outside its range.
    """

    NAME = "constant"
    RANGES: ClassVar = {"probability": (0, 0.99)}
    MEASURED_WITH = frozenset({"pitch_mm", "rate_hz", "assumed_mm_per_px"})

    probability: float = 0.0
    pitch_mm: float | None = 0.15
    rate_hz: float | None = 30.0
    assumed_mm_per_px: float = ASSUMED_MM_PER_PX

    @property
    def event_definition(self) -> EventDefinition:
        """Thresholds that no probability here reaches."""
        return EventDefinition(1.0, 1.0)

    def measure(self, recording: Recording, grid: WorkingGrid) -> Iterator[None]:
        """Count the ticks."""
        return (None for _ in self.ticks(recording, grid))

    def judge(self, measurements: Iterable[None], grid: WorkingGrid) -> Iterator[NDArray[np.float32]]:
        """Say the same at every tick."""
        ticks = iter(measurements)
        while count := sum(1 for _ in islice(ticks, CHUNK_TICKS)):
            yield np.full((count, *grid.cells), self.probability, dtype=np.float32)
