from __future__ import annotations

from pathlib import Path

import pytest

from fascnet.data.label_forms.clip_names import ClipNames
from fascnet.errors import LabelError
from fascnet.types import ClipSource


def name_clips(*paths: str) -> ClipNames:
    return ClipNames([ClipSource(f"c{n}", Path(path), "s") for n, path in enumerate(paths)])


@pytest.mark.parametrize(
    "name",
    [
        "c0",
        "My clip.mp4",
        "My clip",
        "my_clip.MP4",
        "/data/videos/My clip.mp4",
        "D:\\videos\\My clip.avi",
        "https://host/data/upload/8/1fd99634-My_clip.mp4",
        "/data/local-files/?d=videos/My%20clip.mp4",
        "  My clip.mp4 ",
    ],
)
def test_every_way_of_naming_a_clip(name: str) -> None:
    clips = name_clips("videos/My clip.mp4", "videos/other.mp4")
    found = clips.find((name,), "t.csv row 2")
    assert found is not None and found.clip_id == "c0"


def test_the_first_name_that_fits_decides() -> None:
    clips = name_clips("a.mp4", "b.mp4")
    found = clips.find(("unknown", "b.mp4", "a.mp4"), "t")
    assert found is not None and found.clip_id == "c1"
    assert clips.find(("c", "a.m"), "t") is None


def test_the_longer_path_decides_between_equal_names() -> None:
    clips = name_clips("p1/clip.mp4", "p2/clip.mp4")
    found = clips.find(("x/p2/clip.mp4",), "t")
    assert found is not None and found.clip_id == "c1"
    with pytest.raises(LabelError, match=r"t\.csv row 3: 'clip.mp4' may be any of c0, c1"):
        clips.find(("clip.mp4",), "t.csv row 3")
