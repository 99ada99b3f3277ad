from __future__ import annotations

from pathlib import Path

import pytest

from fascnet.data.clip_set.clip_facts import ClipFacts
from fascnet.data.clip_set.clip_label_problems import find_clip_label_problems
from fascnet.data.label_forms.clip_labels import ClipLabel
from fascnet.types import ClipSource, Event, Labels

TWO = (Event(1.0, 1.4), Event(6.0, 6.4), Event(3.0, 3.2, label="probe_motion"))


def find_kinds(one: ClipLabel, events: tuple[Event, ...] | None = None, status: str = "ok") -> list[str]:
    labels = {} if events is None else {"a": {"r": Labels("a", "r", ((0.0, 10.0),), events)}}
    clips = [ClipSource("a", Path("a.avi"), "s")]
    facts = {"a": ClipFacts("a", status=status, duration_s=10.0)}
    found = list(
        find_clip_label_problems(
            {one.clip_id: {"r": one}}, labels, clips, facts, Path("labels"), Path("m.csv")
        )
    )
    assert all(problem.file == "labels/clip_labels.csv" for problem in found)
    return [problem.kind for problem in found]


@pytest.mark.parametrize(
    ("one", "events", "kinds"),
    [
        (ClipLabel("a", "r", count=2, present=True), None, []),
        (ClipLabel("b", "r", count=2, present=True), None, ["unknown_clip"]),
        (ClipLabel("a", "r", present=True, examined_s=10.05), None, []),
        (ClipLabel("a", "r", present=True, examined_s=11.0), None, ["outside"]),
        (ClipLabel("a", "r", count=101, present=True), None, ["unlikely_count"]),
        (ClipLabel("a", "r", count=21, present=True, examined_s=2.0), None, ["unlikely_count"]),
        (ClipLabel("a", "r", count=2, present=True), TWO, []),
        (ClipLabel("a", "r", count=1, present=True, examined_s=5.0), TWO, []),
        (ClipLabel("a", "r", count=3, present=True), TWO, ["contradiction"]),
        (ClipLabel("a", "r", present=False), TWO, ["contradiction"]),
        (ClipLabel("a", "r", present=True), (), ["contradiction"]),
        (ClipLabel("a", "r", present=False), (), []),
        (ClipLabel("a", "r", grade="2"), (), []),
    ],
)
def test_statements(one: ClipLabel, events: tuple[Event, ...] | None, kinds: list[str]) -> None:
    assert find_kinds(one, events) == kinds


def test_the_length_of_a_broken_clip_is_not_known() -> None:
    assert find_kinds(ClipLabel("a", "r", present=True, examined_s=11.0), status="partial") == []
