from __future__ import annotations

import numpy as np
import pytest

from fascnet.baselines.difference import DifferencePredictor

from .twitching import PictureRecording


@pytest.mark.parametrize("lag", [1, 3])
def test_is_the_rms_difference_over_the_lag(lag):
    pictures = [np.full((64, 64), 10 * k, np.uint8) for k in range(6)]
    pictures[4] = pictures[4].copy()
    pictures[4][0:4, 0:2] += 30
    detector = DifferencePredictor(lag=lag)
    recording = PictureRecording(pictures)
    found = np.stack(list(detector.measure(recording, detector.plan(recording.info))))
    assert found[:, 10, 10].tolist() == pytest.approx([10 * min(k, lag) for k in range(6)])
    base = 10 * lag
    assert found[4, 0, 0] == pytest.approx(np.sqrt((base**2 + (base + 30) ** 2) / 2))
