"""A section through a muscle as point scatterers.

Scatterers carry two amplitudes: what the scan plane sees, and what the plane beside it would see, so that
out-of-plane movement changes the speckle without moving it. All of them, reverberations included, have a
resting place and move with the tissue there.
"""

from __future__ import annotations

import numpy as np

from fascnet.phantom.body.anatomy import MARGIN_MM, Anatomy, Layer, Vessel, label_layers
from fascnet.phantom.body.echoes import Echoes as Scatterers
from fascnet.phantom.body.echoes import join_echoes
from fascnet.phantom.body.perimysium import trace_perimysium
from fascnet.phantom.body.reflectors import trace_reflectors
from fascnet.phantom.body.texture import draw_echo, draw_shading, draw_unit_echoes, scatter_evenly

__all__ = ["MARGIN_MM", "Anatomy", "Layer", "Scatterers", "Vessel", "make_tissue", "scatter_evenly"]

NOMINAL_WAVELENGTH_MM = 0.2
"""Wavelength of 7.7 MHz, the middle of what muscle is scanned with."""


def make_tissue(
    anatomy: Anatomy,
    width_mm: float,
    depth_mm: float,
    density_per_mm2: float,
    rng: np.random.Generator,
    wavelength_mm: float = NOMINAL_WAVELENGTH_MM,
) -> Scatterers:
    """Fill a section with scatterers.

    Args:
        anatomy: what lies where.
        width_mm: width of the picture; tissue reaches `MARGIN_MM` beyond.
        depth_mm: depth of the picture.
        density_per_mm2: diffuse scatterers per mm²; brightness does not depend on it.
        rng: source of all randomness.
        wavelength_mm: wavelength for which surfaces answer in phase; a nominal value does for any scanner,
            since the rest is part of their roughness.
    """
    # A generator each: the surfaces stay where they are when the density of the diffuse points changes.
    shades, points, surfaces, sheets = rng.spawn(4)
    shading = draw_shading(anatomy, width_mm, shades)
    positions = scatter_evenly(width_mm, depth_mm, density_per_mm2, points)
    layers = label_layers(anatomy, positions)
    echo = draw_echo(anatomy, positions, layers, points) / np.sqrt(density_per_mm2)
    here, beside = (echo * draw_unit_echoes(len(positions), points) for _ in range(2))
    diffuse = Scatterers(positions, here.astype(np.complex64), beside.astype(np.complex64), layers)
    reflectors = trace_reflectors(anatomy, width_mm, wavelength_mm, surfaces)
    perimysium = trace_perimysium(anatomy, width_mm, depth_mm, wavelength_mm, sheets)
    tissue = join_echoes([diffuse, reflectors, perimysium])
    tissue = tissue.choose(tissue.positions_mm[:, 1] < depth_mm + MARGIN_MM)
    return tissue.scale(shading.factor(tissue.positions_mm))
