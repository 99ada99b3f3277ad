"""Draws a repeating focus: where it lies, how its territory is shaped, which way and how fast it moves."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from fascnet.phantom.body.subject import draw_muscle_place
from fascnet.phantom.body.tissue import Anatomy
from fascnet.phantom.chance import draw, draw_log
from fascnet.phantom.movement.motion import Twitch
from fascnet.phantom.movement.pulse import HALF_LEVEL, TENTH_LEVEL, find_level_time
from fascnet.phantom.scan.acquisition import ScanSettings
from fascnet.phantom.settings import TwitchRanges

_STEEPEST = 0.7
"""Largest change of displacement over place, mm per mm; well below 1, so that tissue never folds. Model."""

_FASTEST_MM_PER_S = 20.0
"""Published velocities have a tail to about 7 px a frame at 43 frames/s and 68.5 µm (field notes 3a)."""


def draw_focus(
    settings: TwitchRanges,
    scan: ScanSettings,
    anatomy: Anatomy,
    taken: list[Twitch],
    rng: np.random.Generator,
) -> Twitch:
    """Draw a focus as a twitch that starts at 0, away from the middles of the foci that are there already."""
    long_mm, short_mm = draw(settings.core_long_mm, rng), draw(settings.core_short_mm, rng)
    long_mm, short_mm = max(long_mm, short_mm), min(long_mm, short_mm)
    inset_mm = min(short_mm / 2, 2.5)
    centre = draw_muscle_place(anatomy, scan, inset_mm, rng)
    for _ in range(20):
        if not _is_taken(centre, anatomy, taken):
            break
        centre = draw_muscle_place(anatomy, scan, inset_mm, rng)
    if anatomy.transverse:
        # Fibres shorten through the plane: the core bulges on all sides and is pulled a little to one.
        turn = draw((0.0, 2 * math.pi), rng)
        axis, pull = _draw_axis(anatomy, centre[0], long_mm, rng), (math.cos(turn), math.sin(turn))
        shortening, bulge = -draw((0.1, 1.2), rng), draw((0.1, 1.2), rng)
    else:
        axis = find_fibre_rad(anatomy, centre) + float(rng.normal(0.0, 0.04))
        pull = (float(rng.choice([-1, 1])), draw((-0.35, 0.35), rng))
        shortening, bulge = draw((0.1, 1.0), rng), draw((0.1, 1.6), rng)
    semi_short_mm, bend_mm, lobe_mm = _draw_shape(settings, long_mm, short_mm, rng)
    tail = draw((0.0, 0.3), rng)
    contraction_s = draw_log(settings.contraction_s, rng)
    twitch = Twitch(
        centre_mm=centre,
        semi_long_mm=long_mm / 2,
        semi_short_mm=semi_short_mm,
        axis_rad=axis,
        pull=pull,
        shortening=shortening,
        bulge=bulge,
        halo_mm=draw(settings.halo_mm, rng),
        halo_level=draw((0.24, 0.4), rng),
        peak_mm=draw_log(settings.peak_mm, rng),
        start_s=0.0,
        contraction_s=contraction_s,
        relaxation_s=_draw_relaxation_s(settings, contraction_s, tail, rng),
        bend_mm=bend_mm,
        lobe_mm=lobe_mm,
        tail=tail,
        skew=draw((0.85, 1.2), rng),
    )
    return replace(twitch, peak_mm=min(twitch.peak_mm, find_largest_mm(twitch, settings)))


def _draw_axis(anatomy: Anatomy, x_mm: float, long_mm: float, rng: np.random.Generator) -> float:
    """Draw the long axis of a territory across the fibres; in a thin muscle it lies flat."""
    thickness_mm = float(anatomy.muscle_bottom(x_mm)) - float(anatomy.muscle_top(x_mm))
    steepest = math.asin(min(max(thickness_mm / long_mm - 0.3, 0.2), 1.0))
    return draw((-steepest, steepest), rng)


def _draw_shape(
    settings: TwitchRanges, long_mm: float, short_mm: float, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Draw (semi_short_mm, bend_mm, lobe_mm) of a core of a given extent: ellipse, crescent or split."""
    kind = rng.random()
    if kind < settings.crescent_share:
        semi_short = draw((0.55, 0.75), rng) * short_mm / 2
        # `Territory` lets the tips stand off the middle by 6/7 of the bend.
        return semi_short, (short_mm - semi_short) * 7 / 6 * float(rng.choice([-1, 1])), 0.0
    if kind < settings.crescent_share + settings.split_share:
        ratio = draw((1.5, 1.8), rng)
        return short_mm / 2, 0.0, long_mm / 2 * ratio / (1 + ratio)
    return short_mm / 2, 0.0, 0.0


def _draw_relaxation_s(
    settings: TwitchRanges, contraction_s: float, tail: float, rng: np.random.Generator
) -> float:
    """Draw the time from the peak to 10 %: half relaxation by its ratio, the whole within `total_s`."""
    to_tenth = find_level_time(TENTH_LEVEL, tail) / find_level_time(HALF_LEVEL, tail)
    relaxation_s = contraction_s * draw(settings.half_relaxation_ratio, rng) * to_tenth
    shortest_s, longest_s = (max(total_s - contraction_s, contraction_s) for total_s in settings.total_s)
    return min(max(relaxation_s, shortest_s), longest_s)


def find_largest_mm(twitch: Twitch, settings: TwitchRanges) -> float:
    """Largest peak that neither folds the tissue nor moves it faster than published; within `peak_mm`."""
    # The rise is a squared sine, its steepest slope pi / 2 over the contraction time.
    fast_mm = _FASTEST_MM_PER_S * twitch.contraction_s * 2 / math.pi
    low, high = settings.peak_mm
    return max(min(_STEEPEST / twitch.find_steepness(), fast_mm, high), low)


def _is_taken(centre_mm: tuple[float, float], anatomy: Anatomy, taken: list[Twitch]) -> bool:
    """Whether a place lies in another focus or in a vessel."""
    place = np.array([centre_mm], dtype=np.float32)
    if any(float(vessel.distance(place)[0]) < vessel.radius_mm + 1.0 for vessel in anatomy.vessels):
        return True
    return any(math.dist(centre_mm, other.centre_mm) <= other.semi_long_mm for other in taken)


def find_fibre_rad(anatomy: Anatomy, place_mm: tuple[float, float]) -> float:
    """Return the direction of the fibres at a place; a central aponeurosis mirrors them."""
    x, z = place_mm
    if anatomy.central_share is not None and z > float(anatomy.muscle_centre(x)):
        return -anatomy.fibre_rad
    return anatomy.fibre_rad
