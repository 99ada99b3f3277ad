"""Movements of muscle and vessels that are not twitches. Same form as `Twitch`: modes times courses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.motion import Positions, combine_modes, ease, hold_surface, rotate_back, rotate_into

ARTERIAL_PULSATION = "arterial_pulsation"
VOLUNTARY_CONTRACTION = "voluntary_contraction"
PSEUDOTREMOR = "pseudotremor"


@dataclass(frozen=True)
class ArterialPulsation:
    """An artery that widens with each beat and pushes the tissue around it: fast rise, slow fall, 1-1.7 Hz.

    Attributes:
        centre_mm: (x, z) of the artery.
        radius_mm: radius of the lumen.
        reach_mm: distance from the wall over which the push falls to a third.
        axis_rad: direction of the artery when it lies in the plane.
        half_length_mm: half of its length in the plane, or None when it crosses the plane.
        size_mm: movement of the wall.
        rate_hz: beats per second.
        phase: share of a beat that has passed at the start, 0-1.
        duration_s: length of the clip.
    """

    centre_mm: tuple[float, float]
    radius_mm: float
    reach_mm: float
    axis_rad: float
    half_length_mm: float | None
    size_mm: float
    rate_hz: float
    phase: float
    duration_s: float
    label: str = ARTERIAL_PULSATION
    is_local: bool = True

    @property
    def active_s(self) -> tuple[float, float]:
        """The whole clip."""
        return (0.0, self.duration_s)

    def modes(self, positions_mm: Positions) -> NDArray[np.float32]:
        """Outward movement (1, N, 2), 1 at the wall."""
        u, v = rotate_into(positions_mm, self.centre_mm, self.axis_rad)
        along = np.zeros_like(u) if self.half_length_mm is not None else u
        distance = np.hypot(along, v)
        inside = distance / np.float32(self.radius_mm)
        outside = np.exp(-(distance - np.float32(self.radius_mm)) / np.float32(self.reach_mm))
        size = np.where(distance < np.float32(self.radius_mm), inside, outside) * hold_surface(positions_mm)
        if self.half_length_mm is not None:
            size = size * np.exp(-np.square(u / np.float32(self.half_length_mm)))
        unit = np.asarray(size / np.maximum(distance, np.float32(1e-6)), dtype=np.float32)
        return rotate_back(along * unit, v * unit, self.axis_rad)[None]

    def courses(self, t_s: float) -> NDArray[np.float64]:
        """Rise within 15 % of the beat, then fall as a cosine; the movement counts from the first frame."""
        return self.size_mm * np.array(
            [_shape_beat(t_s * self.rate_hz + self.phase) - _shape_beat(self.phase)]
        )

    def slice_angle(self, t_s: float) -> float:  # noqa: ARG002 - part of the protocol
        """Stays in the plane."""
        return 0.0

    def displacement(self, positions_mm: Positions, t_s: float) -> NDArray[np.float32]:
        """Displacement (N, 2) in mm."""
        return combine_modes(self.modes(positions_mm), self.courses(t_s))


@dataclass(frozen=True)
class VoluntaryContraction:
    """The patient tenses or relaxes the muscle: slow ramp of 0.3-2 s, the whole muscle shortens and thickens.

    Attributes:
        depth_mm: depth of the muscle's middle.
        half_thickness_mm: half of its thickness.
        centre_x_mm: place that does not move along the fibres.
        axis_rad: direction of the fibres.
        size_mm: movement along the fibres far from the centre.
        thickening_mm: movement of the lower half downward and of the upper half upward.
        start_s: start of the ramp.
        ramp_s: length of the ramp, and of the way back.
        hold_s: time held in between.
        slice_rad: out-of-plane angle reached.
    """

    depth_mm: float
    half_thickness_mm: float
    centre_x_mm: float
    axis_rad: float
    size_mm: float
    thickening_mm: float
    start_s: float
    ramp_s: float
    hold_s: float
    slice_rad: float
    label: str = VOLUNTARY_CONTRACTION
    is_local: bool = False

    @property
    def active_s(self) -> tuple[float, float]:
        """Both ramps and the hold."""
        return (self.start_s, self.start_s + 2 * self.ramp_s + self.hold_s)

    def modes(self, positions_mm: Positions) -> NDArray[np.float32]:
        """Shortening and thickening (1, N, 2) in mm, fading above and below the muscle."""
        u, _ = rotate_into(positions_mm, (self.centre_x_mm, self.depth_mm), self.axis_rad)
        v = (positions_mm[:, 1] - np.float32(self.depth_mm)) / np.float32(self.half_thickness_mm)
        within = np.exp(-(np.square(v / np.float32(1.3)) ** 2)) * hold_surface(positions_mm)
        # Tissue slides past a place outside the picture too, hence the part that does not change sign.
        along = np.float32(self.size_mm) * (np.float32(0.5) - np.tanh(u / np.float32(15.0)) * np.float32(0.5))
        shift = rotate_back(within * along, np.zeros_like(along), self.axis_rad)
        shift[:, 1] += np.float32(self.thickening_mm) * np.tanh(v) * hold_surface(positions_mm)
        return shift.astype(np.float32)[None]

    def courses(self, t_s: float) -> NDArray[np.float64]:
        """Ramp, hold, way back."""
        release_s = self.start_s + self.ramp_s + self.hold_s
        return np.array([ease((t_s - self.start_s) / self.ramp_s) - ease((t_s - release_s) / self.ramp_s)])

    def slice_angle(self, t_s: float) -> float:
        """Goes with the ramp."""
        return self.slice_rad * float(self.courses(t_s)[0])

    def displacement(self, positions_mm: Positions, t_s: float) -> NDArray[np.float32]:
        """Displacement (N, 2) in mm."""
        return combine_modes(self.modes(positions_mm), self.courses(t_s))


@dataclass(frozen=True)
class Pseudotremor:
    """Rhythmic firing of a few units at low effort, 4-12 Hz for seconds: it fools raters (Gijsbertse 2018).

    Attributes:
        centres_mm: (x, z) of each focus.
        directions_rad: direction of each focus.
        sizes_mm: size of each focus.
        radius_mm: distance at which a focus moves half as much.
        rates_hz: rhythm of each focus.
        start_s: start.
        length_s: how long it lasts.
    """

    centres_mm: tuple[tuple[float, float], ...]
    directions_rad: tuple[float, ...]
    sizes_mm: tuple[float, ...]
    radius_mm: float
    rates_hz: tuple[float, ...]
    start_s: float
    length_s: float
    label: str = PSEUDOTREMOR
    is_local: bool = True

    @property
    def active_s(self) -> tuple[float, float]:
        """From the start to the end."""
        return (self.start_s, self.start_s + self.length_s)

    def modes(self, positions_mm: Positions) -> NDArray[np.float32]:
        """One pattern a focus (K, N, 2), 1 at its centre."""
        held = hold_surface(positions_mm)
        patterns = []
        for centre, direction in zip(self.centres_mm, self.directions_rad, strict=True):
            u, v = rotate_into(positions_mm, centre, direction)
            size = held * np.exp((u * u + v * v) * np.float32(-np.log(2) / self.radius_mm**2))
            patterns.append(rotate_back(size, np.zeros_like(size), direction))
        return np.stack(patterns).astype(np.float32)

    def courses(self, t_s: float) -> NDArray[np.float64]:
        """Raised cosines that fade in and out within 0.3 s."""
        since_s = t_s - self.start_s
        fade = ease(since_s / 0.3) * ease((self.length_s - since_s) / 0.3)
        waves = 0.5 * (1 - np.cos(2 * np.pi * np.array(self.rates_hz) * since_s))
        return np.asarray(fade * np.array(self.sizes_mm) * waves, dtype=np.float64)

    def slice_angle(self, t_s: float) -> float:  # noqa: ARG002 - part of the protocol
        """Stays in the plane."""
        return 0.0

    def displacement(self, positions_mm: Positions, t_s: float) -> NDArray[np.float32]:
        """Displacement (N, 2) in mm."""
        return combine_modes(self.modes(positions_mm), self.courses(t_s))


def _shape_beat(beats: float) -> float:
    """Pressure-like wave of one beat: 0 to 1 within 15 % of it, then back."""
    part = beats % 1.0
    if part < 0.15:
        return ease(part / 0.15)
    return 1 - ease((part - 0.15) / 0.85)
