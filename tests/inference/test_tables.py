from __future__ import annotations

import csv
import dataclasses

import pytest

from fascnet.errors import OutputError
from fascnet.inference.tables import ResultTables, read_scores, read_tables
from fascnet.types import Event, Kinematics, NotScored, Point, Prediction

OK = Prediction(
    clip_id="a",
    status="ok",
    events=(
        Event(
            0.5,
            0.7,
            0.6,
            region=Point(12.345, 6.0),
            score=0.91234,
            area_px=100.0,
            area_mm2=1.0,
            kinematics=Kinematics(
                0.9, 0.51, 0.6, 0.09, 0.05, None, 0.3, 6.5, 0.5, 20.0, 80.0, Point(12.0, 7.5)
            ),
        ),
        Event(2.0, 2.1),
    ),
    score=0.875,
    duration_s=10.0,
    scored_s=6.0,
    fps=29.97,
    mm_per_px=0.088,
    active_area_fraction=0.25,
    source="in, put/a.mp4",
    subject_id="007",
    muscle="NA",
    side="L",
    mm_per_px_from="ruler",
    scale_confidence=0.9,
    area_from="found",
    area_confidence=0.98765,
    positive=True,
    pixel_aspect=1.25,
)
BAD = Prediction(clip_id="b", status="failed", reason="no\nframes", source="b.mp4", subject_id="b")


def test_columns_and_cells_follow_the_contract(tmp_path):
    tables = ResultTables(tmp_path)
    tables.put(OK)
    tables.put(BAD)
    tables.save()
    with (tmp_path / "scores.csv").open(newline="") as file:
        scores = list(csv.reader(file))
    assert ",".join(scores[0]) == (
        "clip_id,source,subject_id,muscle,side,status,reason,duration_s,scored_s,fps,mm_per_px,score,n_events,"
        "events_per_min,active_area_fraction,mm_per_px_from,scale_confidence,area_from,area_confidence,"
        "not_scored_s,positive,pixel_aspect"
    )
    assert scores[1] == [
        "a",
        "in, put/a.mp4",
        "007",
        "NA",
        "L",
        "ok",
        "",
        "10",
        "6",
        "29.97",
        "0.088",
        "0.875",
        "2",
        "20",
        "0.25",
        "ruler",
        "0.9",
        "found",
        "0.988",
        "0",
        "yes",
        "1.25",
    ]
    assert scores[2] == ["b", "b.mp4", "b", "", "", "failed", "no frames", "0", "0", *[""] * 13]
    events = (tmp_path / "events.csv").read_text().splitlines()
    assert events[0] == (
        "clip_id,event_id,onset_s,peak_s,offset_s,x_px,y_px,area_px,area_mm2,score,"
        "kinematics_quality,movement_onset_s,movement_peak_s,contraction_s,half_relaxation_s,relaxation_s,peak_mm,"
        "peak_velocity_mm_per_s,anisotropy,active_area_mm2,moving_area_mm2,epicentre_x_px,epicentre_y_px,label,movement_hz"
    )
    assert events[1:] == [
        "a,1,0.5,0.6,0.7,12.35,6,100,1,0.9123,0.9,0.51,0.6,0.09,0.05,,0.3,6.5,0.5,20,80,12,7.5,fasciculation,",
        "a,2,2,,2.1,,,,,,,,,,,,,,,,,,,fasciculation,",
    ]
    assert (tmp_path / "intervals.csv").read_text() == "clip_id,start_s,end_s,reason,n_events\n"


def test_a_table_without_kinematics_is_read_as_before(tmp_path):
    ResultTables(tmp_path, {"a": OK}).save()
    rows = [line.split(",")[:10] for line in (tmp_path / "events.csv").read_text().splitlines()]
    (tmp_path / "events.csv").write_text("".join(",".join(row) + "\n" for row in rows))
    first, second = read_tables(tmp_path)["a"].events
    assert (first.kinematics, second.kinematics) == (None, None)
    assert first.area_mm2 == 1.0


def test_what_was_named_or_left_out_is_written_and_read_and_not_counted(tmp_path):
    moved = dataclasses.replace(
        OK,
        events=(*OK.events, Event(3.0, 3.2, score=0.8, label="arterial_pulsation", movement_hz=1.234)),
        not_scored=(NotScored(7.0, 8.5, "probe_moved+image_lost", 3), NotScored(9.0, 9.25, "frozen")),
        score=None,
    )
    ResultTables(tmp_path, {"a": moved}).save()
    row = read_scores(tmp_path / "scores.csv")["a"]
    assert [row[key] for key in ("score", "n_events", "events_per_min", "not_scored_s")] == [
        "",
        "2",
        "20",
        "1.75",
    ]
    line = (tmp_path / "events.csv").read_text().splitlines()[3]
    assert line.startswith("a,3,3,,3.2,,,,,0.8,") and line.endswith(",arterial_pulsation,1.23")
    assert (tmp_path / "intervals.csv").read_text().splitlines()[1:] == [
        "a,7,8.5,probe_moved+image_lost,3",
        "a,9,9.25,frozen,0",
    ]
    before = [(tmp_path / name).read_bytes() for name in ("scores.csv", "events.csv", "intervals.csv")]
    found = read_tables(tmp_path)
    assert found["a"].not_scored == moved.not_scored
    assert [event.label for event in found["a"].fasciculations()] == ["fasciculation"] * 2
    ResultTables(tmp_path, found).save()
    assert [(tmp_path / n).read_bytes() for n in ("scores.csv", "events.csv", "intervals.csv")] == before


def test_tables_of_an_earlier_version_are_read(tmp_path):
    ResultTables(tmp_path, {"a": OK}).save()
    (tmp_path / "intervals.csv").unlink()
    for name, columns in (("scores.csv", 3), ("events.csv", 2)):
        lines = (tmp_path / name).read_text().splitlines()
        (tmp_path / name).write_text("".join(line.rsplit(",", columns)[0] + "\n" for line in lines))
    found = read_tables(tmp_path)["a"]
    assert (found.not_scored, len(found.fasciculations()), found.scored_s) == ((), 2, 6.0)
    assert found.positive is None and found.pixel_aspect is None


def test_read_back_and_written_again_nothing_changes(tmp_path):
    tables = ResultTables(tmp_path, {"a": OK, "b": BAD})
    tables.save()
    before = [(tmp_path / name).read_bytes() for name in ("scores.csv", "events.csv")]
    found = read_tables(tmp_path)
    assert (found["a"].score, found["a"].muscle, found["b"].score) == (0.875, "NA", None)
    assert found["a"].events[1].region is None
    assert found["a"].events[0].kinematics == OK.events[0].kinematics
    assert found["a"].events[1].kinematics is None
    ResultTables(tmp_path, found).save()
    assert [(tmp_path / name).read_bytes() for name in ("scores.csv", "events.csv")] == before


def test_a_table_of_an_earlier_version_is_read(tmp_path):
    ResultTables(tmp_path, {"a": OK}).save()
    lines = (tmp_path / "scores.csv").read_text().splitlines()
    (tmp_path / "scores.csv").write_text("".join(line.rsplit(",", 5)[0] + "\n" for line in lines))
    found = read_tables(tmp_path)["a"]
    assert (found.score, found.mm_per_px, found.area_from, found.area_confidence) == (0.875, 0.088, "", None)


def test_put_replaces_and_drop_removes(tmp_path):
    tables = ResultTables(tmp_path, {"a": OK})
    tables.put(Prediction("a", "ok", score=0.1, scored_s=1.0))
    tables.put(BAD)
    tables.drop("b")
    tables.drop("unknown")
    tables.save()
    assert list(read_scores(tmp_path / "scores.csv")) == ["a"]
    assert read_tables(tmp_path)["a"].events == ()


def test_missing_tables_are_empty_and_damaged_ones_refused(tmp_path):
    assert read_tables(tmp_path) == {}
    (tmp_path / "scores.csv").write_text("clip_id,score\na,1\n")
    with pytest.raises(OutputError, match="columns are missing"):
        read_tables(tmp_path)
    ResultTables(tmp_path, {"a": OK}).save()
    text = (tmp_path / "scores.csv").read_text()
    (tmp_path / "scores.csv").write_text(text.replace("0.875", "nan"))
    with pytest.raises(OutputError, match="row 2: score is nan"):
        read_tables(tmp_path)
    (tmp_path / "scores.csv").write_text(text[: text.index("ok")])
    with pytest.raises(OutputError, match="too short"):
        read_tables(tmp_path)


def test_zero_scored_seconds_give_no_rate(tmp_path):
    ResultTables(tmp_path, {"a": Prediction("a", "partial", score=0.0)}).save()
    row = read_scores(tmp_path / "scores.csv")["a"]
    assert (row["score"], row["n_events"], row["events_per_min"]) == ("0", "0", "")
