from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fascnet.data.labelling.labels import (
    check_against_clip,
    find_clip_problems,
    find_labels,
    load_labels,
    read_labels,
    write_labels,
)
from fascnet.errors import LabelError
from fascnet.types import Box, Event, Labels, MaskFile, Point, Polygon

SQUARE = Polygon(((1.5, 2.0), (9.0, 2.0), (9.0, 8.25)))
EXAMPLE = Labels(
    clip_id="p01_gm_L.003",
    rater="clinician_a",
    examined=((0.0, 4.0), (4.0, 10.0)),
    events=(
        Event(
            2.57,
            2.97,
            2.63,
            certainty="definite",
            region=SQUARE,
            ignore_region=Box(0, 0, 12, 12),
            peak_mm=0.31,
        ),
        Event(3.0, 3.5, label="arterial_pulsation", region=Point(4, 5)),
        Event(7.0, 7.5),
    ),
)


def make_tree() -> dict[str, object]:
    return {
        "format": "fascnet-labels/1",
        "clip_id": "c",
        "rater": "r",
        "examined": [[0, 10]],
        "events": [{"onset_s": 1, "offset_s": 2, "label": "fasciculation", "region": {"box": [0, 0, 5, 5]}}],
    }


def write_tree(folder: Path, tree: object, name: str = "c.r.json") -> Path:
    path = folder / name
    path.write_text(tree if isinstance(tree, str) else json.dumps(tree), encoding="utf-8")
    return path


def test_written_labels_read_back(tmp_path: Path) -> None:
    path = write_labels(tmp_path, EXAMPLE)
    assert path.name == "p01_gm_L.003.clinician_a.json"
    assert read_labels(path) == EXAMPLE
    assert find_labels(tmp_path) == {"p01_gm_L.003": {"clinician_a": path}}
    assert load_labels(tmp_path) == {"p01_gm_L.003": {"clinician_a": EXAMPLE}}
    assert list(tmp_path.iterdir()) == [path]


def test_the_contract_s_own_form(tmp_path: Path) -> None:
    tree = make_tree()
    assert read_labels(write_tree(tmp_path, tree)).events == (Event(1.0, 2.0, region=Box(0, 0, 5, 5)),)
    raw = json.loads(write_labels(tmp_path, EXAMPLE).read_text())
    assert list(raw) == ["format", "clip_id", "rater", "examined", "events"]
    assert raw["events"][2] == {"onset_s": 7.0, "offset_s": 7.5, "label": "fasciculation", "region": None}
    assert raw["events"][0]["region"] == {"polygon": [[1.5, 2.0], [9.0, 2.0], [9.0, 8.25]]}


def test_no_twitch_seen_is_a_statement(tmp_path: Path) -> None:
    labels = Labels("c", "r", ((0.0, 10.0),), ())
    assert read_labels(write_labels(tmp_path, labels)) == labels


def test_masks_lie_beside_the_label(tmp_path: Path) -> None:
    mask = tmp_path / "masks" / "m.png"
    mask.parent.mkdir()
    cv2.imwrite(str(mask), np.full((4, 4), 255, np.uint8))
    labels = Labels("c", "r", ((0.0, 1.0),), (Event(0.1, 0.2, region=MaskFile(mask)),))
    path = write_labels(tmp_path, labels)
    assert json.loads(path.read_text())["events"][0]["region"] == {"mask": "masks/m.png"}
    assert read_labels(path) == labels
    with pytest.raises(LabelError, match="outside"):
        write_labels(tmp_path / "elsewhere", labels)


def edit(key: str, value: object) -> dict[str, object]:
    tree = make_tree()
    events = tree["events"]
    assert isinstance(events, list)
    (events[0] if key.startswith("e.") else tree)[key.removeprefix("e.")] = value
    return tree


@pytest.mark.parametrize(
    ("tree", "says"),
    [
        ("", "is not valid JSON"),
        ("[]", "expected an object"),
        ('{"format": NaN}', "NaN is not a number"),
        ('{"format": "a", "format": "b"}', "'format' stands twice"),
        ("[" * 100_000, "nested too deeply|not valid JSON"),
        ({}, "lacks the key 'format'"),
        (edit("format", "fascnet-labels/2"), "expected 'fascnet-labels/1'"),
        (edit("clip_id", "other"), "speaks of clip 'other'"),
        (edit("rater", "other"), "rater 'other'"),
        (edit("rater", 7), "rater: is 7"),
        (edit("note", "hm"), "there is no key 'note'"),
        (edit("event", []), "did you mean 'events'"),
        (edit("examined", [[0, 5], [4, 10]]), "sort and merge"),
        (edit("examined", [[5, 10], [0, 4]]), "sort and merge"),
        (edit("examined", [[3, 3]]), "not an interval"),
        (edit("examined", [[-1, 3]]), "not an interval"),
        (edit("examined", [[0, 1, 2]]), "has 3 values"),
        (edit("e.onset_s", 2), "onset 2 s and offset 2 s"),
        (edit("e.onset_s", -0.1), "0 <= onset_s"),
        (edit("e.onset_s", True), "onset_s: is true"),
        (edit("e.onset_s", "1"), "onset_s"),
        (edit("e.offset_s", 10**400), "offset_s"),
        (edit("e.peak_s", 2.5), "peak 2.5 s lies outside"),
        (edit("e.label", ""), "label"),
        (edit("e.label", "fasiculation"), "did you mean 'fasciculation'"),
        (edit("e.label", "Fasciculations"), "did you mean 'fasciculation'"),
        (edit("e.certainty", "sure"), "must be one of definite"),
        (edit("e.score", 0.5), "there is no key 'score'"),
        (edit("e.region", {}), "exactly one of"),
        (edit("e.region", {"box": [0, 0, 1, 1], "point": [0, 0]}), "exactly one of"),
        (edit("e.region", {"circle": [0, 0, 1]}), "no key 'circle'"),
        (edit("e.region", {"box": [5, 0, 5, 5]}), "has no area"),
        (edit("e.region", {"polygon": [[0, 0], [1, 1]]}), "has no area"),
        (edit("e.region", {"polygon": [[0, 0], [1, 1], [2, 2]]}), "has no area"),
        (edit("e.region", {"polygon": [[0, 0], [1, None], [2, 2]]}), r"polygon\[1\]\[1\]"),
        (edit("e.region", {"mask": "../m.png"}), "leads out"),
        (edit("e.region", {"mask": "/m.png"}), "leads out"),
    ],
)
def test_breaches_are_named(tmp_path: Path, tree: object, says: str) -> None:
    path = write_tree(tmp_path, tree)
    with pytest.raises(LabelError, match=says) as caught:
        read_labels(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_keys_and_files(tmp_path: Path) -> None:
    for key in ("onset_s", "offset_s", "label", "region"):
        tree = make_tree()
        events = tree["events"]
        assert isinstance(events, list)
        del events[0][key]
        with pytest.raises(LabelError, match=f"lacks the key '{key}'"):
            read_labels(write_tree(tmp_path, tree))
    with pytest.raises(LabelError, match="cannot be read"):
        read_labels(tmp_path / "x.r.json")
    with pytest.raises(LabelError, match="no such folder"):
        find_labels(tmp_path / "absent")


def test_file_names(tmp_path: Path) -> None:
    write_tree(tmp_path, make_tree(), ".hidden.r.json")
    assert find_labels(tmp_path) == {}
    write_tree(tmp_path, make_tree(), "notes.json")
    with pytest.raises(LabelError, match=r"notes\.json"):
        find_labels(tmp_path)


def test_write_refuses_what_read_would(tmp_path: Path) -> None:
    for bad in (
        replace(EXAMPLE, clip_id="a/b"),
        replace(EXAMPLE, rater="a.b"),
        replace(EXAMPLE, events=(Event(2.0, 1.0),)),
        replace(EXAMPLE, events=(Event(float("nan"), 1.0),)),
        replace(EXAMPLE, examined=((0.0, float("inf")),)),
    ):
        with pytest.raises(LabelError):
            write_labels(tmp_path, bad)
    assert list(tmp_path.iterdir()) == []


TIMES = st.floats(0, 1000, allow_subnormal=False)


@given(st.lists(st.tuples(TIMES, st.floats(0.01, 5)), max_size=5))
def test_any_times_survive(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[float, float]]
) -> None:
    events = tuple(Event(onset, onset + length, peak_s=onset + length / 2) for onset, length in pairs)
    labels = Labels("c", "r", ((0.0, 2000.0),), events)
    assert read_labels(write_labels(tmp_path_factory.mktemp("l"), labels)) == labels


def test_labels_outside_their_clip(tmp_path: Path) -> None:
    inside = Labels("c", "r", ((0.0, 10.0),), (Event(9.5, 10.05, region=Box(0, 0, 40, 30)),))
    check_against_clip(inside, duration_s=10.0, width=40, height=30)
    with pytest.raises(LabelError, match=r"c\.r\.json: examined 0-10 s"):
        check_against_clip(inside, duration_s=9.0, width=40, height=30)
    cv2.imwrite(str(tmp_path / "m.png"), np.ones((30, 41), np.uint8))
    events = (
        Event(1, 11),
        Event(1, 2, region=Point(42, 3)),
        Event(1, 2, region=Polygon(((0, 0), (5, 5), (0, -3)))),
        Event(1, 2, ignore_region=Box(0, 0, 40, 33)),
        Event(1, 2, region=MaskFile(tmp_path / "m.png")),
        Event(1, 2, region=MaskFile(tmp_path / "absent.png")),
    )
    problems = find_clip_problems(replace(inside, events=events), duration_s=10.0, width=40, height=30)
    assert len(problems) == len(events)
