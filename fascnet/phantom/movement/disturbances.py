"""Draws what else moves in a clip: each movement by its share, from a stream of chance of its own."""

from __future__ import annotations

import math

import numpy as np

from fascnet.phantom.body.tissue import Anatomy
from fascnet.phantom.chance import draw, draw_log
from fascnet.phantom.movement.confounders import Breathing, OutOfPlane, ProbeDrift, ProbeJolt, ProbePressure
from fascnet.phantom.movement.motion import Motion
from fascnet.phantom.movement.muscle_disturbances import (
    draw_contraction,
    draw_fibrillation,
    draw_pseudotremor,
    draw_pulsation,
    draw_swallowing,
)
from fascnet.phantom.ranges import Range
from fascnet.phantom.scan.acquisition import ScanSettings
from fascnet.phantom.settings import ConfounderRanges


def draw_confounders(
    settings: ConfounderRanges,
    scan: ScanSettings,
    anatomy: Anatomy,
    duration_s: float,
    rng: np.random.Generator,
) -> tuple[Motion, ...]:
    """Draw the movements of a clip that are not twitches, each by its share.

    Switching one off leaves the others as they are. A pulsation is that of `anatomy.vessel`; where the
    picture shows no vessel the artery lies beside or below it.

    Args:
        settings: shares and sizes; all shares may be 0 or 1.
        scan: gives the picture's size and spacing.
        anatomy: where the muscle lies, its fibres, and the clip's vessel.
        duration_s: length of the clip.
        rng: source of all randomness.
    """
    drawers = (
        (settings.drift_share, _draw_drift),
        (settings.jolt_share, _draw_jolts),
        (settings.out_of_plane_share, _draw_out_of_plane),
        (settings.pressure_share, _draw_pressure),
        (settings.breathing_share, _draw_breathing),
        (settings.pulsation_share, draw_pulsation),
        (settings.contraction_share, draw_contraction),
        (settings.swallowing_share, draw_swallowing),
        (settings.pseudotremor_share, draw_pseudotremor),
        (settings.fibrillation_share, draw_fibrillation),
    )
    seeds = rng.integers(2**63, size=len(drawers)).tolist()
    motions: list[Motion] = []
    for (share, drawer), seed in zip(drawers, seeds, strict=True):
        own = np.random.default_rng(seed)
        if own.random() < share:
            motions += drawer(settings, scan, anatomy, duration_s, own)
    return tuple(motions)


def _draw_drift(
    settings: ConfounderRanges,
    scan: ScanSettings,  # noqa: ARG001 - all drawers are called alike
    anatomy: Anatomy,  # noqa: ARG001
    duration_s: float,
    rng: np.random.Generator,
) -> list[Motion]:
    size = _draw_size(settings.drift_mm, rng)
    return [
        ProbeDrift(
            size_mm=(size * float(rng.choice([-1, 1])), size * draw((-0.6, 0.6), rng)),
            frequencies_hz=(draw((0.04, 0.25), rng), draw((0.04, 0.3), rng)),
            slice_rad=draw((0.1, 1.0), rng),
            duration_s=duration_s,
        )
    ]


def _draw_jolts(
    settings: ConfounderRanges,
    scan: ScanSettings,
    anatomy: Anatomy,  # noqa: ARG001
    duration_s: float,
    rng: np.random.Generator,
) -> list[Motion]:
    """One knock or two; one to a few frames long, or a slip of most of a second."""
    motions: list[Motion] = []
    for _ in range(1 + int(rng.random() < 0.3)):
        size, turn = _draw_size(settings.jolt_mm, rng), draw((0.0, 2 * math.pi), rng)
        rotates = bool(rng.random() < 0.15)
        motions.append(
            ProbeJolt(
                shift_mm=(size * math.cos(turn), size * math.sin(turn) * 0.6),
                start_s=draw((0.05, 0.85), rng) * duration_s,
                rise_s=draw_log((0.04, 0.5), rng),
                return_s=draw_log((0.1, 1.0), rng),
                kept=draw((0.0, 1.0), rng),
                slice_rad=draw((0.1, 1.0), rng),
                turn_rad=draw((-0.04, 0.04), rng) if rotates else 0.0,
                pivot_mm=(scan.width_px * scan.mm_per_px / 2, 0.0),
            )
        )
    return motions


def _draw_out_of_plane(
    settings: ConfounderRanges,
    scan: ScanSettings,  # noqa: ARG001
    anatomy: Anatomy,  # noqa: ARG001
    duration_s: float,
    rng: np.random.Generator,
) -> list[Motion]:
    size = draw(settings.out_of_plane_rad, rng)
    kind = rng.random()
    waves: tuple[tuple[float, float], ...] = ()
    steps: tuple[tuple[float, float, float], ...] = ()
    if kind < 0.7:
        share = draw((0.5, 1.0), rng)
        waves = (
            (size * share, draw_log((0.03, 0.3), rng)),
            (size * (1 - share), draw_log((0.2, 1.0), rng)),
        )
    if kind >= 0.5:
        count = int(rng.integers(1, 4))
        steps = tuple(
            (draw((0.05, 0.9), rng) * duration_s, draw_log((0.04, 0.6), rng), size * draw((-1.0, 1.0), rng))
            for _ in range(count)
        )
    return [OutOfPlane(waves, steps, duration_s)]


def _draw_pressure(
    settings: ConfounderRanges,
    scan: ScanSettings,
    anatomy: Anatomy,
    duration_s: float,
    rng: np.random.Generator,
) -> list[Motion]:
    return [
        ProbePressure(
            size_mm=_draw_size(settings.pressure_mm, rng),
            depth_mm=scan.height_px * scan.mm_per_px,
            start_s=draw((0.05, 0.7), rng) * duration_s,
            press_s=draw((0.3, 1.5), rng),
            hold_s=draw((0.0, 1.5), rng),
            release_s=draw((0.3, 1.5), rng),
            slice_rad=draw((0.0, 0.5), rng),
            vein=anatomy.vein,
            collapse=draw((0.3, 0.7), rng),
        )
    ]


def _draw_breathing(
    settings: ConfounderRanges,
    scan: ScanSettings,
    anatomy: Anatomy,  # noqa: ARG001
    duration_s: float,
    rng: np.random.Generator,
) -> list[Motion]:
    size = draw(settings.breathing_mm, rng)
    return [
        Breathing(
            size_mm=(size * draw((-1.0, 1.0), rng), size),
            rate_hz=draw((0.2, 0.3), rng),
            phase=draw((0.0, 1.0), rng),
            depth_mm=scan.height_px * scan.mm_per_px,
            duration_s=duration_s,
            haste=draw((0.1, 0.5), rng),
            slice_rad=draw((-0.3, 0.3), rng),
        )
    ]


def _draw_size(bounds: Range, rng: np.random.Generator) -> float:
    """Draw a size in mm: small ones as often as large ones, by ratio, unless the range begins at 0."""
    return draw_log(bounds, rng) if bounds[0] > 0 else draw(bounds, rng)
