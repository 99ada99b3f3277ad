"""Draws the twitches of a clip: repeating foci that fire aperiodically."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fascnet.phantom.acquisition import ScanSettings
from fascnet.phantom.chance import draw, draw_log, draw_whole
from fascnet.phantom.motion import Twitch
from fascnet.phantom.settings import PhantomSettings
from fascnet.phantom.subject import draw_muscle_place
from fascnet.phantom.tissue import Anatomy

_SETTLE_S = 0.15
"""A clip starts at rest, and two twitches of one focus are at least this far apart."""


def draw_twitches(
    settings: PhantomSettings,
    scan: ScanSettings,
    anatomy: Anatomy,
    duration_s: float,
    rng: np.random.Generator,
) -> tuple[Twitch, ...]:
    """Draw twitches in order of start.

    Foci repeat aperiodically; gamma intervals of shape 0.7 have a heavier tail than a Poisson process.
    """
    twitches: list[Twitch] = []
    centres: list[tuple[float, float]] = []
    for focus in range(draw_whole(settings.foci, rng)):
        template = _draw_focus(settings, scan, anatomy, centres, rng)
        centres.append(template.centre_mm)
        mean_s = 60.0 / draw(settings.twitch_rate_per_min, rng)
        # The first focus starts at a random moment so that the clip holds a twitch for certain; a focus of
        # its own rhythm may stay silent.
        start_s = _SETTLE_S + float(rng.gamma(0.7, mean_s / 0.7))
        if focus == 0:
            start_s = draw(
                (_SETTLE_S, max(duration_s - _find_length_s(template) - _SETTLE_S, _SETTLE_S)), rng
            )
        while True:
            twitch = _vary_twitch(template, start_s, settings, rng)
            if start_s + _find_length_s(twitch) > duration_s:
                if focus == 0 and not twitches:
                    twitch = replace(template, start_s=start_s)
                    twitches.append(twitch)
                break
            twitches.append(twitch)
            start_s += max(float(rng.gamma(0.7, mean_s / 0.7)), _find_length_s(twitch) + _SETTLE_S)
    return tuple(sorted(twitches, key=lambda twitch: twitch.start_s))


def _find_length_s(twitch: Twitch) -> float:
    delay = 0.0 if twitch.second_delay_s is None else twitch.second_delay_s
    return delay + twitch.contraction_s + twitch.relaxation_s


def _draw_focus(
    settings: PhantomSettings,
    scan: ScanSettings,
    anatomy: Anatomy,
    taken: list[tuple[float, float]],
    rng: np.random.Generator,
) -> Twitch:
    semi_long, semi_short = draw(settings.core_long_mm, rng) / 2, draw(settings.core_short_mm, rng) / 2
    centre = draw_muscle_place(anatomy, scan, min(semi_short, 2.5), rng)
    for _ in range(10):
        if all(np.hypot(centre[0] - x, centre[1] - z) > semi_long for x, z in taken):
            break
        centre = draw_muscle_place(anatomy, scan, min(semi_short, 2.5), rng)
    if anatomy.transverse:
        # Fibres shorten through the plane: the core bulges on all sides and is pulled a little to one.
        turn = draw((0.0, 2 * np.pi), rng)
        axis, pull = draw((0.0, np.pi), rng), (float(np.cos(turn)), float(np.sin(turn)))
        shortening, bulge = -draw((0.3, 1.0), rng), draw((0.3, 1.0), rng)
    else:
        axis, pull = anatomy.fibre_rad, (float(rng.choice([-1, 1])), draw((-0.35, 0.35), rng))
        shortening, bulge = draw((0.2, 0.7), rng), draw((0.4, 1.2), rng)
    contraction_s = draw_log(settings.contraction_s, rng)
    return Twitch(
        centre_mm=centre,
        semi_long_mm=max(semi_long, semi_short),
        semi_short_mm=min(semi_long, semi_short),
        axis_rad=axis,
        pull=pull,
        shortening=shortening,
        bulge=bulge,
        halo_mm=draw((3.0, 6.0), rng),
        halo_level=draw((0.22, 0.35), rng),
        peak_mm=draw_log(settings.twitch_peak_mm, rng),
        start_s=0.0,
        contraction_s=contraction_s,
        # Half-relaxation is 0.7-2 times the contraction time (PMC1779696) and is reached at 43 % of this
        # time.
        # A twitch lasts 0.1-0.6 s in all.
        relaxation_s=min(contraction_s * draw((1.7, 3.0), rng), max(0.6 - contraction_s, contraction_s)),
    )


def _vary_twitch(
    template: Twitch, start_s: float, settings: PhantomSettings, rng: np.random.Generator
) -> Twitch:
    """A focus repeats itself with small differences, now and then as a doublet."""
    low, high = settings.twitch_peak_mm
    is_doublet = bool(rng.random() < settings.doublet_share)
    return replace(
        template,
        start_s=start_s,
        peak_mm=float(np.clip(template.peak_mm * rng.normal(1.0, 0.12), low, high)),
        second_delay_s=draw((0.1, 0.2), rng) if is_doublet else None,
        second_gain=draw((0.5, 1.0), rng),
    )
