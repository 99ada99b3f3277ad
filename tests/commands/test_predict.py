from __future__ import annotations

import csv
import inspect
import subprocess
import sys

import numpy as np
import pytest

from fascnet.baselines.farneback import FarnebackPredictor
from fascnet.commands.config import compose_config
from fascnet.commands.main import run
from fascnet.data.recording.video_writer import VideoWriter
from fascnet.errors import DeviceError
from fascnet.inference.study import predict_study


@pytest.fixture
def clip(tmp_path):
    """Speckle of which a block jumps sideways for some frames."""
    rng = np.random.default_rng(0)
    still = rng.integers(30, 220, (64, 96), dtype=np.uint8)
    path = tmp_path / "in" / "p01_gm_L.avi"
    with VideoWriter(path, 64, 96, 30.0, codec="ffv1") as writer:
        for k in range(24):
            image = still.copy()
            if 10 <= k < 14:
                image[20:44, 30:66] = np.roll(still, 2, axis=1)[20:44, 30:66]
            writer.write(image)
    return path


def predict(clip, tmp_path, *more):
    return run(["predict", f"input={clip}", f"output={tmp_path / 'out'}", "detector=farneback", *more])


def test_writes_the_contract_and_says_where(clip, tmp_path, capsys):
    assert predict(clip, tmp_path) == 0
    printed = capsys.readouterr()
    assert "p01_gm_L" in printed.out
    assert "1 predicted, 0 kept, 0 failed" in printed.out
    assert "scores.csv" in printed.out
    assert "not a medical device" in printed.out
    assert len(printed.err.strip().splitlines()) == 1
    with (tmp_path / "out" / "scores.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["status"], row["duration_s"]) == ("ok", "0.8")
    names = sorted(p.name for p in (tmp_path / "out" / "p01_gm_L").iterdir())
    assert names == ["heatmap.npz", "overlay.mp4", "summary.png"]
    assert predict(clip, tmp_path) == 0
    assert "0 predicted, 1 kept" in capsys.readouterr().out


def test_failed_clips_are_listed_and_exit_with_1(clip, tmp_path, capsys):
    (clip.parent / "notes.mp4").write_text("no video")
    assert predict(clip.parent, tmp_path, "overlay=false") == 1
    printed = capsys.readouterr().out
    assert "failed: notes:" in printed
    assert "1 predicted, 0 kept, 1 failed" in printed
    assert not (tmp_path / "out" / "p01_gm_L" / "overlay.mp4").exists()


@pytest.mark.parametrize(
    ("override", "word"),
    [
        ("device=cuda", "detector=network"),
        ("precision=bf16", "detector=network"),
        ("model=x.safetensors", "detector=network"),
        ("device=gpu", "auto, cpu or cuda"),
        ("chunk_frames=0", "chunk_frames"),
        ("overlay=maybe", "overlay"),
        ("precision=fp64", "precision"),
        ("+detector.nonsense=1", "nonsense"),
        ("detector.lag=0", "lag"),
        ("detector._target_=fascnet.nothing.Here", "cannot be built"),
        ("overlya=false", "overlay"),
        ("reject=true", "reject=null"),
        ("reject.probe_mm_per_s=0", "probe_mm_per_s"),
        ("name_periodic.tremor_hz=[9,4]", "tremor_hz"),
        ("+reject.nonsense=1", "nonsense"),
        ("detector=magic", "detector"),
    ],
)
def test_wrong_settings_are_one_line_and_write_nothing(clip, tmp_path, capsys, override, word):
    assert predict(clip, tmp_path, override) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert word in lines[0]
    assert not (tmp_path / "out").exists()


def test_empty_folder_and_missing_input(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert predict(tmp_path / "empty", tmp_path) == 2
    assert predict(tmp_path / "nowhere.mp4", tmp_path) == 2
    assert run(["predict", f"output={tmp_path / 'out'}"]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 3
    assert "empty" in lines[0] and "nowhere.mp4" in lines[1] and "input" in lines[2]
    assert not (tmp_path / "out").exists()


def test_a_list_of_inputs(clip, tmp_path):
    assert (
        run(
            [
                "predict",
                f"input=[{clip}]",
                f"output={tmp_path / 'out'}",
                "detector=farneback",
                "overlay=false",
            ]
        )
        == 0
    )


def test_network_settings_reach_the_loader(clip, tmp_path, monkeypatch):
    network = pytest.importorskip("fascnet.inference.network")
    signature = inspect.signature(network.load_network_predictor)
    seen = {}

    def load(model, device, chunk_frames, precision, compile):
        seen.update(
            model=model, device=device, chunk_frames=chunk_frames, precision=precision, compile=compile
        )
        return FarnebackPredictor()

    assert set(signature.parameters) == {"model", "device", "chunk_frames", "precision", "compile"}
    monkeypatch.setattr(network, "load_network_predictor", load)
    output = tmp_path / "out"
    overrides = ["model=m.safetensors", "device=cpu", "chunk_frames=3", "precision=bf16", "compile=true"]
    assert run(["predict", f"input={clip}", f"output={output}", "overlay=false", *overrides]) == 0
    assert seen == {
        "model": "m.safetensors",
        "device": "cpu",
        "chunk_frames": 3,
        "precision": "bf16",
        "compile": True,
    }


def test_errors_of_the_loader_stay_one_line(clip, tmp_path, monkeypatch, capsys):
    network = pytest.importorskip("fascnet.inference.network")

    def refuse(model, device, chunk_frames, precision, compile):
        raise DeviceError("device=cuda: there is none")

    monkeypatch.setattr(network, "load_network_predictor", refuse)
    assert run(["predict", f"input={clip}", f"output={tmp_path / 'out'}", "device=cuda"]) == 2
    assert capsys.readouterr().err == "fascnet: device=cuda: there is none\n"


@pytest.mark.parametrize("detector", ["network", "farneback"])
def test_every_key_is_consumed(detector):
    config = compose_config("predict", ["input=a", "output=b", f"detector={detector}"])
    study_keys = set(inspect.signature(predict_study).parameters)
    network_keys = {"model", "device", "chunk_frames", "precision", "compile"}
    assert set(config) - network_keys - {"detector"} <= study_keys
    if detector == "network":
        assert set(config["detector"]) == network_keys | {"_target_"}
    else:
        assert set(config["detector"]) - {"_target_"} == set(inspect.signature(FarnebackPredictor).parameters)


def test_importing_the_verb_loads_nothing_heavy():
    heavy = "{'torch', 'cv2', 'matplotlib', 'rich'}"
    code = f"import fascnet.commands.predict, sys; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_imaging_area_may_be_given(clip, tmp_path, capsys):
    assert predict(clip, tmp_path, "box=[10,4,90,60]", "overlay=false") == 0
    with np.load(tmp_path / "out" / "p01_gm_L" / "heatmap.npz") as heatmap:
        assert heatmap["box"].tolist() == [10, 4, 90, 60]
    with (tmp_path / "out" / "scores.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["area_from"], row["area_confidence"], row["mm_per_px_from"]) == ("given", "1", "")
    assert predict(clip, tmp_path, "box=[10,4,90,60]", "overlay=false") == 0
    assert "0 predicted, 1 kept" in capsys.readouterr().out
    assert predict(clip, tmp_path, "box=[10,4,96,60]", "overlay=false") == 0
    assert "1 predicted, 0 kept" in capsys.readouterr().out
    assert predict(clip, tmp_path, "box=[10,4,97,60]", "overlay=false") == 1
    assert "does not lie in its image of 96x64" in capsys.readouterr().out


@pytest.mark.parametrize("box", ["[1,2,3]", "[9,2,3,40]", "[1,2,30.5,40]", "[-1,2,30,40]", "wide"])
def test_a_wrong_imaging_area_is_refused(clip, tmp_path, capsys, box):
    assert predict(clip, tmp_path, f"box={box}") == 2
    assert "must be [x0,y0,x1,y1] in whole pixels" in capsys.readouterr().err
