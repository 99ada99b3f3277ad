from __future__ import annotations

import numpy as np
import pytest

from fascnet.baselines.tongue import TonguePredictor

from .twitching import PictureRecording, TwitchingRecording


def predict(recording, **settings):
    stream = TonguePredictor(**settings).stream(recording)
    return np.concatenate(list(stream.chunks))


def test_the_published_gate_asks_for_more_than_the_earlier_one():
    recording = TwitchingRecording(n_frames=70, drift_px=0.0, noise_grey=3.0)
    assert not predict(recording, max_area_share=0.3).any(), "1 px a frame is below 2 px"
    assert predict(recording, max_area_share=0.3, min_magnitude_px=0.3).max() >= 0.5


def test_stabilisation_takes_the_probe_out():
    recording = TwitchingRecording(n_frames=6, amplitude_px=0.0, drift_px=2.0)
    detector = TonguePredictor()
    found = list(detector.measure(recording, detector.plan(recording.info)))
    assert found[0].speed_median_px == 0 and not found[0].flow.any()
    # The shift of each pair is known to a whole pixel of the key points, not better.
    assert all(one.speed_median_px < 0.5 for one in found[1:])


def test_first_and_last_frames_hold_nothing():
    pictures = [frame.image for frame in TwitchingRecording(n_frames=70, drift_px=0, noise_grey=3.0).frames()]
    settings = {"max_area_share": 0.3, "min_magnitude_px": 0.2, "hits_s": 0.2, "min_hits": 1}
    twitch = predict(PictureRecording(pictures[29:40]), **settings, skipped_frames=0)
    ticks = np.flatnonzero(twitch.any(axis=(1, 2)))
    assert ticks.size >= 3
    assert not predict(PictureRecording(pictures[29:40]), **settings, skipped_frames=6).any()


def test_a_blurred_frame_is_left_out():
    pictures = [frame.image for frame in TwitchingRecording(n_frames=40).frames()]
    detector = TonguePredictor()
    recording = PictureRecording(pictures)
    sharp = [one.sharpness for one in detector.measure(recording, detector.plan(recording.info))]
    assert np.ptp(sharp) < 0.3 * np.median(sharp), "speckle that drifts stays as sharp as it is"


@pytest.mark.parametrize("row", [30, 90])
def test_each_half_has_its_own_threshold_and_the_border_none(row):
    rng = np.random.default_rng(0)
    speed = rng.random((120, 120)).astype(np.float32)
    speed[:60] *= 0.1
    speed[row - 3 : row + 3, 50:60] += 12 * (0.1 if row < 60 else 1.0)
    speed[0:8, 50:60] += 50
    mask = TonguePredictor()._find_hits(speed)
    rows, columns = np.nonzero(mask)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (row - 3, row + 2, 50, 59)
