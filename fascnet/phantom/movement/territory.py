"""How much tissue moves where in a twitch: a motor-unit territory and the passive tissue around it.

Territories are elliptical, crescent-shaped or split (Birkbeck 2020: area 26.7±11.2 mm², long axis 10.7±3.3,
short axis 4.5±1.2 mm). Tissue around the contracting core is pulled along over a wider area (Heskamp 2021),
so far that 0.61-0.67±0.2 of a 16 x 16 mm field moves by 15 % of the peak or more (field notes 3a).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.movement.geometry import Positions

_HALF_LEVEL = 0.5


@dataclass(frozen=True, slots=True)
class Territory:
    """A contracting core, in coordinates along (u) and across (v) its axis, and its halo.

    The movement is about half of its peak at the core's outline.

    Attributes:
        semi_long_mm: half of the core's long axis.
        semi_short_mm: half of the core's thickness across it.
        bend_mm: how far the middle of a crescent stands off the line between its tips; 0 is a straight core.
        lobe_mm: half of the distance between the middles of a split core's two lobes; 0 is one lobe.
        halo_mm: reach of the passive halo beyond the core.
        halo_level: movement of the halo at the centre as a share of the peak, 0-0.45.
    """

    semi_long_mm: float
    semi_short_mm: float
    bend_mm: float
    lobe_mm: float
    halo_mm: float
    halo_level: float

    def measure(self, u_mm: Positions, v_mm: Positions) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return how much the core and the halo move at places (N,); together about 1 at most."""
        a, b = np.float32(self.semi_long_mm), np.float32(self.semi_short_mm)
        along = np.square(u_mm / a)
        # A parabola near the core that levels off beyond its tips; its middle stays at the centre of mass.
        bent = v_mm - np.float32(self.bend_mm) * (along / (1 + along / 6) - np.float32(0.35))
        across = np.square(bent / b)
        fall = np.float32(np.log(self._find_core_at_outline()))
        if self.lobe_mm == 0:
            core = np.exp((along + across) * fall)
        else:
            lobe = np.float32(self.semi_long_mm - self.lobe_mm)
            near = np.square((np.abs(u_mm) - np.float32(self.lobe_mm)) / lobe)
            far = np.square((np.abs(u_mm) + np.float32(self.lobe_mm)) / lobe)
            core = np.exp((near + across) * fall) + np.exp((far + across) * fall)
        halo = np.exp(
            -np.square(u_mm / np.float32(self.semi_long_mm + self.halo_mm))
            - np.square(v_mm / np.float32(self.semi_short_mm + self.halo_mm))
        )
        level = np.float32(self.halo_level)
        return np.asarray(core * (1 - level), np.float32), np.asarray(halo * level, np.float32)

    def _find_core_at_outline(self) -> float:
        """Level of the core's bell at its outline, so that core and halo together are at half there."""
        short = (self.semi_short_mm / (self.semi_short_mm + self.halo_mm)) ** 2
        long = (self.semi_long_mm / (self.semi_long_mm + self.halo_mm)) ** 2
        # Half way between the two ends of the outline: the halo is weaker at the tips of the long axis.
        halo = self.halo_level * float(np.exp(-(short + long) / 2))
        return max(_HALF_LEVEL - halo, 0.05) / (1 - self.halo_level)
