"""A probe that is pressed harder: deep tissue comes nearer, and a vein collapses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.body.anatomy import Vessel
from fascnet.phantom.movement.geometry import Positions, combine_modes, ease, rotate_back, rotate_into

PROBE_PRESSURE = "probe_pressure"


@dataclass(frozen=True)
class ProbePressure:
    """Pressure on the probe that comes, stays a while and goes. Sizes and times are model choices.

    Attributes:
        size_mm: how much nearer tissue at `depth_mm` comes.
        depth_mm: depth of the picture.
        start_s: start.
        press_s: time of pressing.
        hold_s: time in between.
        release_s: time of letting go.
        slice_rad: out-of-plane angle reached.
        vein: a vein that collapses, or None.
        collapse: how much of the vein's height is lost, 0-0.8.
    """

    size_mm: float
    depth_mm: float
    start_s: float
    press_s: float
    hold_s: float
    release_s: float
    slice_rad: float
    vein: Vessel | None = None
    collapse: float = 0.0
    label: str = PROBE_PRESSURE
    is_local: bool = False

    @property
    def active_s(self) -> tuple[float, float]:
        """Pressing, holding, letting go."""
        return (self.start_s, self.start_s + self.press_s + self.hold_s + self.release_s)

    def modes(self, positions_mm: Positions) -> NDArray[np.float32]:
        """Compression, and the vein's collapse (1, N, 2) in mm."""
        shift = np.zeros_like(positions_mm)
        shift[:, 1] = np.float32(-self.size_mm / self.depth_mm) * np.maximum(positions_mm[:, 1], 0)
        vein = self.vein
        if vein is not None:
            u, v = rotate_into(positions_mm, vein.centre_mm, vein.axis_rad)
            long_mm = vein.half_length_mm if vein.half_length_mm is not None else 2 * vein.radius_mm
            # Walls close in on the vein's axis; a few radii away nothing of it is left.
            near = np.exp(
                -np.square(v / np.float32(1.5 * vein.radius_mm)) - np.square(u / np.float32(long_mm))
            )
            shift += rotate_back(np.zeros_like(u), np.float32(-self.collapse) * v * near, vein.axis_rad)
        return shift.astype(np.float32)[None]

    def courses(self, t_s: float) -> NDArray[np.float64]:
        """Share (1,) of the full pressure."""
        let_go_s = self.start_s + self.press_s + self.hold_s
        level = ease((t_s - self.start_s) / self.press_s) - ease((t_s - let_go_s) / self.release_s)
        return np.array([level])

    def slice_angle(self, t_s: float) -> float:
        """Goes with the pressure."""
        return self.slice_rad * float(self.courses(t_s)[0])

    def displacement(self, positions_mm: Positions, t_s: float) -> NDArray[np.float32]:
        """Displacement (N, 2) in mm."""
        return combine_modes(self.modes(positions_mm), self.courses(t_s))
