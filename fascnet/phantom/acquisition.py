"""Image formation: scatterers to B-mode frames, as a linear array with a Gaussian point-spread function does.

A scatterer at depth z adds its amplitude times exp(-j 4π f z / c) to the demodulated field, at its exact
place; the field is smoothed by the pulse (axial) and the beam (lateral, wider away from the focus);
envelope, log compression and the displayed greys follow. Speckle therefore moves with the tissue and
decorrelates when neighbours move apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

SPEED_OF_SOUND_MM_PER_S = 1.54e6
"""Mean speed of sound in soft tissue that scanners assume."""

_FWHM_PER_SIGMA = 2.3548
_FILTER_REACH = 3.5
_SMOOTHING_SIGMA_PX = 1.0
_WHITE_PERCENTILE = 99.5


@dataclass(frozen=True)
class ScanSettings:
    """How one scanner is set.

    Attributes:
        height_px: rows.
        width_px: columns.
        mm_per_px: pixel spacing.
        centre_frequency_mhz: transmit frequency.
        f_number: focal depth over aperture; the beam at the focus is about wavelength x f_number wide.
        focus_mm: depth of the focus.
        focus_length_mm: distance from the focus at which the beam is √2 wider.
        dynamic_range_db: echoes this far below white are black.
        gain_db: overall gain around the automatic one.
        tgc_slope_db_per_mm: what depth compensation leaves over; negative darkens depth.
        noise_db: electronic noise at mid depth against the median echo.
        noise_slope_db_per_mm: growth of the noise with depth, since depth compensation amplifies it.
        gamma: exponent of the grey map.
        persistence: weight of the previous displayed frame, 0-1.
        smoothing: weight of a Gaussian mean over neighbouring pixels of the envelope, the scanner's speckle
            reduction, 0-1.
    """

    height_px: int
    width_px: int
    mm_per_px: float
    centre_frequency_mhz: float = 7.5
    f_number: float = 2.8
    focus_mm: float = 15.0
    focus_length_mm: float = 16.0
    dynamic_range_db: float = 60.0
    gain_db: float = 0.0
    tgc_slope_db_per_mm: float = -0.1
    noise_db: float = -18.0
    noise_slope_db_per_mm: float = 0.5
    gamma: float = 1.0
    persistence: float = 0.0
    smoothing: float = 0.0

    @property
    def wavelength_mm(self) -> float:
        """Wavelength in tissue."""
        return SPEED_OF_SOUND_MM_PER_S / (self.centre_frequency_mhz * 1e6)

    @property
    def axial_sigma_mm(self) -> float:
        """Deviation of the pulse: about two cycles wide, and never finer than the pixels can show."""
        return max(1.8 * self.wavelength_mm, 2.0 * self.mm_per_px) / _FWHM_PER_SIGMA

    def lateral_sigma_mm(self, depth_mm: float) -> float:
        """Deviation of the beam at a depth: hyperbolic around the focus."""
        waist = max(self.wavelength_mm * self.f_number, 2.0 * self.mm_per_px) / _FWHM_PER_SIGMA
        return float(waist * np.hypot(1.0, (depth_mm - self.focus_mm) / self.focus_length_mm))

    @property
    def cell_area_mm2(self) -> float:
        """Area of the resolution cell at the focus, (∫h²)² / ∫h⁴ = 2π σ_z σ_x for a Gaussian h."""
        return 2 * np.pi * self.axial_sigma_mm * self.lateral_sigma_mm(self.focus_mm)


class Scanner:
    """Forms envelopes and greys; holds what does not change from frame to frame."""

    def __init__(self, settings: ScanSettings) -> None:
        self.settings = settings
        pitch = settings.mm_per_px
        depth_mm = settings.height_px * pitch
        zones_mm = sorted({0.0, float(np.clip(settings.focus_mm, 1.0, depth_mm - 1.0)), depth_mm})
        self._axial = _make_kernel(settings.axial_sigma_mm / pitch)
        self._laterals = [_make_kernel(settings.lateral_sigma_mm(zone) / pitch) for zone in zones_mm]
        # Echoes outside the picture are gathered in the outermost cells; the pad keeps them out of reach.
        self._pad = max(len(kernel) for kernel in (self._axial, *self._laterals)) // 2 + 2
        rows_mm = (np.arange(settings.height_px + 2 * self._pad) - self._pad) * pitch
        self._bands = _find_bands(rows_mm, zones_mm)
        inner_mm = np.arange(settings.height_px, dtype=np.float32) * pitch
        self._tgc = _decibels(settings.tgc_slope_db_per_mm * (inner_mm - depth_mm / 2))[:, None]
        self._noise_rise = _decibels(settings.noise_slope_db_per_mm * (rows_mm - depth_mm / 2))[:, None, None]
        self._wave_number = np.float32(4 * np.pi / settings.wavelength_mm)
        self._white = 1.0
        self._noise = 0.0

    def calibrate(self, envelope: NDArray[np.float32]) -> None:
        """Set white and noise level from the envelope (H, W) at rest; the gain follows no frame."""
        settings = self.settings
        self._white = float(
            np.percentile(envelope, _WHITE_PERCENTILE) * _decibels(np.float64(-settings.gain_db))
        )
        # Kernels have unit energy, so white noise keeps its power when it is filtered.
        self._noise = float(np.median(envelope) * _decibels(np.float64(settings.noise_db)))

    def form_envelope(
        self,
        positions_mm: NDArray[np.float32],
        amplitudes: NDArray[np.complex64],
        rng: np.random.Generator | None = None,
    ) -> NDArray[np.float32]:
        """Form the envelope of one frame.

        Args:
            positions_mm: places (N, 2) of the scatterers now, (x, z).
            amplitudes: complex (N,).
            rng: source of the electronic noise; None for a noiseless frame.

        Returns:
            Envelope (H, W), linear.
        """
        settings, pad = self.settings, self._pad
        height, width = settings.height_px + 2 * pad, settings.width_px + 2 * pad
        field = self._splat(positions_mm, amplitudes, height, width)
        if rng is not None and self._noise > 0:
            noise = rng.standard_normal((height, width, 2), dtype=np.float32)
            field += noise * (self._noise_rise * np.float32(self._noise / np.sqrt(2)))
        inner = np.zeros((settings.height_px, settings.width_px, 2), dtype=np.float32)
        reach = len(self._axial) // 2
        for kernel, (first, last, weights) in zip(self._laterals, self._bands, strict=True):
            low, high = max(first - reach, 0), min(last + reach, height)
            band = cv2.sepFilter2D(field[low:high], -1, kernel, self._axial, borderType=cv2.BORDER_CONSTANT)
            top, bottom = max(first, pad), min(last, pad + settings.height_px)
            part = band[top - low : bottom - low, pad:-pad]
            inner[top - pad : bottom - pad] += part * weights[top:bottom, None, None]
        return cv2.magnitude(inner[..., 0], inner[..., 1]) * self._tgc

    def compress(self, envelope: NDArray[np.float32], gain_db: float = 0.0) -> NDArray[np.float32]:
        """Log-compress an envelope (H, W) to greys 0-255 (not yet rounded).

        Args:
            envelope: linear envelope.
            gain_db: gain on top of the scanner's setting, when somebody turns the knob.
        """
        settings = self.settings
        if settings.smoothing > 0:
            # Averaging looks before the logarithm fills the dark gaps of the speckle, as compounding does.
            smooth = cv2.GaussianBlur(envelope, (0, 0), _SMOOTHING_SIGMA_PX)
            envelope = envelope + np.float32(settings.smoothing) * (smooth - envelope)
        scale = np.float32(20 / settings.dynamic_range_db)
        levels = (
            np.log10(np.maximum(envelope, np.float32(1e-12 * self._white)) / np.float32(self._white)) * scale
        )
        levels += np.float32(1 + gain_db / settings.dynamic_range_db)
        levels = np.clip(levels, 0, 1)
        if settings.gamma != 1.0:
            levels = levels ** np.float32(settings.gamma)
        return np.asarray(levels * np.float32(255), dtype=np.float32)

    def _splat(
        self, positions_mm: NDArray[np.float32], amplitudes: NDArray[np.complex64], height: int, width: int
    ) -> NDArray[np.float32]:
        """Share each scatterer among its four nearest cells; the carrier's phase is of the exact depth."""
        pitch = np.float32(self.settings.mm_per_px)
        column = np.clip(positions_mm[:, 0] / pitch + np.float32(self._pad), 0, width - 1.001)
        row = np.clip(positions_mm[:, 1] / pitch + np.float32(self._pad), 0, height - 1.001)
        whole_column, whole_row = column.astype(np.int32), row.astype(np.int32)
        right, down = column - whole_column, row - whole_row
        turn = positions_mm[:, 1] * self._wave_number
        cosine, sine = np.cos(turn), np.sin(turn)
        # amplitude x exp(-j turn), by parts: complex64 arithmetic costs more.
        real = amplitudes.real * cosine + amplitudes.imag * sine
        imaginary = amplitudes.imag * cosine - amplitudes.real * sine
        cell = whole_row * width + whole_column
        field = np.empty((2, height * width), dtype=np.float64)
        for part, values in enumerate((real, imaginary)):
            lower = values * down
            upper = values - lower
            lower_right, upper_right = lower * right, upper * right
            sums = np.bincount(cell, upper - upper_right, height * width)
            sums[1:] += np.bincount(cell, upper_right, height * width)[:-1]
            sums[width:] += np.bincount(cell, lower - lower_right, height * width)[:-width]
            sums[width + 1 :] += np.bincount(cell, lower_right, height * width)[: -width - 1]
            field[part] = sums
        return np.ascontiguousarray(field.reshape(2, height, width).transpose(1, 2, 0), dtype=np.float32)


def _make_kernel(sigma_px: float) -> NDArray[np.float32]:
    """Gaussian of unit energy, so that a wider beam does not brighten or darken speckle."""
    reach = int(np.ceil(_FILTER_REACH * sigma_px))
    kernel = np.exp(-0.5 * np.square(np.arange(-reach, reach + 1) / sigma_px))
    return np.asarray(kernel / np.sqrt(np.sum(np.square(kernel))), dtype=np.float32)


def _find_bands(
    rows_mm: NDArray[np.floating], zones_mm: list[float]
) -> list[tuple[int, int, NDArray[np.float32]]]:
    """For each zone: first and last row it reaches, its weight in each row; a row's weights add up to 1."""
    bands = []
    for index in range(len(zones_mm)):
        peaks = np.zeros(len(zones_mm))
        peaks[index] = 1.0
        weights = np.interp(rows_mm, zones_mm, peaks).astype(np.float32)
        rows = np.flatnonzero(weights)
        bands.append((int(rows[0]), int(rows[-1]) + 1, weights))
    return bands


def _decibels(level: NDArray[np.floating] | np.floating) -> NDArray[np.float32]:
    return np.asarray(10 ** (level / 20), dtype=np.float32)
