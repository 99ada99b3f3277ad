"""Draws what else moves in a clip: probe, artery, breathing, voluntary contraction, pseudotremor."""

from __future__ import annotations

import numpy as np

from fascnet.phantom.acquisition import ScanSettings
from fascnet.phantom.chance import draw, draw_log
from fascnet.phantom.confounders import ArterialPulsation, Pseudotremor, VoluntaryContraction
from fascnet.phantom.motion import Motion
from fascnet.phantom.picture_motion import Breathing, ProbeDrift, ProbeJolt
from fascnet.phantom.settings import PhantomSettings
from fascnet.phantom.subject import draw_muscle_place, draw_vessel
from fascnet.phantom.tissue import Anatomy


def draw_confounders(
    settings: PhantomSettings,
    scan: ScanSettings,
    anatomy: Anatomy,
    duration_s: float,
    rng: np.random.Generator,
) -> tuple[Motion, ...]:
    """Draw the movements of a clip that are not twitches, each by its share."""
    motions: list[Motion] = []
    depth_mm, width_mm = scan.height_px * scan.mm_per_px, scan.width_px * scan.mm_per_px
    if rng.random() < settings.drift_share:
        size = draw_log(settings.drift_mm, rng) if settings.drift_mm[0] > 0 else draw(settings.drift_mm, rng)
        motions.append(
            ProbeDrift(
                size_mm=(size * float(rng.choice([-1, 1])), size * draw((-0.6, 0.6), rng)),
                frequencies_hz=(draw((0.04, 0.25), rng), draw((0.04, 0.3), rng)),
                slice_rad=draw((0.1, 1.0), rng),
                duration_s=duration_s,
            )
        )
    if rng.random() < settings.jolt_share:
        size, turn = draw(settings.jolt_mm, rng), draw((0.0, 2 * np.pi), rng)
        motions.append(
            ProbeJolt(
                shift_mm=(size * float(np.cos(turn)), size * float(np.sin(turn)) * 0.6),
                start_s=draw((0.1, 0.85), rng) * duration_s,
                rise_s=draw((0.05, 0.2), rng),
                return_s=draw((0.1, 0.6), rng),
                kept=draw((0.0, 1.0), rng),
                slice_rad=draw((0.2, 1.2), rng),
            )
        )
    if rng.random() < settings.pulsation_share:
        vessel = anatomy.vessel if anatomy.vessel is not None else draw_vessel(anatomy, scan, rng)
        motions.append(
            ArterialPulsation(
                centre_mm=vessel.centre_mm,
                radius_mm=vessel.radius_mm,
                reach_mm=draw((1.5, 4.0), rng),
                axis_rad=vessel.axis_rad,
                half_length_mm=vessel.half_length_mm,
                size_mm=draw(settings.pulsation_mm, rng),
                rate_hz=draw((1.0, 1.7), rng),
                phase=draw((0.0, 1.0), rng),
                duration_s=duration_s,
            )
        )
    if rng.random() < settings.contraction_share:
        middle_x = width_mm / 2
        top, bottom = float(anatomy.muscle_top(middle_x)), float(anatomy.muscle_bottom(middle_x))
        ramp_s = draw((0.3, 2.0), rng)
        motions.append(
            VoluntaryContraction(
                depth_mm=(top + bottom) / 2,
                half_thickness_mm=(bottom - top) / 2,
                centre_x_mm=draw((0.0, 1.0), rng) * width_mm,
                axis_rad=0.0 if anatomy.transverse else anatomy.fibre_rad,
                size_mm=draw(settings.contraction_mm, rng) * float(rng.choice([-1, 1])),
                thickening_mm=draw((0.1, 0.5), rng) * settings.contraction_mm[0],
                start_s=draw((0.05, 0.7), rng) * duration_s,
                ramp_s=ramp_s,
                hold_s=draw((0.1, 2.0), rng),
                slice_rad=draw((0.2, 1.2), rng),
            )
        )
    if rng.random() < settings.breathing_share:
        size = draw(settings.breathing_mm, rng)
        rate_hz = draw((0.2, 0.3), rng)
        shift = (size * draw((-1.0, 1.0), rng), size)
        motions.append(Breathing(shift, rate_hz, draw((0.0, 1.0), rng), depth_mm, duration_s))
    if rng.random() < settings.pseudotremor_share:
        count = int(rng.integers(2, 5))
        rate_hz = draw((4.0, 12.0), rng)
        motions.append(
            Pseudotremor(
                centres_mm=tuple(draw_muscle_place(anatomy, scan, 1.5, rng) for _ in range(count)),
                directions_rad=tuple(anatomy.fibre_rad + draw((-0.5, 0.5), rng) for _ in range(count)),
                sizes_mm=tuple(draw(settings.pseudotremor_mm, rng) for _ in range(count)),
                radius_mm=draw((2.0, 4.0), rng),
                rates_hz=tuple(rate_hz * draw((0.93, 1.07), rng) for _ in range(count)),
                start_s=draw((0.05, 0.5), rng) * duration_s,
                length_s=draw((0.3, 0.8), rng) * duration_s,
            )
        )
    return tuple(motions)
