from __future__ import annotations

import numpy as np
import pytest

from fascnet.phantom.acquisition import Scanner, ScanSettings
from fascnet.phantom.tissue import scatter_evenly

RAYLEIGH_SNR = 1.9131  # sqrt(pi / (4 - pi)): fully developed speckle


def make_speckle(settings: ScanSettings, seed: int, shift_mm: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    rng = np.random.default_rng(seed)
    size_mm = settings.height_px * settings.mm_per_px
    places = scatter_evenly(size_mm, size_mm, 10 / settings.cell_area_mm2, rng)
    echoes = rng.choice([-1.0, 1.0], len(places)).astype(np.complex64)
    return Scanner(settings).form_envelope(places + np.float32(shift_mm), echoes)


def flat_settings(**changes: float) -> ScanSettings:
    values = {"mm_per_px": 0.15, "tgc_slope_db_per_mm": 0.0, "focus_mm": 18.0} | changes
    return ScanSettings(height_px=240, width_px=240, **values)


@pytest.mark.parametrize("frequency_mhz", [6.5, 7.5, 10.0])
def test_speckle_is_fully_developed(frequency_mhz: float) -> None:
    envelopes = [make_speckle(flat_settings(centre_frequency_mhz=frequency_mhz), seed) for seed in range(4)]
    snr = np.mean([envelope.mean() / envelope.std() for envelope in envelopes])
    assert abs(snr - RAYLEIGH_SNR) < 0.05


def find_fwhm_px(intensity: np.ndarray, axis: int) -> float:
    """Width at half height of the autocovariance of speckle along an axis, in pixels."""
    deviation = intensity - intensity.mean()
    spectrum = np.abs(np.fft.rfft(deviation, n=2 * intensity.shape[axis], axis=axis)) ** 2
    covariance = np.fft.irfft(spectrum.mean(axis=1 - axis))[:40]
    covariance /= covariance[0]
    first = int(np.flatnonzero(covariance < 0.5)[0])
    return 2 * float(np.interp(0.5, covariance[[first, first - 1]], [first, first - 1]))


def test_speckle_size_follows_the_point_spread() -> None:
    settings = flat_settings(mm_per_px=0.06, focus_length_mm=1000.0)
    envelopes = [make_speckle(settings, seed) ** 2 for seed in range(6)]
    # The covariance of the intensity is the squared autocorrelation of the PSF: exp(-d²/2σ²).
    axial = np.mean([find_fwhm_px(e, 0) for e in envelopes]) * 0.06
    lateral = np.mean([find_fwhm_px(e, 1) for e in envelopes]) * 0.06
    assert axial == pytest.approx(2.3548 * settings.axial_sigma_mm, rel=0.1)
    assert lateral == pytest.approx(2.3548 * settings.lateral_sigma_mm(settings.focus_mm), rel=0.1)


def test_beam_widens_away_from_the_focus() -> None:
    settings = flat_settings(focus_mm=18.0, focus_length_mm=8.0)
    envelope = np.mean([make_speckle(settings, seed) ** 2 for seed in range(1)], axis=0)
    focus, deep = envelope[100:140], envelope[200:]
    assert find_fwhm_px(deep, 1) > 1.3 * find_fwhm_px(focus, 1)


@pytest.mark.parametrize("shift_px", [(3.0, 0.0), (0.0, 2.0), (0.37, 0.0), (0.0, 0.61), (1.4, -0.7)])
def test_speckle_moves_exactly_with_the_tissue(shift_px: tuple[float, float]) -> None:
    settings = flat_settings(focus_length_mm=1000.0)
    shift_mm = (shift_px[0] * 0.15, shift_px[1] * 0.15)
    still, moved = make_speckle(settings, 1), make_speckle(settings, 1, shift_mm)
    # The slope of the phase of the cross-spectrum is the shift; it knows nothing of the renderer.
    still, moved = still[20:-20, 20:-20], moved[20:-20, 20:-20]
    window = np.outer(np.hanning(len(still)), np.hanning(len(still)))
    cross = np.fft.fft2((moved - moved.mean()) * window) * np.conj(
        np.fft.fft2((still - still.mean()) * window)
    )
    fy, fx = np.meshgrid(np.fft.fftfreq(200), np.fft.fftfreq(200), indexing="ij")
    whole = np.rint(shift_px)
    turned = np.angle(cross * np.exp(2j * np.pi * (fx * whole[0] + fy * whole[1])))
    weight = np.abs(cross) * (np.hypot(fx, fy) < 0.15)
    a = np.stack([(-2 * np.pi * f).ravel() for f in (fx, fy)], axis=-1)
    w = np.sqrt(weight.ravel())
    rest, *_ = np.linalg.lstsq(a * w[:, None], turned.ravel() * w, rcond=None)
    np.testing.assert_allclose(whole + rest, shift_px, atol=0.05)


def test_a_single_point_lands_on_its_pixel_and_is_symmetric() -> None:
    settings = flat_settings()
    envelope = Scanner(settings).form_envelope(
        np.array([[100 * 0.15, 120 * 0.15]], dtype=np.float32), np.ones(1, dtype=np.complex64)
    )
    assert np.unravel_index(int(envelope.argmax()), envelope.shape) == (120, 100)
    np.testing.assert_allclose(envelope[120, 100:110], envelope[120, 100:90:-1], rtol=1e-3, atol=1e-6)


def test_points_outside_the_picture_leave_no_trace() -> None:
    places = np.array([[-50.0, 10.0], [10.0, 90.0], [99.0, 99.0]], dtype=np.float32)
    envelope = Scanner(flat_settings()).form_envelope(places, np.ones(3, dtype=np.complex64))
    assert envelope.max() == 0.0


def test_compression_is_monotonous_and_spans_the_dynamic_range() -> None:
    scanner = Scanner(flat_settings(dynamic_range_db=60.0))
    scanner.calibrate(np.ones((240, 240), dtype=np.float32))
    levels = 10 ** (np.array([[-80.0, -60.0, -30.0, 0.0, 20.0]], dtype=np.float32) / 20)
    np.testing.assert_allclose(scanner.compress(levels), [[0, 0, 127.5, 255, 255]], atol=0.05)
    assert scanner.compress(levels, gain_db=6.0)[0, 2] == pytest.approx(255 * 36 / 60, abs=0.05)


def test_noise_has_the_level_that_was_asked_for() -> None:
    settings = flat_settings(noise_db=-20.0, noise_slope_db_per_mm=0.0, focus_length_mm=1000.0)
    scanner = Scanner(settings)
    scanner.calibrate(np.full((240, 240), 2.0, dtype=np.float32))
    nothing = np.zeros((0, 2), dtype=np.float32)
    envelope = scanner.form_envelope(nothing, np.zeros(0, dtype=np.complex64), np.random.default_rng(0))
    assert np.sqrt(np.mean(np.square(envelope))) == pytest.approx(2.0 * 0.1, rel=0.05)
