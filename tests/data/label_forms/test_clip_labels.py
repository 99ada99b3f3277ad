from __future__ import annotations

from pathlib import Path

import pytest

from fascnet.data.label_forms.clip_labels import (
    ClipLabel,
    build_clip_label,
    find_absent,
    list_labelled,
    read_clip_labels,
    write_clip_labels,
)
from fascnet.data.label_forms.rater_events import ClipStatement
from fascnet.errors import LabelError
from fascnet.types import Labels

from . import forms


@pytest.mark.parametrize(
    ("said", "present"),
    [
        ({"count": 3}, True),
        ({"count": 0}, False),
        ({"grade": "0"}, False),
        ({"grade": "none"}, False),
        ({"grade": "1"}, True),
        ({"present": False, "grade": "0"}, False),
        ({"present": True}, True),
    ],
)
def test_presence_follows_from_what_was_said(said: dict[str, object], present: bool) -> None:
    statement = ClipStatement("a", "c.csv row 2", **said)  # type: ignore[arg-type]
    assert build_clip_label(statement, "a", "r", ("0", "none")).present is present


def test_grades_may_mean_other_things() -> None:
    statement = ClipStatement("a", "c.csv row 2", count=0, grade="1")
    with pytest.raises(LabelError, match=r"c.csv row 2: count, grade and present contradict"):
        build_clip_label(statement, "a", "r", ("0",))
    assert build_clip_label(statement, "a", "r", ("1",)).present is False


def test_written_and_read_again(tmp_path: Path) -> None:
    labels = [
        ClipLabel("b", "anna", 3, "2", True, 30.0),
        ClipLabel("a", "anna", None, "II, early", None, None),
        ClipLabel("a", "bob", 0, None, False, 12.345),
    ]
    path = write_clip_labels(tmp_path, labels)
    assert path.read_text().splitlines()[0] == "clip_id,rater,count,grade,present,examined_s"
    found = read_clip_labels(tmp_path)
    assert sorted((o for rows in found.values() for o in rows.values()), key=str) == sorted(labels, key=str)
    assert read_clip_labels(tmp_path / "nowhere") == {}


def test_two_rows_of_one_rater_are_refused(tmp_path: Path) -> None:
    forms.write_text(tmp_path / "clip_labels.csv", "clip_id,rater,count\na,r,1\na,r,2\n")
    with pytest.raises(LabelError, match="row 3: clip 'a' has a row of 'r' already"):
        read_clip_labels(tmp_path)


def test_labelled_is_what_has_a_label_file_or_is_called_absent() -> None:
    labels = {"a": {"r": Labels("a", "r", ((0.0, 1.0),), ())}}
    statements = {
        "b": {"r": ClipLabel("b", "r", present=False)},
        "c": {"r": ClipLabel("c", "r", count=3, present=True)},
        "d": {"r": ClipLabel("d", "r", grade="2")},
    }
    assert list_labelled(labels, statements) == {"a", "b"}


def test_absent_without_a_label_file() -> None:
    statements = {
        "a": {"r": ClipLabel("a", "r", present=False), "s": ClipLabel("a", "s", count=2, present=True)},
        "b": {"r": ClipLabel("b", "r", count=0, present=False), "s": ClipLabel("b", "s", grade="2")},
    }
    labels = {"b": {"r": Labels("b", "r", ((0.0, 1.0),), ())}}
    assert [(one.clip_id, one.rater) for one in find_absent(statements, labels)] == [("a", "r")]


def test_a_count_alone_says_whether_any_is_present(tmp_path: Path) -> None:
    text = "clip_id,rater,count\na,r,3\nb,r,0\n"
    (tmp_path / "clip_labels.csv").write_text(text, encoding="utf-8")
    read = read_clip_labels(tmp_path)
    assert (read["a"]["r"].present, read["b"]["r"].present) == (True, False)
