from __future__ import annotations

import pytest

from fascnet.data.labelling.labels import load_labels, write_labels
from fascnet.errors import SettingError
from fascnet.evaluation.sources.label_table import load_label_table

EVENTS = (
    "clip_id,rater,onset_s,offset_s,label,certainty\n"
    "a,anna,3,3.4,,definite\n"
    "a,anna,1,1.4,arterial_pulsation,\n"
    "a,bert,3.1,3.5,fasciculation,possible\n"
)
SCORES = "clip_id,rater,duration_s,scored_s\na,anna,12,10\na,bert,12,\nb,anna,8,\n"


def write(folder, events=EVENTS, scores=SCORES):
    (folder / "events.csv").write_text(events)
    (folder / "scores.csv").write_text(scores)
    return folder / "events.csv", folder / "scores.csv"


def test_tables_say_what_label_files_say(tmp_path):
    labels = load_label_table(*write(tmp_path))
    assert {clip: list(by_rater) for clip, by_rater in labels.items()} == {
        "a": ["anna", "bert"],
        "b": ["anna"],
    }
    assert labels["a"]["anna"].examined == ((0.0, 10.0),) and labels["a"]["bert"].examined == ((0.0, 12.0),)
    assert labels["b"]["anna"].events == (), "looked at, nothing seen"
    assert [event.label for event in labels["a"]["anna"].events] == ["arterial_pulsation", "fasciculation"]
    for by_rater in labels.values():
        for one in by_rater.values():
            write_labels(tmp_path / "labels", one)
    assert load_labels(tmp_path / "labels") == labels


def test_rater_given_for_tables_without_the_column(tmp_path):
    events, scores = write(tmp_path, "clip_id,onset_s,offset_s\na,1,2\n", "clip_id,duration_s\na,10\n")
    assert list(load_label_table(events, scores, "anna")["a"]) == ["anna"]
    with pytest.raises(SettingError, match="who the rater is"):
        load_label_table(events, scores)


def test_seconds_that_were_looked_at_begin_and_end_where_they_do(tmp_path):
    """As `export-labels form=csv` writes them: seconds that nobody looked at are no quiet seconds."""
    scores = "clip_id,scored_s,examined_from_s,rater\na,3,,anna\na,10,7,anna\nb,10,2,anna\n"
    labels = load_label_table(*write(tmp_path, "clip_id,onset_s,offset_s,rater\na,8,8.4,anna\n", scores))
    assert labels["a"]["anna"].examined == ((0.0, 3.0), (7.0, 10.0))
    assert labels["b"]["anna"].examined == ((2.0, 10.0),)


def test_what_predict_left_out_was_not_looked_at(tmp_path):
    """Tables of `predict` that somebody corrected: nobody saw a failed clip, nor unscored seconds."""
    scores = (
        "clip_id,status,scored_s,not_scored_s,rater\na,ok,7,3,anna\nb,failed,,,anna\nc,ok,5,,anna\n"
        "a,ok,10,,bert\nd,ok,0,2,anna\n"
    )
    events, table = write(tmp_path, "clip_id,onset_s,offset_s,rater\na,9,9.4,anna\n", scores)
    (tmp_path / "intervals.csv").write_text(
        "clip_id,start_s,end_s,reason,n_events\na,0,1,image_lost,0\na,4,6,probe_moved,2\nd,0,2,probe_moved,0\n"
    )
    labels = load_label_table(events, table)
    assert set(labels) == {"a", "c"}
    assert labels["a"]["anna"].examined == labels["a"]["bert"].examined == ((1.0, 4.0), (6.0, 10.0))
    assert labels["c"]["anna"].examined == ((0.0, 5.0),)
    events.write_text("clip_id,onset_s,offset_s,rater\nb,1,2,anna\n")
    with pytest.raises(SettingError, match="does not say that 'anna' looked at clip 'b'"):
        load_label_table(events, table)


@pytest.mark.parametrize(
    ("events", "scores", "words"),
    [
        (EVENTS, SCORES.replace("b,anna,8,", "b,anna,,"), "how many seconds"),
        (EVENTS, SCORES + "b,anna,8,\n", "has a row of 'anna' already"),
        (EVENTS + "b,bert,1,2,,\n", SCORES, "does not say that 'bert' looked at clip 'b'"),
        (EVENTS + "b,anna,11,12,,\n", SCORES, "after the 8 s"),
        (
            "clip_id,onset_s,offset_s\n",
            "clip_id,scored_s,examined_from_s,rater\na,5,,anna\na,9,4,anna\n",
            "has a row of 'anna' already",
        ),
    ],
)
def test_contradictions_are_one_line(tmp_path, events, scores, words):
    with pytest.raises(SettingError, match=words) as caught:
        load_label_table(*write(tmp_path, events, scores))
    assert "\n" not in str(caught.value)
