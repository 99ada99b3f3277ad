"""The twitch: one fasciculation as a movement of tissue."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.movement.geometry import Positions, combine_modes, hold_surface, rotate_back, rotate_into
from fascnet.phantom.movement.pulse import REST_LEVEL, TENTH_LEVEL, add_pulses, find_level_time, shape_pulse
from fascnet.phantom.movement.territory import Territory
from fascnet.types import FASCICULATION

HALO_SPREAD = 2.0
"""Weight of shortening and bulge in the halo against the core; gives the published spread of directions."""

_STILL_LENGTH = 0.35
"""Where pull, shortening and bulge cancel to less than this, tissue turns on the spot and moves less."""

_TIME_STEP_S = 0.0005
_PLACE_STEP_MM = 0.15


@dataclass(frozen=True)
class Twitch:
    """One fasciculation: a contracting core and the tissue it pulls along.

    At the core's outline the displacement is about half of the peak; a broad passive halo surrounds it (see
    `Territory`). Within the core fibres move along their axis, shorten towards the middle and bulge across,
    so that directions differ over the field, as reported (directional anisotropy well below 1). In time: a
    smooth rise to the peak within `contraction_s`, then a slower relaxation (see `shape_pulse`); the
    velocity is biphasic with a higher first lobe.

    Attributes:
        centre_mm: (x, z) of the core.
        semi_long_mm: half of the core's long axis.
        semi_short_mm: half of the core's thickness across it.
        axis_rad: direction of the long axis, from +x towards +z.
        pull: common movement (along, across) of the core, as a vector of length about 1.
        shortening: part of the movement along the axis that reverses on both sides of the centre; negative
            lengthens.
        bulge: part of the movement across the axis that points outward.
        halo_mm: reach of the passive halo beyond the core.
        halo_level: displacement of the halo at the centre, as a share of the peak.
        peak_mm: largest displacement over place and time.
        start_s: moment at which the movement starts.
        contraction_s: from the start to the peak of one pulse.
        relaxation_s: from the peak to 10 % of it.
        second_delay_s: delay of a second pulse (a doublet), or None.
        second_gain: size of the second pulse against the first.
        bend_mm: bend of a crescent-shaped core.
        lobe_mm: half of the distance between the lobes of a split core; 0 is one lobe.
        tail: share of the relaxation that is slow, 0-1.
        skew: above 1 the rise starts slowly, below 1 fast.
        focus: number of the repeating focus it belongs to.
    """

    centre_mm: tuple[float, float]
    semi_long_mm: float
    semi_short_mm: float
    axis_rad: float
    pull: tuple[float, float]
    shortening: float
    bulge: float
    halo_mm: float
    halo_level: float
    peak_mm: float
    start_s: float
    contraction_s: float
    relaxation_s: float
    second_delay_s: float | None = None
    second_gain: float = 0.8
    bend_mm: float = 0.0
    lobe_mm: float = 0.0
    tail: float = 0.0
    skew: float = 1.0
    focus: int = 0

    @property
    def label(self) -> str:
        """`fasciculation`."""
        return FASCICULATION

    @property
    def is_local(self) -> bool:
        """True."""
        return True

    @property
    def territory(self) -> Territory:
        """Core and halo."""
        return Territory(
            semi_long_mm=self.semi_long_mm,
            semi_short_mm=self.semi_short_mm,
            bend_mm=self.bend_mm,
            lobe_mm=self.lobe_mm,
            halo_mm=self.halo_mm,
            halo_level=self.halo_level,
        )

    @cached_property
    def active_s(self) -> tuple[float, float]:
        """From the start until less than 0.1 % of the peak is left."""
        delay = 0.0 if self.second_delay_s is None else self.second_delay_s
        stretch = find_level_time(REST_LEVEL, self.tail) / find_level_time(TENTH_LEVEL, self.tail)
        return (self.start_s, self.start_s + delay + self.contraction_s + self.relaxation_s * stretch)

    def modes(self, positions_mm: Positions) -> NDArray[np.float32]:
        """Spatial pattern (1, N, 2); its largest length is 1."""
        return self._pattern(positions_mm)[None] / np.float32(self._pattern_peak)

    def courses(self, t_s: float) -> NDArray[np.float64]:
        """Size of the movement (1,) in mm."""
        return np.array([self.peak_mm * float(self._pulse(np.array([t_s]))[0]) / self._pulse_peak])

    def slice_angle(self, t_s: float) -> float:  # noqa: ARG002 - part of the protocol
        """A twitch is taken to stay in the plane."""
        return 0.0

    def displacement(self, positions_mm: Positions, t_s: float) -> NDArray[np.float32]:
        """Displacement (N, 2) in mm."""
        return combine_modes(self.modes(positions_mm), self.courses(t_s))

    def course(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the time course at several moments as a share of its peak, 0-1."""
        return self._pulse(times_s) / self._pulse_peak

    def sample_core(self, step_mm: float = 0.3) -> Positions:
        """Return places (N, 2) in mm on a grid over the core and the tissue just around it."""
        # Near the face the probe holds the tissue, and the largest movement lies deeper than the centre.
        reach_u, reach_v = self.semi_long_mm + 2.0, self.semi_short_mm + abs(self.bend_mm) + 3.0
        u, v = np.meshgrid(
            np.arange(-reach_u, reach_u + step_mm, step_mm, dtype=np.float32),
            np.arange(-reach_v, reach_v + step_mm, step_mm, dtype=np.float32),
        )
        places = rotate_back(u.ravel(), v.ravel(), self.axis_rad) + np.array(self.centre_mm, dtype=np.float32)
        return np.asarray(places, dtype=np.float32)

    def find_steepness(self) -> float:
        """Return the largest change of the pattern over place, per mm; a peak of 1 over it folds tissue."""
        step_mm = 2 * _PLACE_STEP_MM
        places = self.sample_core(step_mm)
        shifts = np.array([[step_mm / 2, 0], [0, step_mm / 2]], dtype=np.float32)
        slopes = [(self.modes(places + s)[0] - self.modes(places - s)[0]) / step_mm for s in shifts]
        return float(np.linalg.norm(np.stack(slopes, axis=-1), ord=2, axis=(1, 2)).max())

    def _pattern(self, positions_mm: Positions) -> NDArray[np.float32]:
        u, v = rotate_into(positions_mm, self.centre_mm, self.axis_rad)
        core, halo = self.territory.measure(u, v)
        size = core + halo
        # Passive tissue gives way to the bulge more than it follows the pull: its directions spread wider.
        spread = (core + np.float32(HALO_SPREAD) * halo) / np.maximum(size, np.float32(1e-12))
        shorter = np.float32(self.shortening) * np.tanh(u / np.float32(self.semi_long_mm))
        wider = np.float32(self.bulge) * np.tanh(v / np.float32(self.semi_short_mm))
        along = np.float32(self.pull[0]) - spread * shorter
        across = np.float32(self.pull[1]) + spread * wider
        # The territory says how far tissue moves, the rest only in which direction.
        length = np.sqrt(np.square(along) + np.square(across) + np.float32(_STILL_LENGTH**2))
        size = size * hold_surface(positions_mm) / length
        return rotate_back(along * size, across * size, self.axis_rad).astype(np.float32)

    @cached_property
    def _pattern_peak(self) -> float:
        pattern = self._pattern(self.sample_core(_PLACE_STEP_MM))
        return float(np.hypot(pattern[:, 0], pattern[:, 1]).max())

    def _pulse(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        since_s = times_s - self.start_s
        first = self._shape(since_s)
        if self.second_delay_s is None:
            return first
        return add_pulses([first, self.second_gain * self._shape(since_s - self.second_delay_s)])

    def _shape(self, since_s: NDArray[np.float64]) -> NDArray[np.float64]:
        return shape_pulse(since_s, self.contraction_s, self.relaxation_s, self.tail, self.skew)

    @cached_property
    def _pulse_peak(self) -> float:
        return float(self._pulse(np.arange(*self.active_s, _TIME_STEP_S)).max())
