from __future__ import annotations

import numpy as np
import pytest

from fascnet.baselines.kobe import KobePredictor

from .twitching import CENTRE_PX, TwitchingRecording


def measure(recording, **settings):
    detector = KobePredictor(**settings)
    return np.stack(list(detector.measure(recording, detector.plan(recording.info))))


def test_points_follow_the_tissue():
    still = TwitchingRecording(n_frames=40, drift_px=0.0)
    found = measure(still, grid_px=8, window_px=15)
    assert found.shape == (40, 2, 16, 16)
    row, column = int(CENTRE_PX[1] // 8), int(CENTRE_PX[0] // 8)
    peak = found[:, 0, row, column].argmax()
    assert 33 <= peak <= 36, "largest displacement at 1.15 s"
    # Three windows see it from rest; the fourth starts at 1 s, at rest as well.
    assert found[peak, 0, row, column] == pytest.approx(3.0, abs=0.6)
    assert found[peak, 0, 0, 0] < 0.2


def test_displacement_counts_from_the_start_of_each_window():
    drifting = TwitchingRecording(n_frames=90, amplitude_px=0.0, drift_px=0.2)
    found = measure(drifting, grid_px=16)
    # Windows of 60 ticks start every 15: at tick 75 those of 30, 45 and 60 are seen, that of 15 is over.
    assert found[75, 0, 4, 4] == pytest.approx(0.2 * np.mean([45, 30, 15]), rel=0.05)
    assert found[10, 0, 4, 4] == pytest.approx(0.2 * 10, rel=0.05)


def test_the_median_takes_the_probe_out():
    drifting = TwitchingRecording(n_frames=40, amplitude_px=0.0, drift_px=0.3)
    found = measure(drifting, grid_px=16)
    assert np.median(found[30, 0]) > 3 and np.median(found[30, 1]) < 0.3


def test_lost_points_stay_where_they_were():
    recording = TwitchingRecording(n_frames=60, amplitude_px=0.0, drift_px=3.0)
    found = measure(recording, grid_px=16, window_px=15)
    assert np.isfinite(found).all()


@pytest.mark.parametrize(("grid_px", "shape"), [(4, (32, 32)), (16, (8, 8)), (30, (4, 4))])
def test_one_cell_a_point(grid_px, shape):
    stream = KobePredictor(grid_px=grid_px, window_px=9).stream(TwitchingRecording(n_frames=3))
    assert stream.shape == shape
    assert next(stream.chunks).shape == (3, *shape)
