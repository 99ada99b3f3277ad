from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from fascnet.data.label_forms.frame_clock import FrameClock, read_frame_clock
from fascnet.errors import RecordingError
from fascnet.types import ClipSource

from ..tiny import make_frames, write_clip
from . import forms


@pytest.mark.parametrize("clock", [forms.make_clock(), forms.make_uneven_clock()], ids=["even", "uneven"])
def test_frames_become_seconds_and_back(clock: FrameClock) -> None:
    for first in range(clock.n_frames):
        for stop in (first + 1, min(first + 7, clock.n_frames)):
            assert clock.frames_in(clock.time_of(first), clock.time_of(stop)) == (first, stop)
            assert clock.nearest_frame(clock.time_of(first)) == first


def test_times_of_three_decimals_find_their_frames() -> None:
    clock = forms.make_clock(3000)
    for first in range(0, 2990, 7):
        start_s, stop_s = round(clock.time_of(first), 3), round(clock.time_of(first + 9), 3)
        assert clock.frames_in(start_s, stop_s) == (first, first + 9)


def test_a_span_between_two_frames_has_the_frame_that_was_shown() -> None:
    clock = FrameClock(np.arange(10) / 10, 1.0)
    assert clock.frames_in(0.52, 0.58) == (5, 6)
    assert clock.frames_in(0.995, 1.0) == (9, 10)
    assert clock.time_of(2.5) == 0.25 and clock.time_of(10) == 1.0


def test_reads_the_times_of_a_recording(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.avi", make_frames(12, 0, None), 30.0)
    clock = read_frame_clock(ClipSource("a", path, "s"))
    assert np.allclose(clock.times_s, np.arange(12) / 30) and clock.end_s == pytest.approx(0.4)
    assert (clock.width, clock.height, clock.known_end) == (64, 64, True)


def test_a_recording_that_is_not_there_is_taken_at_its_rate(tmp_path: Path) -> None:
    clock = read_frame_clock(ClipSource("a", tmp_path / "gone.avi", "s", fps=forms.NTSC_HZ))
    assert clock.time_of(300) == pytest.approx(300 * 1001 / 30000, abs=1e-6)
    assert not clock.known_end and clock.width is None
    with pytest.raises(RecordingError):
        read_frame_clock(ClipSource("a", tmp_path / "gone.avi", "s"))


def decode_times(path: Path) -> list[float]:
    """By PyAV alone, as the second opinion."""
    with av.open(str(path)) as container:
        times = [float(frame.time) for frame in container.decode(video=0)]
    return [time - times[0] for time in times]


@pytest.mark.parametrize(
    "name", ["muscle/neurosense_sample2_first15s.mp4", "device_export/itkpocus_butterfly-ocular-phantom.mp4"]
)
def test_real_rates(name: str, real_data: Path) -> None:
    """29.97 Hz, and a hand-held scanner's rate that varies from 43 to 112 ms."""
    path = real_data / name
    clock = read_frame_clock(ClipSource("a", path, "s"))
    wanted = decode_times(path)
    assert clock.n_frames == len(wanted) and np.allclose(clock.times_s, wanted, atol=1e-5)
    if "neurosense" in name:
        assert np.allclose(clock.times_s, np.arange(450) * 1001 / 30000, atol=1e-4)
    else:
        assert np.diff(clock.times_s).max() > 2 * np.diff(clock.times_s).min()
    for first in (0, 10, 200, clock.n_frames - 5):
        assert clock.frames_in(clock.time_of(first), clock.time_of(first + 5)) == (first, first + 5)
