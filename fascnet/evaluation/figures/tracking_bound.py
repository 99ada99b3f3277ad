"""How finely can anyone see tissue move? Cramér-Rao bounds of a displacement, against which recall is set.

Two bounds, for two kinds of data, both of one pair of frames and one kernel: a detector that looks at many
frames of a twitch and over a larger area may see less than either.

- *Radio-frequency echoes*: Walker & Trahey, "A fundamental limit on delay estimation using partially
  correlated speckle signals", IEEE Trans. UFFC 42 (1995) 301-308, doi 10.1109/58.365243. It holds for those
  who have the echo's phase. Nobody who has a B-mode recording does: it is the scanner's limit, not ours.
- *Pictures*: the shift of a sampled picture with gradient g and noise of deviation σ in each pixel has the
  variance σ² / Σg² or more when the picture itself is known (Robinson & Milanfar, "Fundamental performance
  limits in image registration", IEEE Trans. Image Processing 13 (2004) 1185-1199). Here neither frame is
  known: to first order their difference is shift · g plus noise of 2σ², hence 2σ² / Σg². It holds for B-mode,
  whose envelope has lost the phase, with the noise that the recording has after compression.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

SPEED_OF_SOUND_MM_PER_S = 1.54e6
"""Mean speed of sound in soft tissue that scanners assume."""


def bound_echo_delay_s(
    frequency_hz: float, bandwidth: float, kernel_s: float, snr: float, correlation: float = 1.0
) -> float:
    """Return the smallest deviation of a delay between two echo signals, Walker & Trahey 1995.

    sqrt( 3 / (2 f³ π² T (B³ + 12 B)) · ( (1 + 1/SNR²)² / ρ² - 1 ) ): the bound of a delay between signals
    whose coherence (squared) C = ρ² / (1 + 1/SNR²)² is the same over the band, whose variance is
    1 / (8 π² T ∫ f² C / (1 - C) df).

    Args:
        frequency_hz: centre frequency f.
        bandwidth: width of the band over its centre B, above 0 to 2.
        kernel_s: length T of the echo that is compared, in seconds of echo time.
        snr: amplitude of the echo over that of the electronic noise; infinite for none.
        correlation: ρ, of the noiseless signals, above 0 to 1.
    """
    spread = 3 / (2 * frequency_hz**3 * math.pi**2 * kernel_s * (bandwidth**3 + 12 * bandwidth))
    noise = (1 + 1 / snr**2) ** 2 / correlation**2 - 1
    return math.sqrt(spread * noise)


def bound_echo_shift_um(
    noise_db: float,
    *,
    correlation: float = 1.0,
    frequency_mhz: float = 9.0,
    bandwidth: float = 0.4,
    kernel_mm: float = 2.0,
    beams: float = 1.0,
) -> float:
    """Return the smallest deviation of an axial shift in µm that radio-frequency echoes allow.

    Args:
        noise_db: electronic noise against the echo, amplitudes, negative where the echo is stronger.
        correlation: of the noiseless echoes before and after.
        frequency_mhz: centre frequency; the phantom draws 6 to 12.
        bandwidth: relative; the phantom's pulses of 0.75 to 1.5 wavelengths have 0.3 to 0.6 (0.44 over their
            length) at -6 dB.
        kernel_mm: depth of the kernel.
        beams: independent beams across the kernel, whose estimates are averaged.
    """
    snr = 10 ** (-noise_db / 20)
    kernel_s = 2 * kernel_mm / SPEED_OF_SOUND_MM_PER_S
    delay_s = bound_echo_delay_s(1e6 * frequency_mhz, bandwidth, kernel_s, snr, correlation)
    # Sound goes there and back: a shift delays the echo by twice the time it takes to cross it.
    return 1000 * delay_s * SPEED_OF_SOUND_MM_PER_S / 2 / math.sqrt(beams)


def bound_picture_shift_px(
    noise_variance: NDArray[np.float64], gradient_energy: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the smallest deviation of a shift in pixels between two frames that are equally noisy.

    Args:
        noise_variance: of a pixel in grey levels², any shape.
        gradient_energy: Σg² over the kernel along the shift, (grey levels per pixel)², the same shape.

    Returns:
        sqrt(2 σ² / Σg²), infinite where there is no gradient.
    """
    found = np.full(np.shape(noise_variance), np.inf)
    np.divide(2 * noise_variance, gradient_energy, out=found, where=gradient_energy > 0)
    return np.asarray(np.sqrt(found), dtype=np.float64)
