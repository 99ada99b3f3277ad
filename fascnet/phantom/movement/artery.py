"""Arterial pulsation: a wall that widens with each beat and pushes the tissue around it."""

from __future__ import annotations

from bisect import bisect_right
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

ARTERIAL_PULSATION = "arterial_pulsation"

_WAVE = ((0.0, 0.0), (0.15, 1.0), (0.36, 0.5), (0.43, 0.58), (1.0, 0.0))
"""(share of the beat, distension): fast rise, dicrotic notch, slow fall. The form is textbook, the numbers
are a model choice."""


@dataclass(frozen=True)
class ArterialPulsation:
    """An artery that pulsates at 1-1.7 Hz (Vlazak 2014 lists it among the artefacts).

    Attributes:
        centre_mm: (x, z) of the artery.
        radius_mm: radius of the lumen.
        reach_mm: distance from the wall over which the push falls to a third.
        axis_rad: direction of the artery when it lies in the plane.
        half_length_mm: half of its length in the plane, or None when it crosses the plane.
        size_mm: movement of the wall in a beat of gain 1.
        beats_s: starts of the beats, increasing; the first at 0 or before, the last after the clip.
        gains: size of each beat, one fewer than `beats_s`.
        duration_s: length of the clip.
    """

    centre_mm: tuple[float, float]
    radius_mm: float
    reach_mm: float
    axis_rad: float
    half_length_mm: float | None
    size_mm: float
    beats_s: tuple[float, ...]
    gains: tuple[float, ...]
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
        """The wall's movement (1,) in mm; it counts from the first frame."""
        return np.array([self.size_mm * (self._find_distension(t_s) - self._find_distension(0.0))])

    def slice_angle(self, t_s: float) -> float:  # noqa: ARG002 - part of the protocol
        """Stays in the plane."""
        return 0.0

    def displacement(self, positions_mm: Positions, t_s: float) -> NDArray[np.float32]:
        """Displacement (N, 2) in mm."""
        return combine_modes(self.modes(positions_mm), self.courses(t_s))

    def _find_distension(self, t_s: float) -> float:
        beat = min(max(bisect_right(self.beats_s, t_s) - 1, 0), len(self.gains) - 1)
        part = (t_s - self.beats_s[beat]) / (self.beats_s[beat + 1] - self.beats_s[beat])
        return self.gains[beat] * shape_beat(part)


def shape_beat(part: float) -> float:
    """Return the distension, 0-1, after a share (0-1) of a beat; no jump in velocity."""
    part = min(max(part, 0.0), 1.0)
    knot = min(max(bisect_right(_WAVE, (part, 2.0)) - 1, 0), len(_WAVE) - 2)
    (start, low), (end, high) = _WAVE[knot], _WAVE[knot + 1]
    return low + (high - low) * ease((part - start) / (end - start))


def draw_beats(
    rate_hz: float, duration_s: float, rng: np.random.Generator
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Draw the starts and sizes of the beats of a clip: both follow breathing, and vary by chance.

    Heart rate rises as one breathes in, by about a tenth; the pulse varies as much. Model choice.

    Args:
        rate_hz: mean rate of the beats.
        duration_s: length of the clip.
        rng: source of all randomness.
    """
    breath_hz, turn = float(rng.uniform(0.2, 0.3)), float(rng.uniform(0, 2 * np.pi))
    depth = float(rng.uniform(0.02, 0.12))
    beats = [-float(rng.random()) / rate_hz]
    gains = []
    while beats[-1] <= duration_s:
        breath = np.sin(2 * np.pi * breath_hz * beats[-1] + turn)
        interval = (1 - depth * breath + 0.025 * np.clip(rng.standard_normal(), -3, 3)) / rate_hz
        gains.append(float(1 - 1.2 * depth * breath + 0.05 * np.clip(rng.standard_normal(), -3, 3)))
        beats.append(beats[-1] + float(interval))
    return tuple(beats), tuple(gains)
