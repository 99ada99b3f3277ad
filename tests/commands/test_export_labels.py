"""The command as it is typed: labels and predictions for other tools, and back."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree.ElementTree import fromstring

import numpy as np
import pytest

from fascnet.commands.config import compose_config
from fascnet.commands.export_labels import run
from fascnet.commands.import_labels import run as run_import
from fascnet.data.labelling.labels import load_labels, write_labels
from fascnet.data.labelling.regions import find_centre
from fascnet.errors import FascnetError
from fascnet.inference.heatmap_store import HeatmapStore
from fascnet.inference.tables import ResultTables
from fascnet.types import Box, Event, Labels, Point, Polygon, Prediction

from .test_import_labels import make_data_set


def export_labels(*overrides: str) -> int:
    return run(compose_config("export_labels", list(overrides)))


def write_predictions(folder: Path) -> Path:
    """Two clips, one with two events of 0.87 and 0.4, in the form of `predict`."""
    events = (
        Event(1.0, 1.4, 1.2, region=Point(25, 33), score=0.87, area_px=300),
        Event(2.0, 2.2, 2.1, region=Point(50, 10), score=0.4),
    )
    tables = ResultTables(folder)
    tables.put(Prediction("clip_a", "ok", events, 0.9, 3.0, 3.0, fps=30.0, source="a.avi", subject_id="s0"))
    tables.put(Prediction("clip_b", "ok", (), 0.1, 3.0, 3.0, fps=30.0, source="b.avi", subject_id="s1"))
    tables.save()
    (folder / "run.json").write_text("{}")
    heatmap = np.zeros((90, 16, 16), np.float32)
    heatmap[30:42, 6:11, 4:9] = 0.9
    for name, values in (("clip_a", heatmap), ("clip_b", heatmap * 0)):
        with HeatmapStore(folder / name, (16, 16)) as store:
            store.append(values)
            store.finish(fps=30.0, mm_per_px=None, box=(0, 0, 64, 64))
    return folder


def test_predictions_become_suggestions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, predictions = make_data_set(tmp_path / "data"), write_predictions(tmp_path / "out")
    given = [f"input={predictions}", f"manifest={root}"]
    assert export_labels(*given, f"output={tmp_path / 'cvat'}", "form=cvat") == 0
    assert "2 clips with 2 predicted events" in capsys.readouterr().out
    tracks = fromstring((tmp_path / "cvat" / "clip_a.model.xml").read_text()).findall("track")
    assert [track.get("source") for track in tracks] == ["auto", "auto"]
    first, last = tracks[0].findall("polygon")
    assert (first.get("frame"), last.get("frame"), last.get("outside")) == ("30", "42", "1")
    assert tracks[1].find("points") is not None, "no cell was active: the place alone"
    assert (tmp_path / "cvat" / "clip_b.model.xml").is_file()
    export_labels(*given, f"output={tmp_path / 'ls'}", "form=label_studio", "min_score=0.5")
    tasks = json.loads((tmp_path / "ls" / "label_studio.json").read_text())
    assert [len(task["predictions"][0]["result"]) for task in tasks] == [1, 0]
    assert all(task["annotations"] == [] for task in tasks)


def test_labelling_goes_on_from_the_model(tmp_path: Path) -> None:
    """Suggestions uploaded, looked through by a rater, exported by CVAT and imported."""
    root, predictions = make_data_set(tmp_path / "data"), write_predictions(tmp_path / "out")
    export_labels(f"input={predictions}", f"manifest={root}", f"output={tmp_path / 'cvat'}", "form=cvat")
    given = [f"input={tmp_path / 'cvat'}", f"output={tmp_path / 'labels'}", f"manifest={root}", "rater=anna"]
    run_import(compose_config("import_labels", given))
    labels = load_labels(tmp_path / "labels")
    first, second = labels["clip_a"]["anna"].events
    assert (first.onset_s, first.offset_s) == pytest.approx((1.0, 1.4), abs=1e-6)
    assert first.peak_s == pytest.approx(1.2, abs=1e-6) and second.region == Point(50, 10)
    assert isinstance(first.region, Polygon)
    assert find_centre(first.region) == pytest.approx((25.5, 33.5), abs=1)
    assert labels["clip_b"]["anna"].events == ()


def test_label_files_of_one_or_all_raters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = make_data_set(tmp_path / "data")
    for rater in ("anna", "bob"):
        event = Event(0.5, 0.9, region=Box(8, 8, 20, 20))
        write_labels(root / "labels", Labels("clip_a", rater, ((0.0, 3.0),), (event,)))
    given = [f"input={root / 'labels'}", f"manifest={root}"]
    export_labels(*given, f"output={tmp_path / 'all'}", "form=label_studio")
    (task,) = json.loads((tmp_path / "all" / "label_studio.json").read_text())
    assert len(task["annotations"]) == 2 and task["predictions"] == []
    export_labels(*given, f"output={tmp_path / 'one'}", "form=csv", "rater=bob")
    assert "1 clips with 1 labelled events" in capsys.readouterr().out
    text = (tmp_path / "one" / "events.csv").read_text()
    assert ",bob" in text and ",anna" not in text


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("form=word", "form=word must be one of cvat, label_studio, csv"),
        ("input=nowhere", "no such folder"),
        ("outline_threshold=2", "from 0 to 1"),
        ("min_score=high", "from 0 to 1"),
        ("min_score=null", "from 0 to 1"),
        ("manifest={}/videos/clip_b.avi", "does not list clip 'clip_a'"),
    ],
)
def test_wrong_settings_are_one_line(override: str, said: str, tmp_path: Path) -> None:
    root, predictions = make_data_set(tmp_path / "data"), write_predictions(tmp_path / "out")
    given = [f"input={predictions}", f"output={tmp_path / 'x'}", "form=cvat", f"manifest={root}"]
    with pytest.raises(FascnetError, match=said) as refusal:
        export_labels(*given, override.format(root))
    assert "\n" not in str(refusal.value) and not (tmp_path / "x").exists()


def test_a_folder_without_labels_or_a_rater_that_is_not_there(tmp_path: Path) -> None:
    root = make_data_set(tmp_path / "data")
    (tmp_path / "empty").mkdir()
    given = [f"output={tmp_path / 'x'}", "form=cvat", f"manifest={root}"]
    with pytest.raises(FascnetError, match="neither label files nor predictions"):
        export_labels(*given, f"input={tmp_path / 'empty'}")
    write_labels(root / "labels", Labels("clip_a", "anna", ((0.0, 3.0),), ()))
    with pytest.raises(FascnetError, match="holds labels of anna"):
        export_labels(*given, f"input={root / 'labels'}", "rater=bob")
