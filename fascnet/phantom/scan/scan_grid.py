"""What does not change from frame to frame: where the scanner samples, and its kernels and tables.

The field is sampled on scan lines that lie as dense as the beam needs, and along them as dense as the pulse
needs; the picture's pixels come last. Sampled at the picture's own spacing the logarithm of the envelope,
which is far finer than the field, would alias, and speckle would stick to the pixels instead of moving with
the tissue.

All tables are computed in float64 and stored in float32, so that they have the same bits on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.scan.scan_settings import FWHM_PER_SIGMA, ScanSettings

SAMPLES_PER_PULSE = 3.5
"""Samples within the pulse's width; its spectrum then ends 4.6 deviations away, below half the rate."""

TURN_STEPS = 16384
"""Entries of the table of the carrier's phase; the error of half a step is -74 dB."""

ECHO_UNIT = 2.0**-18
"""Echoes are added up as whole multiples of this, so that their order does not matter."""

SHARE_BITS = 8

SHARE_STEPS = 2**SHARE_BITS
"""Steps in which a scatterer's place within a cell is known; its phase is finer."""

_FILTER_REACH = 3.3
_SPLAT_VARIANCE = 1 / 6
_BLOCK_ROWS = 48
_SIDELOBE_PLACE = 2.2
_LINE_MARGIN = 3


@dataclass(frozen=True, slots=True)
class LateralBlock:
    """Rows that share one reach of the beam's kernel.

    Attributes:
        first: first row of the padded grid.
        last: one past the last row.
        weights: float32 (reach + 1, rows, 1), of the middle line and its neighbours on both sides.
    """

    first: int
    last: int
    weights: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ScanGrid:
    """Sampling, kernels and tables of a scan.

    Attributes:
        rows: samples along a line, of the inner grid.
        lines: scan lines of the inner grid.
        samples_per_px: samples along a line for each row of pixels.
        row_pad: rows added above and below, out of which no echo reaches the inner grid.
        line_pad: lines added on both sides.
        row_mm: spacing along a line.
        line_mm: spacing of the lines.
        first_row_mm: depth of the first inner row.
        first_line_mm: x of the first inner line.
        axial: float32 (reach + 1,), the pulse: middle and one side.
        blocks: the beam.
        gain: float32 (rows, 1), what depth compensation leaves over.
        noise_rise: float32 (rows + 2 reach of the pulse, 1), noise against its level at mid depth.
        turns_per_mm: steps of the phase table per mm of depth, at the face.
        turn_fall_per_mm2: and how it falls with depth.
        look_turns_per_mm: steps of the phase table per mm of x, for each look.
        cosines: float32 (TURN_STEPS,).
        sines: float32 (TURN_STEPS,).
        smooth_row: spacing of the three rows that speckle reduction averages.
        smooth_line: spacing of the three lines that speckle reduction averages.
        sidelobe: amplitude of a side lobe.
        sidelobe_lines: distance of a side lobe.
        line_taps: int (taps, width), lines from which a column of pixels is interpolated.
        line_weights: float32 (taps, width, 1), their weights.
    """

    rows: int
    lines: int
    samples_per_px: int
    row_pad: int
    line_pad: int
    row_mm: float
    line_mm: float
    first_row_mm: float
    first_line_mm: float
    axial: NDArray[np.float32]
    blocks: tuple[LateralBlock, ...]
    gain: NDArray[np.float32]
    noise_rise: NDArray[np.float32]
    turns_per_mm: float
    turn_fall_per_mm2: float
    look_turns_per_mm: tuple[float, ...]
    cosines: NDArray[np.float32]
    sines: NDArray[np.float32]
    smooth_row: int
    smooth_line: int
    sidelobe: float
    sidelobe_lines: int
    line_taps: NDArray[np.int64]
    line_weights: NDArray[np.float32]


def plan_grid(settings: ScanSettings) -> ScanGrid:
    """Choose the sampling of a scan and compute its tables."""
    pitch = settings.mm_per_px
    axial_mm, waist_mm = settings.axial_sigma_mm, settings.lateral_sigma_mm(settings.focus_mm)
    per_px = int(np.ceil(pitch * SAMPLES_PER_PULSE / (axial_mm * FWHM_PER_SIGMA)))
    row_mm, line_mm = pitch / per_px, waist_mm * FWHM_PER_SIGMA / settings.lines_per_beam
    rows = settings.height_px * per_px
    first_row_mm = (0.5 / per_px - 0.5) * pitch
    lines = int(np.ceil(settings.width_px * pitch / line_mm)) + 2 * _LINE_MARGIN
    # Lines lie evenly about the middle of the picture.
    first_line_mm = (settings.width_px - 1) / 2 * pitch - (lines - 1) / 2 * line_mm
    axial = _make_side(axial_mm / row_mm)
    reach = len(axial) - 1
    row_pad = reach + 2
    blocks = _plan_beam(settings, rows + 2 * row_pad, row_pad, row_mm, first_row_mm, line_mm)
    sidelobe = 10 ** (settings.sidelobe_db / 20)
    sidelobe_lines = round(_SIDELOBE_PLACE * settings.lines_per_beam) if sidelobe > 0 else 0
    line_pad = max(len(block.weights) for block in blocks) + 1 + sidelobe_lines
    inner_mm = first_row_mm + row_mm * np.arange(rows)
    outer_mm = first_row_mm + row_mm * np.arange(-reach, rows + reach)
    mid_mm = settings.height_px * pitch / 2
    turn = np.arange(TURN_STEPS) * (2 * np.pi / TURN_STEPS)
    steps_per_mm = 2 * TURN_STEPS / settings.wavelength_mm
    fall = settings.downshift_mhz_per_mm / settings.centre_frequency_mhz
    angles = np.deg2rad(settings.look_angle_deg) * np.linspace(-1, 1, settings.looks)
    taps, weights = _interpolate_lines(settings, lines, line_mm, first_line_mm)
    return ScanGrid(
        rows=rows,
        lines=lines,
        samples_per_px=per_px,
        row_pad=row_pad,
        line_pad=line_pad,
        row_mm=row_mm,
        line_mm=line_mm,
        first_row_mm=first_row_mm,
        first_line_mm=first_line_mm,
        axial=axial,
        blocks=blocks,
        gain=_decibels(settings.depth_gain_db(inner_mm))[:, None],
        noise_rise=_decibels(settings.noise_slope_db_per_mm * (outer_mm - mid_mm))[:, None],
        turns_per_mm=steps_per_mm,
        # The phase is the integral of the local wave number.
        turn_fall_per_mm2=0.5 * fall * steps_per_mm,
        look_turns_per_mm=tuple(float(steps_per_mm * np.sin(a)) for a in angles)
        if settings.looks > 1
        else (0.0,),
        # Echoes leave the phase table in units of ECHO_UNIT.
        cosines=(np.cos(turn) / ECHO_UNIT).astype(np.float32),
        sines=(np.sin(turn) / ECHO_UNIT).astype(np.float32),
        # [1 2 1] / 4 at a spacing of √2 deviations has the variance of the point-spread function.
        smooth_row=max(round(np.sqrt(2) * axial_mm / row_mm), 1),
        smooth_line=max(round(np.sqrt(2) * waist_mm / line_mm), 1),
        sidelobe=float(sidelobe),
        sidelobe_lines=sidelobe_lines,
        line_taps=taps,
        line_weights=weights,
    )


def _plan_beam(
    settings: ScanSettings, rows: int, row_pad: int, row_mm: float, first_row_mm: float, line_mm: float
) -> tuple[LateralBlock, ...]:
    blocks = []
    for first in range(0, rows, _BLOCK_ROWS):
        last = min(first + _BLOCK_ROWS, rows)
        depths_mm = first_row_mm + row_mm * (np.arange(first, last) - row_pad)
        sides = [_make_side(settings.lateral_sigma_mm(float(z)) / line_mm) for z in depths_mm]
        weights = np.zeros((max(len(side) for side in sides), last - first, 1), dtype=np.float32)
        for row, side in enumerate(sides):
            weights[: len(side), row, 0] = side
        blocks.append(LateralBlock(first, last, weights))
    return tuple(blocks)


def _make_side(sigma: float) -> NDArray[np.float32]:
    """Middle and one side of a Gaussian of unit energy: a wider beam neither brightens nor darkens speckle.

    Sharing an echo among its neighbours has already widened it, by the variance of a triangle, 1/6.
    """
    left = np.sqrt(max(sigma**2 - _SPLAT_VARIANCE, 0.25))
    side = np.exp(-0.5 * np.square(np.arange(int(np.ceil(_FILTER_REACH * left)) + 1) / left))
    return np.asarray(side / np.sqrt(2 * np.sum(np.square(side)) - 1), dtype=np.float32)


def _interpolate_lines(
    settings: ScanSettings, lines: int, line_mm: float, first_line_mm: float
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Weights with which lines make up each column: cubic interpolation averaged over the pixel's width."""
    parts = max(2 * int(np.ceil(settings.mm_per_px / line_mm)), 4)
    within = (np.arange(parts) + 0.5) / parts - 0.5
    places = (np.arange(settings.width_px)[:, None] + within) * settings.mm_per_px
    places = (places - first_line_mm) / line_mm
    matrix = np.zeros((settings.width_px, lines))
    column = np.arange(settings.width_px)
    for part in range(parts):
        whole = np.floor(places[:, part]).astype(int)
        for tap in range(-1, 3):
            distance = np.abs(places[:, part] - whole - tap)
            near = (1.5 * distance - 2.5) * distance**2 + 1
            far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
            matrix[column, np.clip(whole + tap, 0, lines - 1)] += np.where(distance < 1, near, far) / parts
    starts = np.argmax(matrix != 0, axis=1)
    count = int(max((np.flatnonzero(row)[-1] - start + 1) for row, start in zip(matrix, starts, strict=True)))
    taps = np.minimum(starts[None] + np.arange(count)[:, None], lines - 1)
    weights = np.where(starts[None] + np.arange(count)[:, None] < lines, matrix[column[None], taps], 0.0)
    return taps.astype(np.int64), weights[..., None].astype(np.float32)


def _decibels(level: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.asarray(10 ** (level / 20), dtype=np.float32)
