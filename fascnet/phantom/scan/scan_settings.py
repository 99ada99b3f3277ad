"""How one scanner is set, and the point-spread function that follows from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SPEED_OF_SOUND_MM_PER_S = 1.54e6
"""Mean speed of sound in soft tissue that scanners assume."""

FWHM_PER_SIGMA = 2.3548
"""Full width at half height of a Gaussian, 2 √(2 ln 2) deviations."""

_NEPER_PER_MM_PER_DB_PER_CM = 0.1 / 8.686
_FINEST_PX = 2.0


@dataclass(frozen=True, slots=True)
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
        gamma: exponent of the grey map, > 0.
        persistence: weight of the previous displayed frame, 0-1.
        smoothing: weight of a mean over neighbouring samples of the envelope, about as wide as the
            point-spread function: speckle reduction within a frame, 0-1.
        pulse_wavelengths: length of the two-way pulse (full width at half height) in wavelengths. A relative
            bandwidth B at -6 dB gives 0.44 / B (Gaussian pulse): 0.74 at 60 %, 1.8 at 25 %.
        attenuation_db_per_cm_mhz: attenuation of tissue, one way; it removes high frequencies first, so that
            the echo's frequency falls with depth and the beam widens. 0.5 is the value usual for soft tissue.
        focal_gain_db: gain at the focus, where one transmit focus concentrates the energy; the brighter band.
        tgc_steps_db: settings of the depth-compensation sliders, evenly spaced from the face to the bottom;
            empty for none.
        sidelobe_db: level of the beam's first side lobes against its peak, or -inf for none.
        lines_per_beam: scan lines within the beam's width at the focus. 3 samples the beam fully. With fewer
            the picture shows that it is interpolated between lines, and speckle sticks to them: a movement
            across by a quarter of a pixel looks 3 % too small at 2.5, 12 % at 2 and 33 % at 1.2.
        looks: number of steering angles whose envelopes are averaged (spatial compounding), 1-9. Costs as
            many times the image formation.
        look_angle_deg: largest steering angle of compounding.
        sharpening: weight of edge enhancement (unsharp mask of the grey picture), 0-2.
        s_curve: share of the grey map that is a smooth step (more contrast in the middle); negative flattens
            the middle, -1 to 1.
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
    pulse_wavelengths: float = 1.8
    attenuation_db_per_cm_mhz: float = 0.5
    focal_gain_db: float = 0.0
    tgc_steps_db: tuple[float, ...] = ()
    sidelobe_db: float = -np.inf
    lines_per_beam: float = 3.0
    looks: int = 1
    look_angle_deg: float = 8.0
    sharpening: float = 0.0
    s_curve: float = 0.0

    @property
    def wavelength_mm(self) -> float:
        """Wavelength in tissue at the face."""
        return SPEED_OF_SOUND_MM_PER_S / (self.centre_frequency_mhz * 1e6)

    @property
    def axial_sigma_mm(self) -> float:
        """Deviation of the pulse; scanners low-pass the echo to what the pixels can show."""
        return max(self.pulse_wavelengths * self.wavelength_mm, _FINEST_PX * self.mm_per_px) / FWHM_PER_SIGMA

    @property
    def downshift_mhz_per_mm(self) -> float:
        """Fall of the echo's centre frequency with depth.

        A Gaussian spectrum of deviation s times exp(-2 a f z) is the same Gaussian, 2 a s² z lower.
        """
        pulse_s = 2 * self.pulse_wavelengths * self.wavelength_mm / FWHM_PER_SIGMA / SPEED_OF_SOUND_MM_PER_S
        spread_mhz = 1e-6 / (2 * np.pi * pulse_s)
        neper = self.attenuation_db_per_cm_mhz * _NEPER_PER_MM_PER_DB_PER_CM
        return float(2 * neper * spread_mhz**2)

    def frequency_mhz(self, depth_mm: float) -> float:
        """Centre frequency of the echo from a depth, never below half of the transmitted one."""
        shifted = self.centre_frequency_mhz - self.downshift_mhz_per_mm * max(depth_mm, 0.0)
        return max(shifted, 0.5 * self.centre_frequency_mhz)

    def lateral_sigma_mm(self, depth_mm: float) -> float:
        """Deviation of the beam at a depth: hyperbolic around the focus, wider for lower frequencies."""
        wavelength_mm = SPEED_OF_SOUND_MM_PER_S / (self.frequency_mhz(depth_mm) * 1e6)
        waist = max(wavelength_mm * self.f_number, _FINEST_PX * self.mm_per_px) / FWHM_PER_SIGMA
        return float(waist * np.hypot(1.0, (depth_mm - self.focus_mm) / self.focus_length_mm))

    def depth_gain_db(self, depths_mm: NDArray[np.floating]) -> NDArray[np.float64]:
        """Gain left over at depths: slope, sliders and focal band together."""
        depth_mm = self.height_px * self.mm_per_px
        gain = self.tgc_slope_db_per_mm * (depths_mm - depth_mm / 2)
        near_focus = np.square((depths_mm - self.focus_mm) / self.focus_length_mm)
        gain = gain + self.focal_gain_db / (1 + near_focus)
        if self.tgc_steps_db:
            places = np.linspace(0.0, depth_mm, len(self.tgc_steps_db))
            gain = gain + np.interp(depths_mm, places, self.tgc_steps_db)
        return np.asarray(gain, dtype=np.float64)

    @property
    def cell_area_mm2(self) -> float:
        """Area of the resolution cell at the focus, (∫h²)² / ∫h⁴ = 2π σ_z σ_x for a Gaussian h."""
        return 2 * np.pi * self.axial_sigma_mm * self.lateral_sigma_mm(self.focus_mm)
