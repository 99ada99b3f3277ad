"""Draws a scanner and how it is set: one a subject. Ranges that no setting names are model choices."""

from __future__ import annotations

import numpy as np

from fascnet.phantom.chance import draw, draw_log, draw_whole
from fascnet.phantom.ranges import Range
from fascnet.phantom.scan.scan_settings import ScanSettings
from fascnet.phantom.settings import ScanRanges

_SLIDERS = 6


def draw_scan(
    settings: ScanRanges, usual_depth_mm: Range, rng: np.random.Generator
) -> tuple[ScanSettings, float]:
    """Draw how the scanner is set.

    Args:
        settings: ranges.
        usual_depth_mm: depth that sonographers set for the muscle; the spacing is drawn so that the picture
            has it, as far as the settings allow.
        rng: source of all randomness.

    Returns:
        The scanner's settings and its frame rate.
    """
    height, width = draw_whole(settings.height_px, rng), draw_whole(settings.width_px, rng)
    pitch = draw_log(_limit_pitch(settings.mm_per_px, usual_depth_mm, height), rng)
    fps = draw_log(settings.fps, rng)
    depth_mm = height * pitch
    has_sidelobes = bool(rng.random() < 0.5)
    scan = ScanSettings(
        height_px=height,
        width_px=width,
        mm_per_px=round(pitch, 4),
        centre_frequency_mhz=draw(settings.centre_frequency_mhz, rng),
        f_number=draw((1.5, 2.7), rng),
        focus_mm=draw((0.3, 0.6), rng) * depth_mm,
        focus_length_mm=draw((12.0, 30.0), rng),
        dynamic_range_db=draw(settings.dynamic_range_db, rng),
        gain_db=draw(settings.gain_db, rng),
        tgc_slope_db_per_mm=draw((-0.1, 0.5), rng),
        noise_db=draw(settings.noise_db, rng),
        noise_slope_db_per_mm=draw((0.1, 0.8), rng),
        gamma=draw((1.0, 1.7), rng),
        persistence=draw(settings.persistence, rng),
        smoothing=draw((0.0, 0.7), rng),
        pulse_wavelengths=draw((0.75, 1.5), rng),
        attenuation_db_per_cm_mhz=draw((0.3, 0.7), rng),
        focal_gain_db=draw((0.0, 3.0), rng),
        tgc_steps_db=tuple(draw((-1.5, 1.5), rng) for _ in range(_SLIDERS)),
        sidelobe_db=draw((-40.0, -26.0), rng) if has_sidelobes else -np.inf,
        # Fewer lines than 2.5 make lateral movement stick to them.
        lines_per_beam=draw((2.5, 3.5), rng),
        looks=draw_whole(settings.looks, rng),
        look_angle_deg=draw((5.0, 12.0), rng),
        sharpening=max(draw((-0.6, 0.8), rng), 0.0),
        s_curve=draw((-0.3, 0.5), rng),
    )
    return scan, fps if settings.fps[0] == settings.fps[1] else float(round(fps))


def _limit_pitch(mm_per_px: Range, usual_depth_mm: Range, height_px: int) -> Range:
    """Narrow a range of spacings to those that give a usual depth; its nearest end where none does."""
    low, high = (depth_mm / height_px for depth_mm in usual_depth_mm)
    return (min(max(mm_per_px[0], low), mm_per_px[1]), max(min(mm_per_px[1], high), mm_per_px[0]))
