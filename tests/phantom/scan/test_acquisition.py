from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

from fascnet.errors import SettingError
from fascnet.phantom.scan.acquisition import Scanner, ScanSettings, make_scanner
from fascnet.phantom.scan.scan_settings import FWHM_PER_SIGMA
from tests.phantom.speckle import find_fwhm, find_shift_px, flat, make_echoes, make_envelope

RAYLEIGH_SNR = 1.9131  # sqrt(pi / (4 - pi)): fully developed speckle
ROOT = Path(__file__).resolve().parents[3]
RICH = ScanSettings(
    96,
    80,
    0.15,
    smoothing=0.5,
    sharpening=0.4,
    looks=3,
    gamma=1.3,
    s_curve=0.3,
    sidelobe_db=-35.0,
    tgc_steps_db=(0.0, 2.0, -1.0),
    focal_gain_db=2.0,
    lines_per_beam=2.2,
)


def make_picture(settings: ScanSettings, seed: int = 0) -> np.ndarray:
    scanner = Scanner(settings)
    places, echoes = make_echoes(settings, seed)
    scanner.calibrate(scanner.form_envelope(places, echoes))
    return scanner.compress(scanner.form_envelope(places, echoes, np.random.default_rng(1)), 1.0)


@pytest.mark.parametrize("frequency_mhz", [6.5, 7.5, 10.0])
@pytest.mark.parametrize("mm_per_px", [0.08, 0.15])
def test_speckle_is_fully_developed(frequency_mhz: float, mm_per_px: float) -> None:
    settings = flat(centre_frequency_mhz=frequency_mhz, mm_per_px=mm_per_px, focus_mm=120 * mm_per_px)
    echoes = np.concatenate([make_envelope(settings, seed).ravel() for seed in range(10)])
    snr = echoes.mean() / echoes.std()
    assert abs(snr - RAYLEIGH_SNR) < 0.05


@pytest.mark.parametrize("depth_mm", [6.0, 16.0, 26.0, 34.0])
def test_speckle_size_follows_the_point_spread_at_every_depth(depth_mm: float) -> None:
    settings = flat(width_px=360, mm_per_px=0.15, focus_mm=18.0, focus_length_mm=14.0)
    grid = Scanner(settings).grid
    middle, half = round(depth_mm / grid.row_mm), round(1.5 / grid.row_mm)
    axial, lateral = [], []
    for seed in range(6):
        intensity = make_envelope(settings, seed)[middle - half : middle + half] ** 2
        axial.append(find_fwhm(intensity, 0) * grid.row_mm)
        lateral.append(find_fwhm(intensity, 1) * grid.line_mm)
    # The covariance of the intensity is the squared autocorrelation of the PSF: exp(-d²/2σ²).
    assert np.mean(axial) == pytest.approx(FWHM_PER_SIGMA * settings.axial_sigma_mm, rel=0.1)
    assert np.mean(lateral) == pytest.approx(FWHM_PER_SIGMA * settings.lateral_sigma_mm(depth_mm), rel=0.1)


def test_a_point_is_as_wide_as_the_point_spread() -> None:
    settings = flat(mm_per_px=0.1, height_px=300)
    scanner = Scanner(settings)
    grid = scanner.grid
    for depth_mm in (5.0, 18.0, 27.0):
        envelope = scanner.form_envelope(
            np.array([[11.97, depth_mm]], np.float32), np.ones(1, dtype=np.complex64)
        )
        for axis, step_mm, sigma_mm in (
            (0, grid.row_mm, settings.axial_sigma_mm),
            (1, grid.line_mm, settings.lateral_sigma_mm(depth_mm)),
        ):
            profile = np.square(envelope).sum(axis=1 - axis).astype(float)
            place = np.arange(len(profile)) * step_mm
            centre = np.average(place, weights=profile)
            # The energy of a Gaussian is narrower than the Gaussian by √2.
            width = np.sqrt(2 * np.average(np.square(place - centre), weights=profile))
            assert width == pytest.approx(sigma_mm, rel=0.05)
            first_mm = (grid.first_row_mm, grid.first_line_mm)[axis]
            assert centre + first_mm == pytest.approx((depth_mm, 11.97)[axis], abs=0.01)


@pytest.mark.parametrize(
    "shift_px", [(3.0, 0.0), (0.0, 2.0), (0.37, 0.0), (0.0, 0.61), (1.4, -0.7), (0.2, 0.2)]
)
@pytest.mark.parametrize("smoothing", [0.0, 0.6])
def test_greys_move_exactly_with_the_tissue(shift_px: tuple[float, float], smoothing: float) -> None:
    settings = flat(centre_frequency_mhz=10.0, smoothing=smoothing, focus_length_mm=1000.0)
    scanner = Scanner(settings)
    places, echoes = make_echoes(settings, 1)
    scanner.calibrate(scanner.form_envelope(places, echoes))
    still, moved = (
        scanner.compress(scanner.form_envelope(places + np.float32(shift), echoes))
        for shift in ((0.0, 0.0), np.multiply(shift_px, settings.mm_per_px))
    )
    inside = (slice(20, -20), slice(20, -20))
    np.testing.assert_allclose(find_shift_px(still[inside], moved[inside], shift_px), shift_px, atol=0.03)


def test_a_single_point_lands_on_its_pixel_and_is_symmetric() -> None:
    scanner = Scanner(flat())
    scanner.calibrate(np.ones((1, 1), dtype=np.float32))
    place = np.array([[100 * 0.15, 120 * 0.15]], dtype=np.float32)
    grey = scanner.compress(scanner.form_envelope(place, np.ones(1, dtype=np.complex64)))
    row, column = np.average(np.argwhere(grey > 0), axis=0, weights=grey[grey > 0])
    assert (row, column) == pytest.approx((120, 100), abs=0.05)
    assert grey[120, 100] > 0.9 * grey.max()


def test_points_outside_the_picture_leave_no_trace() -> None:
    places = np.array([[-50.0, 10.0], [10.0, 90.0], [99.0, 99.0], [10.0, -40.0]], dtype=np.float32)
    envelope = Scanner(flat(sidelobe_db=-30.0)).form_envelope(places, np.ones(4, dtype=np.complex64))
    assert envelope.max() == 0.0


def test_noise_has_the_level_that_was_asked_for_and_is_gaussian() -> None:
    scanner = Scanner(flat(noise_db=-20.0, noise_slope_db_per_mm=0.0))
    scanner.calibrate(np.full((10, 10), 2.0, dtype=np.float32))
    nothing = np.zeros((0, 2), dtype=np.float32)
    envelope = scanner.form_envelope(nothing, np.zeros(0, dtype=np.complex64), np.random.default_rng(0))
    assert np.sqrt(np.mean(np.square(envelope))) == pytest.approx(2.0 * 0.1, rel=0.05)
    assert envelope.mean() / envelope.std() == pytest.approx(RAYLEIGH_SNR, abs=0.05)


def test_noise_grows_with_depth_as_asked() -> None:
    scanner = Scanner(flat(noise_db=-20.0, noise_slope_db_per_mm=0.5))
    scanner.calibrate(np.ones((10, 10), dtype=np.float32))
    nothing = np.zeros((0, 2), dtype=np.float32)
    envelope = scanner.form_envelope(nothing, np.zeros(0, dtype=np.complex64), np.random.default_rng(0))
    power = np.square(envelope).mean(axis=1)
    quarter = len(power) // 4
    rise_db = 10 * np.log10(power[-quarter:].mean() / power[:quarter].mean())
    assert rise_db == pytest.approx(0.5 * 0.75 * 36, abs=1.0)


def test_looks_average_speckle_away_without_moving_it() -> None:
    one, many = flat(looks=1), flat(looks=5, look_angle_deg=10.0)
    snrs = [e.mean() / e.std() for e in (make_envelope(one, 0), make_envelope(many, 0))]
    assert snrs[1] > 1.4 * snrs[0]
    pictures = [make_picture(settings, 0) for settings in (one, many)]
    assert find_shift_px(*pictures, (0.0, 0.0)) == pytest.approx((0.0, 0.0), abs=0.1)


def test_smoothing_lowers_the_contrast_of_speckle_and_sharpening_raises_it() -> None:
    spread = [make_picture(flat(**c)).std() for c in ({"smoothing": 0.8}, {}, {"sharpening": 0.8})]
    assert spread[0] < 0.8 * spread[1] < 0.8 * 0.95 * spread[2]


def test_few_lines_make_the_picture_smooth_across() -> None:
    dense, sparse = (make_picture(flat(lines_per_beam=n)) for n in (3.0, 1.0))
    steps = [np.abs(np.diff(picture, n=2, axis=1)).mean() for picture in (dense, sparse)]
    assert steps[1] < 0.8 * steps[0]
    assert sparse.shape == dense.shape


def test_side_lobes_stand_beside_a_bright_point() -> None:
    settings = flat(sidelobe_db=-30.0)
    scanner = Scanner(settings)
    envelope = scanner.form_envelope(np.array([[18.0, 18.0]], np.float32), np.ones(1, dtype=np.complex64))
    row, line = np.unravel_index(int(envelope.argmax()), envelope.shape)
    away = scanner.grid.sidelobe_lines
    for lobe in (envelope[row, line - away], envelope[row, line + away]):
        assert 20 * np.log10(lobe / envelope.max()) == pytest.approx(-30.0, abs=1.5)


def test_the_same_scatterers_give_the_same_bits_in_any_order() -> None:
    places, echoes = make_echoes(RICH, 0)
    order = np.random.default_rng(3).permutation(len(places))
    first = Scanner(RICH).form_envelope(places, echoes)
    np.testing.assert_array_equal(first, Scanner(RICH).form_envelope(places, echoes))
    np.testing.assert_array_equal(first, Scanner(RICH).form_envelope(places[order], echoes[order]))


def test_frames_do_not_depend_on_what_was_scanned_before() -> None:
    places, echoes = make_echoes(RICH, 0)
    scanner = Scanner(RICH)
    scanner.form_envelope(places[:100], echoes[:100])
    scanner.form_envelope(places + np.float32(1.0), echoes)
    np.testing.assert_array_equal(
        scanner.form_envelope(places, echoes), Scanner(RICH).form_envelope(places, echoes)
    )


def find_digest() -> str:
    return hashlib.sha256(np.rint(make_picture(RICH)).astype(np.uint8).tobytes()).hexdigest()


def test_bits_do_not_depend_on_vector_instructions_or_threads() -> None:
    """The scatterers of this test are made of single roundings too, so that only the scanner is judged."""
    here = [name for name in __cpu_dispatch__ if __cpu_features__.get(name)]
    code = "from tests.phantom.scan.test_acquisition import find_digest; print(find_digest())"
    variables = {
        "NPY_DISABLE_CPU_FEATURES": " ".join(here),
        "OPENBLAS_CORETYPE": "Prescott",
        "OMP_NUM_THREADS": "2",
    }
    if not here:
        del variables["NPY_DISABLE_CPU_FEATURES"]
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | variables,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == find_digest()


def test_the_scanner_on_the_cpu_loads_neither_torch_nor_opencv() -> None:
    code = (
        "from fascnet.phantom.scan.acquisition import ScanSettings, make_scanner; import sys;"
        "make_scanner(ScanSettings(64, 64, 0.15), 'cpu'); print('torch' in sys.modules, 'cv2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(SettingError, match="device=tpu: choose cpu or cuda"):
        make_scanner(RICH, "tpu")
