from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from fascnet.data.label_forms.cvat_xml import read_cvat
from fascnet.data.label_forms.rater_events import FrameSpan, MaskPixels
from fascnet.errors import LabelError
from fascnet.types import Box

from . import forms
from .fixtures import write_fixture

HERE = (8.0, 6.0, 30.0, 28.0)


def write(tmp_path: Path, tracks: str, **head: object) -> Path:
    return forms.write_text(tmp_path / "annotations.xml", forms.format_cvat(tracks, **head))  # type: ignore[arg-type]


def test_a_task(tmp_path: Path) -> None:
    (rating,) = read_cvat(write_fixture("cvat", tmp_path)).ratings
    assert rating.names == ("clip_a.mp4", "a task", "annotations") and rating.rater is None
    assert rating.size == (forms.WIDTH, forms.HEIGHT) and rating.examined == (FrameSpan(0, forms.N_FRAMES),)
    box, mask = rating.events
    assert box.span == FrameSpan(10, 22) and box.region == Box(7.5, 5.5, 31.5, 27.5)
    assert mask.span == FrameSpan(40, 42), "the two frames of the mask are one event"
    assert isinstance(mask.region, MaskPixels) and mask.region.inside.sum() == 4


def test_a_part_of_a_video_in_steps(tmp_path: Path) -> None:
    """Frames in the file are those of the video: CVAT has added start and step."""
    keys = forms.cvat_box(20, HERE) + forms.cvat_box(25, HERE) + forms.cvat_box(30, HERE, 1)
    path = write(
        tmp_path,
        f'<track id="0" label="fasciculation">{keys}</track>',
        start=10,
        stop=60,
        frame_filter="step=5",
    )
    (rating,) = read_cvat(path).ratings
    assert rating.examined == (FrameSpan(10, 61),) and rating.events[0].span == FrameSpan(20, 30)


def test_an_empty_task_says_that_no_twitch_was_seen(tmp_path: Path) -> None:
    (rating,) = read_cvat(write(tmp_path, "")).ratings
    assert rating.events == () and rating.examined == (FrameSpan(0, forms.N_FRAMES),)


def test_shapes_of_one_group_are_one_event(tmp_path: Path) -> None:
    def shape(number: int, frame: int, place: tuple[float, float, float, float], group: int) -> str:
        keys = forms.cvat_box(frame, place) + forms.cvat_box(frame + 1, place, 1)
        return f'<track id="{number}" label="fasciculation" group_id="{group}">{keys}</track>'

    far = (40.0, 30.0, 50.0, 40.0)
    path = write(tmp_path, shape(0, 10, HERE, 4) + shape(1, 11, far, 4) + shape(2, 12, far, 5))
    (rating,) = read_cvat(path).ratings
    assert [event.span for event in rating.events] == [FrameSpan(10, 12), FrameSpan(12, 13)]


def test_for_images_with_tags(tmp_path: Path) -> None:
    image = '<image id="{0}" name="frame_{0:06d}.PNG" width="64" height="48">{1}</image>'
    place = '<box label="fasciculation" occluded="0" xtl="8" ytl="6" xbr="30" ybr="28" z_order="0"></box>'
    inside = "".join(image.format(frame, place if 10 <= frame < 14 else "") for frame in range(20))
    inside += image.format(20, '<tag label="breathing"></tag>') + image.format(
        21, '<tag label="breathing"></tag>'
    )
    (rating,) = read_cvat(write(tmp_path, inside, size=False)).ratings
    assert [(e.span, e.label, e.region is None) for e in rating.events] == [
        (FrameSpan(10, 14), "fasciculation", False),
        (FrameSpan(20, 22), "breathing", True),
    ]
    assert rating.size == (64, 48)


def test_the_archive_that_cvat_gives(tmp_path: Path) -> None:
    source = write_fixture("cvat", tmp_path)
    with zipfile.ZipFile(tmp_path / "job_7.zip", "w") as archive:
        archive.write(source, "annotations.xml")
        archive.writestr("images/frame_000000.png", b"")
    one, other = read_cvat(source).ratings[0], read_cvat(tmp_path / "job_7.zip").ratings[0]
    assert [event.span for event in one.events] == [event.span for event in other.events]
    with zipfile.ZipFile(tmp_path / "none.zip", "w") as archive:
        archive.writestr("readme.txt", "x")
    with pytest.raises(LabelError, match="holds 0 XML files"):
        read_cvat(tmp_path / "none.zip")


BOMB = """<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><annotations><version>&c;</version></annotations>"""
FILE = """<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>
<annotations>&x;</annotations>"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "defines entities"),
        (FILE, "defines entities"),
        ("", "not well-formed XML"),
        ("<annotations><track></annotations>", "not well-formed XML"),
        ("<svg/>", "not of CVAT"),
        ("<annotations><meta><project/></meta></annotations>", "export each of its tasks"),
        ("<annotations><track id='3'/></annotations>", "track 3: has no label"),
        (
            "<annotations><meta><task><stop_frame>many</stop_frame></task></meta></annotations>",
            "stop_frame is 'many'",
        ),
        ('<?xml version="1.0" encoding="no-such"?><annotations/>', "not well-formed XML"),
    ],
)
def test_hostile_and_damaged_files_are_one_line(text: str, said: str, tmp_path: Path) -> None:
    path = forms.write_text(tmp_path / "a.xml", text)
    with pytest.raises(LabelError, match=said) as refusal:
        read_cvat(path)
    assert "\n" not in str(refusal.value) and "a.xml" in str(refusal.value)


def test_truncations_and_bit_flips_never_crash(tmp_path: Path) -> None:
    good = write_fixture("cvat", tmp_path).read_bytes()
    rng = np.random.default_rng(3)
    path = tmp_path / "bad.xml"
    refused = 0
    for trial in range(150):
        data = bytearray(good)
        if trial % 2:
            data = data[: int(rng.integers(1, len(good)))]
        for place in rng.integers(0, len(data), 3):
            data[int(place)] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(data))
        try:
            read_cvat(path)
        except LabelError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > 75
