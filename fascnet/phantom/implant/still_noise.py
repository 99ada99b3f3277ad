"""Life for a still picture: noise that changes from frame to frame as a scanner's does."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.implant.subpixel import Picture

DARK_LEVEL = 30.0
"""Mean grey level of the surroundings below which noise fades out: black stays black. Model choice."""

LEAST_SHARE = 0.15
"""Share of the noise that is left in black surroundings. Model choice."""

_FWHM_PER_SIGMA = 2.3548
_MAX_LAG_PX = 12


class StillNoise:
    """Draws the noise of one frame after the other, as coarse as the still's own speckle.

    Args:
        still: float32 (H, W), the imaging area.
        level: mean absolute difference of two frames in grey levels.
        rng: source of all randomness.
    """

    def __init__(self, still: Picture, level: float, rng: np.random.Generator) -> None:
        self._rng = rng
        self._shape = still.shape
        # The grains of noise are the squares of an envelope's, hence narrower by √2 than its autocovariance.
        self._sigmas = tuple(width / _FWHM_PER_SIGMA / np.sqrt(2) for width in measure_grain_px(still))
        around = cv2.GaussianBlur(still, (0, 0), 4.0)
        share = np.clip(around / np.float32(DARK_LEVEL), np.float32(LEAST_SHARE), np.float32(1.0))
        # The mean absolute difference of two independent values of a normal distribution is 2σ/√π.
        sigma = level * np.sqrt(np.pi) / 2 / float(share.mean())
        self._amplitude = (share * np.float32(sigma)).astype(np.float32)

    def draw(self) -> Picture:
        """Return the next frame's noise, float32 (H, W), of mean 0."""
        white = self._rng.standard_normal(self._shape, dtype=np.float32)
        grains = cv2.GaussianBlur(white, (0, 0), sigmaX=self._sigmas[0], sigmaY=self._sigmas[1])
        return np.asarray(grains / grains.std() * self._amplitude, dtype=np.float32)


def roughen_still(still: NDArray[np.uint8], rng: np.random.Generator) -> Picture:
    """Undo the rounding of a still, float32 (H, W).

    Without it a moved part, whose values are no whole numbers, would turn the same noise into other grey
    steps than a part at rest.
    """
    return still.astype(np.float32) + (rng.random(still.shape, dtype=np.float32) - np.float32(0.5))


def measure_grain_px(still: Picture) -> tuple[float, float]:
    """Return the width (x, y) in px at half height of the autocovariance of a picture's finer parts."""
    fine = still - cv2.GaussianBlur(still, (0, 0), 6.0)
    widths = []
    for axis in (1, 0):
        size = fine.shape[axis]
        lags = range(min(_MAX_LAG_PX, size - 1) + 1)
        products = [
            float((np.take(fine, range(size - lag), axis) * np.take(fine, range(lag, size), axis)).mean())
            for lag in lags
        ]
        below = [lag for lag in lags if products[lag] < 0.5 * products[0]]
        if not below:
            widths.append(2.0 * lags[-1])
            continue
        high, low = products[below[0] - 1], products[below[0]]
        widths.append(2 * (below[0] - 1 + (high - 0.5 * products[0]) / max(high - low, 1e-6)))
    return float(np.clip(widths[0], 1.5, 8.0)), float(np.clip(widths[1], 1.5, 8.0))
