"""Movements of the muscle by its owner: tensing and relaxing it, in whole or in part, and swallowing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.movement.geometry import (
    Positions,
    combine_modes,
    ease,
    hold_surface,
    rotate_back,
    rotate_into,
)
from fascnet.phantom.movement.twitch import Twitch

VOLUNTARY_CONTRACTION = "voluntary_contraction"
SWALLOWING = "swallowing"


@dataclass(frozen=True, slots=True)
class Effort:
    """How a contraction comes and goes: a slow ramp of 0.3-2 s, a hold that may tremble, the way back.

    Attributes:
        start_s: start of the ramp; before 0 the clip begins in the middle of it.
        ramp_s: length of the ramp.
        hold_s: time held in between.
        release_s: length of the way back.
        tremor: largest size of the tremor against the whole, 0-1.
        tremor_hz: its rate; physiological tremor is 8-12 Hz.
    """

    start_s: float
    ramp_s: float
    hold_s: float
    release_s: float
    tremor: float = 0.0
    tremor_hz: float = 10.0

    @property
    def active_s(self) -> tuple[float, float]:
        """Both ramps and the hold, as far as they lie after 0."""
        return (max(self.start_s, 0.0), self.start_s + self.ramp_s + self.hold_s + self.release_s)

    def find_level(self, t_s: float) -> float:
        """Return how far the muscle is tensed, 0-1."""
        let_go_s = self.start_s + self.ramp_s + self.hold_s
        return ease((t_s - self.start_s) / self.ramp_s) - ease((t_s - let_go_s) / self.release_s)

    def find_course(self, t_s: float) -> float:
        """Return the movement since the first frame, with tremor, as a share of the whole."""
        return self._tremble(t_s) - self._tremble(0.0)

    def _tremble(self, t_s: float) -> float:
        level = self.find_level(t_s)
        if self.tremor == 0.0:
            return level
        # A rate and a size that wander keep the tremor from looking like a sine.
        turns = 2 * np.pi * self.tremor_hz * t_s + 1.5 * np.sin(2 * np.pi * 0.7 * t_s)
        swell = 0.65 + 0.35 * np.sin(2 * np.pi * 0.43 * t_s + 1.0)
        return level * (1 + self.tremor * float(swell * np.sin(turns)))


@dataclass(frozen=True, slots=True)
class MuscleBelly:
    """How a whole muscle moves: it slides along its fibres and thickens.

    Attributes:
        depth_mm: depth of the muscle's middle.
        half_thickness_mm: half of its thickness.
        centre_x_mm: about where the sliding changes from full to none.
        axis_rad: direction of the sliding.
        size_mm: sliding far from the centre.
        thickening_mm: movement of the lower half downward and of the upper half upward.
    """

    depth_mm: float
    half_thickness_mm: float
    centre_x_mm: float
    axis_rad: float
    size_mm: float
    thickening_mm: float

    def modes(self, positions_mm: Positions) -> NDArray[np.float32]:
        """Shortening and thickening (1, N, 2) in mm, fading above and below the muscle."""
        u, _ = rotate_into(positions_mm, (self.centre_x_mm, self.depth_mm), self.axis_rad)
        v = (positions_mm[:, 1] - np.float32(self.depth_mm)) / np.float32(self.half_thickness_mm)
        held = hold_surface(positions_mm)
        within = np.exp(-(np.square(v / np.float32(1.3)) ** 2)) * held
        # Tissue slides past a place outside the picture too, hence the part that does not change sign.
        along = np.float32(self.size_mm) * (np.float32(0.5) - np.tanh(u / np.float32(15.0)) * np.float32(0.5))
        shift = rotate_back(within * along, np.zeros_like(along), self.axis_rad)
        shift[:, 1] += np.float32(self.thickening_mm) * np.tanh(v) * held
        return shift.astype(np.float32)[None]


@dataclass(frozen=True)
class VoluntaryContraction:
    """The patient tenses or relaxes the muscle: it shortens and thickens as a whole.

    Attributes:
        belly: how the muscle moves.
        effort: when.
        slice_rad: out-of-plane angle reached.
    """

    belly: MuscleBelly
    effort: Effort
    slice_rad: float
    label: str = VOLUNTARY_CONTRACTION
    is_local: bool = False

    @property
    def active_s(self) -> tuple[float, float]:
        """Both ramps and the hold."""
        return self.effort.active_s

    def modes(self, positions_mm: Positions) -> NDArray[np.float32]:
        """Shortening and thickening (1, N, 2) in mm."""
        return self.belly.modes(positions_mm)

    def courses(self, t_s: float) -> NDArray[np.float64]:
        """Share (1,) of the whole movement."""
        return np.array([self.effort.find_course(t_s)])

    def slice_angle(self, t_s: float) -> float:
        """Goes with the ramp."""
        return self.slice_rad * (self.effort.find_level(t_s) - self.effort.find_level(0.0))

    def displacement(self, positions_mm: Positions, t_s: float) -> NDArray[np.float32]:
        """Displacement (N, 2) in mm."""
        return combine_modes(self.modes(positions_mm), self.courses(t_s))


@dataclass(frozen=True)
class LocalContraction:
    """The patient tenses a part of the muscle: a place like a twitch's, but larger, and far slower.

    Attributes:
        place: gives the pattern and, by its `peak_mm`, the size; its time course is not used.
        effort: when.
    """

    place: Twitch
    effort: Effort
    label: str = VOLUNTARY_CONTRACTION
    is_local: bool = True

    @property
    def active_s(self) -> tuple[float, float]:
        """Both ramps and the hold."""
        return self.effort.active_s

    def modes(self, positions_mm: Positions) -> NDArray[np.float32]:
        """Spatial pattern (1, N, 2) of peak length 1."""
        return self.place.modes(positions_mm)

    def courses(self, t_s: float) -> NDArray[np.float64]:
        """Movement (1,) in mm."""
        return np.array([self.place.peak_mm * self.effort.find_course(t_s)])

    def slice_angle(self, t_s: float) -> float:  # noqa: ARG002 - part of the protocol
        """Stays in the plane."""
        return 0.0

    def displacement(self, positions_mm: Positions, t_s: float) -> NDArray[np.float32]:
        """Displacement (N, 2) in mm."""
        return combine_modes(self.modes(positions_mm), self.courses(t_s))


@dataclass(frozen=True)
class Swallowing:
    """A swallow, a cough or a start: quick gross movement there and back, past rest, and out of the plane.

    Times of 0.5-1.2 s and the form are model choices; Vlazak 2014 lists swallowing among the artefacts.

    Attributes:
        belly: how the muscle moves.
        start_s: start.
        length_s: length in all.
        overshoot: size of the second, reversed lobe against the first, 0-1.
        slice_rad: out-of-plane angle reached.
    """

    belly: MuscleBelly
    start_s: float
    length_s: float
    overshoot: float
    slice_rad: float
    label: str = SWALLOWING
    is_local: bool = False

    @property
    def active_s(self) -> tuple[float, float]:
        """Both lobes."""
        return (self.start_s, self.start_s + self.length_s)

    def modes(self, positions_mm: Positions) -> NDArray[np.float32]:
        """Sliding and thickening (1, N, 2) in mm."""
        return self.belly.modes(positions_mm)

    def courses(self, t_s: float) -> NDArray[np.float64]:
        """Share (1,) of the whole movement: a lobe over 55 % of the time, then a smaller one backward."""
        return np.array(
            [_shape_lobe(self._find_part(t_s), 0.0, 0.55) - self.overshoot * self._find_back(t_s)]
        )

    def slice_angle(self, t_s: float) -> float:
        """Goes with the movement, never backward."""
        part = self._find_part(t_s)
        return self.slice_rad * (_shape_lobe(part, 0.0, 0.55) + self.overshoot * self._find_back(t_s))

    def displacement(self, positions_mm: Positions, t_s: float) -> NDArray[np.float32]:
        """Displacement (N, 2) in mm."""
        return combine_modes(self.modes(positions_mm), self.courses(t_s))

    def _find_part(self, t_s: float) -> float:
        return (t_s - self.start_s) / self.length_s

    def _find_back(self, t_s: float) -> float:
        return _shape_lobe(self._find_part(t_s), 0.55, 1.0)


def _shape_lobe(part: float, start: float, end: float) -> float:
    """Rise to 1 and fall back between two moments; 0 outside."""
    return float(np.sin(np.pi * min(max((part - start) / (end - start), 0.0), 1.0)) ** 2)
