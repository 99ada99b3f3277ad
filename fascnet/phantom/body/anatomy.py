"""Geometry of a section through a muscle: which layer lies where.

Places are (x, z) in mm, x to the right, z down from the probe's face. Thicknesses and shapes that have no
source beside them are model choices of ordinary size.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.float32] | Floats

MARGIN_MM = 3.5
"""Tissue beyond the picture's edges, so that movement brings in tissue, not emptiness."""

VESSEL_WALL_MM = 0.4
"""Thickness of a vessel's wall with its adventitia (model choice)."""

_MIDDLE_X_MM = 16.0

Wave = tuple[float, float, float]
"""(amplitude in mm, wavelength in mm, phase in rad) of an undulation."""


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


@dataclass(frozen=True, slots=True)
class Vessel:
    """A vessel in the plane.

    Attributes:
        centre_mm: (x, z).
        radius_mm: radius of the lumen.
        axis_rad: its direction when it lies in the plane.
        half_length_mm: half of its length in the plane, or None when it crosses the plane (a disc).
        bow_per_mm: curvature of its axis.
    """

    centre_mm: tuple[float, float]
    radius_mm: float
    axis_rad: float
    half_length_mm: float | None
    bow_per_mm: float = 0.0

    def distance(self, positions_mm: Places) -> Floats:
        """Return the distance (N,) in mm from the axis; where a vessel leaves the plane it narrows."""
        dx = positions_mm[:, 0].astype(np.float64) - self.centre_mm[0]
        dz = positions_mm[:, 1].astype(np.float64) - self.centre_mm[1]
        c, s = np.cos(self.axis_rad), np.sin(self.axis_rad)
        along, across = dx * c + dz * s, dz * c - dx * s
        across = across - 0.5 * self.bow_per_mm * np.square(along)
        stretch = 1.0 if self.half_length_mm is None else self.half_length_mm / self.radius_mm
        return np.asarray(np.hypot(along / stretch, across))


@dataclass(frozen=True, slots=True)
class Anatomy:
    """Geometry and echogenicity of a section.

    Echo strengths are amplitudes against a bright aponeurosis (about 1).

    Attributes:
        transverse: the plane crosses the fibres.
        skin_mm: thickness of the skin.
        fat_mm: thickness of the fat.
        thickness_mm: thickness of the muscle.
        slope: slope of the aponeuroses.
        deep_slope: slope of the deep aponeurosis against the upper one.
        curvature_per_mm: curvature of the aponeuroses.
        fibre_rad: direction of the fascicles in the plane, from +x towards +z.
        bone_mm: smallest depth of a bone surface, or None.
        muscle_echo: strength of the muscle between its perimysia; rises with age and disease.
        streak: contrast of the perimysium, 0-2.
        vessel: a vessel, or None.
        vein: a vein beside the vessel, or None.
        central_share: depth of a central aponeurosis as a share of the muscle's thickness, or None. Fibres
            below it have the mirrored direction.
        deep_fibre_rad: direction of the fascicles below the deep aponeurosis.
        deep_fascia_mm: distance of a further fascia below the deep aponeurosis, or None.
        deep_echo: strength of what lies below the deep aponeurosis, as a share of `muscle_echo`.
        fibre_curvature_per_mm: curvature of the fascicles.
        patchiness: contrast of broad patches in the muscle, 0-1.
        spacing_mm: mean distance between bright perimysia.
        visible_mm: mean length over which a perimysium stays visible.
        aponeurosis_mm: thickness of the aponeuroses.
        fat_echo: strength of the fat between its septa.
        septa: how many septa cross the fat, 0-4.
        haze: strength of the near-field clutter at the skin.
        loss_db_per_mm: loss in the muscle beyond what depth compensation makes up for.
        bone_x_mm: where the bone lies nearest to the probe.
        bone_radius_mm: its radius there; large for a long bone seen along its axis.
        bone_echo: strength of the bone's front, 0-1; falls when the muscle above swallows the sound.
        top_waves: undulations of the upper aponeurosis.
        bottom_waves: undulations of the deep aponeurosis.
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
    vein: Vessel | None = None
    central_share: float | None = None
    deep_fibre_rad: float = 0.0
    deep_fascia_mm: float | None = None
    deep_echo: float = 0.8
    fibre_curvature_per_mm: float = 0.0
    patchiness: float = 0.45
    spacing_mm: float = 1.6
    visible_mm: float = 8.0
    aponeurosis_mm: float = 0.9
    fat_echo: float = 0.04
    septa: int = 2
    haze: float = 0.05
    loss_db_per_mm: float = 0.0
    bone_x_mm: float = 17.0
    bone_radius_mm: float = 40.0
    bone_echo: float = 1.0
    top_waves: tuple[Wave, ...] = ()
    bottom_waves: tuple[Wave, ...] = ()

    def muscle_top(self, x_mm: ArrayLike) -> Floats:
        """Depth of the upper aponeurosis in mm."""
        x = np.asarray(x_mm, dtype=np.float64)
        bend = self.curvature_per_mm * np.square(x - _MIDDLE_X_MM) * 0.5
        depth = self.skin_mm + self.fat_mm + self.slope * x + bend + _undulate(self.top_waves, x)
        # However steep the aponeurosis: some fat stays below the skin.
        return np.asarray(np.maximum(depth, self.skin_mm + 0.5))

    def muscle_bottom(self, x_mm: ArrayLike) -> Floats:
        """Depth of the deep aponeurosis in mm."""
        x = np.asarray(x_mm, dtype=np.float64)
        lean = self.deep_slope * (x - _MIDDLE_X_MM)
        bend = self.curvature_per_mm * np.square(x - _MIDDLE_X_MM) * 0.5
        upper = self.skin_mm + self.fat_mm + self.slope * x + bend
        depth = upper + self.thickness_mm + lean + _undulate(self.bottom_waves, x)
        # However they lean: some muscle stays between the aponeuroses.
        return np.asarray(np.maximum(depth, self.muscle_top(x) + 2.0))

    def muscle_centre(self, x_mm: ArrayLike) -> Floats:
        """Depth of the central aponeurosis in mm; that of the deep one where the muscle has none."""
        if self.central_share is None:
            return self.muscle_bottom(x_mm)
        top, bottom = self.muscle_top(x_mm), self.muscle_bottom(x_mm)
        return np.asarray(top + self.central_share * (bottom - top))

    def bone_depth(self, x_mm: ArrayLike) -> Floats:
        """Depth of the bone's front in mm, infinite where there is no bone."""
        x = np.asarray(x_mm, dtype=np.float64)
        if self.bone_mm is None:
            return np.full_like(x, np.inf)
        aside = np.abs(x - self.bone_x_mm)
        radius = self.bone_radius_mm
        drop = radius - np.sqrt(np.maximum(np.square(radius) - np.square(aside), 0))
        return np.where(aside < radius, self.bone_mm + drop, np.inf)

    @property
    def vessels(self) -> tuple[Vessel, ...]:
        """The vessel and the vein that are there."""
        return tuple(vessel for vessel in (self.vessel, self.vein) if vessel is not None)


def label_layers(anatomy: Anatomy, positions_mm: Places) -> NDArray[np.uint8]:
    """Return the `Layer` (N,) at each place (N, 2)."""
    x, z = positions_mm[:, 0].astype(np.float64), positions_mm[:, 1].astype(np.float64)
    top, bottom = anatomy.muscle_top(x), anatomy.muscle_bottom(x)
    layers = np.full(len(x), Layer.MUSCLE, dtype=np.uint8)
    layers[z < top] = Layer.FAT
    layers[z > bottom] = Layer.DEEP_MUSCLE
    half = anatomy.aponeurosis_mm / 2
    layers[(np.abs(z - top) < half) | (np.abs(z - bottom) < half)] = Layer.APONEUROSIS
    if anatomy.central_share is not None:
        layers[np.abs(z - anatomy.muscle_centre(x)) < 0.6 * half] = Layer.APONEUROSIS
    if anatomy.deep_fascia_mm is not None:
        layers[np.abs(z - bottom - anatomy.deep_fascia_mm) < 0.6 * half] = Layer.APONEUROSIS
    layers[z < anatomy.skin_mm] = Layer.SKIN
    for vessel in anatomy.vessels:
        distance = vessel.distance(positions_mm)
        layers[distance < vessel.radius_mm + VESSEL_WALL_MM] = Layer.VESSEL_WALL
    for vessel in anatomy.vessels:
        layers[vessel.distance(positions_mm) < vessel.radius_mm] = Layer.BLOOD
    layers[z > anatomy.bone_depth(x)] = Layer.BONE
    return layers


def _undulate(waves: tuple[Wave, ...], x_mm: Floats) -> Floats:
    total = np.zeros_like(x_mm)
    for amplitude_mm, wavelength_mm, phase_rad in waves:
        total += amplitude_mm * np.sin(x_mm * 2 * np.pi / wavelength_mm + phase_rad)
    return total
