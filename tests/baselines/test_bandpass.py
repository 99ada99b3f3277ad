from __future__ import annotations

import numpy as np
import pytest

from fascnet.baselines.bandpass import BandpassPredictor
from fascnet.errors import SettingError

from .twitching import PictureRecording


def measure_rms(frequency_hz, amplitude=40.0, seconds=4.0):
    times = np.arange(int(30 * seconds)) / 30
    grey = 128 + amplitude * np.sin(2 * np.pi * frequency_hz * times)
    recording = PictureRecording([np.full((64, 64), round(value), np.uint8) for value in grey])
    detector = BandpassPredictor()
    energy = np.stack(list(detector.measure(recording, detector.plan(recording.info))))
    assert energy.shape == (len(times), 16, 16)
    return float(np.sqrt(energy[30:-30].mean()))


@pytest.mark.parametrize(("frequency_hz", "share"), [(5.0, 1.0), (8.0, 1.0), (0.5, 0.0), (14.5, 0.0)])
def test_passes_the_band_and_nothing_else(frequency_hz, share):
    rms = 40 / np.sqrt(2)
    assert measure_rms(frequency_hz) == pytest.approx(share * rms, abs=0.15 * rms)


def test_grey_itself_is_no_energy():
    assert measure_rms(0.0) < 1e-3


@pytest.mark.parametrize(("low_hz", "high_hz"), [(2.0, 15.0), (12.0, 2.0), (5.0, 5.0)])
def test_refuses_a_band_that_is_none(low_hz, high_hz):
    with pytest.raises(SettingError, match="ends below 15 Hz, half of rate_hz"):
        BandpassPredictor(low_hz=low_hz, high_hz=high_hz)
