from __future__ import annotations

import pytest

from fascnet.errors import SettingError
from fascnet.evaluation.sources.event_table import read_event_rows, take_length
from fascnet.evaluation.sources.text_table import read_text_table
from fascnet.types import Event, Point


def test_only_three_columns_are_needed(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("clip_id,onset_s,offset_s\nb,1,1.5\na,0,0.2\nb,0.5,0.7\n")
    found = {clip_id: [event for _, event in rows] for clip_id, rows in read_event_rows(path).items()}
    assert found == {"b": [Event(1, 1.5), Event(0.5, 0.7)], "a": [Event(0, 0.2)]}


def test_every_column_is_read(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text(
        "onset_s,clip_id,event_id,peak_s,offset_s,x_px,y_px,area_px,area_mm2,score,label,certainty,peak_mm,note\n"
        "1,a,7,1.2,1.5,30,20.5,100,1,0.7,probe_motion,possible,0.2,hello\n"
    )
    ((_, event),) = read_event_rows(path)["a"]
    assert event == Event(
        onset_s=1,
        offset_s=1.5,
        peak_s=1.2,
        label="probe_motion",
        certainty="possible",
        region=Point(30, 20.5),
        score=0.7,
        area_px=100,
        area_mm2=1,
        peak_mm=0.2,
    )


@pytest.mark.parametrize(
    ("header", "row", "words"),
    [
        ("", "a,2,1", "ends at 1 s and begins at 2 s"),
        ("", "a,1,1", "ends at"),
        ("", "a,-1,1", "onset_s is -1"),
        ("", "a,,1", "onset_s is empty"),
        ("", "a,x,1", "'x' is not a number"),
        ("", "a,nan,1", "'nan' is not a number"),
        ("", ",0,1", "clip_id is empty"),
        ("", "../b,0,1", "clip_id '../b'"),
        (",peak_s", "a,0,1,2", "peak_s 2 lies outside"),
        (",x_px,y_px", "a,0,1,5,", "go together"),
        (",score", "a,0,1,1.2", "score is 1.2; give a number from 0 to 1"),
        (",peak_mm", "a,0,1,-1", "peak_mm is -1"),
        (",label", "a,0,1,Fasciculations", "did you mean 'fasciculation'"),
        (",certainty", "a,0,1,maybe", "one of definite"),
    ],
)
def test_a_wrong_row_is_one_line_with_its_number(tmp_path, header, row, words):
    path = tmp_path / "events.csv"
    path.write_text(f"clip_id,onset_s,offset_s{header}\n{row}\n")
    with pytest.raises(SettingError, match=words) as caught:
        read_event_rows(path)
    assert "row 2" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("cells", "length_s"),
    [("10,,", 10.0), ("10,7,", 7.0), ("10,7,2.5", 9.5), (",,", None), ("10,7,0", 7.0)],
)
def test_the_length_that_was_judged_holds_the_seconds_that_were_left_out(tmp_path, cells, length_s):
    table = tmp_path / "scores.csv"
    table.write_text(f"clip_id,duration_s,scored_s,not_scored_s\na,{cells}\n")
    (row,) = read_text_table(table, ("clip_id",), ("duration_s", "scored_s"))
    assert take_length(row) == length_s
