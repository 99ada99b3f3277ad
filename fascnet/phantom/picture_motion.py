"""Movements of the whole picture: the probe's, and breathing. Same form as `Twitch`: modes times courses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.motion import Positions, combine_modes, ease

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
        return _make_shifts(positions_mm, ((self.size_mm[0], 0.0), (0.0, self.size_mm[1])))

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
    """

    shift_mm: tuple[float, float]
    start_s: float
    rise_s: float
    return_s: float
    kept: float
    slice_rad: float
    label: str = PROBE_MOTION
    is_local: bool = False

    @property
    def active_s(self) -> tuple[float, float]:
        """From the jump until the probe rests again; what is kept stays afterwards."""
        return (self.start_s, self.start_s + self.rise_s + self.return_s)

    def modes(self, positions_mm: Positions) -> NDArray[np.float32]:
        """One uniform shift (1, N, 2)."""
        return _make_shifts(positions_mm, (self.shift_mm,))

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
    """Breathing moves everything, deep tissue more: 0.2-0.3 Hz.

    Attributes:
        size_mm: (x, z) size at `depth_mm`.
        rate_hz: breaths per second.
        phase: share of a breath that has passed at the start, 0-1.
        depth_mm: depth of the picture.
        duration_s: length of the clip.
    """

    size_mm: tuple[float, float]
    rate_hz: float
    phase: float
    depth_mm: float
    duration_s: float
    label: str = BREATHING
    is_local: bool = False

    @property
    def active_s(self) -> tuple[float, float]:
        """The whole clip."""
        return (0.0, self.duration_s)

    def modes(self, positions_mm: Positions) -> NDArray[np.float32]:
        """A shift that grows with depth (1, N, 2)."""
        return _make_shifts(positions_mm, (self.size_mm,)) * (
            positions_mm[None, :, 1:] / np.float32(self.depth_mm)
        )

    def courses(self, t_s: float) -> NDArray[np.float64]:
        """A sine; the movement counts from the first frame."""
        turns = 2 * np.pi * (self.rate_hz * t_s + self.phase)
        return np.array([0.5 * (np.sin(turns) - np.sin(2 * np.pi * self.phase))])

    def slice_angle(self, t_s: float) -> float:  # noqa: ARG002 - part of the protocol
        """Stays in the plane."""
        return 0.0

    def displacement(self, positions_mm: Positions, t_s: float) -> NDArray[np.float32]:
        """Displacement (N, 2) in mm."""
        return combine_modes(self.modes(positions_mm), self.courses(t_s))


def _make_shifts(positions_mm: Positions, shifts_mm: tuple[tuple[float, float], ...]) -> NDArray[np.float32]:
    shifts = np.array(shifts_mm, dtype=np.float32)
    return np.repeat(shifts[:, None, :], len(positions_mm), axis=1)
