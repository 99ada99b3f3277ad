from __future__ import annotations

from pathlib import Path

import pytest

from fascnet.data.clip_set.label_problems import KNOWN_CONFOUNDERS, find_label_problems, measure_examined
from fascnet.phantom.movement.confounders import CONFOUNDER_LABELS
from fascnet.types import FASCICULATION, Box, Event, Labels, MaskFile, Point

HERE = Point(20, 20)


def find_kinds(*events: Event, examined: tuple[tuple[float, float], ...] = ((0.0, 10.0),)) -> list[str]:
    labels = Labels("c", "r", examined, events)
    found = list(find_label_problems(labels, Path("labels"), 10.0, 64, 64))
    assert all(problem.file == "labels/c.r.json" and problem.clip_ids == ("c",) for problem in found)
    return [problem.kind for problem in found]


def test_every_word_of_the_phantom_is_known() -> None:
    assert set(CONFOUNDER_LABELS) <= KNOWN_CONFOUNDERS
    documented = (Path(__file__).resolve().parents[3] / "docs" / "data_check.md").read_text(encoding="utf-8")
    assert all(f"`{word}`" in documented for word in KNOWN_CONFOUNDERS)
    assert FASCICULATION not in KNOWN_CONFOUNDERS


@pytest.mark.parametrize(
    ("events", "kinds"),
    [
        ([Event(1.0, 1.4)], []),
        ([Event(9.8, 10.05)], []),
        ([Event(9.8, 11.0)], ["outside"]),
        ([Event(1.0, 1.4, region=Box(50, 50, 80, 60))], ["outside"]),
        ([Event(1.0, 1.4, region=MaskFile(Path("labels/absent.png")))], ["outside"]),
        ([Event(1.0, 4.0)], ["event_length"]),
        ([Event(1.0, 1.02)], ["event_length"]),
        ([Event(1.0, 4.0, label="voluntary_contraction")], []),
    ],
)
def test_times_and_places(events: list[Event], kinds: list[str]) -> None:
    assert find_kinds(*events) == kinds


def test_events_outside_the_examined_seconds() -> None:
    examined = ((0.0, 3.0), (5.0, 8.0))
    assert find_kinds(Event(2.8, 3.05), examined=examined) == [], "tools round"
    assert find_kinds(Event(2.8, 3.3), examined=examined) == ["unexamined_event"]
    assert find_kinds(Event(3.5, 3.9), examined=examined) == ["unexamined_event"]
    assert find_kinds(Event(3.5, 3.9), examined=()) == [], "reported once for the file"
    assert measure_examined(Event(2.0, 6.5, label="x"), examined) == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("other", "twice"),
    [
        (Event(1.0, 1.4, region=HERE), True),
        (Event(1.02, 1.41, region=Point(23, 22)), True),
        (Event(1.02, 1.41, region=Point(35, 20)), False),
        (Event(1.1, 1.5, region=HERE), False),
        (Event(1.4, 1.8, region=HERE), False),
        (Event(1.0, 1.4, label="probe_motion", region=HERE), False),
        (Event(1.0, 1.4), False),
    ],
)
def test_one_event_entered_twice(other: Event, twice: bool) -> None:
    first = Event(1.0, 1.4, region=HERE)
    between = Event(1.2, 1.6, region=Point(50, 50))
    assert find_kinds(other, between, first) == (["overlap"] if twice else [])
    assert find_kinds(Event(1.0, 1.4), Event(1.01, 1.4)) == ["overlap"]
