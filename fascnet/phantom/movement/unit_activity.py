"""Rhythmic and irregular activity of single units and fibres: pseudotremor and fibrillation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

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
from fascnet.phantom.movement.pulse import add_pulses
from fascnet.phantom.movement.twitch import Twitch

PSEUDOTREMOR = "pseudotremor"
FIBRILLATION = "fibrillation"

_FADE_S = 0.3


@dataclass(frozen=True)
class Pseudotremor:
    """A few units that fire at low effort, 4-12 Hz for seconds: it fools raters (Gijsbertse 2018).

    Every firing is a small twitch like a fasciculation's; what tells it apart is that it keeps coming.

    Attributes:
        units: one twitch for each focus; its `start_s` is not used.
        firings_s: for each focus the moments of its firings, increasing, at least one.
        gains: for each focus the size of each firing against the unit's `peak_mm`; empty for 1 throughout.
    """

    units: tuple[Twitch, ...]
    firings_s: tuple[tuple[float, ...], ...]
    gains: tuple[tuple[float, ...], ...] = ()
    label: str = PSEUDOTREMOR
    is_local: bool = True

    @property
    def active_s(self) -> tuple[float, float]:
        """From the first firing until the last twitch is over."""
        first_s = min(moments[0] for moments in self.firings_s)
        lengths = (unit.active_s[1] - unit.start_s for unit in self.units)
        ends = (moments[-1] + length for moments, length in zip(self.firings_s, lengths, strict=True))
        return (first_s, max(ends))

    def modes(self, positions_mm: Positions) -> NDArray[np.float32]:
        """One pattern a focus (K, N, 2), each of peak length 1."""
        return np.concatenate([unit.modes(positions_mm) for unit in self.units])

    def courses(self, t_s: float) -> NDArray[np.float64]:
        """Movement (K,) in mm; twitches that meet add up less than linearly."""
        return np.array([self._find_size(index, t_s) for index in range(len(self.units))])

    def slice_angle(self, t_s: float) -> float:  # noqa: ARG002 - part of the protocol
        """Stays in the plane."""
        return 0.0

    def displacement(self, positions_mm: Positions, t_s: float) -> NDArray[np.float32]:
        """Displacement (N, 2) in mm."""
        return combine_modes(self.modes(positions_mm), self.courses(t_s))

    def _find_size(self, index: int, t_s: float) -> float:
        unit = self.units[index]
        since_s = t_s - np.array(self.firings_s[index])
        recent = np.flatnonzero((since_s > 0) & (since_s < unit.active_s[1] - unit.start_s))
        if len(recent) == 0:
            return 0.0
        pulses = unit.course(since_s[recent] + unit.start_s)
        if self.gains:
            pulses = pulses * np.array(self.gains[index])[recent]
        return unit.peak_mm * float(add_pulses([np.array([pulse]) for pulse in pulses])[0])


@dataclass(frozen=True)
class Fibrillation:
    """Denervated fibres that twitch by themselves: small, irregular, 1-30 Hz, no change of outline.

    Pillen 2009 describes it; fibres of one patch discharge independently. Sizes of 0.01-0.05 mm are a model
    choice. It is not to be counted as a fasciculation.

    Attributes:
        centres_mm: (x, z) of each group of fibres.
        directions_rad: direction of each.
        radius_mm: distance at which a group moves half as much.
        size_mm: usual size of the movement.
        rates_hz: for each group the rates of its oscillations.
        phases: for each group their phases in rad.
        start_s: start; before 0 the clip begins in the middle of it.
        length_s: how long it lasts.
    """

    centres_mm: tuple[tuple[float, float], ...]
    directions_rad: tuple[float, ...]
    radius_mm: float
    size_mm: float
    rates_hz: tuple[tuple[float, ...], ...]
    phases: tuple[tuple[float, ...], ...]
    start_s: float
    length_s: float
    label: str = FIBRILLATION
    is_local: bool = True

    @property
    def active_s(self) -> tuple[float, float]:
        """From the start to the end."""
        return (max(self.start_s, 0.0), self.start_s + self.length_s)

    def modes(self, positions_mm: Positions) -> NDArray[np.float32]:
        """One pattern a group (K, N, 2), 1 at its centre."""
        held = hold_surface(positions_mm)
        patterns = []
        for centre, direction in zip(self.centres_mm, self.directions_rad, strict=True):
            u, v = rotate_into(positions_mm, centre, direction)
            size = held * np.exp((u * u + v * v) * np.float32(-np.log(2) / self.radius_mm**2))
            patterns.append(rotate_back(size, np.zeros_like(size), direction))
        return np.stack(patterns).astype(np.float32)

    def courses(self, t_s: float) -> NDArray[np.float64]:
        """Movement (K,) in mm; it counts from the first frame."""
        return self._oscillate(t_s) - self._begin

    @cached_property
    def _begin(self) -> NDArray[np.float64]:
        return self._oscillate(0.0)

    def _oscillate(self, t_s: float) -> NDArray[np.float64]:
        """A sum of oscillations that fades in and out."""
        since_s = t_s - self.start_s
        fade = ease(since_s / _FADE_S) * ease((self.length_s - since_s) / _FADE_S)
        if fade == 0.0:
            return np.zeros(len(self.centres_mm))
        rates, phases = np.array(self.rates_hz), np.array(self.phases)
        # Slower oscillations are larger; the sum's deviation is half of `size_mm`, so that it rarely exceeds
        # it.
        weights = 1 / np.sqrt(rates)
        scale = 0.5 * self.size_mm / np.sqrt(0.5 * np.square(weights).sum(axis=1))
        waves = (weights * np.sin(2 * np.pi * rates * since_s + phases)).sum(axis=1)
        return np.asarray(fade * scale * waves, dtype=np.float64)

    def slice_angle(self, t_s: float) -> float:  # noqa: ARG002 - part of the protocol
        """Stays in the plane."""
        return 0.0

    def displacement(self, positions_mm: Positions, t_s: float) -> NDArray[np.float32]:
        """Displacement (N, 2) in mm."""
        return combine_modes(self.modes(positions_mm), self.courses(t_s))
