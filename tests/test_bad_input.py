"""Ten kinds of bad input: one clear line each, the right exit code, nothing lost."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fascnet.commands.main import run
from fascnet.data.clip_set.manifest import write_manifest
from fascnet.data.labelling.labels import write_labels
from fascnet.data.recording.video_writer import Codec, VideoWriter
from fascnet.types import ClipSource, Event, Labels, Point

Capture = pytest.CaptureFixture[str]
REMEDIES = (
    "give",
    "check",
    "choose",
    "use",
    "rename",
    "add",
    "mend",
    "export",
    "copy",
    "train",
    "leave",
    "fill",
    "name",
    "save",
)


def write_clip(path: Path, seed: int = 0, n_frames: int = 40, codec: Codec = "ffv1") -> Path:
    """Speckle that stands still but for a block that jumps aside for a moment."""
    still = np.random.default_rng(seed).integers(30, 220, (64, 96), dtype=np.uint8)
    with VideoWriter(path, 64, 96, 30.0, codec=codec) as writer:
        for k in range(n_frames):
            image = still.copy()
            if 20 <= k < 24:
                image[20:44, 30:66] = np.roll(still, 2, axis=1)[20:44, 30:66]
            writer.write(image)
    return path


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def read_scores(output: Path) -> dict[str, dict[str, str]]:
    with (output / "scores.csv").open(newline="", encoding="utf-8") as file:
        return {row["clip_id"]: row for row in csv.DictReader(file)}


def predict(source: Path, output: Path, *more: str) -> int:
    return run(
        ["predict", f"input={source}", f"output={output}", "detector=farneback", "overlay=false", *more]
    )


def check_refusal(capsys: Capture, *named: str) -> None:
    """One line on stderr that names the culprit and a remedy."""
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("fascnet: ") and len(lines[0]) < 400
    assert "Traceback" not in out + err
    for word in named:
        assert word in lines[0]
    assert any(remedy in lines[0] for remedy in REMEDIES), lines[0]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A folder with one good recording, already predicted into `out`."""
    write_clip(tmp_path / "in" / "good.avi")
    assert predict(tmp_path / "in", tmp_path / "out") == 0
    return tmp_path


@pytest.fixture
def data_set(tmp_path: Path) -> Path:
    """Three subjects with a clip and a label each; sound."""
    root = tmp_path / "set"
    clips = []
    for k, split in enumerate(("train", "val", "test")):
        path = write_clip(root / f"c{k}.avi", seed=k)
        clips.append(ClipSource(f"c{k}", path, f"s{k}", mm_per_px=0.1, split=split))
        event = Event(0.6, 0.9, region=Point(48.0, 32.0))
        write_labels(root / "labels", Labels(f"c{k}", "anna", ((0.0, 1.3),), (event,)))
    write_manifest(root, clips)
    assert run(["check", f"data.root={root}"]) == 0
    return root


def train(root: Path, output: Path, *more: str) -> int:
    return run(
        [
            "train",
            f"data.root={root}",
            f"output={output}",
            "trainer.epochs=1",
            "data.windows_per_epoch=4",
            *more,
        ]
    )


# 1
def test_empty_folder(study: Path, capsys: Capture) -> None:
    (study / "empty").mkdir()
    before = snapshot(study / "out")
    capsys.readouterr()
    assert predict(study / "empty", study / "out") == 2
    check_refusal(capsys, str(study / "empty"))
    assert predict(study / "empty", study / "new") == 2
    check_refusal(capsys, str(study / "empty"))
    assert snapshot(study / "out") == before and not (study / "new").exists()


def cut(path: Path, share: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


def write_text(path: Path) -> None:
    path.write_text("Dear colleague, the video will follow.\n" * 40, encoding="utf-8")


def write_cut_mp4(path: Path) -> None:
    write_clip(path, seed=5, codec="h264")
    cut(path, 0.5)


def write_nothing(path: Path) -> None:
    path.write_bytes(b"")


def write_wrong_dicom(path: Path) -> None:
    path.with_suffix(".dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\1\2\3" * 50)


# 2, 3, 4: one bad recording in a study
@pytest.mark.parametrize("write_bad", [write_text, write_cut_mp4, write_nothing, write_wrong_dicom])
def test_a_bad_recording_costs_only_itself(
    study: Path, capsys: Capture, write_bad: Callable[[Path], None]
) -> None:
    before = read_scores(study / "out")["good"]
    heatmap = (study / "out" / "good" / "heatmap.npz").read_bytes()
    write_bad(study / "in" / "a_bad.mp4")
    write_clip(study / "in" / "later.avi", seed=1)
    capsys.readouterr()
    assert predict(study / "in", study / "out") == 1
    printed = capsys.readouterr().out
    told = [line for line in printed.splitlines() if line.startswith("failed: a_bad: ")]
    assert len(told) == 1 and "a_bad." in told[0].removeprefix("failed: a_bad: ")
    assert any(remedy in told[0] for remedy in REMEDIES), told[0]
    assert "1 predicted, 1 kept, 1 failed" in printed
    rows = read_scores(study / "out")
    assert {name: row["status"] for name, row in rows.items()} == {
        "a_bad": "failed",
        "good": "ok",
        "later": "ok",
    }
    assert rows["good"] == before and rows["a_bad"]["score"] == ""
    assert f"failed: a_bad: {rows['a_bad']['reason']}" == told[0]
    assert (study / "out" / "good" / "heatmap.npz").read_bytes() == heatmap
    assert (study / "out" / "later" / "heatmap.npz").stat().st_size > 0
    assert not (study / "out" / "a_bad").exists()
    assert json.loads((study / "out" / "run.json").read_text(encoding="utf-8"))["finished"] is True


def test_a_recording_that_breaks_off_is_scored_as_far_as_it_goes(study: Path, capsys: Capture) -> None:
    write_clip(study / "in" / "long.avi", seed=2, n_frames=90)
    cut(study / "in" / "long.avi", 0.6)
    assert predict(study / "in", study / "whole", "reject=null") == 0
    row = read_scores(study / "whole")["long"]
    assert row["status"] == "partial" and row["reason"] and 1.0 < float(row["scored_s"]) < 3.0
    assert "partial: long: " in capsys.readouterr().out


def list_errors(capsys: Capture) -> list[str]:
    """What `fascnet check` printed as errors, without that word."""
    lines = capsys.readouterr().out.splitlines()
    return [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]


@pytest.mark.parametrize("write_bad", [write_text, write_cut_mp4, write_nothing])
def test_check_and_train_name_a_bad_recording(
    data_set: Path, tmp_path: Path, capsys: Capture, write_bad: Callable[[Path], None]
) -> None:
    (data_set / "c0.avi").unlink()
    write_bad(data_set / "bad.mp4")
    manifest = data_set / "manifest.csv"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("c0.avi", "bad.mp4"), encoding="utf-8")
    capsys.readouterr()
    assert run(["check", f"data.root={data_set}"]) == 1
    (error,) = list_errors(capsys)
    assert error.startswith(f"{data_set / 'bad.mp4'}: ") and " -> " in error
    assert train(data_set, tmp_path / "run") == 2
    check_refusal(capsys, "bad.mp4")


# 5
def test_missing_label(data_set: Path, tmp_path: Path, capsys: Capture) -> None:
    (data_set / "labels" / "c0.anna.json").unlink()
    capsys.readouterr()
    assert run(["check", f"data.root={data_set}"]) == 0, "nobody has labelled it yet: a warning"
    lines = capsys.readouterr().out.splitlines()
    assert any("'c0' has no label" in line and "CLIP.RATER.json" in line for line in lines)
    assert train(data_set, tmp_path / "run") == 2
    check_refusal(capsys, str(data_set), "train")


def test_missing_label_folder(data_set: Path, tmp_path: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert train(data_set, tmp_path / "run", f"data.labels={data_set / 'nowhere'}") == 2
    check_refusal(capsys, str(data_set / "nowhere"))
    assert run(["check", f"data.root={data_set}", f"data.labels={data_set / 'nowhere'}"]) == 2
    check_refusal(capsys, str(data_set / "nowhere"))
    overrides = [f"predictions={tmp_path}", f"labels={data_set / 'nowhere'}", f"output={tmp_path / 'judged'}"]
    assert run(["benchmark", *overrides]) == 2
    check_refusal(capsys, str(data_set / "nowhere"))
    assert not (tmp_path / "judged").exists() and not (tmp_path / "run" / "model.safetensors").exists()


# 6
@pytest.mark.parametrize(
    ("event", "named"),
    [
        (Event(2.0, 2.4), "outside the clip"),
        (Event(0.2, 0.5, region=Point(500.0, 10.0)), "outside the image"),
    ],
)
def test_label_outside_the_clip(
    data_set: Path, tmp_path: Path, capsys: Capture, event: Event, named: str
) -> None:
    write_labels(data_set / "labels", Labels("c0", "anna", ((0.0, 1.3),), (event,)))
    capsys.readouterr()
    assert run(["check", f"data.root={data_set}"]) == 1
    (error,) = list_errors(capsys)
    assert "c0.anna.json" in error and named in error and " -> " in error
    assert train(data_set, tmp_path / "run") == 2
    check_refusal(capsys, "c0.anna.json", named)


# 7
def test_two_clips_of_one_name(study: Path, data_set: Path, capsys: Capture) -> None:
    before = snapshot(study / "out")
    write_clip(study / "in" / "good.mp4", codec="h264")
    capsys.readouterr()
    assert predict(study / "in", study / "out") == 2
    check_refusal(capsys, "good.avi", "good.mp4", "'good'")
    assert snapshot(study / "out") == before
    manifest = data_set / "manifest.csv"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("c1,", "c0,"), encoding="utf-8")
    assert run(["check", f"data.root={data_set}"]) == 1
    assert "clip_id 'c0' is already in row 2 -> rename one" in capsys.readouterr().out
    for code in (predict(data_set, study / "new"), train(data_set, study / "run")):
        assert code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and all("'c0'" in line and "manifest.csv row 3" in line for line in lines)
    assert not (study / "new").exists()


# 8
@pytest.mark.parametrize("column", ["clip_id", "subject_id", "path", "fps", "mm_per_px"])
def test_nan_in_the_manifest(data_set: Path, tmp_path: Path, capsys: Capture, column: str) -> None:
    manifest = data_set / "manifest.csv"
    with manifest.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    rows[1][column] = "NaN"
    with manifest.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    capsys.readouterr()
    assert run(["check", f"data.root={data_set}"]) == 1
    assert any(line.startswith(f"{manifest} row 3: {column} ") for line in list_errors(capsys))
    assert predict(data_set, tmp_path / "out") == 2
    check_refusal(capsys, f"{manifest} row 3: {column}")
    assert train(data_set, tmp_path / "run") == 2
    check_refusal(capsys, f"{manifest} row 3: {column}")
    assert not (tmp_path / "out").exists()


# 9
@pytest.mark.parametrize("below", [".", "deeper/still"])
def test_unwritable_output(data_set: Path, tmp_path: Path, capsys: Capture, below: str) -> None:
    """A file where the folder should be: the one refusal that root meets as well."""
    assert predict(data_set, tmp_path / "out") == 0
    (tmp_path / "file").write_text("something dear", encoding="utf-8")
    output = tmp_path / "file" / below
    tiny = ["phantom.duration_s=[1.0,1.0]", "phantom.scan.height_px=[64,64]"]
    tiny.append("phantom.scan.width_px=[64,64]")
    labels = f"labels={data_set / 'labels'}"
    for call in (
        lambda: predict(data_set, output),
        lambda: run(["phantom", f"output={output}", "clips=3", *tiny]),
        lambda: train(data_set, output),
        lambda: run(
            ["benchmark", f"predictions={tmp_path / 'out'}", labels, f"output={output}", "reference=anna"]
        ),
    ):
        capsys.readouterr()
        assert call() == 2
        check_refusal(capsys, str(tmp_path / "file"))
    assert (tmp_path / "file").read_text(encoding="utf-8") == "something dear"


# 10
def test_unknown_model_file(study: Path, capsys: Capture) -> None:
    before = snapshot(study / "out")
    write_text(study / "letter.safetensors")
    write_nothing(study / "empty.safetensors")
    capsys.readouterr()
    for name in ("nowhere.safetensors", "letter.safetensors", "empty.safetensors", "in"):
        for output in ("out", "new"):
            overrides = [f"input={study / 'in'}", f"output={study / output}", f"model={study / name}"]
            assert run(["predict", *overrides, "device=cpu"]) == 2
            check_refusal(capsys, str(study / name))
    assert snapshot(study / "out") == before and not (study / "new").exists()


def test_another_model_never_mixes_with_earlier_outputs(study: Path, capsys: Capture) -> None:
    before = snapshot(study / "out")
    capsys.readouterr()
    assert predict(study / "in", study / "out", "detector.k_mad=3.0") == 2
    check_refusal(capsys, str(study / "out"), "overwrite=true")
    assert snapshot(study / "out") == before


def test_a_refused_training_can_be_started_again(data_set: Path, tmp_path: Path, capsys: Capture) -> None:
    """A wrong data.root must not leave a folder behind that refuses the right one."""
    assert train(tmp_path / "nowhere", tmp_path / "run") == 2
    check_refusal(capsys, str(tmp_path / "nowhere"))
    assert train(tmp_path / "elsewhere", tmp_path / "run") == 2
    check_refusal(capsys, str(tmp_path / "elsewhere"))


def test_predictions_that_are_none(data_set: Path, tmp_path: Path, capsys: Capture) -> None:
    labels, output = f"labels={data_set / 'labels'}", f"output={tmp_path / 'judged'}"
    (tmp_path / "empty").mkdir()
    capsys.readouterr()
    for folder in ("empty", "nowhere"):
        assert run(["benchmark", f"predictions={tmp_path / folder}", labels, output]) == 2
        check_refusal(capsys, str(tmp_path / folder))
    assert not (tmp_path / "judged").exists()
