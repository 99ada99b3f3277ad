from __future__ import annotations

import cv2
import numpy as np

from fascnet.baselines.klt import KltPredictor, _collect

from .twitching import CENTRE_PX, PictureRecording, TwitchingRecording


def measure(recording, **settings):
    detector = KltPredictor(**settings)
    return np.stack(list(detector.measure(recording, detector.plan(recording.info))))


def test_speed_is_in_px_per_s_against_the_whole_picture():
    recording = TwitchingRecording(n_frames=36, amplitude_px=6.0, drift_px=0.5)
    found = measure(recording)
    assert found.shape == (36, 32, 32, 4) and not found[0].any()
    tick = 31  # from rest at 1.0 s to 1.033 s: sin(pi / 9) of 6 px
    near = found[tick, int(CENTRE_PX[1]) // 4 - 1 : int(CENTRE_PX[1]) // 4 + 2, 19:22].sum(axis=(0, 1))
    assert near[3] > 0
    # The tracker's window averages over what moves and what does not.
    top = 6 * np.sin(np.pi / 9) * 30
    assert -top < near[0] / near[3] < -0.5 * top
    far = found[tick, :, :8].sum(axis=(0, 1))
    assert far[2] / far[3] < 5


def test_velocity_does_not_depend_on_the_lag():
    moving = TwitchingRecording(n_frames=34, amplitude_px=0.0, drift_px=0.5)
    for lag in (1, 3):
        still = measure(moving, lag=lag)[20]
        assert np.median(still[..., 2][still[..., 3] > 0]) < 2


def test_agreement_counts_and_disagreement_does_not(monkeypatch):
    seen = []
    monkeypatch.setattr(
        "fascnet.baselines.klt.score_against_clip", lambda maps, *_: seen.extend(maps) or iter(())
    )
    detector = KltPredictor(sigma_frames=0.0)
    grid = detector.plan(TwitchingRecording().info)
    together, apart = np.zeros((2, 32, 32, 4), np.float32)
    for sums, sign in ((together, 1), (apart, -1)):
        sums[16, 14] = (10, 0, 10, 1)
        sums[16, 18] = (10 * sign, 0, 10, 1)
    detector.judge([together, apart], grid)
    assert seen[0][16, 16] > 1 and seen[1][16, 16] < 0.01


def test_features_are_summed_in_their_cells():
    points = np.array([[0, 0], [3.4, 0], [3.6, 0], [99, 49]], np.float32)
    velocity = np.array([[3, 4], [1, 0], [0, 1], [0, 0]], np.float32)
    sums = _collect(points, velocity, (50, 100), (12, 25))
    assert sums[0, 0].tolist() == [4, 4, 6, 2] and sums[0, 1].tolist() == [0, 1, 1, 1]
    assert sums[11, 24, 3] == 1 and sums[..., 3].sum() == 4


def test_a_picture_without_corners_has_no_feature():
    smooth = cv2.GaussianBlur(np.full((64, 64), 90, np.uint8), (0, 0), 3)
    assert not measure(PictureRecording([smooth] * 4)).any()
