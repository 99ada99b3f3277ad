from __future__ import annotations

from pathlib import Path

import pytest

from fascnet.data.label_forms.point_tables import read_kobe, read_tongue_points
from fascnet.data.label_forms.rater_events import FrameSpan, Moment
from fascnet.errors import LabelError
from fascnet.types import Point

from . import forms


def test_clicks_are_moments_at_pixels(tmp_path: Path) -> None:
    contents = read_tongue_points(forms.write_text(tmp_path / "a.csv", forms.TONGUE))
    first, second = contents.ratings
    assert first.names == ("clip_a.mp4",) and second.names == ("videos/clip_b.mp4",) and first.whole
    assert [(e.span, e.region) for e in first.events] == [
        (Moment(28), Point(46, 24)),
        (Moment(60), Point(20, 30)),
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a.mp4,2.5,0,1,2,", "whole number"),
        ("a.mp4,-1,0,1,2,", "from 0"),
        ("a.mp4,5,0,nan,2,", "x is nan"),
        (",5,0,1,2,", "video_path is empty"),
        ("a.mp4,1e12,0,1,2,", "frame_idx is 1e12"),
    ],
)
def test_wrong_clicks_name_file_and_row(row: str, said: str, tmp_path: Path) -> None:
    path = forms.write_text(tmp_path / "a.csv", f"video_path,frame_idx,time_sec,x,y,note\n{row}\n")
    with pytest.raises(LabelError, match=said) as refusal:
        read_tongue_points(path)
    assert "a.csv row 2" in str(refusal.value)


def test_kobe_tables_are_read_together_whichever_is_named(tmp_path: Path) -> None:
    forms.write_text(tmp_path / "peaks.csv", forms.KOBE_PEAKS)
    forms.write_text(tmp_path / "landmarks.csv", forms.KOBE_LANDMARKS)
    for name in ("peaks.csv", "landmarks.csv"):
        (rating,) = read_kobe(tmp_path / name).ratings
        marked, peak = rating.events
        # The peak is frame 30, its segment begins at 23.
        assert marked.span == FrameSpan(26, 42.5) and marked.peak == 31.5 and marked.region == Point(40, 20)
        assert peak.span == Moment(60) and peak.peak is None and peak.region == Point(12, 30)
        assert not rating.whole and rating.names == ("/data/clip_a.mp4", "clip_a")


def test_landmarks_alone_tell_rate_and_segment_by_themselves(tmp_path: Path) -> None:
    path = forms.write_text(tmp_path / "landmarks.csv", forms.KOBE_LANDMARKS)
    (rating,) = read_kobe(path).ratings
    assert rating.names == ("clip_a",) and rating.events[0].span == FrameSpan(26, 42.5)
    assert rating.events[0].region is None
    bad = forms.KOBE_LANDMARKS.replace("clip_a_01000", "clip_a")
    with pytest.raises(LabelError, match=r"row 2: segment 'clip_a' is not in peaks.csv"):
        read_kobe(forms.write_text(tmp_path / "bad" / "landmarks.csv", bad))


def test_a_segment_that_the_recording_cuts_begins_with_it(tmp_path: Path) -> None:
    peaks = "recording,fps,peak_s,x,y\nclip_a,10,0.3,1,2\n"
    forms.write_text(tmp_path / "peaks.csv", peaks)
    marks = "segment,start_frame,peak_contraction_frame,reversal_frame,peak_relaxation_frame,end_frame\n"
    path = forms.write_text(tmp_path / "landmarks.csv", marks + "clip_a_00300,1,2,3,4,8\n")
    (rating,) = read_kobe(path).ratings
    assert rating.events[0].span == FrameSpan(1, 8)
    forms.write_text(path, marks + "clip_a_00300,1,2,9,4,8\n")
    with pytest.raises(LabelError, match="not in order of time"):
        read_kobe(path)
