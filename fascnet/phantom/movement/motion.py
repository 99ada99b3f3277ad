"""Movement of tissue as functions of place and time, and how several twitches add up.

Every movement is a sum of a few *modes* (where and in which direction, in mm per unit) times *courses* (how
much at a moment). Modes are evaluated once, at the resting places of the scatterers; a frame then costs a
multiplication. Places are (x, z) in mm, x to the right, z down from the probe's face.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.movement.geometry import (
    SURFACE_HOLD_MM,
    Positions,
    combine_modes,
    ease,
    hold_surface,
    rotate_back,
    rotate_into,
)
from fascnet.phantom.movement.pulse import SUPERPOSITION_EXPONENT
from fascnet.phantom.movement.twitch import Twitch

__all__ = [
    "SUPERPOSITION_EXPONENT",
    "SURFACE_HOLD_MM",
    "Motion",
    "Positions",
    "Twitch",
    "combine_modes",
    "ease",
    "find_peaks_mm",
    "hold_surface",
    "rotate_back",
    "rotate_into",
    "share_superposed",
    "superpose",
]

_TIME_STEP_S = 0.004


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
        """Whether the movement has places that can be outlined: where a mode's length is 0.5 or more."""

    def modes(self, positions_mm: Positions) -> NDArray[np.float32]:
        """Spatial patterns (K, N, 2) at resting places (N, 2); of a local movement, each of peak length 1."""

    def courses(self, t_s: float) -> NDArray[np.float64]:
        """Factors (K,) at a moment: in mm where the modes have no unit, else without."""

    def slice_angle(self, t_s: float) -> float:
        """Out-of-plane movement as an angle in rad: speckle correlates with the start as its cosine."""

    def displacement(self, positions_mm: Positions, t_s: float) -> NDArray[np.float32]:
        """Displacement (N, 2) in mm at resting places (N, 2)."""


def superpose(displacements: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Add simultaneous twitches less than linearly (Lubel 2023).

    The vector sum is scaled so that the total of the magnitudes follows a p-norm with
    p = `SUPERPOSITION_EXPONENT`; one twitch alone is unchanged. Two twitches of one place and direction add
    up like two pulses of one twitch.

    Args:
        displacements: at least one array (N, 2) in mm.
    """
    if len(displacements) == 1:
        return displacements[0]
    total = np.sum(displacements, axis=0, dtype=np.float32)
    return np.asarray(total * _find_factor(displacements)[:, None], dtype=np.float32)


def share_superposed(displacements: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Return what each of several simultaneous twitches adds to `superpose` of them, (N, 2) in mm each."""
    if len(displacements) == 1:
        return list(displacements)
    factor = _find_factor(displacements)[:, None]
    return [np.asarray(part * factor, dtype=np.float32) for part in displacements]


def find_peaks_mm(twitches: Sequence[Twitch]) -> tuple[float, ...]:
    """Return the largest displacement of tissue, in mm, that each twitch of a clip brings about.

    A twitch that is alone in time gives its `peak_mm`; one that meets others gives less, because
    simultaneous twitches add less than linearly. Exact to about 2 %.
    """
    return tuple(_find_peak_mm(twitch, twitches) for twitch in twitches)


def _find_peak_mm(twitch: Twitch, twitches: Sequence[Twitch]) -> float:
    start_s, end_s = twitch.active_s
    others = [
        other
        for other in twitches
        if other is not twitch and other.active_s[0] < end_s and other.active_s[1] > start_s
    ]
    if not others:
        return twitch.peak_mm
    places = twitch.sample_core()
    modes = [motion.modes(places) for motion in (twitch, *others)]
    times = np.arange(start_s, end_s, _TIME_STEP_S)
    # Only moments near the peak can hold the largest share; half of it leaves room for the factor.
    largest = 0.0
    for t_s in times[twitch.course(times) > 0.5]:
        parts = [
            combine_modes(mode, motion.courses(float(t_s)))
            for mode, motion in zip(modes, (twitch, *others), strict=True)
        ]
        own = share_superposed(parts)[0]
        largest = max(largest, float(np.hypot(own[:, 0], own[:, 1]).max()))
    return largest


def _find_factor(displacements: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    sizes = np.stack([np.hypot(d[:, 0], d[:, 1]) for d in displacements])
    plain = sizes.sum(axis=0)
    norm = np.power(sizes, SUPERPOSITION_EXPONENT).sum(axis=0) ** (1 / SUPERPOSITION_EXPONENT)
    return np.asarray(np.divide(norm, plain, out=np.ones_like(plain), where=plain > 0), dtype=np.float32)
