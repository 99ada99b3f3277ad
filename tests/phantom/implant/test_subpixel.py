from __future__ import annotations

import cv2
import numpy as np
import pytest

from fascnet.phantom.implant.subpixel import sample_picture


def make_speckle(sigma_px: float, seed: int = 0, shape: tuple[int, int] = (120, 140)) -> np.ndarray:
    """Log-compressed envelope of a band-limited field, as fine as the deviation says."""
    rng = np.random.default_rng(seed)
    parts = [
        cv2.GaussianBlur(rng.standard_normal(shape).astype(np.float32), (0, 0), sigma_px) for _ in (0, 1)
    ]
    grey = 20 * np.log10(np.hypot(*parts) / np.hypot(*parts).mean() + 1e-3)
    return np.clip(140 + 3.5 * grey, 0, 255).astype(np.float32)


def shift(picture: np.ndarray, x_px: float, y_px: float) -> np.ndarray:
    rows, columns = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]].astype(np.float32)
    return sample_picture(picture, columns - np.float32(x_px), rows - np.float32(y_px))


def test_whole_pixels_are_exact() -> None:
    picture = make_speckle(1.2)
    np.testing.assert_allclose(
        shift(picture, 3, -2)[10:-10, 10:-10], np.roll(picture, (-2, 3), (0, 1))[10:-10, 10:-10], atol=0.01
    )


def test_a_wave_is_moved_exactly() -> None:
    rows, columns = np.mgrid[0:80, 0:80].astype(np.float32)

    def wave(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 120 + 80 * np.sin(2 * np.pi * 0.17 * x + 0.3) * np.cos(2 * np.pi * 0.12 * y)

    for x_px, y_px in ((0.1, 0.37), (0.5, 0.5), (1.73, -2.2)):
        error = shift(wave(columns, rows), x_px, y_px) - wave(columns - x_px, rows - y_px)
        assert np.abs(error[20:-20, 20:-20]).max() < 0.04 * 80


@pytest.mark.parametrize("sigma_px", [0.8, 1.2, 2.0])
def test_neither_sharpness_nor_noise_tells_the_phase(sigma_px: float) -> None:
    first, second = make_speckle(sigma_px, 1), make_speckle(sigma_px, 2)
    # Without the details put back, the sharpness of the finest would fall to 0.77 at half-way.
    for phase in (0.1, 0.25, 0.4, 0.5):
        one, two = shift(first, phase, 0.6 * phase), shift(second, phase, 0.6 * phase)
        inner = (slice(20, -20), slice(20, -20))
        sharp = cv2.Laplacian(one, cv2.CV_32F)[inner].std() / cv2.Laplacian(first, cv2.CV_32F)[inner].std()
        noise = (one - two)[inner].std() / (first - second)[inner].std()
        assert sharp == pytest.approx(1, abs=0.1)
        assert noise == pytest.approx(1, abs=0.03)


def test_places_beyond_the_edge_are_mirrored() -> None:
    picture = make_speckle(2.0)
    beyond = sample_picture(picture, np.full(3, -4.0, np.float32), np.array([50, 60, 70], np.float32))
    np.testing.assert_allclose(beyond, picture[[50, 60, 70], 4], atol=0.05)
