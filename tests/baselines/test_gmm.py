from __future__ import annotations

import numpy as np
import pytest

from fascnet.baselines.gmm import GmmPredictor, _outline

from .twitching import PictureRecording

CORRECTED = {"pass_learning_rate": True, "bright_blobs": True, "burn_in_frames": 30}


def make_pictures(n_frames, shown=(), n_squares=6, seed=0):
    """Noise around grey 60; squares of grey 220 in the frames that are shown.

    Squares, because the blob detector finds small squares not convex enough once they are made of pixels.
    """
    rng = np.random.default_rng(seed)
    pictures = []
    for index in range(n_frames):
        picture = np.clip(rng.normal(60, 3, (120, 160)), 0, 255).astype(np.uint8)
        if index in shown:
            for k in range(n_squares):
                x, y = 30 + 20 * (k % 4), 40 + 25 * (k // 4)
                picture[y - 5 : y + 6, x - 5 : x + 6] = 220
        pictures.append(picture)
    return pictures


def predict(pictures, **settings):
    stream = GmmPredictor(**settings).stream(PictureRecording(pictures))
    return np.concatenate(list(stream.chunks))


def test_five_blobs_in_two_frames_make_their_windows_positive():
    heatmap = predict(make_pictures(90, range(60, 66)), **CORRECTED)
    assert heatmap.shape == (90, 30, 40)
    positive = np.flatnonzero((heatmap >= 0.5).any(axis=(1, 2)))
    assert positive.min() == 60 and positive.max() == 65, "one window of 200 ms, 6 frames at 30 frame/s"
    rows, columns = np.nonzero(heatmap[62] >= 0.5)
    assert 7 <= rows.min() <= 9 and 15 <= rows.max() <= 18, "squares at y 40 and 65"
    assert 5 <= columns.min() <= 7 and 22 <= columns.max() <= 24, "squares from x 30 to 90"
    assert heatmap[62].max() == pytest.approx(6 / 10.5)


def test_four_blobs_or_one_frame_are_too_few():
    assert predict(make_pictures(90, range(60, 66), n_squares=4), **CORRECTED).max() == pytest.approx(4 / 8.5)
    assert not predict(make_pictures(90, [62]), **CORRECTED).any()


def test_as_coded_the_squares_are_not_seen():
    """Each defect of the tool by itself is enough to lose them."""
    pictures = make_pictures(90, range(60, 66))
    assert not (predict(pictures) >= 0.5).any()
    assert not (predict(pictures, **CORRECTED | {"bright_blobs": False}) >= 0.5).any()
    assert not (predict(pictures, **CORRECTED | {"burn_in_frames": 500}) >= 0.5).any()


def test_the_learning_rate_decides_how_long_something_is_foreground():
    pictures = make_pictures(120, range(48, 120))
    slow = predict(pictures, **CORRECTED, learning_rate=0.005)
    fast = predict(pictures, **CORRECTED, learning_rate=0.05)
    assert (slow >= 0.5).any(axis=(1, 2)).sum() > 3 * (fast >= 0.5).any(axis=(1, 2)).sum() > 0
    left_out = {"pass_learning_rate": False, "bright_blobs": True, "burn_in_frames": 30}
    assert (predict(pictures, **left_out, learning_rate=0.005) == predict(pictures, **left_out)).all()


def test_the_outline_of_a_blob_is_its_square():
    corners = _outline(np.array([[10.0, 20.0, 4.0]], np.float32))
    assert sorted(map(tuple, corners.tolist())) == [(8, 18), (8, 22), (12, 18), (12, 22)]
