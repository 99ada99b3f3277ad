from __future__ import annotations

import cv2
import numpy as np
import pytest

from fascnet.baselines import stabilisation
from fascnet.baselines.stabilisation import (
    align,
    find_shift,
    find_shift_by_correlation,
    find_shift_by_key_points,
)


def make_speckle(height=160, width=200, seed=0):
    noise = np.random.default_rng(seed).random((height, width)).astype(np.float32)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.0), None, 0, 255, cv2.NORM_MINMAX)


def move(picture, dx, dy):
    matrix = np.array([[1, 0, dx], [0, 1, dy]], dtype=np.float32)
    size = (picture.shape[1], picture.shape[0])
    return cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REFLECT).astype(np.uint8)


@pytest.mark.parametrize("find", [find_shift, find_shift_by_key_points, find_shift_by_correlation])
def test_finds_a_known_shift_and_undoes_it(find):
    before = make_speckle()
    after = move(before, 3.0, -2.0)
    before = before.astype(np.uint8)
    dx, dy = find(before, after)
    assert (dx, dy) == pytest.approx((3.0, -2.0), abs=0.3)
    inside = (slice(10, -10), slice(10, -10))
    assert np.abs(align(after, (dx, dy)).astype(float) - before)[inside].mean() < 8
    assert np.abs(after.astype(float) - before)[inside].mean() > 20


def test_a_picture_without_corners_goes_to_correlation(monkeypatch):
    called = []
    monkeypatch.setattr(stabilisation, "find_shift_by_correlation", lambda *_: called.append(1) or (1.0, 2.0))
    smooth = cv2.GaussianBlur(make_speckle(), (0, 0), 30.0).astype(np.uint8)
    assert find_shift_by_key_points(smooth, smooth) is None
    assert find_shift(smooth, smooth) == (1.0, 2.0) and called


def test_what_cannot_be_aligned_is_not_shifted():
    black = np.zeros((64, 64), np.uint8)
    assert find_shift(black, black) == (0.0, 0.0)
    assert align(black, (0.0, 0.0)) is black
