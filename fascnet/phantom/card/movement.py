"""How a clip changes from frame to frame: frame differences and decorrelation. Pure functions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LAGS_FRAMES = (1, 5, 15)
LAGS_S = (0.1, 0.5)

_LEAST_POWER = 1e-9
_BLOCK_PX = 8


def measure_differences(frames: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the mean absolute grey difference (T-1,) of each frame to the one before."""
    out = np.empty(len(frames) - 1)
    before = frames[0].astype(np.int16)
    for index, frame in enumerate(frames[1:]):
        now = frame.astype(np.int16)
        out[index] = np.abs(now - before).mean()
        before = now
    return out


def correlate_at(frames: NDArray[np.uint8], lag: int) -> float:
    """Return the median over pairs of frames of the pixel correlation at a lag in frames; NaN if too short.

    Pairs start at up to 24 evenly spread frames. A still picture makes it 1; noise, movement and
    decorrelation of speckle lower it.
    """
    if lag < 1 or len(frames) <= lag:
        return float("nan")
    values = []
    for start in np.unique(np.linspace(0, len(frames) - lag - 1, 24).astype(int)):
        one, other = (frames[i].astype(np.float32).ravel() for i in (start, start + lag))
        one, other = one - one.mean(), other - other.mean()
        scale = float(np.sqrt((one @ one) * (other @ other)))
        if scale > _LEAST_POWER:
            values.append(float(one @ other) / scale)
    return float(np.median(values)) if values else float("nan")


def measure_movement(frames: NDArray[np.uint8], fps: float) -> dict[str, float]:
    """Measure a clip (T, H, W), T >= 2.

    Frame differences in grey levels (median, 95th and 99th percentile over frames), their ratio, the share of
    frames that equal the one before, the correlation at lags in frames and in seconds, and the noise: the
    deviation of the difference of neighbouring frames in blocks, halved in power, medians over blocks, pairs.
    """
    differences = measure_differences(frames)
    median, high, highest = (float(value) for value in np.percentile(differences, [50, 95, 99]))
    values = {
        "difference_median": median,
        "difference_p95": high,
        "difference_p99": highest,
        "difference_burst": high / max(median, 0.01),
        "repeated_share": float((differences == 0).mean()),
    }
    for lag in LAGS_FRAMES:
        values[f"correlation_{lag}_frames"] = correlate_at(frames, lag)
    for lag_s in LAGS_S:
        values[f"correlation_{lag_s:g}_s"] = correlate_at(frames, round(lag_s * fps))
    values["noise_sd"] = _measure_noise(frames)
    return values


def trace_correlation(
    frames: NDArray[np.uint8], fps: float, lags_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the correlation (n,) at lags in s (n,), each rounded to whole frames; NaN where too long."""
    return np.array(
        [1.0 if lag_s == 0 else correlate_at(frames, max(round(lag_s * fps), 1)) for lag_s in lags_s]
    )


def _measure_noise(frames: NDArray[np.uint8]) -> float:
    """Deviation of single pixels from frame to frame where nothing moves: the median over blocks of 8 x 8."""
    deviations = []
    for index in np.unique(np.linspace(0, len(frames) - 2, 16).astype(int)):
        step = frames[index + 1].astype(np.float32) - frames[index]
        if np.any(step):
            deviations.append(float(np.median(_spread_in_blocks(step))) / np.sqrt(2))
    return float(np.median(deviations)) if deviations else 0.0


def _spread_in_blocks(image: NDArray[np.float32]) -> NDArray[np.float64]:
    side = min(_BLOCK_PX, *image.shape)
    height, width = (length - length % side for length in image.shape)
    blocks = image[:height, :width].reshape(height // side, side, width // side, side)
    return np.asarray(blocks.std(axis=(1, 3)), dtype=np.float64)
