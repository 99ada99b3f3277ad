from __future__ import annotations

import numpy as np
import pytest

from fascnet.phantom.card.movement import (
    correlate_at,
    measure_differences,
    measure_movement,
    trace_correlation,
)


def make_picture(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(40, 200, (64, 64)).astype(np.uint8)


def test_a_still_clip_does_not_change() -> None:
    frames = np.repeat(make_picture(np.random.default_rng(0))[None], 40, axis=0)
    values = measure_movement(frames, 30.0)
    assert values["difference_p99"] == values["noise_sd"] == 0
    assert values["repeated_share"] == 1
    assert values["correlation_15_frames"] == pytest.approx(1)


def test_noise_is_measured_where_nothing_moves() -> None:
    rng = np.random.default_rng(1)
    frames = 120 + rng.normal(0, 6.0, (40, 64, 64))
    frames[:, :16] += 60 * rng.random((40, 16, 64))
    values = measure_movement(np.rint(frames).astype(np.uint8), 30.0)
    assert values["noise_sd"] == pytest.approx(6.0, rel=0.05)


def test_one_burst_moves_the_upper_percentiles_only() -> None:
    rng = np.random.default_rng(2)
    picture = make_picture(rng)
    frames = np.stack([np.roll(picture, 1 if 50 <= t < 54 else 0, axis=1) for t in range(100)])
    frames = (frames + rng.integers(0, 3, frames.shape)).astype(np.uint8)
    values = measure_movement(frames, 30.0)
    assert values["difference_median"] == pytest.approx(0.89, abs=0.05)
    assert values["difference_p99"] > 20
    assert values["difference_burst"] < 1.2


def test_differences_do_not_wrap_around() -> None:
    frames = np.array([[[0]], [[255]], [[0]]], dtype=np.uint8)
    assert measure_differences(frames).tolist() == [255, 255]


def test_correlation_falls_with_the_lag_as_it_was_made() -> None:
    rng = np.random.default_rng(3)
    state, frames = rng.standard_normal((80, 80)), []
    for _ in range(60):
        frames.append(np.clip(128 + 25 * state, 0, 255).astype(np.uint8))
        state = 0.9 * state + np.sqrt(1 - 0.81) * rng.standard_normal((80, 80))
    clip = np.stack(frames)
    assert correlate_at(clip, 1) == pytest.approx(0.9, abs=0.02)
    assert correlate_at(clip, 5) == pytest.approx(0.9**5, abs=0.03)
    curve = trace_correlation(clip, 10.0, np.array([0.0, 0.1, 0.5, 9.0]))
    assert curve[:3] == pytest.approx([1, 0.9, 0.9**5], abs=0.03)
    assert np.isnan(curve[3])


def test_a_lag_beyond_the_clip_is_not_defined() -> None:
    assert np.isnan(correlate_at(np.zeros((5, 4, 4), np.uint8), 5))
