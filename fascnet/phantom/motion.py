"""Movement of tissue as functions of place and time: the twitch, and how several movements add up.

Every movement is a sum of a few *modes* (where and in which direction, in mm per unit) times *courses* (how
much at a moment). Modes are evaluated once, at the resting places of the scatterers; a frame then costs a
multiplication. Places are (x, z) in mm, x to the right, z down from the probe's face.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fascnet.types import FASCICULATION

Positions = NDArray[np.float32]

SUPERPOSITION_EXPONENT = 1.5
"""Neighbouring units add less than linearly (Lubel 2023); 1 is a plain sum. The value is a model choice."""

SURFACE_HOLD_MM = 3.0
"""The probe's face holds the skin still; tissue moves half as much at this depth. Model choice."""

HALO_SPREAD = 2.0
"""Weight of shortening and bulge in the halo against the core; gives the published spread of directions."""

_TIME_STEP_S = 0.0005
_HALF_LEVEL = 0.5


class Motion(Protocol):
    """A movement of tissue."""

    @property
    def label(self) -> str:
        """`fasciculation`, or the name of the confounder."""

    @property
    def active_s(self) -> tuple[float, float]:
        """Interval outside which nothing moves."""

    @property
    def is_local(self) -> bool:
        """Whether the movement has a place that can be outlined."""

    def modes(self, positions_mm: Positions) -> NDArray[np.float32]:
        """Spatial patterns (K, N, 2) at resting places (N, 2)."""

    def courses(self, t_s: float) -> NDArray[np.float64]:
        """Factors (K,) in mm at a moment."""

    def slice_angle(self, t_s: float) -> float:
        """Out-of-plane movement as an angle in rad: speckle correlates with the start as its cosine."""

    def displacement(self, positions_mm: Positions, t_s: float) -> NDArray[np.float32]:
        """Displacement (N, 2) in mm at resting places (N, 2)."""


def combine_modes(modes: NDArray[np.float32], courses: NDArray[np.float64]) -> NDArray[np.float32]:
    """Sum modes (K, N, 2) with factors (K,) into a displacement (N, 2) in mm."""
    total = modes[0] * np.float32(courses[0])
    for mode, course in zip(modes[1:], courses[1:], strict=True):
        total += mode * np.float32(course)
    return np.asarray(total, dtype=np.float32)


def superpose(displacements: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Add simultaneous twitches less than linearly.

    The vector sum is scaled so that the total of the magnitudes follows a p-norm with
    p = `SUPERPOSITION_EXPONENT`; one twitch alone is unchanged.

    Args:
        displacements: at least one array (N, 2) in mm.
    """
    if len(displacements) == 1:
        return displacements[0]
    total = np.sum(displacements, axis=0, dtype=np.float32)
    sizes = np.stack([np.hypot(d[:, 0], d[:, 1]) for d in displacements])
    plain = sizes.sum(axis=0)
    norm = np.power(sizes, SUPERPOSITION_EXPONENT).sum(axis=0) ** (1 / SUPERPOSITION_EXPONENT)
    factor = np.divide(norm, plain, out=np.ones_like(plain), where=plain > 0)
    return np.asarray(total * factor[:, None], dtype=np.float32)


def rotate_into(
    positions_mm: Positions, centre_mm: tuple[float, float], axis_rad: float
) -> tuple[Positions, Positions]:
    """Return coordinates (u along, v across) of an axis through a centre, in mm."""
    x = positions_mm[:, 0] - np.float32(centre_mm[0])
    z = positions_mm[:, 1] - np.float32(centre_mm[1])
    c, s = np.float32(np.cos(axis_rad)), np.float32(np.sin(axis_rad))
    return x * c + z * s, z * c - x * s


def rotate_back(along: Positions, across: Positions, axis_rad: float) -> NDArray[np.float32]:
    """Return vectors (N, 2) in (x, z) from components along and across an axis."""
    c, s = np.float32(np.cos(axis_rad)), np.float32(np.sin(axis_rad))
    return np.stack([along * c - across * s, along * s + across * c], axis=-1)


def hold_surface(positions_mm: Positions) -> Positions:
    """Return the factor (N,) by which tissue under the probe's face may move: 0 at the face, 1 deep down."""
    z2 = np.square(np.maximum(positions_mm[:, 1], 0))
    return np.asarray(z2 / (z2 + np.float32(SURFACE_HOLD_MM**2)), dtype=np.float32)


def ease(share: float) -> float:
    """Rise from 0 to 1 without a jump in velocity."""
    return float(np.sin(0.5 * np.pi * np.clip(share, 0, 1)) ** 2)


@dataclass(frozen=True)
class Twitch:
    """One fasciculation: a contracting core and the tissue it pulls along.

    The core is an ellipse at whose outline the displacement is about half of the peak (Birkbeck 2020 for its
    size); a broad passive halo surrounds it (Heskamp 2021). Within the core fibres move along their axis,
    shorten towards the middle and bulge across, so that directions differ over the field, as reported
    (directional anisotropy well below 1). In time: a smooth rise to the peak within `contraction_s`, then a
    slower exponential-like relaxation; the velocity is biphasic with a higher first lobe.

    Attributes:
        centre_mm: (x, z) of the core.
        semi_long_mm: half of the core's long axis.
        semi_short_mm: half of the core's short axis.
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

    @property
    def label(self) -> str:
        """`fasciculation`."""
        return FASCICULATION

    @property
    def is_local(self) -> bool:
        """True."""
        return True

    @property
    def active_s(self) -> tuple[float, float]:
        """From the start until less than 0.1 % of the peak is left."""
        delay = 0.0 if self.second_delay_s is None else self.second_delay_s
        # (1 + s) exp(-s) falls to 0.1 % at s = 9.23 and to 10 % at s = 3.89.
        return (self.start_s, self.start_s + delay + self.contraction_s + self.relaxation_s * 9.23 / 3.89)

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

    def _pattern(self, positions_mm: Positions) -> NDArray[np.float32]:
        u, v = rotate_into(positions_mm, self.centre_mm, self.axis_rad)
        core = np.square(u / np.float32(self.semi_long_mm)) + np.square(v / np.float32(self.semi_short_mm))
        halo = np.square(u / np.float32(self.semi_long_mm + self.halo_mm)) + np.square(
            v / np.float32(self.semi_short_mm + self.halo_mm)
        )
        # The core falls so that core and halo together are at half level about where core = 1.
        halo_at_outline = self.halo_level * np.exp(
            -((self.semi_short_mm / (self.semi_short_mm + self.halo_mm)) ** 2)
        )
        core_at_outline = max(_HALF_LEVEL - halo_at_outline, 0.05) / (1 - self.halo_level)
        held = hold_surface(positions_mm)
        core_size = (
            held * np.exp(core * np.float32(np.log(core_at_outline))) * np.float32(1 - self.halo_level)
        )
        halo_size = held * np.exp(-halo) * np.float32(self.halo_level)
        shorter = np.float32(self.shortening) * np.tanh(u / np.float32(self.semi_long_mm))
        wider = np.float32(self.bulge) * np.tanh(v / np.float32(self.semi_short_mm))
        # Passive tissue gives way to the bulge more than it follows the pull: its directions spread wider.
        size, shape = core_size + halo_size, core_size + np.float32(HALO_SPREAD) * halo_size
        along = size * np.float32(self.pull[0]) - shape * shorter
        across = size * np.float32(self.pull[1]) + shape * wider
        return rotate_back(along, across, self.axis_rad).astype(np.float32)

    @cached_property
    def _pattern_peak(self) -> float:
        steps = np.linspace(-1.5, 1.5, 121, dtype=np.float32)
        u, v = (grid.ravel() for grid in np.meshgrid(steps * self.semi_long_mm, steps * self.semi_short_mm))
        places = rotate_back(u.astype(np.float32), v.astype(np.float32), self.axis_rad)
        pattern = self._pattern((places + np.array(self.centre_mm, dtype=np.float32)).astype(np.float32))
        return float(np.hypot(pattern[:, 0], pattern[:, 1]).max())

    def _pulse(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        first = _shape_pulse(times_s - self.start_s, self.contraction_s, self.relaxation_s)
        if self.second_delay_s is None:
            return first
        second = self.second_gain * _shape_pulse(
            times_s - self.start_s - self.second_delay_s, self.contraction_s, self.relaxation_s
        )
        p = SUPERPOSITION_EXPONENT
        return np.asarray((first**p + second**p) ** (1 / p))

    @cached_property
    def _pulse_peak(self) -> float:
        return float(self._pulse(np.arange(*self.active_s, _TIME_STEP_S)).max())


def _shape_pulse(
    since_s: NDArray[np.float64], contraction_s: float, relaxation_s: float
) -> NDArray[np.float64]:
    """Rise as sin² to 1, relax as (1 + s) exp(-s), at 10 % after `relaxation_s`; no jump in velocity."""
    rise = np.sin(0.5 * np.pi * np.clip(since_s / contraction_s, 0, 1)) ** 2
    s = np.maximum(since_s - contraction_s, 0) * (3.89 / relaxation_s)
    return np.asarray(np.where(since_s < contraction_s, rise, (1 + s) * np.exp(-s)))
