"""THE BAR: the best that smoothed Farneback flow can do on these very clips, settings chosen on them.

An oracle, favourable to the baseline: a network must beat the best of 40 settings that were all tried on the
test set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from fascnet.baselines.farneback import MIN_MAD_PX_PER_S, trace_residual_speed
from fascnet.data.job_runner import start_pool
from fascnet.data.labelling.targets import rasterise_truth
from fascnet.data.recording.recordings import open_clip
from fascnet.errors import SettingError
from fascnet.evaluation.figures.pixels import PixelHistogram
from fascnet.models.preprocessing import Preprocessor
from fascnet.spacing import ASSUMED_MM_PER_PX
from fascnet.types import ClipSource, Labels

SPEED_MIDDLE_PX_PER_S = 10.0
"""Speed that falls on the middle bin of the raw histogram: v / (v + 10) keeps the order of all speeds."""

Z_MIDDLE = 8.0
"""z score that falls on the middle bin of the z histogram."""

Histograms = dict[tuple[int, float, str], PixelHistogram]

ORACLE_NOTE = "oracle, favourable to the baseline: the best of all settings, chosen on these very clips"


def measure_farneback_bar(
    clips: Sequence[ClipSource],
    labels: Mapping[str, Labels],
    lags: tuple[int, ...] = (1, 2, 3, 4, 5),
    sigmas: tuple[float, ...] = (0, 1, 2, 3),
    *,
    spatial_sigma_px: float = 8.0,
    pitch_mm: float = 0.15,
    rate_hz: float = 30.0,
    assumed_mm_per_px: float = ASSUMED_MM_PER_PX,
    workers: int = 0,
) -> pd.DataFrame:
    """Measure the pixel average precision of each Farneback setting, pooled over all clips.

    Grid, truth and valid cells are the network's. One clip is in memory at a time (per worker).

    Args:
        clips: recordings; those without labels are skipped.
        labels: the reference's labels by clip_id.
        lags: frames between the pictures compared.
        sigmas: temporal Gaussian in working frames (non-causal).
        spatial_sigma_px: spatial Gaussian in working pixels.
        pitch_mm: working pixel spacing.
        rate_hz: working rate.
        assumed_mm_per_px: spacing assumed for recordings that state none.
        workers: processes; 0 works in this one.

    Returns:
        A row a setting, best first: `lag, sigma_frames, normalisation` (`raw` speed, or `clip_z`: robust z
        score per clip), `average_precision` (NaN without true cells), `true_cells`, `valid_cells`.

    Raises:
        SettingError: no clip has labels.
        RecordingError: a recording cannot be read.
    """
    chosen = [clip for clip in clips if clip.clip_id in labels]
    if not chosen:
        raise SettingError("input: none of its clips has labels; give the labelled recordings")
    preprocessor = Preprocessor(pitch_mm, rate_hz, assumed_mm_per_px)
    own = [labels[clip.clip_id] for clip in chosen]
    pooled: Histograms = {}
    settings = (repeat(preprocessor), repeat(lags), repeat(sigmas), repeat(spatial_sigma_px))
    if workers > 0:
        with start_pool(workers) as pool:
            for found in pool.map(measure_clip, chosen, own, *settings):
                _merge(pooled, found)
    else:
        for found in map(measure_clip, chosen, own, *settings):
            _merge(pooled, found)
    rows = []
    for (lag, sigma, normalisation), histogram in pooled.items():
        value = histogram.average_precision()
        rows.append(
            {
                "lag": lag,
                "sigma_frames": sigma,
                "normalisation": normalisation,
                "average_precision": np.nan if value is None else value,
                "true_cells": int(histogram.positive.sum()),
                "valid_cells": int(histogram.positive.sum() + histogram.negative.sum()),
            }
        )
    table = pd.DataFrame(rows)
    return table.sort_values("average_precision", ascending=False, kind="stable", ignore_index=True)


def describe_bar(table: pd.DataFrame) -> dict[str, object]:
    """Return the best setting as it stands in `metrics.json` under `pixels.farneback_bar`."""
    best = table.iloc[0]
    value = float(best["average_precision"])
    return {
        "value": value if np.isfinite(value) else None,
        "ci95": None,
        "n": int(best["true_cells"]),
        "unit": "true cells",
        "lag": int(best["lag"]),
        "sigma_frames": float(best["sigma_frames"]),
        "normalisation": str(best["normalisation"]),
        "settings_tried": len(table),
        "reason": ORACLE_NOTE,
    }


def measure_clip(
    clip: ClipSource,
    labels: Labels,
    preprocessor: Preprocessor,
    lags: tuple[int, ...],
    sigmas: tuple[float, ...],
    spatial_sigma_px: float,
) -> Histograms:
    """Measure one clip: a histogram of each (lag, sigma, normalisation). Each lag's flow is computed once."""
    recording = open_clip(clip)
    grid = preprocessor.plan(recording.info)
    maps = list(trace_residual_speed(preprocessor.ticks(recording, grid), lags, spatial_sigma_px))
    times_s = np.arange(len(maps)) / grid.rate_hz
    truth, valid = rasterise_truth(labels, times_s, grid.box, grid.cells, pixel_aspect=grid.pixel_aspect)
    found: Histograms = {}
    for position, lag in enumerate(lags):
        speed = np.stack([at_tick[position] for at_tick in maps])
        for sigma in sigmas:
            smooth = gaussian_filter1d(speed, sigma, axis=0, mode="nearest") if sigma > 0 else speed
            z = compute_z(smooth)
            for name, values in (
                ("raw", smooth / (smooth + SPEED_MIDDLE_PX_PER_S)),
                ("clip_z", z / (z + Z_MIDDLE)),
            ):
                histogram = PixelHistogram()
                histogram.add(values, truth, valid)
                found[lag, sigma, name] = histogram
    return found


def compute_z(speed: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the robust z score over a whole clip, (v - median) / (1.4826 MAD), negative values as 0."""
    median = np.median(speed)
    mad = max(float(np.median(np.abs(speed - median))), MIN_MAD_PX_PER_S)
    return np.asarray(np.maximum(speed - median, 0) / (1.4826 * mad), dtype=np.float32)


def _merge(pooled: Histograms, found: Histograms) -> None:
    for key, histogram in found.items():
        if key in pooled:
            pooled[key].merge(histogram)
        else:
            pooled[key] = histogram
