from __future__ import annotations

import numpy as np
import pytest

from fascnet.baselines.constant import ConstantPredictor
from fascnet.inference.events import EventFinder
from fascnet.inference.scores import ClipPool, calibrate

from .twitching import TwitchingRecording


@pytest.mark.parametrize("probability", [0.0, 0.3, 0.99])
def test_says_the_same_of_every_clip_and_finds_nothing(probability):
    predictor = ConstantPredictor(probability)
    stream = predictor.stream(TwitchingRecording(n_frames=70))
    pool, finder = ClipPool(), EventFinder(predictor.event_definition, stream.fps, stream.shape, stream.box)
    heatmaps = np.concatenate(list(stream.chunks))
    assert heatmaps.shape == (70, 32, 32)
    for heatmap in heatmaps:
        pool.push(heatmap)
        assert finder.push(heatmap) == []
    assert finder.finish() == []
    assert calibrate(pool.finish(), predictor.calibration) == pytest.approx(probability, abs=1e-3)
