from __future__ import annotations

import cv2
import numpy as np
import pytest

from fascnet.data.screen.imaging_area import find_imaging_area
from tests.data.screen.drawn_screens import make_speckle

H, W = 240, 360


def test_an_image_that_fills_the_frame_stays_whole() -> None:
    frames = np.stack([make_speckle(H, W, seed) for seed in range(3)])
    assert find_imaging_area(frames) == (0, 0, W, H)


@pytest.mark.parametrize("border", [0, 60])
def test_screen_furniture_is_left_out(border: int) -> None:
    frames = np.full((3, H, W), border, np.uint8)
    for k, frame in enumerate(frames):
        frame[40:230, 90:290] = make_speckle(190, 200, k)
        cv2.putText(frame, "NAME 01-01-1950", (5, 14), cv2.FONT_HERSHEY_PLAIN, 0.8, 200)
        cv2.putText(frame, "GAIN 60", (5, 100), cv2.FONT_HERSHEY_PLAIN, 0.8, 200)
        cv2.line(frame, (310, 40), (310, 229), 220, 1)
        frame[60:160, 330:340] = np.linspace(255, 0, 100)[:, None]
    box = find_imaging_area(frames)
    assert np.abs(np.array(box) - (90, 40, 290, 230)).max() <= 3


def test_dark_vessel_does_not_split_the_image() -> None:
    frames = np.zeros((2, H, W), np.uint8)
    frames[:, 20:220, 60:300] = make_speckle(200, 240)
    frames[:, 100:130, 60:300] = 0
    frames[:, 100:130, 60:100] = make_speckle(30, 40)
    box = find_imaging_area(frames)
    assert np.abs(np.array(box) - (60, 20, 300, 220)).max() <= 3


def test_shadow_below_a_full_width_image_belongs_to_it() -> None:
    frames = np.zeros((2, H, W), np.uint8)
    frames[:, :130] = make_speckle(130, W)
    assert find_imaging_area(frames) == (0, 0, W, H)


def test_letterbox_bars_are_cut() -> None:
    frames = np.zeros((2, H, W), np.uint8)
    frames[:, 30:200] = np.maximum(make_speckle(170, W), 1)
    assert find_imaging_area(frames) == (0, 30, W, 200)


def test_nothing_found_means_everything_and_a_sector_is_kept_whole() -> None:
    flat = np.full((2, H, W), 7, np.uint8)
    assert find_imaging_area(flat) == (0, 0, W, H)
    sector = np.zeros((2, H, W), np.uint8)
    wedge = np.zeros((H, W), np.uint8)
    cv2.fillPoly(wedge, [np.array([[180, 0], [40, 239], [320, 239]], np.int32)], 1)
    sector[:] = make_speckle(H, W) * wedge
    x0, y0, x1, y1 = find_imaging_area(sector)
    assert x0 <= 42 and y0 <= 4 and x1 >= 318 and y1 >= H - 2
    small = np.zeros((2, H, W), np.uint8)
    small[:, 100:110, 100:110] = 50
    small[:, 0, 0] = small[:, -1, -1] = 1
    assert find_imaging_area(small) == (0, 0, W, H)


def test_captions_above_and_below_the_image_are_cut() -> None:
    rng = np.random.default_rng(5)
    frames = np.zeros((4, 300, 320), np.uint8)
    frames[:, 40:265] = rng.integers(60, 200, (4, 225, 320))
    for row in (12, 285):
        frames[:, row : row + 10, 20:150:3] = 230
    x0, y0, x1, y1 = find_imaging_area(frames)
    assert (x0, x1) == (0, 320)
    assert 30 <= y0 <= 40
    assert 265 <= y1 <= 275


def test_a_dark_shadow_below_the_image_is_no_caption() -> None:
    rng = np.random.default_rng(6)
    frames = np.zeros((4, 300, 320), np.uint8)
    frames[:, :230] = rng.integers(60, 200, (4, 230, 320))
    assert find_imaging_area(frames) == (0, 0, 320, 300)
