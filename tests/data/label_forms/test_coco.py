from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fascnet.data.label_forms.coco import read_coco
from fascnet.data.label_forms.rater_events import FrameSpan, MaskPixels
from fascnet.errors import LabelError
from fascnet.types import Box, Polygon

from . import forms
from .fixtures import write_fixture


def image(number: int, frame: int, clip: str = "clip_a", **more: Any) -> dict[str, Any]:
    return {"id": number, "file_name": f"{clip}/{frame:06d}.png", "width": 64, "height": 48, **more}


def box(number: int, of_image: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "image_id": of_image, "category_id": 1, "bbox": [8, 6, 22, 22], **more}


def write(tmp_path: Path, images: list[Any], annotations: list[Any], **more: Any) -> Path:
    tree = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "Fasciculation"}],
        **more,
    }
    return forms.write_json(tmp_path / "c.json", tree)


def test_a_track_of_youtube_vis(tmp_path: Path) -> None:
    (rating,) = read_coco(write_fixture("coco", tmp_path)).ratings
    assert rating.names == ("clip_a",) and rating.size == (64, 48)
    assert rating.examined == (FrameSpan(0, forms.N_FRAMES),)
    (event,) = rating.events
    assert event.span == FrameSpan(10, 15)
    assert event.region == Polygon(((3.5, 3.5), (19.5, 3.5), (19.5, 19.5)))


def test_images_of_two_recordings(tmp_path: Path) -> None:
    images = [image(k, k) for k in range(20)] + [image(100 + k, k, "clip_b") for k in range(5)]
    annotations = [box(1, 10), box(2, 11), box(3, 12), box(4, 15)]
    first, second = read_coco(write(tmp_path, images, annotations)).ratings
    assert first.names[0] == "clip_a" and second.names[0] == "clip_b" and second.events == ()
    assert [event.span for event in first.events] == [FrameSpan(10, 13), FrameSpan(15, 16)]
    assert first.events[0].region == Box(7.5, 5.5, 29.5, 27.5) and first.examined == (FrameSpan(0, 20),)


def test_numbers_of_the_first_frame_and_of_steps(tmp_path: Path) -> None:
    images = [image(k, 1 + 5 * k) for k in range(6)]
    path = write(tmp_path, images, [box(1, 2), box(2, 3)])
    (rating,) = read_coco(path, first_frame=1).ratings
    assert rating.examined == (FrameSpan(0, 30),) and rating.events[0].span == FrameSpan(10, 20)
    with pytest.raises(LabelError, match="give the first's number: first_frame"):
        read_coco(path, first_frame=2)


def test_frames_and_tracks_said_outright(tmp_path: Path) -> None:
    images = [image(k, 900 + k, video_id=4, frame_id=k) for k in range(20)]
    annotations = [
        box(1, 10, track_id=1),
        box(2, 11, track_id=1, bbox=[40, 30, 5, 5]),
        box(3, 12, track_id=2),
    ]
    path = write(tmp_path, images, annotations, videos=[{"id": 4, "name": "videos/clip_a.mp4"}])
    (rating,) = read_coco(path).ratings
    assert rating.names == ("videos/clip_a.mp4",)
    assert [event.span for event in rating.events] == [FrameSpan(10, 12), FrameSpan(12, 13)]
    assert rating.events[0].region == Box(7.5, 5.5, 44.5, 34.5)


def test_run_lengths(tmp_path: Path) -> None:
    """Column by column: 4 outside, then 3 inside, in an image of 48 rows."""
    plain = {"size": [48, 64], "counts": [4, 3, 48 * 64 - 7]}
    path = write(tmp_path, [image(0, 0)], [box(1, 0, segmentation=plain)])
    region = read_coco(path).ratings[0].events[0].region
    assert isinstance(region, MaskPixels) and (region.x0, region.y0, region.inside.shape) == (0, 4, (3, 1))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image_id": 77}, "image 77 is not in 'images'"),
        ({"category_id": 9}, "category 9 has no name"),
        ({"bbox": [1, 2, 0, 4]}, "neither an area nor a box"),
        ({"bbox": [1, 2, 3]}, "neither an area nor a box"),
        ({"bbox": [1, 2, "3", 4]}, "not a number"),
        ({"segmentation": [[1, 2, 3, 4]]}, "a polygon of 4 numbers"),
        ({"segmentation": {"size": [48, 64], "counts": [10**15]}}, "do not add up"),
        ({"segmentation": {"size": [48, 63], "counts": [48 * 63]}}, "63x48 lies on an image of 64x48"),
        ({"segmentation": {"size": [48, 64], "counts": [48 * 64]}}, "is empty"),
        ({"segmentation": {"size": [48, 64], "counts": None}}, "no run lengths"),
        ({"segmentation": {"size": "x", "counts": []}}, "has no size"),
    ],
)
def test_what_cannot_be_is_one_line(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=said) as refusal:
        read_coco(write(tmp_path, [image(0, 0)], [box(5, 0) | change]))
    assert "c.json annotation 5" in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("images", "said"),
    [
        ([{"id": 0, "file_name": "no number.png"}], "has no frame number"),
        ([{"id": 0, "file_name": "a_0.png", "width": 10**9, "height": 10**9}], "pixels are none"),
        ([3], "no list of objects"),
        ("x", "no list of objects"),
    ],
)
def test_images_that_cannot_be(images: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=said):
        read_coco(write(tmp_path, images, []))


def test_lengths_of_videos_are_limited(tmp_path: Path) -> None:
    for length in (-1, 10**12, "many"):
        tree = {"videos": [{"id": 1, "name": "a", "length": length}], "annotations": [], "categories": []}
        with pytest.raises(LabelError, match="frames is none"):
            read_coco(forms.write_json(tmp_path / "c.json", tree))
