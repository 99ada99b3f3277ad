"""Surfaces that send sound straight back: skin, septa, fasciae, vessel walls, bone, and their reverberations.

Strengths are amplitudes per mm of surface.
"""

from __future__ import annotations

import numpy as np

from fascnet.phantom.body.anatomy import MARGIN_MM, VESSEL_WALL_MM, Anatomy, Floats, Layer, Vessel
from fascnet.phantom.body.echoes import STEP_MM, Echoes, join_echoes, trace_line
from fascnet.phantom.body.texture import smooth_noise

_STRAND_MM = 0.25
"""Distance of the strands of an aponeurosis: near enough to run together in most pictures (model choice)."""


def trace_reflectors(
    anatomy: Anatomy, width_mm: float, wavelength_mm: float, rng: np.random.Generator
) -> Echoes:
    """Draw all surfaces outside the muscle's own texture, before shadows."""
    x = np.arange(-MARGIN_MM, width_mm + MARGIN_MM, STEP_MM, dtype=np.float64)
    pieces = [*_trace_skin(anatomy, x, wavelength_mm, rng), *_trace_septa(anatomy, x, wavelength_mm, rng)]
    top, bottom = anatomy.muscle_top(x), anatomy.muscle_bottom(x)
    full = anatomy.aponeurosis_mm
    pieces += _trace_sheet(x, top, full, 1.0, 0.08, wavelength_mm, rng)
    pieces += _trace_sheet(x, bottom, full, 0.8, 0.14, wavelength_mm, rng)
    if anatomy.central_share is not None:
        pieces += _trace_sheet(x, anatomy.muscle_centre(x), 0.5 * full, 0.6, 0.1, wavelength_mm, rng)
    if anatomy.deep_fascia_mm is not None:
        deep = bottom + anatomy.deep_fascia_mm + 0.8 * _wander(x, 12.0, rng)
        pieces += _trace_sheet(x, deep, 0.6 * full, 0.35, 0.15, wavelength_mm, rng)
    for vessel in anatomy.vessels:
        pieces += _trace_walls(vessel, wavelength_mm, rng)
    tissue = join_echoes(pieces)
    tissue = tissue.choose(tissue.positions_mm[:, 1] < anatomy.bone_depth(tissue.positions_mm[:, 0]))
    if anatomy.bone_mm is None:
        return tissue
    return join_echoes([tissue, *_trace_bone(anatomy, x, tissue, wavelength_mm, rng)])


def _trace_skin(anatomy: Anatomy, x: Floats, wavelength_mm: float, rng: np.random.Generator) -> list[Echoes]:
    """Entry echo, the skin's lower border, and reverberations between the probe and the skin's border."""
    border = anatomy.skin_mm + 0.06 * _wander(x, 6.0, rng)
    lines = [(np.full_like(x, 0.15), 0.8), (border, 0.5)]
    # Sound that goes back and forth in the skin comes at multiples of its depth, each time weaker.
    lines += [(border * (repeat + 1), 0.22 * 0.45**repeat) for repeat in range(1, 5)]
    return [
        trace_line(
            x,
            z,
            strength * np.exp(0.4 * _wander(x, 3.0, rng)),
            Layer.SKIN if index < 2 else Layer.FAT,
            wavelength_mm,
            rng,
        )
        for index, (z, strength) in enumerate(lines)
    ]


def _trace_septa(anatomy: Anatomy, x: Floats, wavelength_mm: float, rng: np.random.Generator) -> list[Echoes]:
    """Connective tissue in the fat: wavy sheets that part and rejoin, so that lobules look like lenses."""
    top = anatomy.muscle_top(x)
    room = np.maximum(top - anatomy.skin_mm, 0)
    pieces = []
    for share in np.sort(rng.uniform(0.2, 0.95, anatomy.septa)):
        lens_mm = np.maximum(_wander(x, 6.0, rng) - 0.2, 0) * rng.uniform(0.1, 0.7)
        course_mm = 0.06 * anatomy.fat_mm * _wander(x, 10.0, rng)
        for side in (-1, 1):
            wave_mm = course_mm + side * lens_mm + 0.07 * _wander(x, 4.0, rng) + 0.025 * _wander(x, 1.0, rng)
            z = np.clip(anatomy.skin_mm + room * share + wave_mm, anatomy.skin_mm, top)
            # Steep parts send the sound aside.
            facing = np.exp(-np.square(np.gradient(z, STEP_MM) / 0.4))
            seen = np.clip(_wander(x, 4.0, rng) + 0.7, 0, 1) * facing
            strength = 0.5 * seen * np.exp(0.5 * _wander(x, 2.0, rng))
            pieces.append(trace_line(x, z, strength, Layer.FAT, wavelength_mm, rng))
    return pieces


def _trace_sheet(
    x: Floats,
    z: Floats,
    thickness_mm: float,
    strength: float,
    jitter_mm: float,
    wavelength_mm: float,
    rng: np.random.Generator,
) -> list[Echoes]:
    """An aponeurosis or fascia: a few strands whose distance and brightness change along it."""
    count = max(round(thickness_mm / _STRAND_MM), 2)
    pieces = []
    for place in np.linspace(-0.5, 0.5, count):
        offset = place * thickness_mm * (1 + 0.3 * _wander(x, 6.0, rng)) + 0.06 * _wander(x, 3.0, rng)
        rough = jitter_mm * rng.standard_normal(len(x))
        shine = (
            strength
            * rng.uniform(0.4, 1.0)
            * np.exp(0.6 * _wander(x, 6.0, rng) + 0.25 * _wander(x, 1.0, rng))
        )
        pieces.append(
            trace_line(
                x,
                (z + offset + rough),
                shine,
                Layer.APONEUROSIS,
                wavelength_mm,
                rng,
            )
        )
    return pieces


def _trace_walls(vessel: Vessel, wavelength_mm: float, rng: np.random.Generator) -> list[Echoes]:
    """Near and far wall of a vessel; where the wall stands upright it sends little back."""
    around = 2 * np.pi * max(vessel.radius_mm, vessel.half_length_mm or 0.0)
    angle = np.linspace(0, 2 * np.pi, int(around / STEP_MM), endpoint=False, dtype=np.float64)
    reach = vessel.radius_mm + 0.4 * VESSEL_WALL_MM
    length = reach if vessel.half_length_mm is None else vessel.half_length_mm
    u = length * np.cos(angle)
    v = reach * np.sin(angle) + 0.5 * vessel.bow_per_mm * np.square(u)
    c, s = np.cos(vessel.axis_rad), np.sin(vessel.axis_rad)
    x = vessel.centre_mm[0] + u * c - v * s
    z = vessel.centre_mm[1] + u * s + v * c
    strength = 0.45 * np.sin(angle) ** 4 * np.exp(0.5 * _wander(x, 1.5, rng))
    return [trace_line(x, z, strength, Layer.VESSEL_WALL, wavelength_mm, rng)]


def _trace_bone(
    anatomy: Anatomy, x: Floats, tissue: Echoes, wavelength_mm: float, rng: np.random.Generator
) -> list[Echoes]:
    """Bone's front, and below it what it mirrors: bone - tissue - bone echoes, and the front once more.

    A path from bone up to a surface at depth z and back to bone at depth b is shown at b + (b - z).
    """
    depth = anatomy.bone_depth(x)
    inside = np.isfinite(depth)
    x, depth = x[inside], depth[inside]
    if len(x) < 2:
        return []
    slope = np.gradient(depth, x)
    # A tilted front sends the sound aside.
    shine = 1.6 * anatomy.bone_echo * np.exp(-np.square(slope / 0.8)) * np.exp(0.25 * _wander(x, 2.0, rng))
    front = depth + 0.03 * rng.standard_normal(len(x)) + 0.1 * _wander(x, 3.0, rng)
    pieces = [trace_line(x, front, shine, Layer.BONE, wavelength_mm, rng)]
    again = 2 * depth
    weak = 0.07 * shine
    pieces.append(trace_line(x, again, weak, Layer.BONE, wavelength_mm, rng))
    mirrored = tissue.positions_mm.astype(np.float64)
    over = anatomy.bone_depth(mirrored[:, 0])
    # Only the part that faces the probe sends sound straight up and gets it back.
    aside = np.abs(mirrored[:, 0] - anatomy.bone_x_mm) / anatomy.bone_radius_mm
    near = np.isfinite(over) & (aside < 0.6)
    mirrored[near, 1] = 2 * over[near] - mirrored[near, 1]
    ghost = Echoes(
        mirrored.astype(np.float32),
        tissue.amplitudes,
        tissue.slice_amplitudes,
        np.full(len(mirrored), Layer.BONE, dtype=np.uint8),
    )
    level = 0.05 * anatomy.bone_echo * np.exp(-np.square(aside[near] / 0.25))
    return [*pieces, ghost.choose(near).scale(level)]


def _wander(x: Floats, length_mm: float, rng: np.random.Generator) -> Floats:
    """Noise (N,) of deviation 1 that changes over a length along x."""
    return smooth_noise((len(x),), (length_mm / 2 / STEP_MM,), rng)
