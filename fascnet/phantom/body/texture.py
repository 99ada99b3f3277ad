"""Where scatterers lie and how strongly the tissue between the reflectors scatters.

The Gaussian filters are SciPy's: their result does not depend on the number of threads. All is computed in
double precision and rounded once at the end (see `echoes`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from fascnet.phantom.body.anatomy import MARGIN_MM, Anatomy, Floats, Layer, Places

_CELLS_PER_LENGTH = 3.0
_TRUNCATE = 3.0

_HAZE_DEPTH_MM = 3.5
"""Depth over which near-field clutter falls to 1/e (model choice)."""


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


def draw_unit_echoes(count: int, rng: np.random.Generator) -> Floats:
    """Echoes of mean power 1 with a random sign; phase comes from the exact depth."""
    return np.asarray(0.5 * rng.standard_normal(count) + rng.choice([-0.866, 0.866], count))


def smooth_noise(shape: tuple[int, ...], sigmas: tuple[float, ...], rng: np.random.Generator) -> Floats:
    """Gaussian noise of mean 0 and deviation 1 on a grid, smoothed by `sigmas` cells along each axis."""
    noise = gaussian_filter(rng.standard_normal(shape), sigmas, truncate=_TRUNCATE)
    noise -= noise.mean()
    return np.asarray(noise / max(float(noise.std()), 1e-6))


def sample_texture(
    positions_mm: Places,
    axis_rad: float,
    along_mm: float,
    across_mm: float,
    rng: np.random.Generator,
) -> Floats:
    """Gaussian noise (N,) of mean 0 and deviation 1, smooth over lengths along and across an axis."""
    if len(positions_mm) == 0:
        return np.zeros(0)
    c, s = np.cos(axis_rad), np.sin(axis_rad)
    x, z = positions_mm[:, 0].astype(np.float64), positions_mm[:, 1].astype(np.float64)
    u, v = x * c + z * s, z * c - x * s
    step_u, step_v = max(0.05, along_mm / _CELLS_PER_LENGTH), max(0.05, across_mm / _CELLS_PER_LENGTH)
    shape = (int(np.ptp(v) / step_v) + 3, int(np.ptp(u) / step_u) + 3)
    noise = smooth_noise(shape, (across_mm / step_v, along_mm / step_u), rng)
    at = np.stack([(v - v.min()) / step_v, (u - u.min()) / step_u])
    return np.asarray(map_coordinates(noise, at, order=1, mode="nearest"))


@dataclass(frozen=True, slots=True, eq=False)
class Shading:
    """What tissue above does to the sound on its way: a factor for each place.

    Attributes:
        anatomy: the section.
        contact: noise (n,) along x at steps of 0.5 mm from -`MARGIN_MM`: uneven contact and fat.
        shadows: (x in mm, half width in mm, loss in dB) below edges of fasciae.
    """

    anatomy: Anatomy
    contact: Floats
    shadows: tuple[tuple[float, float, float], ...]

    def factor(self, positions_mm: Places) -> Floats:
        """Return the factor (N,) on the amplitude."""
        anatomy = self.anatomy
        x, z = positions_mm[:, 0].astype(np.float64), positions_mm[:, 1].astype(np.float64)
        below = z - anatomy.muscle_top(x)
        at = np.arange(len(self.contact)) * 0.5 - MARGIN_MM
        # Bands of contact grow out of the first millimetres, which lie in front of most of their causes.
        level_db = np.interp(x, at, self.contact) * (1 - np.exp(-np.maximum(z, 0) / 5))
        level_db -= anatomy.loss_db_per_mm * np.clip(below, 0, anatomy.thickness_mm)
        for centre, half, loss_db in self.shadows:
            column = np.exp(-0.5 * np.square((x - centre) / half))
            level_db -= loss_db * column / (1 + np.exp(np.clip(-(below - 0.8) / 0.5, -30, 30)))
        for vessel in anatomy.vessels:
            aside = (x - vessel.centre_mm[0]) / vessel.radius_mm
            under = z - vessel.centre_mm[1] > 0
            if vessel.half_length_mm is None:
                # Blood hardly attenuates: tissue behind is brighter. Sound that grazes the wall is bent away.
                gain_db = 1.8 * np.exp(-(np.square(aside / 0.8) ** 2))
                level_db += under * (gain_db - 2.5 * np.exp(-np.square((np.abs(aside) - 1.1) / 0.2)))
        return np.asarray(10 ** (level_db / 20))


def draw_shading(anatomy: Anatomy, width_mm: float, rng: np.random.Generator) -> Shading:
    """Draw the shadows and bands of a section (sizes are model choices)."""
    count = int((width_mm + 2 * MARGIN_MM) / 0.5) + 2
    contact = 1.3 * smooth_noise((count,), (5.0,), rng) + 0.5 * smooth_noise((count,), (1.2,), rng)
    shadows = tuple(
        (float(rng.uniform(0, width_mm)), float(rng.uniform(0.5, 2.0)), float(rng.uniform(1.5, 5.0)))
        for _ in range(int(rng.integers(0, 4)))
    )
    return Shading(anatomy, contact, shadows)


def draw_echo(
    anatomy: Anatomy, positions_mm: Places, layers: NDArray[np.uint8], rng: np.random.Generator
) -> Floats:
    """Strength (N,) of the diffuse scatterers: their layer's echogenicity times its texture, plus clutter."""
    x, z = positions_mm[:, 0].astype(np.float64), positions_mm[:, 1].astype(np.float64)
    echo = np.zeros(len(x))
    rises = {
        Layer.SKIN: (0.3, 0.0, 1.5, 0.12, 0.3),
        Layer.FAT: (anatomy.fat_echo, 0.0, 1.6, 0.45, 0.4),
        Layer.APONEUROSIS: (0.26, anatomy.slope, 2.5, 0.15, 0.4),
        Layer.VESSEL_WALL: (1.5 * anatomy.muscle_echo, 0.0, 1.5, 0.2, 0.3),
    }
    for layer, (strength, axis_rad, along_mm, across_mm, contrast) in rises.items():
        chosen = layers == layer
        texture = sample_texture(positions_mm[chosen], axis_rad, along_mm, across_mm, rng)
        echo[chosen] = strength * np.exp(contrast * texture)
    echo[layers == Layer.BLOOD] = 0.003
    for layer, strength, axis_rad in (
        (Layer.MUSCLE, 1.0, anatomy.fibre_rad),
        (Layer.DEEP_MUSCLE, anatomy.deep_echo, anatomy.deep_fibre_rad),
    ):
        chosen = layers == layer
        echo[chosen] = strength * _draw_muscle_echo(anatomy, positions_mm[chosen], axis_rad, rng)
    _darken_bone(anatomy, positions_mm, layers, echo, rng)
    # Clutter adds in power: it comes from elsewhere and has its own phase.
    haze = anatomy.haze * np.exp(-np.maximum(z - anatomy.skin_mm, 0) / _HAZE_DEPTH_MM)
    haze = haze * np.exp(0.4 * sample_texture(positions_mm, 0.0, 3.0, 1.0, rng)) * (layers != Layer.SKIN)
    return np.asarray(np.hypot(echo, haze))


def _draw_muscle_echo(
    anatomy: Anatomy, positions_mm: Places, axis_rad: float, rng: np.random.Generator
) -> Floats:
    """Fibres between the perimysia: dark, with broad patches and thin bundles of slightly different echo."""
    axis = 0.0 if anatomy.transverse else axis_rad
    stretch = 2.0 if anatomy.transverse else 3.5
    patches = sample_texture(positions_mm, axis, 6.0, 3.0, rng)
    bundles = sample_texture(positions_mm, axis, 0.3 * stretch, 0.3, rng)
    fascicles = sample_texture(positions_mm, axis, 0.7 * stretch, 0.6, rng)
    level = anatomy.patchiness * patches + anatomy.streak * (0.3 * bundles + 0.3 * fascicles)
    x, z = positions_mm[:, 0].astype(np.float64), positions_mm[:, 1].astype(np.float64)
    # Connective tissue gathers towards the deep aponeurosis, which therefore looks blurred.
    fringe = np.exp(-np.abs(z - anatomy.muscle_bottom(x)) / 1.4 + 0.5 * patches)
    return np.asarray(np.hypot(anatomy.muscle_echo * np.exp(level), 0.05 * fringe))


def _darken_bone(
    anatomy: Anatomy,
    positions_mm: Places,
    layers: NDArray[np.uint8],
    echo: Floats,
    rng: np.random.Generator,
) -> None:
    """Fill the shadow of a bone: a rough front, then clutter that fades with depth, in patches."""
    bone = layers == Layer.BONE
    if not bone.any():
        return
    places = positions_mm[bone]
    below = places[:, 1] - anatomy.bone_depth(places[:, 0])
    patches = sample_texture(places, 0.0, 2.5, 1.2, rng)
    front = 0.4 * anatomy.bone_echo * np.exp(-np.square(below / 0.5))
    clutter = (0.04 * anatomy.bone_echo * np.exp(-below / 3) + 0.004) * np.exp(0.6 * patches)
    echo[bone] = front + clutter
