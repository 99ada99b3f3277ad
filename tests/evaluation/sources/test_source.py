from __future__ import annotations

import math

import numpy as np
import pytest

from fascnet.errors import OutputError, SettingError
from fascnet.evaluation.sources.source import build_rater, build_source, read_heatmap, read_predictions
from fascnet.types import Event, Labels, Point

from ..study import write_predictions

CLIPS = [
    {"clip_id": "a", "subject": "007", "score": 0.9, "events": [(3, 4, 40, 50, 0.8), (1, 2, 30, 20, 0.7)]},
    {"clip_id": "b", "subject": "NA", "row": {"status": "partial", "scored_s": 4, "reason": "ends early"}},
    {"clip_id": "c", "subject": "007", "row": {"status": "failed", "reason": "not a video", "score": ""}},
]


@pytest.fixture
def folder(tmp_path):
    return write_predictions(tmp_path / "out", CLIPS)


def test_reads_what_predict_wrote(folder):
    predictions = read_predictions(folder)
    assert list(predictions) == ["a", "b", "c"]
    assert predictions["a"].subject_id == "007" and predictions["b"].subject_id == "NA"
    assert predictions["a"].score == 0.9 and predictions["c"].score is None
    assert {event.region for event in predictions["a"].events} == {Point(40, 50), Point(30, 20)}
    assert predictions["a"].heatmap is None, "heatmaps stay on disk"


def test_source_orders_events_and_knows_what_was_seen(folder):
    source = build_source("model", folder)
    assert set(source.clips) == {"a", "b"} and source.failed == {"c": "not a video"}
    assert [event.onset_s for event in source.clips["a"].events] == [1, 3]
    assert source.clips["a"].examined == ((0.0, math.inf),)
    assert source.clips["b"].examined == ((0.0, 4.0),), (
        "nothing is claimed about seconds that were not decoded"
    )
    assert source.clips["a"].heatmap is not None


def test_heatmap_round_trip(folder):
    heatmap = read_heatmap(folder / "a" / "heatmap.npz")
    assert heatmap.values.shape == (300, 15, 20) and heatmap.fps == 30 and heatmap.box == (0, 0, 160, 120)


def test_rater_shows_fasciculations_only():
    events = (Event(5, 6), Event(1, 2), Event(3, 4, label="arterial_pulsation"))
    source = build_rater("anna", {"a": {"anna": Labels("a", "anna", ((0, 9),), events)}, "b": {}})
    assert [event.onset_s for event in source.clips["a"].events] == [1, 5]
    assert set(source.clips) == {"a"}


@pytest.mark.parametrize("name", ["scores.csv", "events.csv"])
def test_missing_table_is_refused_not_read_as_no_events(folder, name):
    (folder / name).unlink()
    with pytest.raises(SettingError, match=name):
        read_predictions(folder)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("scores.csv", ",0.9,", ",1.9,"),
        ("scores.csv", ",0.9,", ",nan,"),
        ("scores.csv", ",partial,", ",perhaps,"),
        ("scores.csv", "status", "state"),
        ("events.csv", "a,1,3,3.5,4,", "a,1,5,3.5,4,"),
        ("events.csv", "a,1,3,3.5,4,", "a,1,x,3.5,4,"),
    ],
)
def test_damaged_table_is_one_line(folder, name, old, new):
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(OutputError) as caught:
        read_predictions(folder)
    assert name in str(caught.value) and "\n" not in str(caught.value)


def test_damaged_heatmap_is_one_line_and_pickles_are_not_opened(folder):
    path = folder / "a" / "heatmap.npz"
    whole = path.read_bytes()
    for damage in (b"", whole[: len(whole) // 2], b"PK\x03\x04 no zip"):
        path.write_bytes(damage)
        with pytest.raises(OutputError, match=r"heatmap\.npz"):
            read_heatmap(path)
    np.savez(path, heatmap=np.array([{}], dtype=object), fps=30.0, box=np.arange(4))
    with pytest.raises(OutputError, match="damaged"):
        read_heatmap(path)
    np.savez(path, heatmap=np.zeros((3, 4), np.uint8), fps=30.0, box=np.arange(4))
    with pytest.raises(OutputError, match="not a heatmap"):
        read_heatmap(path)
    path.unlink()
    with pytest.raises(OutputError, match="missing"):
        read_heatmap(path)


@pytest.fixture
def moved(folder):
    """Clip a with 1.5 s not scored, clip b cut short with 0.5 s not scored, and a pulse in a."""
    (folder / "intervals.csv").write_text(
        "clip_id,start_s,end_s,reason,n_events\na,2,3.5,probe_moved,1\nb,0,0.5,frozen,0\n"
    )
    events = (folder / "events.csv").read_text().splitlines()
    events[0] += ",label,movement_hz"
    events[1:] = [f"{line},{'arterial_pulsation,1.2' if ',3,' in line else ','}" for line in events[1:]]
    (folder / "events.csv").write_text("\n".join(events) + "\n")
    return folder


def test_seconds_not_scored_count_as_missed_unless_they_are_left_out(moved):
    honest = build_source("model", moved).clips
    lenient = build_source("model", moved, leave_out_not_scored=True).clips
    assert honest["a"].examined == ((0.0, math.inf),)
    assert honest["b"].examined == ((0.0, 4.5),), "4 s scored and 0.5 s not: the clip ends at 4.5 s"
    assert lenient["a"].examined == ((0.0, 2.0), (3.5, math.inf))
    assert lenient["b"].examined == ((0.5, 4.5),)


def test_an_event_with_another_name_is_no_fasciculation(moved):
    assert [event.onset_s for event in build_source("model", moved).clips["a"].events] == [1]
    assert len(read_predictions(moved)["a"].events) == 2
