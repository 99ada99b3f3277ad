"""The statistics that the card compares: what each is called, its unit, and how a source is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.card.movement import measure_movement
from fascnet.phantom.card.sources import Source
from fascnet.phantom.card.texture import (
    PITCH_MM,
    measure_blocks,
    measure_grain,
    measure_greys,
    measure_orientation,
    measure_speckle,
    measure_spectrum,
    measure_streaks,
    resample,
)

PICTURES_PER_SOURCE = 4
"""Frames of a source that are measured, evenly spread; a source's value is their median."""

SHORTEST_CLIP_FRAMES = 20


@dataclass(frozen=True, slots=True)
class Statistic:
    """One statistic.

    Attributes:
        name: key in tables.
        title: name for people.
        unit: its unit, or empty.
        is_temporal: needs a clip.
        is_grey: depends on how somebody set gain and dynamic range, rather than on the tissue.
    """

    name: str
    title: str
    unit: str = ""
    is_temporal: bool = False
    is_grey: bool = False


STATISTICS = (
    Statistic("grey_mean", "grey, mean", "levels", is_grey=True),
    Statistic("grey_sd", "grey, SD", "levels", is_grey=True),
    Statistic("grey_p05", "grey, 5th percentile", "levels", is_grey=True),
    Statistic("grey_p50", "grey, median", "levels", is_grey=True),
    Statistic("grey_p95", "grey, 95th percentile", "levels", is_grey=True),
    Statistic("black_share", "black pixels (<= 5)", "share", is_grey=True),
    Statistic("white_share", "white pixels (>= 250)", "share", is_grey=True),
    Statistic("depth_slope", "fall of grey with depth", "levels/mm", is_grey=True),
    Statistic("local_contrast", "local SD, 1.5 mm windows", "levels", is_grey=True),
    Statistic("contrast_spread", "spread of the local SD", "SD/mean"),
    Statistic("grain_axial_mm", "grain along the beam (FWHM)", "mm"),
    Statistic("grain_lateral_mm", "grain across the beam (FWHM)", "mm"),
    Statistic("streak_long_mm", "streaks, length", "mm"),
    Statistic("streak_short_mm", "streaks, thickness", "mm"),
    Statistic("spectrum_slope", "slope of the power spectrum, 0.25-2 cycles/mm", "log/log"),
    Statistic("fine_share", "power at 2-4 cycles/mm", "share"),
    Statistic("axial_power_share", "power that lies along depth", "share"),
    Statistic("coherence", "structure tensor, coherence"),
    Statistic("orientation_agreement", "structure tensor, agreement of directions"),
    Statistic("speckle_skewness", "skewness in 1.5 mm windows"),
    Statistic("speckle_kurtosis", "excess kurtosis in 1.5 mm windows"),
    Statistic("speckle_snr_60db", "SNR of the amplitude, if 60 dB", is_grey=True),
    Statistic("block_step_ratio", "codec blocks: step at borders / elsewhere"),
    Statistic("difference_median", "frame difference, median", "levels", is_temporal=True),
    Statistic("difference_p95", "frame difference, 95th percentile", "levels", is_temporal=True),
    Statistic("difference_p99", "frame difference, 99th percentile", "levels", is_temporal=True),
    Statistic("difference_burst", "frame difference, 95th / median", is_temporal=True),
    Statistic("repeated_share", "frames equal to the one before", "share", is_temporal=True),
    Statistic("correlation_1_frames", "correlation after 1 frame", is_temporal=True),
    Statistic("correlation_5_frames", "correlation after 5 frames", is_temporal=True),
    Statistic("correlation_15_frames", "correlation after 15 frames", is_temporal=True),
    Statistic("correlation_0.1_s", "correlation after 0.1 s", is_temporal=True),
    Statistic("correlation_0.5_s", "correlation after 0.5 s", is_temporal=True),
    Statistic("noise_sd", "noise from frame to frame, SD", "levels", is_temporal=True),
)

PICTURE_STATISTICS = tuple(statistic for statistic in STATISTICS if not statistic.is_temporal)


def measure_picture(
    image: NDArray[np.uint8], mm_per_px: float, corner_px: tuple[int, int] = (0, 0)
) -> dict[str, float]:
    """Measure one picture (H, W); NaN where a statistic is not defined.

    Args:
        image: the region of one frame.
        mm_per_px: its spacing.
        corner_px: (x, y) of its first pixel in the stored picture.
    """
    fine = resample(image, mm_per_px, PITCH_MM)
    return {
        **measure_greys(image, mm_per_px),
        **measure_speckle(image, mm_per_px),
        **measure_grain(image, mm_per_px),
        **measure_streaks(fine),
        **measure_spectrum(fine),
        **measure_orientation(fine),
        **measure_blocks(image, corner_px),
    }


def measure_pictures(source: Source) -> list[dict[str, float]]:
    """Measure up to `PICTURES_PER_SOURCE` frames of a source."""
    chosen = np.unique(np.linspace(0, len(source.frames) - 1, PICTURES_PER_SOURCE).astype(int))
    return [measure_picture(source.frames[i], source.mm_per_px, source.corner_px) for i in chosen]


def measure_source(source: Source, pictures: list[dict[str, float]] | None = None) -> Mapping[str, float]:
    """Measure a source: medians over its pictures, and for a clip how it changes.

    Args:
        source: what to measure.
        pictures: from `measure_pictures`, if already at hand.
    """
    measured = measure_pictures(source) if pictures is None else pictures
    names = (statistic.name for statistic in PICTURE_STATISTICS)
    values = {name: _median([picture[name] for picture in measured]) for name in names}
    if source.is_clip and source.fps is not None and len(source.frames) >= SHORTEST_CLIP_FRAMES:
        values |= measure_movement(source.frames, source.fps)
    return values


def _median(values: list[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.median(known)) if known else float("nan")
