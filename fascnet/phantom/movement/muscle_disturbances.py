"""Draws the movements of muscle and vessels that are not twitches."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from fascnet.phantom.body.subject import draw_muscle_place
from fascnet.phantom.body.tissue import Anatomy
from fascnet.phantom.chance import draw, draw_log
from fascnet.phantom.movement.artery import ArterialPulsation, draw_beats
from fascnet.phantom.movement.contraction import (
    Effort,
    LocalContraction,
    MuscleBelly,
    Swallowing,
    VoluntaryContraction,
)
from fascnet.phantom.movement.focus import find_fibre_rad
from fascnet.phantom.movement.motion import Motion, Twitch
from fascnet.phantom.movement.unit_activity import Fibrillation, Pseudotremor
from fascnet.phantom.scan.acquisition import ScanSettings
from fascnet.phantom.settings import ConfounderRanges

_LARGEST_LOCAL_MM = 1.5
"""A part of a muscle cannot move far against the rest of it. Model choice."""

_ARTERY_MM = (1.0, 2.5)
"""Radius of an artery outside the picture, such as the brachial or the femoral."""


def draw_pulsation(
    settings: ConfounderRanges,
    scan: ScanSettings,
    anatomy: Anatomy,
    duration_s: float,
    rng: np.random.Generator,
) -> list[Motion]:
    """Draw the pulsation of the vessel in view, or of an artery just outside the picture."""
    beats_s, gains = draw_beats(draw((1.0, 1.7), rng), duration_s, rng)
    size_mm = draw(settings.pulsation_mm, rng)
    vessel = anatomy.vessel
    if vessel is not None:
        return [
            ArterialPulsation(
                centre_mm=vessel.centre_mm,
                radius_mm=vessel.radius_mm,
                reach_mm=draw((1.5, 4.0), rng),
                axis_rad=vessel.axis_rad,
                half_length_mm=vessel.half_length_mm,
                size_mm=size_mm,
                beats_s=beats_s,
                gains=gains,
                duration_s=duration_s,
            )
        ]
    width_mm, depth_mm = scan.width_px * scan.mm_per_px, scan.height_px * scan.mm_per_px
    radius_mm = draw(_ARTERY_MM, rng)
    # The wall lies just out of view, below the picture or beside it.
    out_mm = radius_mm + draw((0.5, 3.0), rng)
    side = rng.choice(["below", "left", "right"], p=[0.6, 0.2, 0.2])
    centres = {
        "below": (draw((0.1, 0.9), rng) * width_mm, depth_mm + out_mm),
        "left": (-out_mm, draw((0.4, 0.9), rng) * depth_mm),
        "right": (width_mm + out_mm, draw((0.4, 0.9), rng) * depth_mm),
    }
    return [
        ArterialPulsation(
            centre_mm=centres[str(side)],
            radius_mm=radius_mm,
            reach_mm=draw((3.0, 9.0), rng),
            axis_rad=0.0,
            half_length_mm=None,
            size_mm=size_mm,
            beats_s=beats_s,
            gains=gains,
            duration_s=duration_s,
        )
    ]


def draw_contraction(
    settings: ConfounderRanges,
    scan: ScanSettings,
    anatomy: Anatomy,
    duration_s: float,
    rng: np.random.Generator,
) -> list[Motion]:
    """Draw a voluntary contraction of the muscle or of a part of it."""
    # Some clips begin in the middle of a contraction, or are cut before it ends.
    effort = Effort(
        start_s=draw((-0.1, 0.75), rng) * duration_s,
        ramp_s=draw((0.3, 2.0), rng),
        hold_s=draw((0.1, 2.0), rng),
        release_s=draw((0.3, 2.0), rng),
        tremor=draw((0.02, 0.1), rng) if rng.random() < 0.5 else 0.0,
        tremor_hz=draw((8.0, 12.0), rng),
    )
    size_mm = draw(settings.contraction_mm, rng)
    if rng.random() < settings.contraction_local_share:
        size_mm = min(size_mm, _LARGEST_LOCAL_MM)
        place = _draw_unit(scan, anatomy, size_mm, (5.0, 10.0), (2.5, 5.0), rng)
        size_mm = min(size_mm, 0.6 / place.find_steepness())
        return [LocalContraction(replace(place, peak_mm=size_mm), effort)]
    belly = _draw_belly(scan, anatomy, size_mm, rng)
    return [VoluntaryContraction(belly, effort, slice_rad=draw((0.2, 1.2), rng))]


def draw_swallowing(
    settings: ConfounderRanges,
    scan: ScanSettings,
    anatomy: Anatomy,
    duration_s: float,
    rng: np.random.Generator,
) -> list[Motion]:
    """Draw a swallow; in a muscle far from the throat, a cough or a start looks like it."""
    return [
        Swallowing(
            belly=_draw_belly(scan, anatomy, draw(settings.swallowing_mm, rng), rng),
            start_s=draw((0.0, 0.85), rng) * duration_s,
            length_s=draw((0.5, 1.2), rng),
            overshoot=draw((0.15, 0.6), rng),
            slice_rad=draw((0.4, 1.4), rng),
        )
    ]


def draw_pseudotremor(
    settings: ConfounderRanges,
    scan: ScanSettings,
    anatomy: Anatomy,
    duration_s: float,
    rng: np.random.Generator,
) -> list[Motion]:
    """Draw a few units that fire rhythmically, at nearly one rate, with uneven intervals."""
    rate_hz = draw((4.0, 12.0), rng)
    start_s = draw((0.0, 0.5), rng) * duration_s
    end_s = min(start_s + max(draw((0.3, 0.8), rng) * duration_s, 1.0), duration_s)
    units, firings = [], []
    for _ in range(int(rng.integers(2, 5))):
        # Units are recruited and drop out one after the other.
        first_s, last_s = start_s + draw((0.0, 0.4), rng), end_s - draw((0.0, 0.4), rng)
        unit = _draw_unit(scan, anatomy, draw(settings.pseudotremor_mm, rng), (3.0, 5.5), (1.6, 2.8), rng)
        # Short enough that single twitches stay apart; longer ones would fuse into a steady contraction.
        contraction_s = min(unit.contraction_s, 0.35 / rate_hz)
        unit = replace(unit, contraction_s=contraction_s, relaxation_s=contraction_s * draw((1.4, 2.0), rng))
        units.append(unit)
        firings.append(_draw_rhythm(rate_hz * draw((0.93, 1.07), rng), first_s, last_s, rng))
    gains = tuple(
        tuple(1 + 0.12 * float(np.clip(size, -2, 2)) for size in rng.standard_normal(len(moments)))
        for moments in firings
    )
    return [Pseudotremor(tuple(units), tuple(firings), gains)]


def draw_fibrillation(
    settings: ConfounderRanges,
    scan: ScanSettings,
    anatomy: Anatomy,
    duration_s: float,
    rng: np.random.Generator,
) -> list[Motion]:
    """Draw a patch of groups of fibres that oscillate independently, for the clip or a part of it."""
    middle = draw_muscle_place(anatomy, scan, 2.5, rng)
    spread_mm = draw((1.5, 4.0), rng)
    count = int(rng.integers(3, 7))
    whole = bool(rng.random() < 0.6)
    start_s = -1.0 if whole else draw((0.0, 0.5), rng) * duration_s
    angles = rng.normal(find_fibre_rad(anatomy, middle), 0.5, count)
    return [
        Fibrillation(
            centres_mm=tuple(
                (middle[0] + float(dx), middle[1] + 0.6 * float(dz))
                for dx, dz in rng.uniform(-spread_mm, spread_mm, (count, 2))
            ),
            directions_rad=tuple(float(angle) for angle in angles),
            radius_mm=draw((0.8, 2.0), rng),
            size_mm=draw(settings.fibrillation_mm, rng),
            rates_hz=tuple(tuple(draw_log((1.0, 30.0), rng) for _ in range(6)) for _ in range(count)),
            phases=tuple(tuple(draw((0.0, 2 * math.pi), rng) for _ in range(6)) for _ in range(count)),
            start_s=start_s,
            # A fibrillation of the whole clip is under way when it begins and when it ends.
            length_s=duration_s + 2.0 if whole else max(draw((0.3, 0.6), rng) * duration_s, 1.0),
        )
    ]


def _draw_belly(
    scan: ScanSettings, anatomy: Anatomy, size_mm: float, rng: np.random.Generator
) -> MuscleBelly:
    width_mm = scan.width_px * scan.mm_per_px
    top, bottom = float(anatomy.muscle_top(width_mm / 2)), float(anatomy.muscle_bottom(width_mm / 2))
    return MuscleBelly(
        depth_mm=(top + bottom) / 2,
        half_thickness_mm=(bottom - top) / 2,
        centre_x_mm=draw((0.0, 1.0), rng) * width_mm,
        axis_rad=0.0 if anatomy.transverse else anatomy.fibre_rad,
        size_mm=size_mm * float(rng.choice([-1, 1])),
        thickening_mm=draw((0.05, 0.3), rng) * size_mm,
    )


def _draw_unit(
    scan: ScanSettings,
    anatomy: Anatomy,
    size_mm: float,
    semi_long_mm: tuple[float, float],
    semi_short_mm: tuple[float, float],
    rng: np.random.Generator,
) -> Twitch:
    """Draw a unit that looks like a fasciculating one (see `draw_twitches`), of a given size."""
    semi_short = draw(semi_short_mm, rng)
    contraction_s = draw((0.05, 0.1), rng)
    turn = draw((0.0, 2 * math.pi), rng)
    along = (float(rng.choice([-1, 1])), draw((-0.35, 0.35), rng))
    centre = draw_muscle_place(anatomy, scan, min(semi_short, 2.5), rng)
    return Twitch(
        centre_mm=centre,
        semi_long_mm=draw(semi_long_mm, rng),
        semi_short_mm=semi_short,
        axis_rad=draw((0.0, math.pi), rng) if anatomy.transverse else find_fibre_rad(anatomy, centre),
        pull=(math.cos(turn), math.sin(turn)) if anatomy.transverse else along,
        shortening=(-1 if anatomy.transverse else 1) * draw((0.2, 0.8), rng),
        bulge=draw((0.3, 1.2), rng),
        halo_mm=draw((3.0, 6.0), rng),
        halo_level=draw((0.22, 0.38), rng),
        peak_mm=size_mm,
        start_s=0.0,
        contraction_s=contraction_s,
        relaxation_s=contraction_s * draw((1.7, 3.0), rng),
    )


def _draw_rhythm(
    rate_hz: float, first_s: float, last_s: float, rng: np.random.Generator
) -> tuple[float, ...]:
    """Draw firings whose intervals vary by 12 %, about as in steady low effort (model choice)."""
    moments = [first_s]
    while moments[-1] < last_s:
        moments.append(moments[-1] + max(1 + 0.12 * float(rng.standard_normal()), 0.5) / rate_hz)
    return tuple(moments)
