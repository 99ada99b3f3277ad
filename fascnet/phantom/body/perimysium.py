"""Connective tissue between fascicles, as a section shows it: long thin lines, or dots and short arcs.

Along the fibres every perimysium is a curve from one aponeurosis to the other that is visible in stretches.
Across the fibres the perimysia are the borders of fascicles: a net of cells, of which mostly the borders that
face X
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import Voronoi

from fascnet.phantom.body.anatomy import MARGIN_MM, Anatomy, Floats, Layer
from fascnet.phantom.body.echoes import STEP_MM, Echoes, face_probe, join_echoes
from fascnet.phantom.body.texture import sample_texture, smooth_noise

Border = Callable[[ArrayLike], Floats]

_COARSE = 5
"""Noise along a fascicle is drawn at every fifth point and interpolated."""

_LEAN = 0.03
"""Deviation of the slope of single sheets from the common direction."""

_CLEAR_MM = 0.35
"""Distance that perimysia keep from the middle of an aponeurosis."""


@dataclass(frozen=True, slots=True)
class Bed:
    """A compartment of muscle with one direction of fibres.

    Attributes:
        anatomy: the section.
        width_mm: width of the picture.
        upper: depth of the border above, as a function of x.
        lower: depth of the border below.
        fibre_rad: direction of the fibres.
        layer: what its scatterers belong to.
        wavelength_mm: wavelength for which surfaces answer in phase.
    """

    anatomy: Anatomy
    width_mm: float
    upper: Border
    lower: Border
    fibre_rad: float
    layer: Layer
    wavelength_mm: float

    def reach(self) -> tuple[float, float]:
        """Return the smallest and the largest depth in mm."""
        edge = np.linspace(-MARGIN_MM, self.width_mm + MARGIN_MM, 40)
        return float(self.upper(edge).min()), float(self.lower(edge).max())

    def holds(self, x: Floats, z: Floats) -> NDArray[np.bool_]:
        """Return whether places (N,) lie inside and in the picture's width."""
        inside = (z > self.upper(x) + _CLEAR_MM) & (z < self.lower(x) - _CLEAR_MM)
        return inside & (x > -MARGIN_MM) & (x < self.width_mm + MARGIN_MM)


@dataclass(frozen=True, slots=True)
class Order:
    """Sheets of one size.

    Attributes:
        strength: amplitude per mm.
        spacing_mm: mean distance.
        visible_mm: mean length over which one stays visible.
        bend_mm: deviation of its course from a straight line.
        thickness_mm: deviation of its points across it; a thicker sheet echoes in beads.
    """

    strength: float
    spacing_mm: float
    visible_mm: float
    bend_mm: float = 0.45
    thickness_mm: float = 0.08


def trace_perimysium(
    anatomy: Anatomy, width_mm: float, depth_mm: float, wavelength_mm: float, rng: np.random.Generator
) -> Echoes:
    """Draw the perimysium of the muscle and of the muscle below it, before shadows."""

    def floor(x: ArrayLike) -> Floats:
        return np.full(np.shape(x), depth_mm + MARGIN_MM)

    top, centre, bottom = anatomy.muscle_top, anatomy.muscle_centre, anatomy.muscle_bottom
    courses: list[tuple[Border, Border, float, Layer]] = [(top, centre, anatomy.fibre_rad, Layer.MUSCLE)]
    if anatomy.central_share is not None:
        courses.append((centre, bottom, -anatomy.fibre_rad, Layer.MUSCLE))
    courses.append((bottom, floor, anatomy.deep_fibre_rad, Layer.DEEP_MUSCLE))
    pieces = []
    for upper, lower, fibre_rad, layer in courses:
        bed = Bed(anatomy, width_mm, upper, lower, fibre_rad, layer, wavelength_mm)
        pieces += _fill_across(bed, rng) if anatomy.transverse else _fill_along(bed, rng)
    echoes = join_echoes(pieces)
    x, z = echoes.positions_mm[:, 0], echoes.positions_mm[:, 1]
    free = z < anatomy.bone_depth(x)
    for vessel in anatomy.vessels:
        free &= vessel.distance(echoes.positions_mm) > vessel.radius_mm
    return echoes.choose(free)


def _scale_bed(bed: Bed) -> tuple[float, float, float]:
    """Return strength, spacing and visible length; deeper muscle shows fewer and fainter sheets."""
    anatomy = bed.anatomy
    strength = 0.36 * anatomy.streak
    if bed.layer == Layer.DEEP_MUSCLE:
        return 0.5 * strength * anatomy.deep_echo, 1.4 * anatomy.spacing_mm, 0.7 * anatomy.visible_mm
    return strength, anatomy.spacing_mm, anatomy.visible_mm


def _fill_along(bed: Bed, rng: np.random.Generator) -> list[Echoes]:
    strength, spacing, visible = _scale_bed(bed)
    orders = (
        Order(strength, spacing, visible, thickness_mm=0.18),
        # Perimysia of higher order: nearer to each other, fainter, shorter.
        Order(0.5 * strength, 0.45 * spacing, 0.5 * visible),
        Order(0.25 * strength, 0.3 * spacing, 0.25 * visible),
    )
    return [trace_lines(bed, order, bed.fibre_rad, rng) for order in orders]


def _fill_across(bed: Bed, rng: np.random.Generator) -> list[Echoes]:
    strength, spacing, visible = _scale_bed(bed)
    tilt = bed.anatomy.slope + 0.05 * float(rng.standard_normal())
    return [
        trace_lines(bed, Order(1.3 * strength, 2.4 * spacing, 0.6 * visible, 1.1, 0.1), tilt, rng),
        trace_net(bed, Order(1.2 * strength, spacing, visible), rng),
        trace_lines(bed, Order(0.5 * strength, 0.4 * spacing, 0.6, 0.5), tilt, rng),
    ]


def trace_lines(bed: Bed, order: Order, axis_rad: float, rng: np.random.Generator) -> Echoes:
    """Draw curves along an axis, each visible in stretches."""
    high, low = bed.reach()
    middle = (bed.width_mm / 2, (high + low) / 2)
    half_u = float(np.hypot(bed.width_mm / 2 + MARGIN_MM, (low - high) / 2))
    c, s = np.cos(axis_rad), np.sin(axis_rad)
    half_v = abs(s) * (bed.width_mm / 2 + MARGIN_MM) + abs(c) * (low - high) / 2 + 1.0
    lines = max(int(2 * half_v / order.spacing_mm), 2)
    start = np.linspace(-half_v, half_v, lines) + 0.45 * order.spacing_mm * rng.standard_normal(lines)
    coarse = int(2 * half_u / (STEP_MM * _COARSE)) + 2
    u = np.arange((coarse - 1) * _COARSE) * STEP_MM - half_u

    def noise(across_mm: float, along_mm: float) -> Floats:
        sigmas = (across_mm / order.spacing_mm, along_mm / (STEP_MM * _COARSE))
        return _refine(smooth_noise((lines, coarse), sigmas, rng))

    # Neighbours bend together, and each a little by itself.
    v = start[:, None] + order.bend_mm * noise(3.0, 6.0) + 0.1 * noise(0.0, 2.0)
    v += _LEAN * rng.standard_normal((lines, 1)) * u[None]
    v += 0.5 * bed.anatomy.fibre_curvature_per_mm * (np.square(u) - half_u**2 / 3)[None]
    x = middle[0] + u[None] * c - v * s
    z = middle[1] + u[None] * s + v * c
    # A Gaussian noise smoothed over s stays above a level of 0.3 for about 3.6 s at a time.
    seen = np.clip((noise(0.0, order.visible_mm / 3.6) + 0.7 * noise(2.5, 5.0) - 0.75) / 0.6, 0, 1)
    chosen = (seen > 0) & bed.holds(x, z)
    each = 0.6 * rng.standard_normal((lines, 1))
    shine = (each + 0.4 * noise(0.0, 1.6) + 0.3 * noise(0.0, 0.5))[chosen]
    rough = np.stack([noise(0.0, 0.7)[chosen], noise(0.0, 0.7)[chosen]])
    beside = np.exp(0.5 * noise(0.0, 2.5)[chosen] - 0.3)
    x, z = x[chosen], z[chosen]
    z = z + order.thickness_mm * rng.standard_normal(len(z))
    grains = 1 + 0.5 * rng.standard_normal(len(z))
    level = order.strength * seen[chosen] * np.exp(shine) * grains
    return face_probe(x, z, level, beside, rough, bed.layer, bed.wavelength_mm)


def trace_net(bed: Bed, order: Order, rng: np.random.Generator) -> Echoes:
    """Draw the borders of a net of cells, brighter where they face the probe."""
    high, low = bed.reach()
    # Fascicles are wider than high in a relaxed muscle under a probe.
    wide, tall = 1.7 * order.spacing_mm, 0.9 * order.spacing_mm
    columns, rows = int((bed.width_mm + 2 * MARGIN_MM) / wide) + 4, int((low - high) / tall) + 4
    seeds = np.stack(np.meshgrid(np.arange(columns) - 1.5, np.arange(rows) - 1.5), axis=-1).astype(float)
    seeds[1::2, :, 0] += 0.5
    seeds += 0.32 * rng.standard_normal(seeds.shape)
    net = Voronoi(seeds.reshape(-1, 2))
    ends = np.array([pair for pair in net.ridge_vertices if -1 not in pair])
    corners = net.vertices * [wide, tall] + [-MARGIN_MM, high]
    first, across = corners[ends[:, 0]], corners[ends[:, 1]] - corners[ends[:, 0]]
    length = np.hypot(across[:, 0], across[:, 1])
    keep = (length > STEP_MM) & (length < 6 * order.spacing_mm) & (rng.random(len(length)) < 0.55)
    first, across, length = first[keep], across[keep], length[keep]
    # Borders that stand upright send the sound aside.
    facing = np.square(across[:, 0] / length) ** 2
    shine = facing * np.exp(0.7 * rng.standard_normal(len(length)))
    count = np.maximum((length / STEP_MM).astype(int), 2)
    border = np.repeat(np.arange(len(length)), count)
    share = (np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)) / np.repeat(count, count)
    arch = 4 * share * (1 - share)
    sag = 0.1 * length * rng.standard_normal(len(length))
    places = first[border] + share[:, None] * across[border]
    places[:, 1] += arch * sag[border]
    places = places + 0.08 * rng.standard_normal(places.shape)
    patches = sample_texture(places, 0.0, 4.0, 2.5, rng)
    grains = 1 + 0.5 * rng.standard_normal(len(places))
    level = order.strength * shine[border] * np.sqrt(arch) * np.exp(0.4 * patches) * grains
    chosen = bed.holds(places[:, 0], places[:, 1]) & (np.abs(level) > 0.1 * order.strength)
    places, level = places[chosen], level[chosen]
    rough = np.stack([sample_texture(places, 0.0, 0.7, 0.4, rng) for _ in range(2)])
    beside = np.exp(0.6 * sample_texture(places, 0.0, 1.0, 0.6, rng) - 0.3)
    return face_probe(places[:, 0], places[:, 1], level, beside, rough, bed.layer, bed.wavelength_mm)


def _refine(noise: Floats) -> Floats:
    """Interpolate noise (R, C) along its rows to (R, (C - 1) * `_COARSE`)."""
    share = (np.arange(_COARSE) / _COARSE)[None, None]
    fine = noise[:, :-1, None] * (1 - share) + noise[:, 1:, None] * share
    return np.asarray(fine.reshape(len(noise), -1))
