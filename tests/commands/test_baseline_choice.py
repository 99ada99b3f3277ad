from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from fascnet.commands.baseline_choice import build_baseline, list_baselines
from fascnet.commands.config import compose_config
from fascnet.commands.main import run
from fascnet.data.recording.video_writer import VideoWriter
from fascnet.errors import SettingError

from ..evaluation.study import write_label


def test_all_published_detectors_are_there():
    assert "network" not in list_baselines()
    names = ["farneback", "tongue", "kobe", "curl", "gmm", "klt", "bandpass", "difference"]
    assert {*names, *(f"{name}_tuned" for name in names), "never", "base_rate"} <= set(list_baselines())


@pytest.mark.parametrize("name", list_baselines())
def test_is_what_predict_runs(name):
    node = compose_config("predict", ["input=a", "output=b", f"detector={name}"])["detector"]
    detector = build_baseline(name)
    assert detector.settings() == {key: value for key, value in node.items() if key != "_target_"}


@pytest.mark.parametrize("name", [n for n in list_baselines() if f"{n}_tuned" in list_baselines()])
def test_the_defaults_are_those_of_the_published_configuration(name):
    published = build_baseline(name)
    assert published == type(published)()
    tuned = build_baseline(f"{name}_tuned")
    assert type(tuned) is type(published)
    assert dataclasses.fields(tuned) == dataclasses.fields(published)


def test_the_corrected_mixture_differs_in_its_three_defects():
    coded, corrected = build_baseline("gmm").settings(), build_baseline("gmm_corrected").settings()
    changed = {key for key in coded if coded[key] != corrected[key]}
    assert changed == {"pass_learning_rate", "bright_blobs", "burn_in_frames"}


def test_an_unknown_name_is_refused():
    with pytest.raises(SettingError, match="no baseline 'optical'; choose from bandpass"):
        build_baseline("optical")


@pytest.mark.slow
def test_all_stand_in_one_table(tmp_path, capsys):
    """Two clips of two subjects; in one of them a block jumps aside for some frames."""
    still = np.random.default_rng(0).integers(30, 220, (48, 64), dtype=np.uint8)
    for clip_id, jumps in (("s0", range(10, 14)), ("s1", ())):
        with VideoWriter(tmp_path / "clips" / f"{clip_id}.avi", 48, 64, 30.0, codec="ffv1") as writer:
            for k in range(20):
                image = still.copy()
                if k in jumps:
                    image[12:36, 16:48] = np.roll(still, 2, axis=1)[12:36, 16:48]
                writer.write(image)
        write_label(tmp_path / "labels", clip_id, "anna", [(0.3, 0.5, 32, 24)] if jumps else [])
    names = [name for name in list_baselines() if not name.endswith("_tuned")]
    folders = {key: tmp_path / key for key in ("clips", "labels", "judged", "first")}
    assert run(["predict", f"input={folders['clips']}", f"output={folders['first']}", "detector=never"]) == 0
    arguments = [
        f"predictions={folders['first']}",
        f"labels={folders['labels']}",
        f"input={folders['clips']}",
    ]
    arguments += [f"output={folders['judged']}", f"baselines=[{','.join(names)}]", "bootstrap.resamples=0"]
    assert run(["benchmark", *arguments, "worst_clips=0"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in names)
    for name in names:
        record = json.loads((folders["judged"] / "baselines" / name / "run.json").read_text(encoding="utf-8"))
        assert record["predictor"].items() >= build_baseline(name).settings().items()
        assert record["clips"]["ok"] == 2


@pytest.mark.parametrize(
    ("override", "said"),
    [("[farneback,optical]", "bandpass"), ("[klt,klt]", "names one twice"), ("klt", "list")],
)
def test_wrong_names_are_one_line(override, said, tmp_path, capsys):
    arguments = ["predictions=a", "labels=b", f"output={tmp_path / 'out'}", f"baselines={override}"]
    assert run(["benchmark", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line and not (tmp_path / "out").exists()
