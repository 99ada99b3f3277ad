"""Draws the twitches of a clip: repeating foci that fire aperiodically and vary slowly."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.body.tissue import Anatomy
from fascnet.phantom.chance import draw, draw_log, draw_whole
from fascnet.phantom.movement.firing import draw_interval_s, find_run_in_s, share_rate
from fascnet.phantom.movement.focus import draw_focus, find_largest_mm
from fascnet.phantom.movement.motion import Twitch
from fascnet.phantom.scan.acquisition import ScanSettings
from fascnet.phantom.settings import TwitchRanges

GAP_S = 0.05
"""Two twitches of one focus are at least this far apart; closer pulses are one twitch, a doublet. Model."""

SEEN_S = 0.03
"""Of a twitch that the clip cuts, at least this much lies before and after its peak. Model choice."""

_DOUBLET_S = (0.03, 0.19)
"""Two pulses within 187.5 ms are one event (NeuroSense, field notes 3a)."""

_WANDER_S = 25.0
"""Time over which a focus forgets place, size and shape of earlier twitches. Model choice."""


def draw_twitches(
    settings: TwitchRanges,
    scan: ScanSettings,
    anatomy: Anatomy,
    duration_s: float,
    rng: np.random.Generator,
) -> tuple[Twitch, ...]:
    """Draw twitches in order of start; at least one.

    All but `cut_share` of the twitches lie within the clip; of the others the peak does. Twitches of one
    focus do not overlap, those of different foci may.
    """
    foci = draw_whole(settings.foci, rng)
    rates = share_rate(draw_log(settings.rate_per_min, rng), foci, rng)
    twitches: list[Twitch] = []
    templates: list[Twitch] = []
    for focus, rate in enumerate(rates):
        template = replace(draw_focus(settings, scan, anatomy, templates, rng), focus=focus)
        templates.append(template)
        twitches += _fire_focus(template, settings, 60.0 / rate, duration_s, rng)
    if not twitches:
        # A slow rhythm may leave a short clip empty; a clip drawn to hold twitches holds one.
        twitch = templates[int(rng.integers(foci))]
        twitches = [replace(twitch, start_s=draw((0.0, max(duration_s - _find_length_s(twitch), 0.0)), rng))]
    return tuple(sorted(twitches, key=lambda twitch: twitch.start_s))


def _fire_focus(
    template: Twitch, settings: TwitchRanges, mean_s: float, duration_s: float, rng: np.random.Generator
) -> list[Twitch]:
    twitches: list[Twitch] = []
    start_s = -find_run_in_s(mean_s)
    wander = rng.standard_normal(6)
    largest_mm = find_largest_mm(template, settings)
    while start_s < duration_s:
        twitch = _vary_twitch(template, start_s, wander, largest_mm, settings, rng)
        if _is_within(twitch, duration_s, bool(rng.random() < settings.cut_share)):
            twitches.append(twitch)
        step_s = max(draw_interval_s(mean_s, rng), _find_length_s(twitch) + GAP_S)
        kept = math.exp(-step_s / _WANDER_S)
        wander = kept * wander + math.sqrt(1 - kept**2) * rng.standard_normal(6)
        start_s += step_s
    return twitches


def _is_within(twitch: Twitch, duration_s: float, may_be_cut: bool) -> bool:
    end_s = twitch.start_s + _find_length_s(twitch)
    if not may_be_cut:
        return twitch.start_s >= 0.0 and end_s <= duration_s
    delay_s = 0.0 if twitch.second_delay_s is None else twitch.second_delay_s
    first_s = twitch.start_s + twitch.contraction_s
    return first_s >= SEEN_S and first_s + delay_s <= duration_s - SEEN_S


def _find_length_s(twitch: Twitch) -> float:
    delay = 0.0 if twitch.second_delay_s is None else twitch.second_delay_s
    return delay + twitch.contraction_s + twitch.relaxation_s


def _vary_twitch(
    template: Twitch,
    start_s: float,
    wander: NDArray[np.float64],
    largest_mm: float,
    settings: TwitchRanges,
    rng: np.random.Generator,
) -> Twitch:
    """A focus repeats itself with small, slow differences, now and then as a doublet. Sizes are models."""
    is_doublet = bool(rng.random() < settings.doublet_share)
    size = math.exp(0.15 * wander[0]) * float(rng.normal(1.0, 0.08))
    speed = math.exp(0.06 * float(np.clip(wander[1], -2, 2)))
    x, z = template.centre_mm
    turn = 0.15 * wander[4]
    along, across = template.pull
    return replace(
        template,
        start_s=start_s,
        centre_mm=(x + 0.3 * float(wander[2]), z + 0.2 * float(np.clip(wander[3], -2, 2))),
        pull=(
            along * math.cos(turn) - across * math.sin(turn),
            along * math.sin(turn) + across * math.cos(turn),
        ),
        halo_level=float(np.clip(template.halo_level + 0.02 * wander[5], 0.15, 0.45)),
        peak_mm=float(np.clip(template.peak_mm * size, settings.peak_mm[0], largest_mm)),
        contraction_s=template.contraction_s * speed,
        relaxation_s=template.relaxation_s * speed,
        second_delay_s=draw(_DOUBLET_S, rng) if is_doublet else None,
        second_gain=draw((0.5, 1.0), rng),
    )
