from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.ndimage import gaussian_filter, shift

from fascnet.evaluation.figures.tracking_bound import (
    SPEED_OF_SOUND_MM_PER_S,
    bound_echo_delay_s,
    bound_echo_shift_um,
    bound_picture_shift_px,
)
from fascnet.phantom.scan import scan_settings


def integrate_bound_s(frequency_hz, bandwidth, kernel_s, coherence):
    """The bound of Knapp & Carter 1976 of a delay, integrated over the band."""
    low, high = frequency_hz * (1 - bandwidth / 2), frequency_hz * (1 + bandwidth / 2)
    # In MHz, for the integrator's sake.
    total, _ = quad(lambda f: f * f * coherence / (1 - coherence), low / 1e6, high / 1e6)
    return 1 / math.sqrt(8 * math.pi**2 * kernel_s * total * 1e18)


@pytest.mark.parametrize(("frequency_hz", "bandwidth", "snr", "correlation"), [
    (5e6, 0.5, 10.0, 1.0), (9e6, 0.4, 100.0, 0.95), (12e6, 1.2, 1.0, 0.9), (3e6, 0.1, 3.0, 0.5),
])  # fmt: skip
def test_the_closed_form_is_the_integral_over_the_band(frequency_hz, bandwidth, snr, correlation):
    coherence = correlation**2 / (1 + 1 / snr**2) ** 2
    expected = integrate_bound_s(frequency_hz, bandwidth, 2e-6, coherence)
    assert bound_echo_delay_s(frequency_hz, bandwidth, 2e-6, snr, correlation) == pytest.approx(expected)


def test_more_echo_less_noise_and_unchanged_speckle_sharpen_it():
    bounds = [bound_echo_shift_um(noise_db) for noise_db in (-45, -35, -25, -15, 0)]
    assert all(low < high for low, high in pairwise(bounds))
    assert bound_echo_shift_um(-25, correlation=0.9) > bound_echo_shift_um(-25)
    assert bound_echo_shift_um(-25, kernel_mm=8) == pytest.approx(bound_echo_shift_um(-25) / 2)
    assert bound_echo_shift_um(-25, beams=9) == pytest.approx(bound_echo_shift_um(-25) / 3)
    assert bound_echo_delay_s(9e6, 0.4, 2e-6, math.inf) == 0


def test_a_shift_is_half_of_the_path_that_the_sound_takes():
    kernel_s = 2 * 2.0 / SPEED_OF_SOUND_MM_PER_S
    delay_s = bound_echo_delay_s(9e6, 0.4, kernel_s, 10.0)
    assert bound_echo_shift_um(-20) == pytest.approx(1e3 * delay_s * 1.54e6 / 2)
    assert scan_settings.SPEED_OF_SOUND_MM_PER_S == SPEED_OF_SOUND_MM_PER_S


@pytest.mark.parametrize("sigma", [1.0, 4.0])
def test_least_squares_reaches_the_bound_of_pictures(sigma):
    """A picture shifted by 0.1 px, seen twice with noise: the best estimate scatters by the bound."""
    rng = np.random.default_rng(3)
    still = 60 * gaussian_filter(rng.normal(size=(40, 40)), 1.5) / 0.19
    moved = shift(still, (0.1, 0), order=5, mode="grid-wrap")
    part = np.s_[4:-4, 4:-4]
    slope = np.gradient(0.5 * (still + moved), axis=0)[part]
    estimates = []
    for _ in range(800):
        change = (moved + rng.normal(0, sigma, still.shape) - still - rng.normal(0, sigma, still.shape))[part]
        estimates.append(-(slope * change).sum() / (slope**2).sum())
    bound = bound_picture_shift_px(np.array(sigma**2), np.array((slope**2).sum()))
    assert np.mean(estimates) == pytest.approx(0.1, abs=0.02)
    assert np.std(estimates) == pytest.approx(float(bound), rel=0.08)


def test_no_texture_no_shift():
    found = bound_picture_shift_px(np.array([1.0, 2.0]), np.array([0.0, 4.0]))
    assert np.isinf(found[0]) and found[1] == pytest.approx(1.0)
