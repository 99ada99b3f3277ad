"""Texture of one picture: greys, grain, streaks, sharpness, codec blocks. Pure functions."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats

FloatImage = NDArray[np.float32]

BLACK_LEVEL = 5
WHITE_LEVEL = 250
"""Greys up to `BLACK_LEVEL` count as black, from `WHITE_LEVEL` as white (model; Kobe uses 5 and 240)."""

PITCH_MM = 0.1
"""Pitch at which sharpness, slope and coherence are measured, so that scanners can be compared."""

GRAIN_BACKGROUND_MM = 0.8
"""Deviation of the Gaussian that is taken off before the grain is measured. Model choice.

Fascia, fascicles and shadows are coarser and would otherwise be measured instead of the speckle. It also
shortens the widths of grains that are not much finer: figures compare pictures, they are not a beam width.
"""

GRAIN_WINDOW_MM = 4.0
"""Side of the windows in which the grain is measured. Model choice."""

BACKGROUND_MM = 4.0
"""Deviation of the Gaussian that is taken off before the streaks are measured: fat, shadows. Model choice."""

STRUCTURE_MM = 0.25
"""Deviation of the Gaussian that takes off the grain before the streaks are measured. Model choice."""

ASSUMED_RANGE_DB = 60.0
"""Dynamic range assumed for the speckle SNR, since exports do not state it."""

SLOPE_BAND_PER_MM = (0.25, 2.0)
FINE_BAND_PER_MM = (2.0, 4.0)
_WINDOW_MM = 1.5
_BLOCK_PX = 8


def measure_greys(image: NDArray[np.uint8], mm_per_px: float) -> dict[str, float]:
    """Measure grey levels of a region (H, W): mean, SD, percentiles, shares at both ends, fall with depth."""
    low, middle, high = (float(value) for value in np.percentile(image, [5, 50, 95]))
    rows = image.mean(axis=1)
    depth_mm = np.arange(len(rows)) * mm_per_px
    slope = float(np.polyfit(depth_mm, rows, 1)[0]) if len(rows) > 2 else 0.0
    return {
        "grey_mean": float(image.mean()),
        "grey_sd": float(image.std()),
        "grey_p05": low,
        "grey_p50": middle,
        "grey_p95": high,
        "black_share": float((image <= BLACK_LEVEL).mean()),
        "white_share": float((image >= WHITE_LEVEL).mean()),
        "depth_slope": slope,
    }


def resample(image: NDArray[np.uint8] | FloatImage, mm_per_px: float, pitch_mm: float) -> FloatImage:
    """Resample an image (H, W) to another pitch, by area when it gets coarser, else by cubic splines."""
    factor = mm_per_px / pitch_mm
    height, width = (max(round(side * factor), 1) for side in image.shape)
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image.astype(np.float32), (width, height), interpolation=how))


def remove_background(image: FloatImage, sigma_px: float) -> FloatImage:
    """Subtract a Gaussian mean; edges are mirrored."""
    blurred = cv2.GaussianBlur(image, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT)
    return np.asarray(image - blurred, dtype=np.float32)


def correlate(image: FloatImage, reach_px: int) -> NDArray[np.float64]:
    """Return the autocorrelation (2r+1, 2r+1) for lags up to r, 1 in the middle; 0 for a flat image.

    Each lag is divided by the number of pixel pairs at that lag (unbiased), from one zero-padded transform.
    """
    height, width = image.shape
    reach = min(reach_px, height // 2 - 1, width // 2 - 1)
    centred = image - image.mean()
    size = (cv2.getOptimalDFTSize(height + reach), cv2.getOptimalDFTSize(width + reach))
    spectrum = np.fft.rfft2(centred, size)
    raw = np.fft.irfft2(np.abs(spectrum) ** 2, size)
    lags = np.arange(-reach, reach + 1)
    sums = raw[np.ix_(lags % size[0], lags % size[1])]
    pairs = np.outer(height - np.abs(lags), width - np.abs(lags))
    correlation = sums / pairs
    middle = correlation[reach, reach]
    return np.asarray(correlation / middle if middle > 1e-6 else np.zeros_like(correlation))


def find_width(correlation: NDArray[np.float64], step_mm: float) -> float:
    """Return the full width at half maximum in mm of correlations at lags 0, 1, 2, ... (n,)."""
    below = np.flatnonzero(correlation < 0.5)
    if len(below) == 0:
        return 2 * step_mm * (len(correlation) - 1)
    first = int(below[0])
    if first == 0:
        return 0.0
    before, after = correlation[first - 1], correlation[first]
    return float(2 * step_mm * (first - 1 + (before - 0.5) / (before - after)))


def measure_grain(image: NDArray[np.uint8], mm_per_px: float) -> dict[str, float]:
    """Measure the grain at the stored pitch: FWHM of the grey's autocorrelation, along and across the beam.

    Medians over windows of `GRAIN_WINDOW_MM`, so that one bright fascia does not stand for the whole picture.
    Fully developed, log-compressed speckle of a Gaussian beam of deviation σ gives 1.79 σ: its correlation is
    Li2(r²) / Li2(1), with r the correlation of the field.
    """
    flat = remove_background(image.astype(np.float32), GRAIN_BACKGROUND_MM / mm_per_px)
    side = max(round(GRAIN_WINDOW_MM / mm_per_px), 8)
    axial, lateral = [], []
    for top in range(0, flat.shape[0] - side + 1, side // 2):
        for left in range(0, flat.shape[1] - side + 1, side // 2):
            window = flat[top : top + side, left : left + side]
            if window.std() < 1.0:
                continue
            correlation = correlate(window, side // 2)
            middle = len(correlation) // 2
            axial.append(find_width(correlation[middle:, middle], mm_per_px))
            lateral.append(find_width(correlation[middle, middle:], mm_per_px))
    blank = float("nan")
    return {
        "grain_axial_mm": float(np.median(axial)) if axial else blank,
        "grain_lateral_mm": float(np.median(lateral)) if lateral else blank,
    }


def measure_streaks(fine: FloatImage) -> dict[str, float]:
    """Measure what is coarser than the grain: length and thickness of streaks (fascicles, septa).

    The half-level area of the smoothed image's autocorrelation around lag 0 is described by the axes of the
    ellipse with the same second moments.
    """
    smooth = np.asarray(cv2.GaussianBlur(fine, (0, 0), STRUCTURE_MM / PITCH_MM), dtype=np.float32)
    flat = remove_background(smooth, BACKGROUND_MM / PITCH_MM)
    correlation = correlate(flat, round(6.0 / PITCH_MM))
    labels, _ = ndimage.label(correlation >= 0.5)
    middle = len(correlation) // 2
    if labels[middle, middle] == 0:
        return {"streak_long_mm": 0.0, "streak_short_mm": 0.0}
    rows, columns = np.nonzero(labels == labels[middle, middle])
    spread = np.cov(np.stack([columns, rows])) if len(rows) > 2 else np.zeros((2, 2))
    # A filled ellipse of axes a, b has variances a²/16 and b²/16 along them; 1/12 is a pixel's own.
    short, long = 4 * np.sqrt(np.linalg.eigvalsh(spread + np.eye(2) / 12)) * PITCH_MM
    return {"streak_long_mm": float(long), "streak_short_mm": float(short)}


def measure_spectrum(fine: FloatImage) -> dict[str, float]:
    """Measure the power spectrum: slope, share of fine detail, how much of it lies along depth."""
    window = np.outer(np.hanning(fine.shape[0]), np.hanning(fine.shape[1]))
    power = np.abs(np.fft.fft2((fine - fine.mean()) * window)) ** 2
    down, right = np.fft.fftfreq(fine.shape[0], PITCH_MM), np.fft.fftfreq(fine.shape[1], PITCH_MM)
    radius = np.hypot(down[:, None], right[None, :])
    places, heights = [], []
    for low, high in itertools.pairwise(np.geomspace(*SLOPE_BAND_PER_MM, 9)):
        ring = (radius >= low) & (radius < high)
        if ring.any():
            places.append(float(np.log10(radius[ring]).mean()))
            heights.append(float(np.log10(max(power[ring].mean(), 1e-9))))
    slope = float(np.polyfit(places, heights, 1)[0]) if len(places) > 2 else float("nan")
    coarse = power[(radius >= SLOPE_BAND_PER_MM[0]) & (radius < SLOPE_BAND_PER_MM[1])].sum()
    fine_power = power[(radius >= FINE_BAND_PER_MM[0]) & (radius < FINE_BAND_PER_MM[1])].sum()
    steep = np.abs(down)[:, None] > np.abs(right)[None, :]
    band = (radius >= 0.5) & (radius < FINE_BAND_PER_MM[1])
    total = power[band].sum()
    return {
        "spectrum_slope": slope,
        "fine_share": float(fine_power / max(coarse + fine_power, 1e-9)),
        "axial_power_share": float(power[band & steep].sum() / max(total, 1e-9)),
    }


def measure_orientation(fine: FloatImage) -> dict[str, float]:
    """Measure the structure tensor: mean coherence, and how far all directions agree (0 none, 1 all)."""
    smooth = cv2.GaussianBlur(fine, (0, 0), 0.15 / PITCH_MM)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    sigma = 0.6 / PITCH_MM
    xx, zz, xz = (cv2.GaussianBlur(p, (0, 0), sigma) for p in (across**2, down**2, across * down))
    energy = xx + zz
    coherence = np.hypot(xx - zz, 2 * xz) / np.maximum(energy, 1e-6)
    agreement = np.hypot((xx - zz).sum(), 2 * xz.sum()) / max(float(energy.sum()), 1e-6)
    return {"coherence": float(coherence.mean()), "orientation_agreement": float(agreement)}


def measure_speckle(image: NDArray[np.uint8], mm_per_px: float) -> dict[str, float]:
    """Measure first-order statistics in small windows: contrast, skewness, kurtosis, SNR of the amplitude.

    Skewness and kurtosis of log-compressed speckle do not depend on the dynamic range: -1.14 and 2.4 when it
    is fully developed (logarithm of an exponential variable). The SNR of the amplitude, 1.91 for a Rayleigh
    amplitude (Burckhardt 1978), is undone from the greys for `ASSUMED_RANGE_DB`, so it is only comparable
    between pictures. Windows with more than 5 % black or white pixels are left out.
    """
    side = max(round(_WINDOW_MM / mm_per_px), 6)
    height, width = (length - length % side for length in image.shape)
    blocks = image[:height, :width].reshape(height // side, side, width // side, side)
    windows = blocks.swapaxes(1, 2).reshape(-1, side * side).astype(np.float64)
    clipped = ((windows <= BLACK_LEVEL) | (windows >= WHITE_LEVEL)).mean(axis=1)
    deviations = windows.std(axis=1)
    used = (clipped <= 0.05) & (deviations > 0.5)
    contrast = float(np.median(deviations)) if len(windows) else float("nan")
    spread = float(np.std(deviations) / np.mean(deviations)) if len(windows) and deviations.any() else 0.0
    names = ("speckle_skewness", "speckle_kurtosis", "speckle_snr_60db")
    values = dict.fromkeys(names, float("nan"))
    if np.any(used):
        chosen = windows[used]
        amplitude = 10 ** (chosen / 255 * ASSUMED_RANGE_DB / 20)
        snr = amplitude.mean(axis=1) / amplitude.std(axis=1)
        moments = (stats.skew(chosen, axis=1), stats.kurtosis(chosen, axis=1), snr)
        values = {name: float(np.median(each)) for name, each in zip(names, moments, strict=True)}
    return {"local_contrast": contrast, "contrast_spread": spread, **values}


def measure_blocks(image: NDArray[np.uint8], corner_px: tuple[int, int]) -> dict[str, float]:
    """Measure the codec's 8 x 8 blocks: steps across block borders against steps elsewhere, 1 = none.

    Args:
        image: region (H, W) at the stored pitch.
        corner_px: (x, y) of its first pixel in the stored picture.
    """
    greys = image.astype(np.float32)
    on, off = [], []
    for axis, start in ((1, corner_px[0]), (0, corner_px[1])):
        steps = np.abs(np.diff(greys, n=1, axis=axis))
        curve = steps.mean(axis=1 - axis)
        at_border = (np.arange(len(curve)) + start + 1) % _BLOCK_PX == 0
        on.append(float(curve[at_border].mean()) if at_border.any() else float("nan"))
        off.append(float(curve[~at_border].mean()) if (~at_border).any() else float("nan"))
    return {"block_step_ratio": float(np.mean(on) / max(float(np.mean(off)), 1e-6))}
