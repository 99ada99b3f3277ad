from __future__ import annotations

import math
from dataclasses import replace

import pytest

from fascnet.errors import OutputError, SettingError
from fascnet.evaluation.sources.other_tools import build_event_source, load_source
from fascnet.evaluation.sources.source import build_source
from fascnet.types import Event

from ..study import add_column, write_label, write_predictions

CLIPS = [
    {"clip_id": "a", "subject": "007", "score": 0.9, "events": [(1, 2, 30, 20, 0.7), (3, 4, 40, 50, 0.8)]},
    {"clip_id": "b", "subject": "008", "row": {"status": "partial", "scored_s": 4, "reason": "ends early"}},
    {"clip_id": "c", "subject": "007", "row": {"status": "failed", "reason": "not a video", "score": ""}},
]


def test_the_same_tables_say_the_same_to_both_readers(tmp_path):
    folder = write_predictions(tmp_path / "out", CLIPS)
    ours = build_source("model", folder)
    assert load_source("model", folder) == ours
    assert build_event_source("model", folder / "events.csv", folder / "scores.csv") == ours


def test_calls_are_read_by_both_readers_and_wrong_words_refused_with_their_place(tmp_path):
    folder = add_column(write_predictions(tmp_path / "out", CLIPS), "positive", ["yes", "no", ""])
    ours = build_source("model", folder)
    assert {clip: found.called for clip, found in ours.clips.items()} == {"a": True, "b": False}
    assert build_event_source("model", folder / "events.csv", folder / "scores.csv") == ours
    (folder / "scores.csv").write_text((folder / "scores.csv").read_text().replace(",no\n", ",maybe\n"))
    for read, error in (
        (lambda: build_source("model", folder), OutputError),
        (lambda: build_event_source("model", folder / "events.csv", folder / "scores.csv"), SettingError),
    ):
        with pytest.raises(error, match=r"scores\.csv.*row 3: positive.*'maybe'") as caught:
            read()
        assert "\n" not in str(caught.value)


def test_the_shape_of_pixels_is_read_by_both_readers_and_must_be_one(tmp_path):
    folder = add_column(write_predictions(tmp_path / "out", CLIPS), "pixel_aspect", ["1.5", "", ""])
    ours = build_source("model", folder)
    assert [(fact.pixel_aspect, fact.aspect) for fact in ours.facts.values()] == [
        (1.5, 1.5),
        *[(None, 1)] * 2,
    ]
    assert build_event_source("model", folder / "events.csv", folder / "scores.csv") == ours
    (folder / "scores.csv").write_text((folder / "scores.csv").read_text().replace(",1.5\n", ",0\n"))
    with pytest.raises(OutputError, match=r"scores\.csv.*row 2: pixel_aspect is 0"):
        build_source("model", folder)
    with pytest.raises(SettingError, match=r"scores\.csv row 2: pixel_aspect is 0"):
        build_event_source("model", folder / "events.csv", folder / "scores.csv")


def test_events_alone_are_enough(tmp_path):
    (tmp_path / "events.csv").write_text("clip_id,onset_s,offset_s\nb,3,3.4\na,1,2\nb,1,1.4\n")
    for path in (tmp_path, tmp_path / "events.csv"):
        source = load_source("tool", path)
        assert source.kind == "prediction" and set(source.clips) == {"a", "b"}
        assert source.clips["b"].events == (Event(1, 1.4), Event(3, 3.4))
        assert source.clips["b"].examined == ((0.0, math.inf),) and source.clips["b"].score is None
        assert source.facts == {} and source.failed == {}


def test_an_events_file_is_read_with_the_scores_beside_it_and_a_note_says_so(tmp_path):
    folder = write_predictions(tmp_path / "out", CLIPS)
    (folder / "intervals.csv").write_text("clip_id,start_s,end_s,reason,n_events\na,5,6,probe_motion,0\n")
    for leave_out in (False, True):
        source = load_source("model", folder / "events.csv", leave_out_not_scored=leave_out)
        (note,) = source.notes
        assert note == "model: scores.csv beside events.csv was read too: it says which clips were judged"
        assert replace(source, notes=()) == load_source("model", folder, leave_out_not_scored=leave_out)
    assert source.clips["a"].examined == ((0.0, 5.0), (6.0, math.inf)) and set(source.clips) == {"a", "b"}


def test_a_tool_that_found_nothing_is_read_with_its_scores(tmp_path):
    (tmp_path / "events.csv").write_text("clip_id,onset_s,offset_s\n")
    (tmp_path / "scores.csv").write_text("clip_id,score\na,0.1\n")
    assert set(load_source("tool", tmp_path / "events.csv").clips) == {"a"}


def test_scores_of_another_tool_beside_an_events_file_are_left_aside_and_told(tmp_path):
    (tmp_path / "events.csv").write_text("clip_id,onset_s,offset_s\na,1,2\nb,1,2\n")
    (tmp_path / "scores.csv").write_text("clip_id,score\nother1,0.9\nother2,0.1\n")
    source = load_source("tool", tmp_path / "events.csv")
    assert set(source.clips) == {"a", "b"}
    assert source.notes == ("tool: scores.csv beside events.csv lists none of its clips and was left aside",)
    # Where some clips are its own, the rest is a mistake, as it is in the folder.
    (tmp_path / "scores.csv").write_text("clip_id,score\na,0.9\n")
    with pytest.raises(SettingError, match=r"events of clip 'b', which scores\.csv does not list"):
        load_source("tool", tmp_path / "events.csv")


def test_an_events_file_of_another_name_stands_alone(tmp_path):
    (tmp_path / "tool.csv").write_text("clip_id,onset_s,offset_s\na,1,2\n")
    (tmp_path / "scores.csv").write_text("clip_id,score\na,0.9\nb,0.1\n")
    source = load_source("tool", tmp_path / "tool.csv")
    assert set(source.clips) == {"a"} and source.clips["a"].score is None and source.notes == ()


def test_lean_scores_say_which_clips_were_judged(tmp_path):
    (tmp_path / "events.csv").write_text("clip_id,onset_s,offset_s\na,1,2\n")
    rows = ("clip_id,score,status,scored_s", "a,0.9,,", "b,0.1,ok,", "c,,failed,", "d,0.2,partial,5")
    (tmp_path / "scores.csv").write_text("\n".join(rows))
    source = load_source("tool", tmp_path)
    assert set(source.clips) == {"a", "b", "d"} and source.failed == {"c": "failed"}
    assert source.clips["b"].events == () and source.clips["b"].score == 0.1
    assert source.clips["d"].examined == ((0.0, 5.0),)


def test_confounders_of_a_tool_are_no_findings(tmp_path):
    (tmp_path / "events.csv").write_text("clip_id,onset_s,offset_s,label\na,1,2,probe_motion\na,3,4,\n")
    source = load_source("tool", tmp_path)
    assert [event.onset_s for event in source.clips["a"].events] == [3]


def test_label_files_are_predictions_too(tmp_path):
    write_label(tmp_path, "a", "tool", [(1, 2, 40, 50)])
    write_label(tmp_path, "b", "tool", [], examined=((0, 5),))
    source = load_source("other", tmp_path)
    assert (source.name, source.kind) == ("other", "prediction")
    assert source.clips["b"].examined == ((0, 5),) and len(source.clips["a"].events) == 1
    write_label(tmp_path, "a", "anna", [])
    with pytest.raises(SettingError, match="labels of anna, tool; choose one"):
        load_source("other", tmp_path)
    assert load_source("other", tmp_path, "tool") == source
    with pytest.raises(SettingError, match="no labels of 'bert'"):
        load_source("other", tmp_path, "bert")


def test_what_is_not_there_is_one_line(tmp_path):
    for path, words in ((tmp_path, "holds neither"), (tmp_path / "nowhere", "neither a folder nor a file")):
        with pytest.raises(SettingError, match=words):
            load_source("tool", path)
    (tmp_path / "scores.csv").write_text("clip_id\na\n")
    with pytest.raises(SettingError, match=r"no events\.csv; give both"):
        load_source("tool", tmp_path)
    folder = write_predictions(tmp_path / "out", CLIPS)
    (folder / "run.json").write_text("{}")
    (folder / "scores.csv").unlink()
    # The failures of predict must not vanish with its table.
    with pytest.raises(SettingError, match=r"scores\.csv"):
        load_source("model", folder)


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        ("clip_id\nb\n", "has events of clip 'a', which scores.csv does not list"),
        ("clip_id,status\na,failed\n", "calls failed"),
        ("clip_id,status\na,perhaps\n", "none of ok, partial, failed"),
        ("clip_id,status\na,partial\n", "how many seconds"),
        ("clip_id,score\na,2\n", "score is 2"),
        ("clip_id\na\na\n", "occurs twice"),
        ("clip_id,scorre\na,1\n", "did you mean 'score'"),
    ],
)
def test_contradictions_are_one_line(tmp_path, scores, words):
    (tmp_path / "events.csv").write_text("clip_id,onset_s,offset_s\na,1,2\n")
    (tmp_path / "scores.csv").write_text(scores)
    with pytest.raises(SettingError, match=words) as caught:
        load_source("tool", tmp_path)
    assert "\n" not in str(caught.value)
