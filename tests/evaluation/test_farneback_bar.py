from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fascnet.baselines.farneback import FarnebackPredictor
from fascnet.errors import SettingError
from fascnet.evaluation import farneback_bar
from fascnet.evaluation.farneback_bar import compute_z, describe_bar, measure_farneback_bar
from fascnet.evaluation.figures.pixels import PixelHistogram
from fascnet.types import Box, ClipSource, Event, Labels

from ..baselines.twitching import CENTRE_PX, TWITCH_S, TwitchingRecording

X, Y = CENTRE_PX
PLACE = Box(X - 12, Y - 12, X + 12, Y + 12)
LABELS = {
    name: Labels(name, "r", ((0.0, 2.0),), (Event(TWITCH_S[0], TWITCH_S[1], region=PLACE),))
    for name in ("a", "b")
}
CLIPS = [ClipSource(name, Path(f"{name}.mp4"), name) for name in ("a", "b", "unlabelled")]


@pytest.fixture(autouse=True)
def fake_files(monkeypatch):
    amplitudes = {"a.mp4": 3.0, "b.mp4": 1.0}

    def open_fake(clip):
        return TwitchingRecording(amplitude_px=amplitudes[clip.path.name], path=clip.path)

    monkeypatch.setattr(farneback_bar, "open_clip", open_fake)


def test_every_setting_best_first():
    table = measure_farneback_bar(CLIPS, LABELS, lags=(1, 2), sigmas=(0, 1))
    assert len(table) == 2 * 2 * 2
    precision = table["average_precision"]
    assert precision.is_monotonic_decreasing and precision[0] > 0.2
    prevalence = table["true_cells"][0] / table["valid_cells"][0]
    assert precision[0] > 5 * prevalence
    assert table["valid_cells"].nunique() == 1 and table["valid_cells"][0] == 2 * 60 * 32 * 32
    best = describe_bar(table)
    assert best["value"] == precision[0] and best["settings_tried"] == 8 and "oracle" in best["reason"]


def test_equals_the_predictor_at_its_own_setting():
    """The bar's map of one setting is the predictor's heatmap, so that both are judged alike."""
    table = measure_farneback_bar(CLIPS[:1], LABELS, lags=(2,), sigmas=(1,))
    row = table[table["normalisation"] == "clip_z"].iloc[0]
    predictor = FarnebackPredictor()
    heatmap = np.concatenate(list(predictor.stream(TwitchingRecording(amplitude_px=3.0)).chunks))
    histogram = PixelHistogram()
    truth, valid = farneback_bar.rasterise_truth(LABELS["a"], np.arange(60) / 30, (0, 0, 128, 128), (32, 32))
    histogram.add(heatmap, truth, valid)
    assert row["average_precision"] == pytest.approx(histogram.average_precision(), abs=0.002)


def test_z_does_not_depend_on_gain():
    speed = np.random.default_rng(0).random((20, 4, 4)).astype(np.float32) * 10 + 1
    np.testing.assert_allclose(compute_z(speed), compute_z(speed * 3), rtol=1e-3, atol=1e-4)


def test_without_labels_is_refused():
    with pytest.raises(SettingError, match="labels"):
        measure_farneback_bar(CLIPS[2:], LABELS)
