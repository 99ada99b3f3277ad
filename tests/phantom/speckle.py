"""Homogeneous speckle and measurements on it, for the tests of the image formation."""

from __future__ import annotations

import numpy as np

from fascnet.phantom.scan.acquisition import Scanner, ScanSettings

MARGIN_MM = 3.5


def scatter(width_mm: float, depth_mm: float, per_mm2: float, rng: np.random.Generator) -> np.ndarray:
    """Places (N, 2): one scatterer anywhere in each cell of a grid."""
    step = 1 / np.sqrt(per_mm2)
    columns, rows = (int(np.ceil((size + 2 * MARGIN_MM) / step)) for size in (width_mm, depth_mm))
    cells = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)
    return ((cells + rng.random(cells.shape)) * step - MARGIN_MM).astype(np.float32)


def make_echoes(settings: ScanSettings, seed: int, per_cell: float = 10.0) -> tuple[np.ndarray, np.ndarray]:
    """Places and echoes of random sign that differ in strength, of mean power 1, as tissue has them."""
    rng = np.random.default_rng(seed)
    width_mm, depth_mm = settings.width_px * settings.mm_per_px, settings.height_px * settings.mm_per_px
    places = scatter(width_mm, depth_mm, per_cell / settings.cell_area_mm2, rng)
    echoes = 0.5 * rng.standard_normal(len(places)) + rng.choice([-0.866, 0.866], len(places))
    return places, echoes.astype(np.complex64)


def make_envelope(settings: ScanSettings, seed: int) -> np.ndarray:
    """Envelope on the scan's own samples."""
    return Scanner(settings).form_envelope(*make_echoes(settings, seed))


def flat(**changes: object) -> ScanSettings:
    """A scan whose depth compensation leaves nothing over."""
    values = {
        "height_px": 240,
        "width_px": 240,
        "mm_per_px": 0.15,
        "tgc_slope_db_per_mm": 0.0,
        "focus_mm": 18.0,
    }
    return ScanSettings(**(values | changes))


def find_fwhm(intensity: np.ndarray, axis: int) -> float:
    """Width at half height of the autocovariance of speckle along an axis, in samples."""
    deviation = intensity - intensity.mean()
    spectrum = np.abs(np.fft.rfft(deviation, n=2 * intensity.shape[axis], axis=axis)) ** 2
    covariance = np.fft.irfft(spectrum.mean(axis=1 - axis))[: intensity.shape[axis] // 2]
    # The overlap of a picture with itself shrinks with the lag.
    covariance /= np.arange(intensity.shape[axis], 0, -1)[: len(covariance)]
    covariance /= covariance[0]
    first = int(np.flatnonzero(covariance < 0.5)[0])
    return 2 * float(np.interp(0.5, covariance[[first, first - 1]], [first, first - 1]))


def find_shift_px(still: np.ndarray, moved: np.ndarray, near_px: tuple[float, float]) -> np.ndarray:
    """Shift (x, y) from the slope of the cross-spectrum's phase; knows nothing of how pictures are made."""
    window = np.outer(np.hanning(still.shape[0]), np.hanning(still.shape[1]))
    first = np.fft.fft2((still - still.mean()) * window)
    cross = np.fft.fft2((moved - moved.mean()) * window) * np.conj(first)
    fy, fx = np.meshgrid(*(np.fft.fftfreq(size) for size in still.shape), indexing="ij")
    whole = np.rint(near_px)
    turned = np.angle(cross * np.exp(2j * np.pi * (fx * whole[0] + fy * whole[1])))
    root = np.sqrt(np.abs(cross) * (np.hypot(fx, fy) < 0.15)).ravel()
    slopes = np.stack([(-2 * np.pi * f).ravel() for f in (fx, fy)], axis=-1)
    rest, *_ = np.linalg.lstsq(slopes * root[:, None], turned.ravel() * root, rcond=None)
    return whole + rest
