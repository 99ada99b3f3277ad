"""Draws a subject (the body part and scanner that clips of one person share) and places inside the muscle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fascnet.phantom.acquisition import ScanSettings
from fascnet.phantom.chance import draw, draw_log, draw_whole
from fascnet.phantom.settings import PhantomSettings, Range
from fascnet.phantom.tissue import Anatomy, Vessel

# Fat and muscle thickness in mm, steepest fibre direction in degrees, share with bone in view: model choices
# of ordinary size for adults, not taken from one publication.
_MUSCLES: dict[str, tuple[Range, Range, float, float]] = {
    "biceps_brachii": ((2.0, 7.0), (16.0, 24.0), 6.0, 0.3),
    "tibialis_anterior": ((1.5, 4.0), (13.0, 19.0), 14.0, 0.15),
    "vastus_lateralis": ((3.0, 9.0), (15.0, 22.0), 20.0, 0.2),
    "gastrocnemius_medialis": ((2.5, 8.0), (13.0, 20.0), 25.0, 0.0),
    "first_dorsal_interosseous": ((0.8, 2.0), (8.0, 12.0), 12.0, 0.4),
}


@dataclass(frozen=True)
class Subject:
    """A body part and the scanner's settings, shared by all clips of a subject."""

    subject_id: str
    muscle: str
    side: str
    fps: float
    scan: ScanSettings
    anatomy: Anatomy


def draw_subject(settings: PhantomSettings, subject_id: str, rng: np.random.Generator) -> Subject:
    """Draw a body part and scanner settings."""
    muscle = str(rng.choice(sorted(_MUSCLES)))
    fat, thickness, steepest_deg, bone_share = _MUSCLES[muscle]
    height, width = draw_whole(settings.height_px, rng), draw_whole(settings.width_px, rng)
    pitch = draw(settings.mm_per_px, rng)
    fps = draw(settings.fps, rng)
    depth_mm = height * pitch
    scan = ScanSettings(
        height_px=height,
        width_px=width,
        mm_per_px=round(pitch, 4),
        centre_frequency_mhz=draw(settings.centre_frequency_mhz, rng),
        f_number=draw((2.0, 3.5), rng),
        focus_mm=draw((0.3, 0.6), rng) * depth_mm,
        focus_length_mm=draw((10.0, 20.0), rng),
        dynamic_range_db=draw(settings.dynamic_range_db, rng),
        gain_db=draw(settings.gain_db, rng),
        tgc_slope_db_per_mm=draw((-0.3, 0.05), rng),
        noise_db=draw(settings.noise_db, rng),
        noise_slope_db_per_mm=draw((0.1, 0.8), rng),
        gamma=draw((1.0, 1.7), rng),
        persistence=draw(settings.persistence, rng),
        smoothing=draw((0.3, 0.95), rng),
    )
    fat_mm, thickness_mm = draw(fat, rng), draw(thickness, rng)
    skin_mm = draw((0.8, 1.6), rng)
    # A muscle thicker than the picture would leave no deep aponeurosis; sonographers choose the depth to see
    # it.
    thickness_mm = min(thickness_mm, max(0.8 * depth_mm - fat_mm - skin_mm, 6.0))
    has_bone = bool(rng.random() < bone_share)
    bone_mm = skin_mm + fat_mm + thickness_mm + draw((1.5, 5.0), rng)
    anatomy = Anatomy(
        transverse=bool(rng.random() < settings.transverse_share),
        skin_mm=skin_mm,
        fat_mm=fat_mm,
        thickness_mm=thickness_mm,
        slope=draw((-0.06, 0.06), rng),
        deep_slope=draw((-0.06, 0.06), rng),
        curvature_per_mm=draw((-0.003, 0.003), rng),
        fibre_rad=float(np.deg2rad(draw((0.25 * steepest_deg, steepest_deg), rng)) * rng.choice([-1, 1])),
        bone_mm=bone_mm if has_bone else None,
        muscle_echo=draw_log((0.05, 0.2), rng),
        streak=draw((0.7, 1.2), rng),
    )
    whole_fps = fps if settings.fps[0] == settings.fps[1] else float(round(fps))
    return Subject(subject_id, muscle, str(rng.choice(["L", "R"])), whole_fps, scan, anatomy)


def draw_vessel(anatomy: Anatomy, scan: ScanSettings, rng: np.random.Generator) -> Vessel:
    """Draw a vessel inside the muscle, across the plane or along it."""
    centre = draw_muscle_place(anatomy, scan, 2.0, rng)
    lies_in_plane = bool(rng.random() < 0.4)
    return Vessel(
        centre_mm=centre,
        radius_mm=draw((0.6, 1.6), rng),
        axis_rad=draw((-0.2, 0.2), rng),
        half_length_mm=draw((6.0, 14.0), rng) if lies_in_plane else None,
    )


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
