"""The main job on tiny clips, by the commands that a user types; what other programs read, to the letter."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import av
import numpy as np
import pydicom
import pytest

from fascnet.commands.main import run
from fascnet.data.labelling.labels import read_labels
from fascnet.types import Polygon

pytestmark = pytest.mark.slow

# Typed here, not imported: these are the contract.
SCORES = (
    "clip_id,source,subject_id,muscle,side,status,reason,duration_s,scored_s,fps,mm_per_px,"
    "score,n_events,events_per_min,active_area_fraction"
)
EVENTS = "clip_id,event_id,onset_s,peak_s,offset_s,x_px,y_px,area_px,area_mm2,score"
MANIFEST = "clip_id,path,subject_id,muscle,side,fps,mm_per_px,split"
FIGURES = {
    "events": {"precision", "recall", "f1", "false_alarms_per_min"},
    "pixels": {"dice", "iou"},
    "clips": {"auroc", "sensitivity", "specificity", "brier", "ece"},
    "counts": {"icc", "spearman", "bias", "loa_low", "loa_high"},
}
IDENTIFYING = ("PatientName", "PatientID", "PatientBirthDate", "InstitutionName", "ReferringPhysicianName")


def fascnet(*arguments: object) -> None:
    assert run([str(argument) for argument in arguments]) == 0


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the whole job was done once: data, run, two sets of predictions, verdict."""
    root = tmp_path_factory.mktemp("job")
    data = root / "data"
    tiny = ["phantom.duration_s=[2.0,2.0]", "phantom.scan.height_px=[96,96]"]
    tiny.append("phantom.scan.width_px=[96,96]")
    tiny += [
        "phantom.clips_per_subject=2",
        "phantom.twitches.rate_per_min=[60,60]",
        "phantom.scan.mm_per_px=[0.2,0.2]",
    ]
    fascnet("phantom", f"output={data}", "clips=8", "seed=0", *tiny)
    fascnet("check", f"data.root={data}")
    small = ["network.arguments.widths=[8,12]", "network.arguments.dilations=[1,1]", "trainer.epochs=1"]
    small += [
        "data.windows_per_epoch=8",
        "data.window.size_px=96",
        "data.window.n_ticks=24",
        "trainer.threads=1",
    ]
    fascnet("train", f"data.root={data}", f"output={root / 'run'}", "name=tiny", *small)
    model = root / "run" / "model.safetensors"
    # Two seconds of a lifted or swept probe would leave nothing to score: tests/inference/movement has that.
    whole = [f"input={data}", "reject=null", "name_periodic=null"]
    fascnet("predict", *whole, f"output={root / 'model'}", f"model={model}", "device=cpu")
    fascnet("predict", *whole, f"output={root / 'flow'}", "detector=farneback", "overlay=false")
    sources = f"{{tiny: {root / 'model'}, flow: {root / 'flow'}}}"
    fascnet(
        "benchmark",
        f"predictions={sources}",
        f"labels={data / 'labels'}",
        f"output={root / 'judged'}",
        "bootstrap.resamples=20",
        "allow_seen=a test of the plumbing",
    )
    return root


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_header(path: Path) -> str:
    """The first line; columns may be added at the right."""
    return path.read_text(encoding="utf-8").splitlines()[0] + ","


def test_data_set(house: Path) -> None:
    assert read_header(house / "data" / "manifest.csv") == f"{MANIFEST},"
    rows = read_table(house / "data" / "manifest.csv")
    splits: dict[str, set[str]] = {}
    for row in rows:
        splits.setdefault(row["subject_id"], set()).add(row["split"])
        (label,) = (house / "data" / "labels").glob(f"{row['clip_id']}.*.json")
        tree = json.loads(label.read_text(encoding="utf-8"))
        assert tree["format"] == "fascnet-labels/1"
        assert {"format", "clip_id", "rater", "examined", "events"} == set(tree)
        for event in read_labels(label).fasciculations():
            assert isinstance(event.region, Polygon) and event.peak_s is not None
    assert len(rows) == 8 and all(len(of_subject) == 1 for of_subject in splits.values())
    assert {row["split"] for row in rows} == {"train", "val", "test"}


def test_run_folder(house: Path) -> None:
    names = {path.name for path in (house / "run").iterdir()}
    assert {"model.safetensors", "config.json", "splits.csv", "logs", "checkpoints"} <= names
    header = (house / "run" / "model.safetensors").read_bytes()
    length = int.from_bytes(header[:8], "little")
    spec = json.loads(json.loads(header[8 : 8 + length])["__metadata__"]["fascnet"])
    assert spec["format"] == "fascnet-model/1" and spec["name"] == "tiny"
    wanted = {"network", "network_args", "preprocessing", "window", "event_definition", "calibration"}
    assert wanted | {"subjects_sha256", "metrics", "fascnet_version"} <= set(spec)
    subjects = {row["subject_id"] for row in read_table(house / "data" / "manifest.csv")}
    assert not any(f'"{subject}"' in json.dumps(spec) for subject in subjects)
    assert str(house) not in json.dumps(spec)


@pytest.mark.parametrize("name", ["model", "flow"])
def test_predictions(house: Path, name: str) -> None:
    output = house / name
    assert read_header(output / "scores.csv").startswith(f"{SCORES},")
    assert read_header(output / "events.csv").startswith(f"{EVENTS},")
    scores, events = read_table(output / "scores.csv"), read_table(output / "events.csv")
    manifest = read_table(house / "data" / "manifest.csv")
    assert [row["clip_id"] for row in scores] == [row["clip_id"] for row in manifest]
    for row in scores:
        assert row["status"] == "ok" and row["reason"] == ""
        assert 0 <= float(row["score"]) <= 1 and 0 <= float(row["active_area_fraction"]) <= 1
        assert float(row["duration_s"]) == pytest.approx(2.0, abs=0.05)
        own = [event for event in events if event["clip_id"] == row["clip_id"]]
        assert len(own) == int(row["n_events"])
        assert float(row["events_per_min"]) == pytest.approx(60 * len(own) / float(row["scored_s"]), abs=1e-3)
        for event in own:
            assert 0 <= float(event["onset_s"]) <= float(event["peak_s"]) <= float(event["offset_s"])
            assert 0 <= float(event["x_px"]) < 96 and 0 <= float(event["y_px"]) < 96
            assert 0 < float(event["score"]) <= 1 and float(event["area_mm2"]) > 0
        files = {path.name for path in (output / row["clip_id"]).iterdir()}
        assert files == {"heatmap.npz", "summary.png"} | ({"overlay.mp4"} if name == "model" else set())


@pytest.mark.parametrize("name", ["model", "flow"])
def test_heatmaps(house: Path, name: str) -> None:
    for row in read_table(house / name / "scores.csv"):
        held = np.load(house / name / row["clip_id"] / "heatmap.npz", allow_pickle=False)
        assert {"heatmap", "fps", "mm_per_px", "box"} <= set(held.files)
        heatmap = held["heatmap"]
        assert heatmap.dtype == np.uint8 and heatmap.ndim == 3
        assert len(heatmap) / float(held["fps"]) == pytest.approx(2.0, abs=0.1)
        assert float(held["mm_per_px"]) == pytest.approx(0.2)
        x0, y0, x1, y1 = (int(v) for v in held["box"])
        assert 0 <= x0 < x1 <= 96 and 0 <= y0 < y1 <= 96


def test_overlays_show_every_frame_in_the_recording_s_order(house: Path) -> None:
    row = read_table(house / "model" / "scores.csv")[0]
    with av.open(str(house / "model" / row["clip_id"] / "overlay.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == round(2.0 * float(row["fps"]))


@pytest.mark.parametrize("name", ["model", "flow"])
def test_run_record(house: Path, name: str) -> None:
    record = json.loads((house / name / "run.json").read_text(encoding="utf-8"))
    assert record["finished"] is True and record["frames"] > 0 and record["frames_per_second"] > 0
    assert {"fascnet", "python", "torch", "numpy"} <= set(record["versions"])
    assert record["seconds"] and record["config"]["output"] == str(house / name)
    for row in read_table(house / name / "scores.csv"):
        recorded = record["inputs"][row["clip_id"]]["sha256"]
        assert recorded == hashlib.sha256(Path(row["source"]).read_bytes()).hexdigest()
    if name == "model":
        model = house / "run" / "model.safetensors"
        assert record["predictor"]["model_sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
        assert record["predictor"]["device"] == "cpu"


def find_figures(tree: object) -> Iterator[dict[str, object]]:
    if isinstance(tree, dict):
        if "ci95" in tree:
            yield tree
        for child in tree.values():
            yield from find_figures(child)


def refuse_constant(name: str) -> float:
    raise AssertionError(f"{name} is no JSON")


def test_metrics(house: Path) -> None:
    text = (house / "judged" / "metrics.json").read_text(encoding="utf-8")
    metrics = json.loads(text, parse_constant=refuse_constant)
    for section, names in FIGURES.items():
        assert names <= set(metrics[section]), section
        for name in names:
            assert {"value", "ci95", "n"} <= set(metrics[section][name]), name
    assert metrics["events"]["by_tolerance"] and metrics["subgroups"]
    for figure in find_figures(metrics):
        ci95 = figure["ci95"]
        assert ci95 is None or (isinstance(ci95, list) and len(ci95) == 2)
    assert metrics["agreement"]
    for pair, figures in metrics["agreement"].items():
        assert "_vs_" in pair
        assert {"event_kappa", "clip_kappa", "f1", "count_icc"} <= set(figures)
    assert "tiny_vs_flow" in metrics["agreement"]
    assert metrics["main_source"] == "tiny" and metrics["rules"]["matching"]


class LinkFinder(HTMLParser):
    """Collects what a page would load or lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value for key, value in attrs if key in {"src", "href"} and value is not None]


def test_report_is_one_file_that_needs_no_network(house: Path) -> None:
    page = (house / "judged" / "report.html").read_text(encoding="utf-8")
    finder = LinkFinder()
    finder.feed(page)
    assert finder.links and all(link.startswith(("data:", "#")) for link in finder.links)
    assert "<script src" not in page and "@import" not in page
    assert "not a medical device" in page.lower()
    assert list((house / "judged" / "tables").glob("*.csv"))
    assert list((house / "judged" / "figures").glob("*.png"))


def test_a_second_run_keeps_every_byte_of_every_clip(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [path for path in (house / "flow").rglob("*") if path.is_file() and path.name != "run.json"]
    before = {path: path.read_bytes() for path in files}
    fascnet(
        "predict",
        f"input={house / 'data'}",
        f"output={house / 'flow'}",
        "detector=farneback",
        "overlay=false",
        "reject=null",
        "name_periodic=null",
    )
    assert "0 predicted, 8 kept, 0 failed" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in before} == before


def test_the_model_file_alone_predicts_the_same(house: Path, tmp_path: Path) -> None:
    """In a fresh process that may import neither Hydra nor Lightning, away from configs and training data."""
    row = read_table(house / "model" / "scores.csv")[0]
    code = (
        "import sys; sys.modules['hydra'] = sys.modules['omegaconf'] = sys.modules['lightning'] = None\n"
        "from fascnet.inference.network import load_network_predictor\n"
        "from fascnet.inference.study import predict_study\n"
        "predictor = load_network_predictor(sys.argv[1], 'cpu', chunk_frames=5)\n"
        "(found,) = predict_study(sys.argv[2], sys.argv[3], predictor, overlay=False).predictions\n"
        "print(found.status, found.score)"
    )
    model = tmp_path / "elsewhere.safetensors"
    model.write_bytes((house / "run" / "model.safetensors").read_bytes())
    command = [sys.executable, "-c", code, str(model), row["source"], str(tmp_path / "out")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    status, score = done.stdout.split()
    # A lone recording states no spacing: the manifest gave it to the study.
    assert status == "ok" and 0 <= float(score) <= 1


@pytest.mark.real
def test_no_output_names_a_patient(real_data: Path, tmp_path: Path) -> None:
    recordings = sorted((real_data / "dicom").glob("*.dcm"))
    assert recordings
    secrets: set[str] = set()
    for path in recordings:
        header = pydicom.dcmread(path, stop_before_pixels=True)
        values = [str(header.get(key, "")) for key in IDENTIFYING]
        parts = {part for value in values for part in (value, *value.replace("^", " ").split())}
        secrets |= {part.strip() for part in parts if len(part.strip().replace("X", "")) >= 4}
    assert secrets, "the recordings name nobody: this test would show nothing"
    # The recordings' own names, which are the user's, may hold anything.
    secrets -= {secret for secret in secrets if any(secret in str(path) for path in recordings)}
    out = tmp_path / "out"
    assert run(["predict", f"input={real_data / 'dicom'}", f"output={out}", "detector=farneback"]) in {0, 1}
    statuses = {row["clip_id"]: row["status"] for row in read_table(out / "scores.csv")}
    assert len(statuses) == len(recordings) and "ok" in statuses.values()
    for file in (path for path in out.rglob("*") if path.is_file()):
        content = file.read_bytes() + str(file.relative_to(out)).encode()
        for secret in secrets:
            assert secret.encode() not in content, f"{file.name} holds {secret!r}"
