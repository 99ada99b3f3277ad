from __future__ import annotations

from pathlib import Path

import pytest

from fascnet.data.label_forms.clip_tables import is_clip_table, read_clip_table, read_event_table
from fascnet.data.label_forms.rater_events import TimeSpan
from fascnet.data.label_forms.tables import read_table
from fascnet.errors import LabelError
from fascnet.types import Point

from . import forms


def test_counts_grades_and_presence(tmp_path: Path) -> None:
    text = (
        "Video;Rater;n_events;Grade;Present;seconds\na.mp4;;4;;;30\nb.mp4;eva;;II;+;\nc.mp4;;0;;nein;12,5\n"
    )
    contents = read_clip_table(forms.write_text(tmp_path / "c.csv", text))
    a, b, c = contents.statements
    assert (a.name, a.rater, a.count, a.grade, a.present, a.examined_s) == (
        "a.mp4",
        None,
        4,
        None,
        None,
        30.0,
    )
    assert (b.rater, b.count, b.grade, b.present) == ("eva", None, "II", True)
    assert (c.count, c.present, c.examined_s) == (0, False, 12.5)
    assert contents.ratings == ()


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ("a,,,", "says nothing"),
        ("a,2,,no", "counts 2 and says present 'no'"),
        ("a,0,,yes", "counts 0"),
        ("a,1.5,,", "whole number"),
        ("a,-1,,", "from 0"),
        ("a,,,perhaps", "write yes or no"),
        (",2,,", "clip_id is empty"),
    ],
)
def test_what_cannot_be_is_refused(cells: str, said: str, tmp_path: Path) -> None:
    path = forms.write_text(tmp_path / "c.csv", f"clip_id,count,grade,present\n{cells}\n")
    with pytest.raises(LabelError, match=said) as refusal:
        for one in read_clip_table(path).statements:
            assert one.name
    assert "c.csv row 2" in str(refusal.value)


def test_tables_with_times_are_not_about_whole_clips(tmp_path: Path) -> None:
    for header, wanted in {
        "clip_id,count": True,
        "video,grade": True,
        "clip_id,onset_s,count": False,
        "count,grade": False,
        "clip_id,x": False,
        "clip_id,score,n_events": False,  # predict's scores.csv is a model's, not a rater's
    }.items():
        assert is_clip_table(read_table(forms.write_text(tmp_path / "c.csv", f"{header}\n"))) is wanted


def test_events_in_seconds_with_what_was_examined(tmp_path: Path) -> None:
    forms.write_text(
        tmp_path / "scores.csv", "clip_id,scored_s,examined_from_s,rater\na,3,,eva\na,9,5,eva\nb,4,,eva\n"
    )
    text = "clip_id,rater,onset_s,offset_s,peak_s,x_px,y_px,label,certainty\n"
    text += "a,eva,0.5,0:00:00.9,0.6,3,4,breathing,Probable\na,max,1,2,,,,,\n"
    eva, b, other = read_event_table(forms.write_text(tmp_path / "events.csv", text)).ratings
    assert eva.examined == (TimeSpan(0, 3), TimeSpan(5, 9)) and b.events == () and other.examined is None
    event = eva.events[0]
    assert (event.span, event.peak, event.label, event.certainty) == (
        TimeSpan(0.5, 0.9),
        0.6,
        "breathing",
        "probable",
    )
    assert event.region == Point(3, 4) and other.events[0].region is None and not other.whole


@pytest.mark.parametrize(
    ("cells", "said"), [("a,2,1,,", "ends at 1 s"), ("a,1,2,3,", "go together"), ("a,x,2,,", "is no time")]
)
def test_wrong_events(cells: str, said: str, tmp_path: Path) -> None:
    path = forms.write_text(tmp_path / "e.csv", f"clip_id,onset_s,offset_s,x_px,y_px\n{cells}\n")
    with pytest.raises(LabelError, match=said):
        read_event_table(path)


def test_what_predict_could_not_score_was_not_looked_at(tmp_path: Path) -> None:
    events = forms.write_text(tmp_path / "events.csv", "clip_id,onset_s,offset_s\na,8,8.3\n")
    forms.write_text(
        tmp_path / "scores.csv",
        "clip_id,status,duration_s,scored_s,not_scored_s\na,ok,10,6,4\nb,failed,0,0,0\nc,ok,5,0,5\n",
    )
    forms.write_text(
        tmp_path / "intervals.csv", "clip_id,start_s,end_s,reason\na,2,5,frozen\na,0,1,frozen\nc,0,5,frozen\n"
    )
    found = {one.names[0]: one for one in read_event_table(events).ratings}
    assert found["a"].examined == (TimeSpan(1.0, 2.0), TimeSpan(5.0, 10.0))
    assert len(found["a"].events) == 1
    assert "b" not in found, "a clip that failed was not looked at"
    assert found["c"].examined == ()
