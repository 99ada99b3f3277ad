from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from fascnet.data.label_forms.export_clip import ExportClip
from fascnet.data.label_forms.label_studio import read_label_studio
from fascnet.data.label_forms.label_studio_export import export_label_studio
from fascnet.data.label_forms.rater_events import FrameSpan
from fascnet.types import Box, ClipSource, Event, Labels, Point

from . import forms


def export(tmp_path: Path, *events: Event, predicted: bool = False) -> dict[str, Any]:
    clip = ExportClip(
        ClipSource("clip_a", Path("v/clip_a.mp4"), "s"),
        forms.make_clock(),
        Labels("clip_a", "model", ((0.0, 3.0),), events),
        predicted,
    )
    export_label_studio([clip], tmp_path, "/data/local-files/?d=")
    (task,) = json.loads((tmp_path / "label_studio.json").read_text())
    return task  # type: ignore[no-any-return]


def test_rectangles_in_percent_and_frames_from_one(tmp_path: Path) -> None:
    clock = forms.make_clock()
    box = Event(
        clock.time_of(10), clock.time_of(20), region=Box(15.5, 11.5, 31.5, 23.5), certainty="probable"
    )
    task = export(tmp_path, box, Event(clock.time_of(30), clock.time_of(31), region=Point(20, 20)))
    assert task["data"]["video"] == "/data/local-files/?d=clip_a.mp4"
    assert task["data"]["fps"] == pytest.approx(29.97, abs=1e-3) and task["predictions"] == []
    first, sure, second = task["annotations"][0]["result"]
    keys = first["value"]["sequence"]
    assert [(key["frame"], key["enabled"]) for key in keys] == [(11, True), (20, False)]
    assert {name: keys[0][name] for name in ("x", "y", "width", "height")} == {
        "x": 25,
        "y": 25,
        "width": 25,
        "height": 25,
    }
    assert sure["id"] == first["id"] and sure["value"] == {"choices": ["probable"]}
    assert [(key["frame"], key["enabled"]) for key in second["value"]["sequence"]] == [(31, False)]


def test_predictions_are_never_annotations(tmp_path: Path) -> None:
    task = export(tmp_path, Event(0.5, 0.9, region=Point(20, 20), score=0.75), predicted=True)
    assert task["annotations"] == [] and task["predictions"][0]["score"] == 0.75
    contents = read_label_studio(tmp_path / "label_studio.json")
    assert contents.ratings == () and len(contents.notes) == 1
    # As Label Studio does when a person accepts a prediction.
    task["annotations"] = [{"result": task["predictions"][0]["result"], "completed_by": 3}]
    path = forms.write_json(tmp_path / "accepted.json", [task])
    assert len(read_label_studio(path).ratings[0].events) == 1


def test_events_without_a_place_lie_on_the_timeline(tmp_path: Path) -> None:
    clock = forms.make_clock()
    export(tmp_path, Event(clock.time_of(10), clock.time_of(20)))
    (rating,) = read_label_studio(tmp_path / "label_studio.json").ratings
    assert rating.events[0].span == FrameSpan(10, 20) and rating.events[0].region is None


def test_the_interface_fits_the_results(tmp_path: Path) -> None:
    task = export(tmp_path, Event(0.5, 0.9, region=Point(20, 20), label="coughing"))
    root = fromstring((tmp_path / "label_studio_interface.xml").read_text())
    names = {tag.get("name") for tag in root.iter()} - {None}
    assert {one["from_name"] for one in task["annotations"][0]["result"]} <= names
    assert root.find("Video").get("frameRate") == "$fps"  # type: ignore[union-attr]
    values = {label.get("value") for label in root.iter("Label")}
    assert {"fasciculation", "coughing", "breathing"} <= values
