"""What never rests: the hand that holds the probe, the body under it, and the plane between them.

In real clips of resting muscle the picture correlates with itself by 0.97-0.99 after a tenth of a second and
by 0.86-0.96 after half a second (measured by the realism card on real clips). Sizes and rates are chosen for
that (model); physiological tremor of the hand lies below about 12 Hz and is larger the slower it is.
This is the state of rest, so it is no event and has no label in the truth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.chance import draw, draw_log
from fascnet.phantom.movement.geometry import Positions, combine_modes
from fascnet.phantom.ranges import Range

RESTLESSNESS = "restlessness"

Wave = tuple[float, float, float, float]
"""(size, rate in Hz, phase in rad, direction in rad from +x towards +z) of one swing."""

_RATES_HZ: tuple[Range, ...] = ((0.08, 0.2), (0.2, 0.5), (0.5, 1.2), (1.2, 3.0), (3.0, 7.0))
_FALL = 0.6
"""Sizes fall with the rate to this power: of a wander that is nearly a random walk (0.5) or smoother (1)."""

_TURN_RATES_HZ: tuple[Range, ...] = ((0.05, 0.15), (0.15, 0.4), (0.4, 1.0), (1.0, 2.5))
_TURN_FALL = 0.5


@dataclass(frozen=True)
class Restlessness:
    """Small movement that goes on for the whole clip: sums of sines.

    Tissue slides along the probe as one; pressed, it gives way in proportion to its depth.

    Attributes:
        shifts: swings in the plane, sizes in mm.
        turns: swings out of the plane, sizes in rad; the direction counts for nothing.
        depth_mm: depth at which pressing moves tissue by the full size.
        duration_s: length of the clip.
    """

    shifts: tuple[Wave, ...]
    turns: tuple[Wave, ...]
    depth_mm: float
    duration_s: float
    label: str = RESTLESSNESS
    is_local: bool = False

    @property
    def active_s(self) -> tuple[float, float]:
        """The whole clip."""
        return (0.0, self.duration_s)

    def modes(self, positions_mm: Positions) -> NDArray[np.float32]:
        """Sliding and pressing, (2, N, 2)."""
        modes = np.zeros((2, *positions_mm.shape), dtype=np.float32)
        modes[0, :, 0] = 1.0
        modes[1, :, 1] = np.maximum(positions_mm[:, 1], 0) / np.float32(self.depth_mm)
        return modes

    def courses(self, t_s: float) -> NDArray[np.float64]:
        """Size (2,) of sliding and pressing in mm."""
        slide = press = 0.0
        for size, rate_hz, phase_rad, direction_rad in self.shifts:
            swing = size * math.sin(2 * math.pi * rate_hz * t_s + phase_rad)
            slide += swing * math.cos(direction_rad)
            press += swing * math.sin(direction_rad)
        return np.array([slide, press])

    def slice_angle(self, t_s: float) -> float:
        """All swings out of the plane together."""
        return sum(
            size * math.sin(2 * math.pi * rate_hz * t_s + phase_rad)
            for size, rate_hz, phase_rad, _ in self.turns
        )

    def displacement(self, positions_mm: Positions, t_s: float) -> NDArray[np.float32]:
        """Displacement (N, 2) in mm."""
        return combine_modes(self.modes(positions_mm), self.courses(t_s))


def draw_restlessness(
    size_mm: float, size_rad: float, depth_mm: float, duration_s: float, rng: np.random.Generator
) -> Restlessness:
    """Draw how one clip never rests.

    Args:
        size_mm: RMS of the movement in the plane, >= 0; 0 for none.
        size_rad: RMS of the swing out of the plane, >= 0; 0 for none.
        depth_mm: depth of the picture.
        duration_s: length of the clip.
        rng: source of all randomness.
    """
    return Restlessness(
        shifts=_draw_waves(size_mm, _RATES_HZ, _FALL, rng),
        turns=_draw_waves(size_rad, _TURN_RATES_HZ, _TURN_FALL, rng),
        depth_mm=depth_mm,
        duration_s=duration_s,
    )


def _draw_waves(
    size: float, bands_hz: tuple[Range, ...], fall: float, rng: np.random.Generator
) -> tuple[Wave, ...]:
    """Draw a swing in each band; their squares add up to twice the square of the size (an RMS)."""
    rates = [draw_log(band, rng) for band in bands_hz]
    levels = [draw((0.5, 1.5), rng) * math.exp(-fall * math.log(rate_hz)) for rate_hz in rates]
    scale = size * math.sqrt(2 / sum(level * level for level in levels))
    turns = [(draw((0.0, 2 * math.pi), rng), draw((0.0, 2 * math.pi), rng)) for _ in rates]
    if size == 0.0:
        return ()
    return tuple(
        (scale * level, rate_hz, phase_rad, direction_rad)
        for level, rate_hz, (phase_rad, direction_rad) in zip(levels, rates, turns, strict=True)
    )
