from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import spence

from fascnet.phantom.card.texture import (
    PITCH_MM,
    find_width,
    measure_blocks,
    measure_grain,
    measure_greys,
    measure_orientation,
    measure_speckle,
    measure_spectrum,
    measure_streaks,
    resample,
)
from tests.phantom.card.fakes import make_speckle, make_streaks


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_greys_count_both_ends_and_the_fall_with_depth() -> None:
    image = np.repeat(np.arange(200, 0, -1, dtype=np.uint8)[:, None], 50, axis=1)
    values = measure_greys(image, 0.1)
    assert values["grey_mean"] == pytest.approx(100.5)
    assert values["depth_slope"] == pytest.approx(-10.0)
    assert values["black_share"] == pytest.approx(5 / 200)
    assert values["white_share"] == 0
    assert measure_greys(np.full((9, 9), 255, np.uint8), 0.1)["white_share"] == 1


def test_width_is_interpolated_between_lags() -> None:
    lags = np.arange(30)
    curve = np.exp(-0.5 * (lags / 4.0) ** 2)
    assert find_width(curve, 0.1) == pytest.approx(2.3548 * 0.4, rel=0.01)
    assert find_width(np.ones(5), 0.1) == pytest.approx(0.8)
    assert find_width(np.zeros(5), 0.1) == 0


@pytest.mark.parametrize("mm_per_px", [0.06, 0.1])
def test_grain_follows_the_beam_in_mm(rng: np.random.Generator, mm_per_px: float) -> None:
    axial_mm, lateral_mm = 0.12, 0.24
    image = make_speckle(rng, (400, 400), axial_mm / mm_per_px, lateral_mm / mm_per_px)
    values = measure_grain(image, mm_per_px)
    # The logarithm of speckle whose field correlates as r correlates as Li2(r²) / Li2(1): one half at
    # r² = 0.669, for a Gaussian beam at 0.897 σ on either side.
    half = brentq(lambda r2: spence(1 - r2) - spence(0) / 2, 0.1, 0.9)
    width = 2 * np.sqrt(-2 * np.log(half))
    assert values["grain_axial_mm"] == pytest.approx(width * axial_mm, rel=0.05)
    assert values["grain_lateral_mm"] == pytest.approx(width * lateral_mm, rel=0.1)


def test_grain_is_not_a_bright_fascia(rng: np.random.Generator) -> None:
    image = make_speckle(rng, (300, 400), 1.2, 1.6)
    plain = measure_grain(image, 0.1)["grain_lateral_mm"]
    image[150:162] = 250
    assert measure_grain(image, 0.1)["grain_lateral_mm"] == pytest.approx(plain, rel=0.2)


def test_grain_of_a_flat_picture_is_not_defined() -> None:
    assert np.isnan(measure_grain(np.full((200, 200), 40, np.uint8), 0.1)["grain_axial_mm"])


@pytest.mark.parametrize("range_db", [50.0, 80.0])
def test_developed_speckle_has_its_known_moments(rng: np.random.Generator, range_db: float) -> None:
    image = make_speckle(rng, (400, 400), 0.5, 0.5, range_db)
    values = measure_speckle(image, 0.03)
    assert values["speckle_skewness"] == pytest.approx(-1.14, abs=0.15)
    assert values["speckle_kurtosis"] == pytest.approx(2.4, abs=0.6)


def test_the_snr_is_undone_from_sixty_db(rng: np.random.Generator) -> None:
    image = make_speckle(rng, (400, 400), 0.5, 0.5, 60.0)
    assert measure_speckle(image, 0.03)["speckle_snr_60db"] == pytest.approx(1.91, abs=0.06)


def test_clipped_windows_say_nothing_about_speckle() -> None:
    assert np.isnan(measure_speckle(np.zeros((100, 100), np.uint8), 0.1)["speckle_skewness"])


def test_streaks_have_length_and_thickness(rng: np.random.Generator) -> None:
    image = make_streaks(rng, (300, 400), 15.0, 4.0).astype(np.float32)
    values = measure_streaks(image)
    # The autocorrelation of noise smoothed by σ falls to one half at 1.665 σ; smoothing adds to thickness.
    assert values["streak_long_mm"] == pytest.approx(2 * 1.665 * 15 * PITCH_MM, rel=0.2)
    assert values["streak_short_mm"] == pytest.approx(2 * 1.665 * np.hypot(4.0, 2.5) * PITCH_MM, rel=0.2)


def test_a_power_law_gives_back_its_slope(rng: np.random.Generator) -> None:
    down, right = np.fft.fftfreq(300, PITCH_MM), np.fft.fftfreq(400, PITCH_MM)
    radius = np.hypot(down[:, None], right[None, :])
    radius[0, 0] = 1.0
    spectrum = np.fft.fft2(rng.standard_normal((300, 400))) * radius**-1.25
    image = np.fft.ifft2(spectrum).real.astype(np.float32)
    values = measure_spectrum(image)
    assert values["spectrum_slope"] == pytest.approx(-2.5, abs=0.25)
    assert values["axial_power_share"] == pytest.approx(0.5, abs=0.05)


def test_fine_detail_shows_in_its_share(rng: np.random.Generator) -> None:
    sharp = make_streaks(rng, (200, 200), 1.0, 1.0).astype(np.float32)
    soft = make_streaks(rng, (200, 200), 3.0, 3.0).astype(np.float32)
    assert measure_spectrum(sharp)["fine_share"] > 10 * measure_spectrum(soft)["fine_share"]


def test_directions_agree_in_streaks_and_not_in_noise(rng: np.random.Generator) -> None:
    streaks = measure_orientation(make_streaks(rng, (200, 200), 15.0, 2.0).astype(np.float32))
    noise = measure_orientation(make_streaks(rng, (200, 200), 2.0, 2.0).astype(np.float32))
    assert streaks["coherence"] > 0.8 and noise["coherence"] < 0.6
    assert streaks["orientation_agreement"] > 0.8 and noise["orientation_agreement"] < 0.2


@pytest.mark.parametrize("corner", [(0, 0), (3, 5)])
def test_blocks_are_found_where_they_stand(rng: np.random.Generator, corner: tuple[int, int]) -> None:
    blocks = np.kron(rng.integers(60, 180, (20, 20)), np.ones((8, 8))) + rng.normal(0, 2, (160, 160))
    image = blocks.astype(np.uint8)[corner[1] :, corner[0] :]
    assert measure_blocks(image, corner)["block_step_ratio"] > 5
    assert measure_blocks(image, (corner[0] + 1, corner[1] + 1))["block_step_ratio"] < 1
    noise = rng.integers(60, 180, (160, 160)).astype(np.uint8)
    assert measure_blocks(noise, (0, 0))["block_step_ratio"] == pytest.approx(1, abs=0.05)


def test_resampling_keeps_millimetres_and_greys() -> None:
    image = np.full((100, 200), 77, np.uint8)
    coarse, fine = resample(image, 0.1, 0.2), resample(image, 0.1, 0.05)
    assert coarse.shape == (50, 100) and fine.shape == (200, 400)
    assert np.allclose(coarse, 77) and np.allclose(fine, 77)
