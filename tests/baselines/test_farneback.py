from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d

from fascnet.baselines.farneback import (
    FarnebackPredictor,
    count_patterns,
    find_level,
    measure_residual_speed,
    smooth_in_time,
    trace_residual_speed,
)
from fascnet.errors import SettingError
from fascnet.models.preprocessing import Tick
from fascnet.types import Predictor

from .twitching import CENTRE_PX, TWITCH_S, TwitchingRecording


def predict(recording, **settings_):
    stream = FarnebackPredictor(**settings_).stream(recording)
    return np.concatenate(list(stream.chunks)), stream


def test_lights_up_where_and_when_the_muscle_twitches():
    heatmap, stream = predict(TwitchingRecording())
    assert heatmap.shape == (60, 32, 32) and heatmap.dtype == np.float32
    assert stream.shape == (32, 32) and stream.fps == 30 and stream.box == (0, 0, 128, 128)
    tick, row, column = np.unravel_index(heatmap.argmax(), heatmap.shape)
    assert TWITCH_S[0] <= tick / 30 <= TWITCH_S[1] + 0.1
    assert abs(row * 4 + 1.5 - CENTRE_PX[1]) < 10 and abs(column * 4 + 1.5 - CENTRE_PX[0]) < 14
    assert heatmap.max() > 0.7
    quiet = np.ones(60, bool)
    quiet[int(0.8 * 30) : int(1.6 * 30)] = False
    # Tissue that drifts into the picture disturbs its border cells.
    assert heatmap[quiet][:, 2:-2, 2:-2].max() < 0.5 <= FarnebackPredictor().event_definition.onset_threshold


def test_motion_of_the_whole_picture_is_taken_out():
    frames = [frame.image for frame in TwitchingRecording(n_frames=12, amplitude_px=0).frames()]
    residual = measure_residual_speed(frames[0], frames[10], 1.0, 0.0)[4:-4, 4:-4]
    assert np.median(residual) < 0.2, "2 px of drift in 1 s leave little after the median is removed"


def test_still_picture_has_no_event():
    still = TwitchingRecording(n_frames=10)
    image = next(still.frames()).image
    ticks = [Tick(image, 0.0), *[Tick(image.copy(), 1 / 30) for _ in range(9)]]
    maps = (found[0] for found in trace_residual_speed(ticks, (2,), 2.0))
    heatmap = np.concatenate(list(FarnebackPredictor()._score(maps, (32, 32))))
    assert heatmap.shape == (10, 32, 32) and heatmap.max() < 0.5


def test_held_frame_holds_its_map_and_speed_counts_real_time():
    images = [frame.image for frame in TwitchingRecording(n_frames=60).frames()][30:36]
    plain = [Tick(images[0], 0.0), *[Tick(image, 1 / 30) for image in images[1:]]]
    held = list(itertools.chain.from_iterable((tick, Tick(tick.image, 0.0)) for tick in plain))
    once = [found[0] for found in trace_residual_speed(plain, (2,), 1.0)]
    twice = [found[0] for found in trace_residual_speed(held, (2,), 1.0)]
    for k, expected in enumerate(once):
        assert (twice[2 * k] == expected).all() and (twice[2 * k + 1] == expected).all()
    slow = [Tick(images[0], 0.0), *[Tick(image, 2 / 30) for image in images[1:]]]
    slower = [found[0] for found in trace_residual_speed(slow, (2,), 1.0)]
    np.testing.assert_allclose(slower[4], once[4] / 2, rtol=1e-5)


def test_each_lag_equals_that_lag_alone():
    ticks = [Tick(f.image, f.index and 1 / 30) for f in TwitchingRecording(n_frames=8).frames()]
    together = list(trace_residual_speed(ticks, (1, 3), 1.0))
    for position, lag in enumerate((1, 3)):
        alone = list(trace_residual_speed(ticks, (lag,), 1.0))
        assert all((a[0] == t[position]).all() for a, t in zip(alone, together, strict=True))


@pytest.mark.parametrize("n", [0, 1, 2, 5, 9, 40])
@pytest.mark.parametrize("sigma", [0.0, 0.1, 1.0, 2.5])
def test_streamed_smoothing_equals_scipy(n, sigma):
    maps = np.random.default_rng(n).random((n, 3, 4)).astype(np.float32)
    streamed = list(smooth_in_time(iter(maps), sigma))
    assert len(streamed) == n
    if n:
        expected = gaussian_filter1d(maps, sigma, axis=0, mode="nearest") if sigma else maps
        np.testing.assert_allclose(np.stack(streamed), expected, atol=1e-6)


@settings(max_examples=50)
@given(st.lists(st.floats(0, 60000, width=16), min_size=1, max_size=60))
def test_level_is_the_lower_median(values):
    stored = np.array(values, dtype=np.float16) + np.float16(0)
    assert find_level(count_patterns(stored)) == sorted(stored.tolist())[(len(values) - 1) // 2]


def test_probability_is_half_at_the_threshold():
    rng = np.random.default_rng(0)
    maps = (100 + rng.normal(0, 1, (200, 8, 8))).astype(np.float32)
    maps[50, 2, 3] = 100 + 8 * 1.0
    heatmap = np.concatenate(list(FarnebackPredictor(k_mad=8.0)._score(iter(maps), (8, 8))))
    assert heatmap[50, 2, 3] == pytest.approx(0.5, abs=0.01)
    assert heatmap.min() == 0 and heatmap[:50].max() < 0.45


def test_what_is_blank_does_not_count_in_the_level():
    rng = np.random.default_rng(0)
    maps = (100 + rng.normal(0, 1, (50, 8, 8))).astype(np.float32)
    alone = np.concatenate(list(FarnebackPredictor()._score(iter(maps), (8, 8))))
    wide = np.concatenate([maps, np.zeros((50, 8, 24), np.float32)], axis=2)
    covered = np.zeros((8, 32), bool)
    covered[:, :8] = True
    found = np.concatenate(list(FarnebackPredictor()._score(iter(wide), (8, 32), covered)))
    assert np.array_equal(found[:, :, :8], alone) and found[:, :, 8:].max() == 0


def test_chunks_cover_a_long_clip_and_repeat():
    heatmap, _ = predict(TwitchingRecording(n_frames=75))
    again, _ = predict(TwitchingRecording(n_frames=75))
    assert len(heatmap) == 75 and (heatmap == again).all()


def test_follows_the_protocol():
    predictor: Predictor = FarnebackPredictor(lag=3, k_mad=6.0)
    assert predictor.name == "farneback" and predictor.calibration.slope == 1
    facts = predictor.describe()
    assert (facts["lag"], facts["k_mad"], facts["pitch_mm"]) == (3, 6.0, 0.15)


@pytest.mark.parametrize(
    "wrong", [{"lag": 0}, {"sigma_frames": -1}, {"k_mad": 0}, {"spatial_sigma_px": 99}, {"pitch_mm": 3}]
)
def test_refuses_what_makes_no_sense(wrong):
    with pytest.raises(SettingError, match=next(iter(wrong))):
        FarnebackPredictor(**wrong)
