from __future__ import annotations

import json

import pytest

from fascnet.commands.main import run

from ..evaluation.study import write_label, write_predictions, write_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"), n_subjects=4)


def call(predictions, labels, output, *more):
    return run(
        [
            "benchmark",
            f"predictions={predictions}",
            f"labels={labels}",
            f"output={output}",
            "bootstrap.resamples=50",
            *more,
        ]
    )


def test_one_folder(study, tmp_path, capsys):
    predictions, labels = study
    assert call(predictions, labels, tmp_path, "reference=anna") == 0
    printed = capsys.readouterr().out
    assert "model" in printed and "bert" in printed and "report.html" in printed
    for name in ("metrics.json", "report.html", "tables/events.csv", "figures/froc.png"):
        assert (tmp_path / name).stat().st_size > 0
    assert json.loads((tmp_path / "metrics.json").read_text())["main_source"] == "model"


def test_named_folders_and_every_rule_reaches_the_output(study, tmp_path):
    predictions, labels = study
    names = f"{{net: {predictions}, other: {predictions}}}"
    settings = [
        "reference=bert",
        "matching.mode=tolerance",
        "matching.tolerance_s=0.1",
        "matching.max_distance_px=9",
    ]
    settings += [
        "clip_threshold=0.4",
        "pixel_threshold=0.3",
        "ignored_certainty=[possible]",
        "bootstrap.seed=3",
    ]
    assert call(names, labels, tmp_path, *settings) == 0
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    rules = metrics["rules"]
    assert list(metrics["sources"]) == ["net", "other", "anna"]
    assert rules["matching"]["tolerance_s"] == 0.1 and rules["matching"]["max_distance_px"] == 9
    assert (rules["clip_threshold"], rules["pixel_threshold"]) == (0.4, 0.3)
    assert rules["ignored_certainty"] == ["possible"]
    assert rules["intervals"]["resamples"] == 50 and rules["intervals"]["seed"] == 3


def test_missing_clips_end_in_one(tmp_path):
    for clip in "ab":
        write_label(tmp_path / "l", clip, "r", [])
    failed = {"clip_id": "b", "row": {"status": "failed", "reason": "broken", "score": ""}}
    predictions = write_predictions(tmp_path / "p", [{"clip_id": "a"}, failed])
    assert call(predictions, tmp_path / "l", tmp_path / "o") == 1
    assert (tmp_path / "o" / "report.html").exists()


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("predictions=nowhere", "scores.csv"),
        ("predictions=[a]", "predictions"),
        ("labels=nowhere", "nowhere"),
        ("reference=null", "anna, bert"),
        ("clip_threshold=2", "clip_threshold"),
        ("matching.mode=nearest", "nearest"),
        ("matching.tolerance_s=soon", "tolerance_s"),
        ("matching.max_distance_mm=5", "max_distance_px"),
        ("bootstrap.resamples=-1", "resamples"),
        ("ignored_certainty=possible", "ignored_certainty"),
        ("baselines=[magic]", "magic"),
        ("baselines=[farneback]", "input"),
        ("farneback_bar=true", "input"),
        ("treshold=1", "treshold"),
    ],
)
def test_wrong_settings_are_one_line(study, tmp_path, capsys, override, says):
    predictions, labels = study
    assert call(predictions, labels, tmp_path / "o", "reference=anna", override) == 2
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1 and says in errors
    assert not (tmp_path / "o" / "report.html").exists()
