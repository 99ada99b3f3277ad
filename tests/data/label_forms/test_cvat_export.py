from __future__ import annotations

import json
from pathlib import Path
from xml.etree.ElementTree import fromstring

import numpy as np
import pytest

from fascnet.data.label_forms.cvat_export import export_cvat, format_cvat
from fascnet.data.label_forms.export_clip import ExportClip
from fascnet.data.label_forms.frame_clock import FrameClock
from fascnet.errors import LabelError
from fascnet.types import Box, ClipSource, Event, Labels, Point, Polygon

from . import forms


def make(*events: Event, predicted: bool = False, clock: FrameClock | None = None) -> ExportClip:
    source = ClipSource("clip_a", Path("videos/clip_a.mp4"), "s")
    labels = Labels("clip_a", "anna", ((0.0, 3.0),), events)
    return ExportClip(source, forms.make_clock() if clock is None else clock, labels, predicted)


def test_what_cvats_importer_reads(tmp_path: Path) -> None:
    """Attributes as CVAT's loader takes them (cvat/apps/dataset_manager/formats/cvat.py, load_anno)."""
    clock = forms.make_clock()
    box = Event(clock.time_of(10), clock.time_of(20), region=Box(7.5, 5.5, 29.5, 27.5), certainty="definite")
    late = Event(clock.time_of(80), clock.end_s, region=Point(3, 4))
    area = Event(clock.time_of(30), clock.time_of(33), region=Polygon(((0, 0), (4, 0), (4, 4))))
    root = fromstring(format_cvat(make(box, late, area)))
    assert root.findtext("version") == "1.1" and root.findtext("meta/source") == "clip_a.mp4"
    first, second, third = root.findall("track")
    assert first.attrib == {"label": "fasciculation", "source": "manual", "id": "0"}
    start, end = first.findall("box")
    assert start.attrib | {"frame": "10", "outside": "0", "keyframe": "1", "occluded": "0"} == start.attrib
    assert [start.get(name) for name in ("xtl", "ytl", "xbr", "ybr")] == ["8", "6", "30", "28"]
    assert (end.get("frame"), end.get("outside")) == ("20", "1")
    assert start.findtext("attribute[@name='certainty']") == "definite"
    # At the end of the recording there is no frame after the last.
    assert [(p.get("frame"), p.get("outside")) for p in second.findall("points")] == [
        ("80", "0"),
        ("89", "0"),
    ]
    assert third.find("polygon").get("points") == "0.5,0.5;4.5,0.5;4.5,4.5"  # type: ignore[union-attr]


def test_predictions_are_suggestions_with_a_score() -> None:
    root = fromstring(format_cvat(make(Event(0.5, 0.9, region=Point(3, 4), score=0.875), predicted=True)))
    assert root.find("track").get("source") == "auto"  # type: ignore[union-attr]
    assert root.findtext("track/points/attribute[@name='score']") == "0.875"


def test_labels_for_the_tasks_constructor(tmp_path: Path) -> None:
    written = export_cvat([make(Event(0.5, 0.9, label="coughing", region=Point(3, 4)))], tmp_path)
    assert [path.name for path in written] == ["clip_a.anna.xml", "cvat_labels.json"]
    labels = json.loads((tmp_path / "cvat_labels.json").read_text())
    names = [label["name"] for label in labels]
    assert names[0] == "fasciculation" and {"coughing", "breathing"} <= set(names)
    assert {a["name"] for a in labels[0]["attributes"]} == {"certainty", "place", "peak_frame", "score"}


def test_names_cannot_break_the_xml() -> None:
    source = ClipSource("clip_a", Path('v/<a> & "b".mp4'), "s")
    clip = ExportClip(source, forms.make_clock(), Labels("clip_a", "r", ((0.0, 1.0),), ()), False)
    assert fromstring(format_cvat(clip)).findtext("meta/source") == '<a> & "b".mp4'


def test_without_the_recording_or_beyond_it() -> None:
    clock = FrameClock(np.arange(100) / 30, 100 / 30)
    with pytest.raises(LabelError, match="its size is not known"):
        format_cvat(make(clock=clock))
    with pytest.raises(LabelError, match="begins at 50 s"):
        format_cvat(make(Event(50, 51, region=Point(1, 1))))
