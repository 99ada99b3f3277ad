"""A section through a muscle as point scatterers: skin, fat, aponeuroses, fascicles, bone, a vessel.

Scatterers carry two independent amplitudes: what the scan plane sees, and what the plane beside it would
see, so that out-of-plane movement changes the speckle without moving it. Layer thicknesses, echogenicities
and texture lengths are model choices of ordinary size for limb muscle; they are not taken from one
publication.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

MARGIN_MM = 3.5
"""Tissue beyond the picture's edges, so that movement brings in tissue, not emptiness."""

_TEXTURE_STEP_MM = 0.2


class Layer(IntEnum):
    """What a scatterer belongs to."""

    SKIN = 0
    FAT = 1
    APONEUROSIS = 2
    MUSCLE = 3
    DEEP_MUSCLE = 4
    BONE = 5
    VESSEL_WALL = 6
    BLOOD = 7


@dataclass(frozen=True)
class Vessel:
    """A vessel in the plane.

    Attributes:
        centre_mm: (x, z).
        radius_mm: radius of the lumen.
        axis_rad: its direction when it lies in the plane.
        half_length_mm: half of its length in the plane, or None when it crosses the plane (a disc).
    """

    centre_mm: tuple[float, float]
    radius_mm: float
    axis_rad: float
    half_length_mm: float | None


@dataclass(frozen=True)
class Anatomy:
    """Geometry and echogenicity of a section.

    Attributes:
        transverse: the plane crosses the fibres.
        skin_mm: thickness of the skin.
        fat_mm: thickness of the fat.
        thickness_mm: thickness of the muscle.
        slope: slope of the aponeuroses.
        deep_slope: slope of the deep aponeurosis against the upper one.
        curvature_per_mm: curvature of the aponeuroses.
        fibre_rad: direction of the fascicles in the plane, from +x towards +z.
        bone_mm: depth of a bone surface, or None.
        muscle_echo: amplitude of muscle against fat; rises with age and disease.
        streak: contrast of the perimysium, 0-2.
        vessel: a vessel, or None.
    """

    transverse: bool
    skin_mm: float
    fat_mm: float
    thickness_mm: float
    slope: float
    deep_slope: float
    curvature_per_mm: float
    fibre_rad: float
    bone_mm: float | None
    muscle_echo: float
    streak: float
    vessel: Vessel | None = None

    def muscle_top(self, x_mm: NDArray[np.float32] | float) -> NDArray[np.float32]:
        """Depth of the upper aponeurosis in mm."""
        x = np.asarray(x_mm, dtype=np.float32)
        depth = self.skin_mm + self.fat_mm + self.slope * x + self.curvature_per_mm * np.square(x - 16) * 0.5
        return np.asarray(depth, dtype=np.float32)

    def muscle_bottom(self, x_mm: NDArray[np.float32] | float) -> NDArray[np.float32]:
        """Depth of the deep aponeurosis in mm."""
        x = np.asarray(x_mm, dtype=np.float32)
        return self.muscle_top(x) + self.thickness_mm + self.deep_slope * (x - 16)


@dataclass(frozen=True, eq=False)
class Scatterers:
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


def make_tissue(
    anatomy: Anatomy, width_mm: float, depth_mm: float, density_per_mm2: float, rng: np.random.Generator
) -> Scatterers:
    """Fill a section with scatterers.

    Args:
        anatomy: what lies where.
        width_mm: width of the picture; tissue reaches `MARGIN_MM` beyond.
        depth_mm: depth of the picture.
        density_per_mm2: scatterers per mm².
        rng: source of all randomness.
    """
    positions = scatter_evenly(width_mm, depth_mm, density_per_mm2, rng)
    layers = _label_layers(anatomy, positions)
    echo = _draw_echo(anatomy, positions, layers, rng)
    diffuse, beside = (echo * _draw_unit_echoes(len(positions), rng) for _ in range(2))
    shiny, shiny_echo = _trace_reflectors(anatomy, width_mm, rng)
    return Scatterers(
        positions_mm=np.concatenate([positions, shiny]).astype(np.float32),
        amplitudes=np.concatenate([diffuse, shiny_echo]).astype(np.complex64),
        slice_amplitudes=np.concatenate([beside, 0.5 * shiny_echo]).astype(np.complex64),
        layers=np.concatenate([layers, np.full(len(shiny), Layer.APONEUROSIS, dtype=np.uint8)]),
    )


def scatter_evenly(
    width_mm: float, depth_mm: float, density_per_mm2: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return positions (N, 2) in mm, one in each cell of a grid: fewer clumps than independent points."""
    step = 1 / np.sqrt(density_per_mm2)
    columns = int(np.ceil((width_mm + 2 * MARGIN_MM) / step))
    rows = int(np.ceil((depth_mm + 2 * MARGIN_MM) / step))
    cells = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)
    places = (cells + rng.random(cells.shape)) * step - MARGIN_MM
    return np.asarray(places, dtype=np.float32)


def _draw_unit_echoes(count: int, rng: np.random.Generator) -> NDArray[np.complex64]:
    """Echoes of mean power 1 with a random sign; phase comes from the exact depth."""
    echoes = rng.standard_normal(count) * 0.5 + rng.choice([-0.866, 0.866], count)
    return np.asarray(echoes, dtype=np.complex64)


def _label_layers(anatomy: Anatomy, positions: NDArray[np.float32]) -> NDArray[np.uint8]:
    x, z = positions[:, 0], positions[:, 1]
    top, bottom = anatomy.muscle_top(x), anatomy.muscle_bottom(x)
    layers = np.full(len(x), Layer.MUSCLE, dtype=np.uint8)
    layers[z < top] = Layer.FAT
    layers[z < anatomy.skin_mm] = Layer.SKIN
    layers[z > bottom] = Layer.DEEP_MUSCLE
    layers[(np.abs(z - top) < 0.35) | (np.abs(z - bottom) < 0.4)] = Layer.APONEUROSIS
    if anatomy.bone_mm is not None:
        layers[z > _bone_depth(anatomy, x)] = Layer.BONE
    vessel = anatomy.vessel
    if vessel is not None:
        dx, dz = x - vessel.centre_mm[0], z - vessel.centre_mm[1]
        c, s = np.cos(vessel.axis_rad), np.sin(vessel.axis_rad)
        u, v = dx * c + dz * s, dz * c - dx * s
        # Where a vessel leaves the plane its section narrows to a point.
        stretch = 1.0 if vessel.half_length_mm is None else vessel.half_length_mm / vessel.radius_mm
        distance = np.hypot(u / stretch, v)
        layers[distance < vessel.radius_mm + 0.4] = Layer.VESSEL_WALL
        layers[distance < vessel.radius_mm] = Layer.BLOOD
    return layers


def _bone_depth(anatomy: Anatomy, x: NDArray[np.float32]) -> NDArray[np.float32]:
    depth = 0.0 if anatomy.bone_mm is None else anatomy.bone_mm
    return np.asarray(depth + np.square((x - 17) / 9.0), dtype=np.float32)


def _draw_echo(
    anatomy: Anatomy, positions: NDArray[np.float32], layers: NDArray[np.uint8], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Amplitude of each scatterer: its layer's echogenicity times the layer's texture."""
    fascicles = _draw_fascicles(anatomy, anatomy.fibre_rad, positions, rng)
    # The muscle below has its own fibres, most often of another direction.
    deep_fascicles = _draw_fascicles(anatomy, -0.6 * anatomy.fibre_rad, positions, rng)
    patches = _sample_texture(positions, 0.0, 3.0, 2.0, rng)
    septa = _sample_texture(positions, anatomy.slope, 4.0, 0.3, rng)
    fine = _sample_texture(positions, anatomy.slope, 1.5, 0.15, rng)
    echo = np.empty(len(positions), dtype=np.float32)
    for layer, values in (
        (Layer.SKIN, 1.3 * np.exp(0.25 * fine)),
        (Layer.FAT, 0.2 * np.exp(0.9 * septa + 0.25 * patches)),
        (Layer.APONEUROSIS, 2.0 * np.exp(0.3 * fine + 0.15 * septa)),
        (Layer.MUSCLE, anatomy.muscle_echo * fascicles * np.exp(0.15 * patches)),
        (Layer.DEEP_MUSCLE, 0.8 * anatomy.muscle_echo * deep_fascicles**0.7 * np.exp(0.25 * patches)),
        (Layer.VESSEL_WALL, 1.2 * np.exp(0.2 * fine)),
        (Layer.BLOOD, np.full(len(positions), 0.02)),
    ):
        chosen = layers == layer
        echo[chosen] = values[chosen]
    bone = layers == Layer.BONE
    below = positions[bone, 1] - _bone_depth(anatomy, positions[bone, 0])
    echo[bone] = 0.015 + 3.0 * np.exp(-np.square(below / 0.4))
    return echo


def _draw_fascicles(
    anatomy: Anatomy, fibre_rad: float, positions: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Dark fascicles in bright perimysium: streaks along the fibres, or spots and short arcs across them."""
    if anatomy.transverse:
        spots = _sample_texture(positions, anatomy.slope, 0.45, 0.28, rng)
        arcs = _sample_texture(positions, anatomy.slope + 0.2, 1.6, 0.3, rng)
        mixed = 0.65 * spots + 0.55 * arcs
    else:
        thin = _sample_texture(positions, fibre_rad, 2.6, 0.22, rng)
        thick = _sample_texture(positions, fibre_rad, 5.0, 0.45, rng)
        mixed = 0.7 * thin + 0.55 * thick
    return np.asarray(np.exp(anatomy.streak * mixed), dtype=np.float32)


def _sample_texture(
    positions: NDArray[np.float32],
    axis_rad: float,
    along_mm: float,
    across_mm: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Gaussian noise (N,) of mean 0 and deviation 1, smooth over lengths along and across an axis."""
    c, s = np.cos(axis_rad), np.sin(axis_rad)
    u = positions[:, 0] * c + positions[:, 1] * s
    v = positions[:, 1] * c - positions[:, 0] * s
    step_u, step_v = max(_TEXTURE_STEP_MM, along_mm / 3), max(0.08, across_mm / 3)
    columns, rows = int(np.ptp(u) / step_u) + 3, int(np.ptp(v) / step_v) + 3
    white = rng.standard_normal((rows, columns)).astype(np.float32)
    noise = cv2.GaussianBlur(white, (0, 0), sigmaX=along_mm / step_u, sigmaY=across_mm / step_v)
    noise = (noise - noise.mean()) / noise.std()
    at = np.stack([(v - v.min()) / step_v, (u - u.min()) / step_u])
    return np.asarray(map_coordinates(noise, at, order=1, mode="nearest"), dtype=np.float32)


def _trace_reflectors(
    anatomy: Anatomy, width_mm: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.complex64]]:
    """Smooth surfaces that send the wave straight back: dense points of one sign along the aponeuroses."""
    x = np.arange(-MARGIN_MM, width_mm + MARGIN_MM, 0.06, dtype=np.float32)
    places, echoes = [], []
    for depth, strength in ((anatomy.muscle_top(x), 0.5), (anatomy.muscle_bottom(x), 0.45)):
        for offset in (-0.22, 0.2):
            line = np.stack([x, depth + np.float32(offset)], axis=-1)
            shine = np.exp(0.5 * _sample_texture(line, 0.0, 2.5, 0.3, rng))
            places.append(line)
            echoes.append(strength * shine)
    if anatomy.bone_mm is not None:
        places.append(np.stack([x, _bone_depth(anatomy, x)], axis=-1))
        echoes.append(np.full(len(x), 1.2, dtype=np.float32))
    return np.concatenate(places), np.concatenate(echoes).astype(np.complex64)
