"""The scan plane wanders: speckle changes without moving."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.movement.geometry import Positions, ease

OUT_OF_PLANE = "out_of_plane"


@dataclass(frozen=True)
class OutOfPlane:
    """A hand that tilts the probe across the plane, slowly or in steps (model choice).

    Attributes:
        waves: (rad, Hz) of slow swings that start at rest.
        steps: (start in s, length in s, rad) of changes that stay.
        duration_s: length of the clip.
    """

    waves: tuple[tuple[float, float], ...]
    steps: tuple[tuple[float, float, float], ...]
    duration_s: float
    label: str = OUT_OF_PLANE
    is_local: bool = False

    @property
    def active_s(self) -> tuple[float, float]:
        """The whole clip; without slow swings, from the first step to the end of the last."""
        if self.waves or not self.steps:
            return (0.0, self.duration_s)
        return (min(step[0] for step in self.steps), max(step[0] + step[1] for step in self.steps))

    def modes(self, positions_mm: Positions) -> NDArray[np.float32]:
        """Nothing moves in the plane: zeros (1, N, 2)."""
        return np.zeros((1, *positions_mm.shape), dtype=np.float32)

    def courses(self, t_s: float) -> NDArray[np.float64]:  # noqa: ARG002 - part of the protocol
        """Zero (1,)."""
        return np.zeros(1)

    def slice_angle(self, t_s: float) -> float:
        """Swings and steps together."""
        swing = sum(size * math.sin(2 * math.pi * rate_hz * t_s) for size, rate_hz in self.waves)
        return swing + sum(size * ease((t_s - start_s) / length_s) for start_s, length_s, size in self.steps)

    def displacement(self, positions_mm: Positions, t_s: float) -> NDArray[np.float32]:  # noqa: ARG002
        """Zeros (N, 2)."""
        return np.zeros_like(positions_mm)
