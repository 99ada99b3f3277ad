from __future__ import annotations

import cv2
import numpy as np
import pytest

from fascnet.baselines.curl import CurlPredictor
from fascnet.errors import SettingError

from .twitching import PictureRecording


def make_turning(angles_deg):
    noise = np.random.default_rng(0).random((160, 160)).astype(np.float32)
    speckle = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.0), None, 20, 220, cv2.NORM_MINMAX)
    turned = [
        cv2.warpAffine(speckle, cv2.getRotationMatrix2D((80, 80), angle, 1.0), (160, 160))
        for angle in angles_deg
    ]
    return PictureRecording([picture[20:140, 20:140].astype(np.uint8) for picture in turned])


def test_curl_of_a_turn_is_twice_its_angle():
    recording = make_turning([0.0, 1.0])
    detector = CurlPredictor(largest_square_px=40)
    first, second = detector.measure(recording, detector.plan(recording.info))
    assert not first.any()
    # Positive angles of getRotationMatrix2D turn against the clock: from y, which points down, to x.
    assert second[10:20, 10:20].mean() == pytest.approx(-2 * np.deg2rad(1.0), rel=0.15)


def test_moving_straight_on_has_no_curl():
    noise = np.random.default_rng(0).random((120, 160)).astype(np.float32)
    speckle = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.0), None, 20, 220, cv2.NORM_MINMAX)
    pictures = [speckle[:, k : k + 120].astype(np.uint8) for k in (0, 2)]
    detector = CurlPredictor(largest_square_px=40)
    recording = PictureRecording(pictures)
    _, second = detector.measure(recording, detector.plan(recording.info))
    assert np.abs(second[8:22, 8:22]).max() < 0.005


def test_average_over_squares_is_the_mean_of_box_means():
    curl = np.zeros((61, 61), np.float32)
    curl[30, 30] = 1.0
    found = CurlPredictor(smallest_square_px=5, largest_square_px=15)._average_squares(curl)
    assert found[30, 30] == pytest.approx((1 / 25 + 1 / 100 + 1 / 225) / 3, rel=1e-4)
    assert found[30, 38] == 0


def test_three_frames_are_averaged_and_divided_by_eight(monkeypatch):
    seen = []
    monkeypatch.setattr(
        "fascnet.baselines.curl.score_against_clip", lambda maps, *_: seen.extend(maps) or iter(())
    )
    detector = CurlPredictor()
    maps = [np.full((2, 2), value, np.float32) for value in (0.0, -24.0, 0.0, 0.0)]
    detector.judge(maps, make_turning([0.0]) and detector.plan(make_turning([0.0]).info))
    assert [float(one[0, 0]) for one in seen] == pytest.approx([1.0, 1.0, 1.0, 0.0])


def test_refuses_squares_that_shrink():
    with pytest.raises(SettingError, match="largest_square_px is 10; give at least smallest_square_px, 20"):
        CurlPredictor(smallest_square_px=20, largest_square_px=10)
