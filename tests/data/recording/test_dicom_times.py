from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset

from fascnet.data.recording.dicom_times import read_timing


def make_header(**elements: Any) -> Dataset:
    header = Dataset()
    for name, value in elements.items():
        setattr(header, name, value)
    return header


@pytest.mark.parametrize(
    ("elements", "source", "last_s"),
    [
        ({"FrameTime": "40"}, "FrameTime", 0.16),
        ({"FrameTimeVector": [0, 30, 50, 30, 40], "FrameTime": "1"}, "FrameTimeVector", 0.15),
        ({"FrameTimeVector": [99, 30, 50, 30, 40]}, "FrameTimeVector", 0.15),  # the first has no frame before
        ({"FrameTimeVector": [30, 50, 30, 40]}, "FrameTimeVector", 0.15),
        ({"CineRate": "50", "RecommendedDisplayFrameRate": "50"}, "CineRate", 0.08),
        ({"RecommendedDisplayFrameRate": "10"}, "RecommendedDisplayFrameRate", 0.4),
        ({"ActualFrameDuration": "20"}, "ActualFrameDuration", 0.08),
        ({"FrameTime": "0", "CineRate": "25"}, "CineRate", 0.16),
        ({"FrameTimeVector": [0, 30, -50, 30, 40], "FrameTime": "40"}, "FrameTime", 0.16),
        ({"FrameTimeVector": [0, 30], "FrameTime": "40"}, "FrameTime", 0.16),
    ],
)
def test_who_says_the_rate(elements: dict[str, Any], source: str, last_s: float) -> None:
    timing = read_timing(make_header(**elements), 5)
    assert timing is not None
    assert timing.source == source
    assert len(timing.offsets_s) == 5 and timing.offsets_s[0] == 0
    assert timing.offsets_s[-1] == pytest.approx(last_s)


def test_nothing_is_guessed() -> None:
    assert read_timing(make_header(), 5) is None
    assert read_timing(make_header(FrameTime="", CineRate="0"), 5) is None


@pytest.mark.parametrize(
    ("elements", "remark"),
    [
        ({"FrameTime": "33.333", "CineRate": "30"}, ""),
        ({"FrameTime": "33.333", "CineRate": "60"}, "FrameTime says 30.00 frames/s, but CineRate 60.00"),
        ({"RecommendedDisplayFrameRate": "10"}, "recommended display rate"),
        ({"ActualFrameDuration": "20"}, "time taken by one frame"),
    ],
)
def test_doubts_are_told(elements: dict[str, Any], remark: str) -> None:
    timing = read_timing(make_header(**elements), 5)
    assert timing is not None
    assert (remark in timing.remark) if remark else timing.remark == ""
