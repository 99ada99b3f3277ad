from __future__ import annotations

import itertools

import numpy as np
import pytest

from fascnet.baselines.farneback import (
    FarnebackPredictor,
    measure_residual_speed,
    trace_residual_speed,
)
from fascnet.errors import SettingError
from fascnet.models.preprocessing import Tick
from fascnet.types import Predictor

from .twitching import CENTRE_PX, TWITCH_S, PictureRecording, TwitchingRecording


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
    image = next(TwitchingRecording(n_frames=10).frames()).image
    heatmap, _ = predict(PictureRecording([image.copy() for _ in range(10)]), spatial_sigma_px=2.0)
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
