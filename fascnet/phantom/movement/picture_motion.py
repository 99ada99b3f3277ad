"""Movements of the whole picture: the probe's, and breathing. Same form as `Twitch`: modes times courses."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.movement.geometry import Positions, combine_modes, ease, make_shifts

PROBE_MOTION = "probe_motion"
BREATHING = "breathing"


@dataclass(frozen=True)
class ProbeDrift:
    """A hand that slowly slides and tilts the probe: the picture moves as one (Vlazak 2014).

    Attributes:
        size_mm: (x, z) size of the drift.
        frequencies_hz: slow frequencies of the two directions.
        slice_rad: out-of-plane angle reached; speckle then correlates with the start as its cosine.
        duration_s: length of the clip.
    """

    size_mm: tuple[float, float]
    frequencies_hz: tuple[float, float]
    slice_rad: float
    duration_s: float
    label: str = PROBE_MOTION
    is_local: bool = False

    @property
    def active_s(self) -> tuple[float, float]:
        """The whole clip."""
        return (0.0, self.duration_s)

    def modes(self, positions_mm: Positions) -> NDArray[np.float32]:
        """Two uniform shifts (2, N, 2)."""
        return make_shifts(positions_mm, ((self.size_mm[0], 0.0), (0.0, self.size_mm[1])))

    def courses(self, t_s: float) -> NDArray[np.float64]:
        """Sines that start at rest position."""
        return np.sin(2 * np.pi * np.array(self.frequencies_hz) * t_s)

    def slice_angle(self, t_s: float) -> float:
        """Grows with the drift along x."""
        return self.slice_rad * float(np.sin(2 * np.pi * self.frequencies_hz[0] * t_s))

    def displacement(self, positions_mm: Positions, t_s: float) -> NDArray[np.float32]:
        """Displacement (N, 2) in mm."""
        return combine_modes(self.modes(positions_mm), self.courses(t_s))


@dataclass(frozen=True)
class ProbeJolt:
    """A knock on the probe: the whole picture jumps within a few frames, comes back in part, speckle changes.

    Attributes:
        shift_mm: (x, z) of the jump.
        start_s: its start.
        rise_s: time of the jump.
        return_s: time of the way back.
        kept: share of the jump that stays, 0-1.
        slice_rad: out-of-plane angle of the jump.
        turn_rad: rotation of the picture in its plane; rare (Vlazak 2014).
        pivot_mm: (x, z) of the place that the rotation leaves where it is.
    """

    shift_mm: tuple[float, float]
    start_s: float
    rise_s: float
    return_s: float
    kept: float
    slice_rad: float
    turn_rad: float = 0.0
    pivot_mm: tuple[float, float] = (0.0, 0.0)
    label: str = PROBE_MOTION
    is_local: bool = False

    @property
    def active_s(self) -> tuple[float, float]:
        """From the jump until the probe rests again; what is kept stays afterwards."""
        return (self.start_s, self.start_s + self.rise_s + self.return_s)

    def modes(self, positions_mm: Positions) -> NDArray[np.float32]:
        """A uniform shift and a rotation in one (1, N, 2), in mm."""
        shift = make_shifts(positions_mm, (self.shift_mm,))
        if self.turn_rad != 0.0:
            c, s = math.cos(self.turn_rad) - 1, math.sin(self.turn_rad)
            arm = positions_mm - np.array(self.pivot_mm, dtype=np.float32)
            turn = np.stack([c * arm[:, 0] - s * arm[:, 1], s * arm[:, 0] + c * arm[:, 1]], axis=-1)
            shift[0] += turn.astype(np.float32)
        return shift

    def courses(self, t_s: float) -> NDArray[np.float64]:
        """Share of the jump."""
        back = ease((t_s - self.start_s - self.rise_s) / self.return_s)
        return np.array([ease((t_s - self.start_s) / self.rise_s) * (1 - (1 - self.kept) * back)])

    def slice_angle(self, t_s: float) -> float:
        """Goes with the jump."""
        return self.slice_rad * float(self.courses(t_s)[0])

    def displacement(self, positions_mm: Positions, t_s: float) -> NDArray[np.float32]:
        """Displacement (N, 2) in mm."""
        return combine_modes(self.modes(positions_mm), self.courses(t_s))


@dataclass(frozen=True)
class Breathing:
    """Breathing moves everything, deep tissue more: 0.2-0.3 Hz, in faster than out, no breath like another.

    Attributes:
        size_mm: (x, z) size at `depth_mm`.
        rate_hz: breaths per second.
        phase: share of a breath that has passed at the start, 0-1.
        depth_mm: depth of the picture.
        duration_s: length of the clip.
        haste: how much faster one breathes in than out, 0-0.6.
        slice_rad: out-of-plane angle of a breath.
    """

    size_mm: tuple[float, float]
    rate_hz: float
    phase: float
    depth_mm: float
    duration_s: float
    haste: float = 0.3
    slice_rad: float = 0.0
    label: str = BREATHING
    is_local: bool = False

    @property
    def active_s(self) -> tuple[float, float]:
        """The whole clip."""
        return (0.0, self.duration_s)

    def modes(self, positions_mm: Positions) -> NDArray[np.float32]:
        """A shift that grows with depth (1, N, 2)."""
        shift = make_shifts(positions_mm, (self.size_mm,))
        return np.asarray(shift * (positions_mm[None, :, 1:] / np.float32(self.depth_mm)), dtype=np.float32)

    def courses(self, t_s: float) -> NDArray[np.float64]:
        """Share (1,) of a full breath; the movement counts from the first frame."""
        return np.array([self._find_filling(t_s) - self._find_filling(0.0)])

    def slice_angle(self, t_s: float) -> float:
        """Goes with the breath."""
        return self.slice_rad * float(self.courses(t_s)[0])

    def displacement(self, positions_mm: Positions, t_s: float) -> NDArray[np.float32]:
        """Displacement (N, 2) in mm."""
        return combine_modes(self.modes(positions_mm), self.courses(t_s))

    def _find_filling(self, t_s: float) -> float:
        turns = 2 * math.pi * (self.rate_hz * t_s + self.phase)
        # Slow modulations at rates without a common multiple: breaths differ in length and depth.
        turns += 0.35 * math.sin(0.37 * turns)
        depth = 0.5 * (1 + 0.2 * math.sin(0.23 * turns))
        return depth * math.sin(turns + self.haste * math.cos(turns))
