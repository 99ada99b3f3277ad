"""Draws a subject (the body part and scanner that clips of one person share) and places inside the muscle.

Ranges that stand here and not in the settings are model choices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fascnet.phantom.body.anatomy import Anatomy, Vessel, Wave
from fascnet.phantom.body.muscles import MUSCLES, MuscleBuild
from fascnet.phantom.chance import draw, draw_log
from fascnet.phantom.ranges import Range
from fascnet.phantom.scan.acquisition import ScanSettings
from fascnet.phantom.scan.scanner_choice import draw_scan
from fascnet.phantom.settings import PhantomSettings

_LONG_BONE_MM = 400.0
"""Radius of a long bone's front along its axis."""

_DEEPEST_SHARE = 0.8
"""Sonographers choose the depth so that the muscle's deep border is in the picture."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A body part and the scanner's settings, shared by all clips of a subject.

    Attributes:
        subject_id: its name.
        muscle: muscle name.
        side: `L` or `R`.
        fps: frames per second.
        scan: how the scanner is set.
        anatomy: the section that it looks at.
        screen_seed: seed of the screen that the recordings show, or None for the bare picture.
    """

    subject_id: str
    muscle: str
    side: str
    fps: float
    scan: ScanSettings
    anatomy: Anatomy
    screen_seed: int | None = None


def draw_subject(settings: PhantomSettings, subject_id: str, rng: np.random.Generator) -> Subject:
    """Draw a body part and scanner settings."""
    muscle = str(rng.choice(sorted(MUSCLES)))
    scan, fps = draw_scan(settings.scan, MUSCLES[muscle].depth_mm, rng)
    anatomy = draw_anatomy(
        MUSCLES[muscle],
        disease=draw(settings.body.disease, rng),
        transverse=bool(rng.random() < settings.body.transverse_share),
        width_mm=scan.width_px * scan.mm_per_px,
        depth_mm=scan.height_px * scan.mm_per_px,
        rng=rng,
    )
    side = str(rng.choice(["L", "R"]))
    has_screen = bool(rng.random() < settings.recording.screen_share)
    screen_seed = int(rng.integers(2**32)) if has_screen else None
    return Subject(subject_id, muscle, side, fps, scan, anatomy, screen_seed)


def draw_anatomy(
    build: MuscleBuild,
    disease: float,
    transverse: bool,
    width_mm: float,
    depth_mm: float,
    rng: np.random.Generator,
) -> Anatomy:
    """Draw a section of a muscle.

    Args:
        build: what is usual for the muscle.
        disease: 0 healthy to 1 wasted and bright: the muscle gets thinner and its echo rises, perimysia
            drown in it, and less sound reaches the bone.
        transverse: the plane crosses the fibres.
        width_mm: width of the picture.
        depth_mm: depth of the picture.
        rng: source of all randomness.
    """
    skin_mm = draw((0.8, 1.6), rng)
    fat_mm = min(draw(build.fat_mm, rng), 0.35 * depth_mm)
    thickness_mm = draw(build.thickness_mm, rng) * (1 - 0.4 * disease * draw((0.5, 1.0), rng))
    thickness_mm = min(thickness_mm, max(_DEEPEST_SHARE * depth_mm - fat_mm - skin_mm, 6.0))
    side = float(rng.choice([-1, 1]))
    # Hands tilt probes: the whole muscle lies at a slant in the picture, and its fibres with it.
    slope = draw((-0.12, 0.12), rng)
    has_bone = bool(rng.random() < build.bone_share)
    has_fascia = bool(rng.random() < build.fascia_share)
    bone_mm = skin_mm + 1.15 * fat_mm + thickness_mm + draw(build.bone_gap_mm, rng)
    return Anatomy(
        transverse=transverse,
        skin_mm=skin_mm,
        fat_mm=fat_mm,
        thickness_mm=thickness_mm,
        slope=slope,
        deep_slope=draw((-0.08, 0.08), rng),
        curvature_per_mm=draw((-0.003, 0.003), rng),
        fibre_rad=side * float(np.deg2rad(draw(build.pennation_deg, rng))) + slope,
        bone_mm=bone_mm if has_bone else None,
        muscle_echo=draw_log((0.01, 0.04), rng) * 4.0 ** (disease * draw((0.5, 1.0), rng)),
        streak=draw_log((0.7, 1.8), rng) * (1 - 0.3 * disease),
        central_share=None if build.central_share is None else draw(build.central_share, rng),
        deep_fibre_rad=-side * float(np.deg2rad(draw(build.deep_deg, rng))) + slope,
        deep_fascia_mm=draw(build.fascia_mm, rng) if has_fascia else None,
        deep_echo=draw(build.deep_echo, rng),
        fibre_curvature_per_mm=draw((-0.004, 0.004), rng),
        patchiness=draw((0.25, 0.7), rng),
        spacing_mm=draw(build.spacing_mm, rng),
        visible_mm=draw_log((3.0, 10.0), rng),
        aponeurosis_mm=draw((0.6, 1.3), rng),
        fat_echo=draw_log((0.02, 0.07), rng),
        septa=min(int(fat_mm / 2) + int(rng.integers(0, 3)), 4),
        haze=draw_log((0.015, 0.12), rng),
        loss_db_per_mm=0.4 * disease * draw((0.0, 1.0), rng),
        bone_x_mm=draw((0.25, 0.75), rng) * width_mm,
        bone_radius_mm=draw(build.bone_radius_mm, rng) if transverse else _LONG_BONE_MM,
        bone_echo=(1 - 0.7 * disease) * draw((0.7, 1.0), rng),
        top_waves=_draw_waves((0.03, 0.3), rng),
        bottom_waves=_draw_waves((0.05, 0.5), rng),
    )


def draw_vessel(anatomy: Anatomy, scan: ScanSettings, rng: np.random.Generator) -> Vessel:
    """Draw a vessel inside the muscle, across the plane or along it."""
    centre = draw_muscle_place(anatomy, scan, 2.0, rng)
    lies_in_plane = bool(rng.random() < 0.3)
    return Vessel(
        centre_mm=centre,
        radius_mm=draw_log((0.5, 1.5), rng),
        axis_rad=draw((-0.2, 0.2), rng),
        half_length_mm=draw((25.0, 60.0), rng) if lies_in_plane else None,
        bow_per_mm=draw((-0.006, 0.006), rng) if lies_in_plane else 0.0,
    )


def draw_vein(vessel: Vessel, rng: np.random.Generator) -> Vessel | None:
    """Draw a vein, flattened by the probe, beside a vessel that crosses the plane; None without one."""
    if vessel.half_length_mm is not None or rng.random() < 0.4:
        return None
    radius, flat = vessel.radius_mm * draw((0.8, 1.5), rng), draw((1.1, 1.8), rng)
    aside = float(rng.choice([-1, 1])) * (vessel.radius_mm + flat * radius + draw((0.5, 1.5), rng))
    x, z = vessel.centre_mm
    centre = (x + aside, z + draw((-0.8, 0.8), rng))
    return Vessel(centre, radius / flat, draw((-0.3, 0.3), rng), radius * flat)


def draw_muscle_place(
    anatomy: Anatomy, scan: ScanSettings, inset_mm: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Draw a place (x, z) inside the muscle and the picture, away from both borders."""
    width_mm, depth_mm = scan.width_px * scan.mm_per_px, scan.height_px * scan.mm_per_px
    x = draw((0.12 * width_mm, 0.88 * width_mm), rng)
    low = float(anatomy.muscle_top(x)) + inset_mm
    high = min(float(anatomy.muscle_bottom(x)), depth_mm) - inset_mm
    middle = (low + high) / 2
    return (x, draw((low, high), rng) if high > low else middle)


def _draw_waves(amplitude_mm: Range, rng: np.random.Generator) -> tuple[Wave, ...]:
    """Two undulations, the longer one the larger."""
    return tuple(
        (draw(amplitude_mm, rng) * share, draw(lengths, rng), draw((0.0, 2 * np.pi), rng))
        for share, lengths in ((1.0, (20.0, 50.0)), (0.4, (9.0, 18.0)))
    )
