"""Displacement of many places over a clip: all movements together, moment by moment."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.movement.motion import Motion, Positions, combine_modes, superpose
from fascnet.phantom.script import Script


class TissueMotion:
    """Displacement of all scatterers over a clip; keeps the modes of ongoing movements only."""

    def __init__(self, script: Script, positions_mm: Positions) -> None:
        self._script = script
        self._steady = (*script.background, *script.confounders)
        self._positions_mm = positions_mm
        self._modes: dict[int, NDArray[np.float32]] = {}

    def displace(self, t_s: float) -> Positions:
        """Return the places (N, 2) in mm at a moment; moments must not go backwards."""
        places = self._positions_mm.copy()
        for index, motion in enumerate(self._steady):
            if t_s < motion.active_s[0]:
                continue
            courses = motion.courses(t_s)
            if np.any(courses != 0.0):
                places += combine_modes(self._find_modes(index, motion), courses)
        offset = len(self._steady)
        active = []
        for index, twitch in enumerate(self._script.twitches, start=offset):
            if twitch.active_s[0] < t_s < twitch.active_s[1]:
                active.append(combine_modes(self._find_modes(index, twitch), twitch.courses(t_s)))
            elif t_s >= twitch.active_s[1]:
                self._modes.pop(index, None)
        if active:
            places += superpose(active)
        return places

    def slice_angle(self, t_s: float) -> float:
        """Out-of-plane movement of everything together, in rad, less than a right angle either way.

        At a right angle nothing of the start is left; turning on would bring the old speckle back.
        """
        total = sum(motion.slice_angle(t_s) for motion in self._steady)
        return math.pi / 2 * math.tanh(total / (math.pi / 2))

    def _find_modes(self, index: int, motion: Motion) -> NDArray[np.float32]:
        if index not in self._modes:
            # In double precision, so that single-precision results do not depend on the processor.
            places = np.asarray(self._positions_mm, dtype=np.float64)
            self._modes[index] = np.asarray(motion.modes(places), dtype=np.float32)  # type: ignore[arg-type]
        return self._modes[index]
