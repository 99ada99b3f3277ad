"""Levels of a scan: white, and the electronic noise against it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.scan.scan_grid import ScanGrid
from fascnet.phantom.scan.scan_settings import ScanSettings

_WHITE_PERCENTILE = 99.5


def find_levels(settings: ScanSettings, envelope: NDArray[np.float32]) -> tuple[float, float]:
    """Return white and the noise's level at mid depth, from an envelope (samples, lines) at rest.

    Automatic gain puts all but the brightest 0.5 % below white (model choice).
    """
    white = float(np.percentile(envelope, _WHITE_PERCENTILE))
    # Kernels have unit energy, so white noise keeps its power when it is filtered.
    noise = float(np.median(envelope) * 10 ** (settings.noise_db / 20))
    return (white if white > 0 else 1.0), noise


def draw_noise(grid: ScanGrid, level: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return noise (2, rows + 2 reach of the pulse, lines), real and imaginary part.

    Each line is received by itself, so neighbours differ; the beam does not smooth it. A value is the sum of
    four random bytes, nearly Gaussian and free of logarithms; its variance is 4 (2¹⁶ - 1) / 12, and half of
    the power goes into each part.
    """
    shape = (2, len(grid.noise_rise), grid.lines)
    bits = rng.integers(0, 2**32, shape, dtype=np.uint32)
    pairs = bits & np.uint32(0x00FF00FF)
    bits >>= np.uint32(8)
    bits &= np.uint32(0x00FF00FF)
    pairs += bits
    np.right_shift(pairs, np.uint32(16), out=bits)
    pairs &= np.uint32(0xFFFF)
    pairs += bits
    noise = pairs.astype(np.float32)
    noise -= np.float32(510)
    noise *= grid.noise_rise * np.float32(level / np.sqrt(2 * (2**16 - 1) / 3))
    return noise
