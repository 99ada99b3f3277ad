from __future__ import annotations

import numpy as np
import pytest

from fascnet.data.recording import limits
from fascnet.errors import RecordingError


@pytest.mark.parametrize(("height", "width"), [(0, 5), (5, -1), (4097, 4096), (65535, 65535)])
def test_sizes_that_cannot_be_true(height: int, width: int) -> None:
    with pytest.raises(RecordingError, match=r"a: .*; "):
        limits.check_size("a", height, width)
    limits.check_size("a", 4096, 4096)
    limits.check_size("a", 1, 1)


@pytest.mark.parametrize("fps", [0.0, -30.0, 0.9, 60000.0, float("nan"), float("inf")])
def test_rates_that_cannot_be_true(fps: float) -> None:
    with pytest.raises(RecordingError, match="fps column"):
        limits.check_rate("a", fps, given=False)
    with pytest.raises(RecordingError, match="correct it"):
        limits.check_rate("a", fps, given=True)
    assert limits.check_rate("a", 12.7, given=False) == 12.7


def test_counts_that_no_file_holds() -> None:
    limits.check_count("a", 10, 1000, 100)
    for n_frames, n_bytes, each in ((11, 1000, 100), (5_000_000, 10**12, 1)):
        with pytest.raises(RecordingError, match="too small"):
            limits.check_count("a", n_frames, n_bytes, each)


def test_times() -> None:
    assert limits.check_times("a", np.array([5.0, 5.1, 5.3])) == pytest.approx([0, 0.1, 0.3])
    for bad in ([0, 0.1, 0.1], [0, 0.2, 0.1], [0, np.nan, 1], [0, np.inf]):
        with pytest.raises(RecordingError, match="do not increase"):
            limits.check_times("a", np.array(bad))
    with pytest.raises(RecordingError, match="jumps by 70 s after frame 1"):
        limits.check_times("a", np.array([0, 0.1, 70.1]))


def test_a_gap_that_is_no_number_is_refused_too() -> None:
    with pytest.raises(RecordingError, match="jumps"):
        limits.check_gap("a", 3, float("nan"))


def test_rate_of_times() -> None:
    assert limits.measure_rate(limits.spread_times(31, 29.97)) == pytest.approx(29.97)
