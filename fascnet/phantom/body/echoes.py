"""Points that scatter sound, and how the points of one smooth surface answer together.

A reflector is a row of points. Points on one smooth surface answer in phase, so their phases are set against
the wave's at rest; what differs from point to point is a slow roughness. Without this a surface that is a few
degrees off the horizontal would cancel itself, while scanners that steer and compound their beams show it.

Exponentials and sines are taken in double precision and rounded once, so that machines with other vector
instructions get the same single-precision numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.body.anatomy import Floats, Layer
from fascnet.phantom.body.texture import smooth_noise

STEP_MM = 0.08
"""Distance of points along a surface: well below the width of any beam."""

_ROUGHNESS_MM = 1.0
_ROUGHNESS_RAD = 0.8
_BESIDE_RAD = 2.0
"""How far the plane beside answers otherwise; a beam's width away little of the pattern of beads is left."""


@dataclass(frozen=True, slots=True, eq=False)
class Echoes:
    """Points that scatter sound.

    Attributes:
        positions_mm: float32 (N, 2), (x, z) at rest.
        amplitudes: complex64 (N,), seen by the scan plane.
        slice_amplitudes: complex64 (N,), seen by the plane beside it.
        layers: uint8 (N,), a `Layer` each.
    """

    positions_mm: NDArray[np.float32]
    amplitudes: NDArray[np.complex64]
    slice_amplitudes: NDArray[np.complex64]
    layers: NDArray[np.uint8]

    def choose(self, chosen: NDArray[np.bool_]) -> Echoes:
        """Return the points (N,) that are chosen."""
        return Echoes(
            self.positions_mm[chosen],
            self.amplitudes[chosen],
            self.slice_amplitudes[chosen],
            self.layers[chosen],
        )

    def scale(self, factors: Floats) -> Echoes:
        """Return the same points, stronger or weaker by factors (N,)."""
        weights = factors.astype(np.float32)
        here, beside = self.amplitudes.copy(), self.slice_amplitudes.copy()
        for amplitudes in (here, beside):
            amplitudes.real *= weights
            amplitudes.imag *= weights
        return Echoes(self.positions_mm, here, beside, self.layers)


def join_echoes(pieces: Sequence[Echoes]) -> Echoes:
    """Put points together; at least one piece."""
    return Echoes(
        np.concatenate([piece.positions_mm for piece in pieces]),
        np.concatenate([piece.amplitudes for piece in pieces]),
        np.concatenate([piece.slice_amplitudes for piece in pieces]),
        np.concatenate([piece.layers for piece in pieces]),
    )


def trace_line(
    x_mm: Floats,
    z_mm: Floats,
    strengths: Floats,
    layer: Layer,
    wavelength_mm: float,
    rng: np.random.Generator,
) -> Echoes:
    """Make the points of one surface, ordered along it.

    Args:
        x_mm: places (N,) along x, about `STEP_MM` apart along the surface.
        z_mm: depths (N,).
        strengths: amplitude per mm, (N,).
        layer: what they belong to.
        wavelength_mm: wavelength against which the phases are set.
        rng: source of all randomness.
    """
    roughness = smooth_noise((2, len(x_mm)), (0.0, _ROUGHNESS_MM / STEP_MM), rng)
    beside = np.exp(0.5 * smooth_noise((len(x_mm),), (2.0 / STEP_MM,), rng) - 0.25)
    return face_probe(x_mm, z_mm, strengths, beside, roughness, layer, wavelength_mm)


def face_probe(
    x_mm: Floats,
    z_mm: Floats,
    strengths: Floats,
    beside: Floats,
    roughness: Floats,
    layer: Layer,
    wavelength_mm: float,
) -> Echoes:
    """Make points whose phases are set against the wave's.

    Args:
        x_mm: places (N,).
        z_mm: depths (N,).
        strengths: amplitude per mm, (N,).
        beside: the neighbouring plane's strength as a share, (N,).
        roughness: (2, N) of deviation 1: phase in the scan plane, and its change towards the neighbour.
        layer: what they belong to.
        wavelength_mm: wavelength.
    """
    positions = np.stack([x_mm, z_mm], axis=-1).astype(np.float32)
    phase = 4 * np.pi / wavelength_mm * positions[:, 1].astype(np.float64) + _ROUGHNESS_RAD * roughness[0]
    level = strengths * STEP_MM
    return Echoes(
        positions,
        _make_complex(level, phase),
        _make_complex(level * beside, phase + _BESIDE_RAD * roughness[1]),
        np.full(len(positions), layer, dtype=np.uint8),
    )


def _make_complex(level: Floats, phase_rad: Floats) -> NDArray[np.complex64]:
    values = np.empty(len(level), dtype=np.complex64)
    values.real, values.imag = level * np.cos(phase_rad), level * np.sin(phase_rad)
    return values
