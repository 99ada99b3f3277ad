from __future__ import annotations

from xml.etree.ElementTree import Element, fromstring

import pytest

from fascnet.data.label_forms.cvat_tracks import read_track
from fascnet.data.label_forms.rater_events import FormEvent, FrameSpan, MaskPixels
from fascnet.data.label_forms.shapes import FrameShape
from fascnet.errors import LabelError
from fascnet.types import Box, Point

from . import forms

HERE = (8.0, 6.0, 30.0, 28.0)


def track(inside: str, attributes: str = "") -> Element:
    return fromstring(f'<track id="0" label="fasciculation" {attributes}>{inside}</track>')


def read(inside: str, step: int = 1, end: int | None = 90) -> tuple[list[FormEvent], list[FrameShape]]:
    events: list[FormEvent] = []
    loose: list[FrameShape] = []
    read_track(track(inside), step, end, "t", events, loose)
    return events, loose


def test_each_visible_stretch_is_an_event() -> None:
    keys = ((10, 0), (14, 0), (20, 1), (30, 0), (31, 0), (32, 1))
    events, loose = read("".join(forms.cvat_box(frame, HERE, outside) for frame, outside in keys))
    assert [event.span for event in events] == [FrameSpan(10, 20), FrameSpan(30, 32)]
    assert not loose and all(event.region == Box(7.5, 5.5, 29.5, 27.5) for event in events)


def test_frames_between_key_frames_may_be_listed_or_not() -> None:
    sparse = (
        forms.cvat_box(10, (0, 0, 10, 10))
        + forms.cvat_box(14, (8, 0, 18, 10))
        + forms.cvat_box(15, (8, 0, 18, 10), 1)
    )
    dense = "".join(forms.cvat_box(10 + k, (2 * k, 0, 10 + 2 * k, 10), 0, int(k in {0, 4})) for k in range(5))
    dense += forms.cvat_box(15, (8, 0, 18, 10), 1)
    for inside in (sparse, dense):
        ((event,), _) = read(inside)
        assert event.span == FrameSpan(10, 15) and event.region == Box(-0.5, -0.5, 17.5, 9.5)


def test_an_outline_that_moves_becomes_all_that_it_covers() -> None:
    def polygon(frame: int, x: int, outside: int = 0) -> str:
        points = f"{x},10;{x + 4},10;{x + 4},14;{x},14"
        return f'<polygon frame="{frame}" keyframe="1" outside="{outside}" occluded="0" points="{points}"/>'

    ((event,), _) = read(polygon(10, 10) + polygon(22, 30) + polygon(23, 30, 1))
    assert isinstance(event.region, MaskPixels)
    # Not only both ends: the way between them too.
    assert (event.region.x0, event.region.inside.shape) == (10, (4, 24)) and event.region.inside.all()


def test_an_outline_that_gains_a_corner_moves_all_the_same() -> None:
    def polygon(frame: int, points: str, outside: int = 0) -> str:
        return f'<polygon frame="{frame}" keyframe="1" outside="{outside}" occluded="0" points="{points}"/>'

    inside = polygon(10, "10,10;14,10;14,14;10,14") + polygon(22, "30,10;32,10;34,10;34,14;30,14")
    ((event,), _) = read(inside + polygon(23, "30,10;32,10;34,10;34,14;30,14", 1))
    assert isinstance(event.region, MaskPixels)
    assert (event.region.x0, event.region.inside.shape) == (10, (4, 24)) and event.region.inside.all()


def test_a_track_that_nothing_ends_lasts_as_long_as_the_task() -> None:
    inside = forms.cvat_box(10, HERE) + forms.cvat_box(12, HERE)
    assert read(inside)[0][0].span == FrameSpan(10, 90)
    assert read(inside, end=None)[0][0].span == FrameSpan(10, 13)


def test_shapes_of_one_frame_are_loose() -> None:
    events, loose = read(forms.cvat_box(10, HERE) + forms.cvat_box(11, HERE, 1))
    assert not events and [(one.frame, one.identity) for one in loose] == [(10, None)]
    # CVAT leaves out the closing key near the end of the task.
    assert read(forms.cvat_box(88, HERE))[1][0].frame == 88
    # Earlier, one key that nothing ends is a track to the end.
    assert read(forms.cvat_box(50, HERE))[0][0].span == FrameSpan(50, 90)
    assert read(forms.cvat_box(10, HERE) + forms.cvat_box(15, HERE, 1), step=5)[1][0].frame == 10


def test_words_that_attributes_carry() -> None:
    words = {"certainty": "probable", "place": "unknown", "peak_frame": "12", "note": "x"}
    attributes = "".join(f'<attribute name="{name}">{text}</attribute>' for name, text in words.items())
    inside = forms.cvat_box(10, HERE).replace("></box>", f">{attributes}</box>") + forms.cvat_box(20, HERE, 1)
    ((event,), _) = read(inside)
    assert (event.certainty, event.region, event.peak) == ("probable", None, 12)


def test_several_points_of_one_shape_are_their_middle() -> None:
    inside = '<points frame="3" keyframe="1" outside="0" occluded="0" points="1.5,2.5;3.5,4.5"/>'
    inside += '<points frame="6" keyframe="1" outside="1" occluded="0" points="1.5,2.5;3.5,4.5"/>'
    assert read(inside)[0][0].region == Point(2, 3)


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ('<polyline frame="1" outside="0" points="1,2;3,4"/>', "holds a polyline, which marks no area"),
        (forms.cvat_box(3, HERE) * 2, "two shapes in frame 3"),
        (forms.cvat_box(3, HERE).replace('frame="3"', 'frame="-3"'), "'-3', not a frame number"),
        (forms.cvat_box(3, HERE).replace('frame="3"', 'frame="9e9"'), "not a frame number"),
        (forms.cvat_box(3, HERE).replace('frame="3"', f'frame="{10**12}"'), "not a frame number"),
        (forms.cvat_box(3, HERE).replace(' frame="3"', ""), "has no frame"),
    ],
)
def test_tracks_that_cannot_be(inside: str, said: str) -> None:
    with pytest.raises(LabelError, match=said):
        read(inside)
