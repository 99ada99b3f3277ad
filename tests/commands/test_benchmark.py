from __future__ import annotations

import json
import shutil

import pytest

from fascnet.commands.main import run
from fascnet.data.clip_set.subject_hash import hash_subject

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


def test_missing_clips_are_refused_or_end_in_one(tmp_path, capsys):
    for clip in "ab":
        write_label(tmp_path / "l", clip, "r", [])
    failed = {"clip_id": "b", "row": {"status": "failed", "reason": "broken", "score": ""}}
    predictions = write_predictions(tmp_path / "p", [{"clip_id": "a"}, failed])
    assert call(predictions, tmp_path / "l", tmp_path / "o") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "'b'" in error and "missing=leave_out" in error
    assert not (tmp_path / "o" / "report.html").exists()
    for rule in ("leave_out", "against"):
        assert call(predictions, tmp_path / "l", tmp_path / rule, f"missing={rule}") == 1
        assert (tmp_path / rule / "report.html").exists()


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("predictions=nowhere", "nowhere is neither"),
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
        ("missing=absent", "missing"),
        ("allow_seen=' '", "allow_seen"),
        ("model=nowhere.safetensors", "nowhere.safetensors"),
        ("consensus.method=loudest", "loudest"),
        ("consensus.min_raters=0", "min_raters"),
        ("matching.simultaneous=thrice", "thrice"),
        ("matching={mode: iou, min_iou: 2}", "min_iou"),
        ("reported_rules=[nearest]", "nearest"),
        ("reported_rules=[1_frame,1_frame]", "twice"),
        ("presence.min_events=0", "min_events"),
        ("presence.window_s=-1", "window_s"),
        ("grades.grade_0_3=[5,1]", "grade_0_3"),
        ("margin.value=0", "margin"),
        ("margin={figure: beauty, value: 1}", "beauty"),
        ("subgroups=[scanner]", "scanner"),
        ("subgroup_cuts={noise: [1]}", "noise"),
        ("clip_tables=[nowhere.csv]", "nowhere.csv"),
        ("worst_clips=-1", "worst_clips"),
        ("bootstrap.seed=-1", "seed"),
    ],
)
def test_wrong_settings_are_one_line(study, tmp_path, capsys, override, says):
    predictions, labels = study
    assert call(predictions, labels, tmp_path / "o", "reference=anna", override) == 2
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1 and says in errors
    assert not (tmp_path / "o" / "report.html").exists()


def test_a_consensus_a_margin_and_tables(tmp_path):
    predictions, labels = write_study(tmp_path, n_subjects=6)
    for path in sorted(labels.glob("*.bert.json")):
        content = json.loads(path.read_text()) | {"rater": "carl"}
        path.with_name(path.name.replace("bert", "carl")).write_text(json.dumps(content))
    clips = sorted({path.name.partition(".")[0] for path in labels.iterdir()})
    table = tmp_path / "clips.csv"
    rows = [f"{clip},{'old' if k % 3 else 'new'},{k}" for k, clip in enumerate(clips)]
    table.write_text("\n".join(["clip_id,scanner,noise_db", *rows]) + "\n")
    settings = ["reference=consensus", "consensus.method=union", "margin.value=0.3", f"clip_tables=[{table}]"]
    settings += ["subgroups=[scanner,noise_db]", "subgroup_cuts={noise_db: [4]}", "worst_clips=2"]
    assert call(predictions, labels, tmp_path / "o", *settings) == 0
    metrics = json.loads((tmp_path / "o" / "metrics.json").read_text())
    assert metrics["reference"]["rater"] == "consensus"
    assert set(metrics["interchangeability"]["by_rater"]) == {"anna", "bert", "carl"}
    assert set(metrics["subgroups"]["scanner"]) == {"old", "new"}
    assert set(metrics["subgroups"]["noise_db"]) == {"below 4", "4 and more"}
    assert len(metrics["worst_clips"]) == 2
    assert set(metrics["comparisons"]) == {"anna", "bert", "carl"}
    assert metrics["comparisons"]["anna"]["non_inferiority"]["margin"] == 0.3
    assert set(metrics["group_agreement"]) == {"seconds", "clips"}
    assert set(metrics["rater_quality"]) == {"anna", "bert", "carl"}
    assert 0 < metrics["rater_quality"]["bert"]["sensitivity"]["value"] <= 1
    assert "nobody taken as true" in (tmp_path / "o" / "report.html").read_text()
    assert "bert, by STAPLE" in (tmp_path / "o" / "tables" / "agreement.csv").read_text()
    assert any("flattered" in warning for warning in metrics["warnings"])


def test_subjects_that_the_model_knows_are_refused(tmp_path, capsys):
    predictions, labels = write_study(tmp_path, n_subjects=3)
    seen = sorted(hash_subject(name, "salt") for name in ("s1", "somebody"))
    run_file = {"predictor": {"name": "net", "salt": "salt", "subjects_sha256": seen}}
    (predictions / "run.json").write_text(json.dumps(run_file))
    assert call(predictions, labels, tmp_path / "o", "reference=anna") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "'s1'" in error and "allow_seen" in error
    assert call(predictions, labels, tmp_path / "o", "reference=anna", "allow_seen=a drill") == 0
    metrics = json.loads((tmp_path / "o" / "metrics.json").read_text())
    assert metrics["seen_subjects"]["model"]["status"] == "seen_but_allowed"
    page = (tmp_path / "o" / "report.html").read_text()
    assert "2 clips of 1 seen subjects were scored: a drill" in page


def test_tables_of_other_tools_on_both_sides(tmp_path):
    tool, raters = tmp_path / "tool", tmp_path / "raters"
    tool.mkdir()
    raters.mkdir()
    (tool / "events.csv").write_text("clip_id,onset_s,offset_s\na,1.0,1.4\nb,3.0,3.3\n")
    (raters / "events.csv").write_text("clip_id,onset_s,offset_s,rater\na,1.1,1.5,anna\n")
    (raters / "scores.csv").write_text("clip_id,duration_s,rater\na,10,anna\nb,10,anna\n")
    assert call(tool, raters, tmp_path / "o") == 0
    metrics = json.loads((tmp_path / "o" / "metrics.json").read_text())
    assert metrics["events"]["precision"]["value"] == 0.5 and metrics["events"]["recall"]["value"] == 1
    assert metrics["seen_subjects"]["model"]["status"] == "not_checked"


def test_an_events_file_is_judged_as_its_folder_and_the_note_is_shown(study, tmp_path, capsys):
    predictions, labels = study
    for name, path in (("folder", predictions), ("file", predictions / "events.csv")):
        assert call(path, labels, tmp_path / name, "reference=anna", "bootstrap.resamples=0") == 0
    folder, file = (json.loads((tmp_path / n / "metrics.json").read_text()) for n in ("folder", "file"))
    (note,) = set(file.pop("warnings")) - set(folder.pop("warnings"))
    assert "scores.csv beside events.csv was read too" in note and file == folder
    # Where nobody labelled events there is no report to hold it.
    (tmp_path / "l").mkdir()
    (tmp_path / "l" / "clip_labels.csv").write_text("clip_id,rater,count\ns00_0,carl,3\n")
    assert call(predictions / "events.csv", tmp_path / "l", tmp_path / "o") == 0
    assert f"note: {note}" in capsys.readouterr().out


def test_input_and_clip_tables_name_the_subjects_that_no_source_names(tmp_path):
    clips = ("a", "b", "c", "d")
    (tmp_path / "events.csv").write_text(
        "\n".join(["clip_id,onset_s,offset_s", *(f"{clip},1.0,1.4" for clip in clips)]) + "\n"
    )
    for clip in clips:
        write_label(tmp_path / "l", clip, "anna", [(1.1, 1.5, 60, 60)])
    rows = [f"{clip}.mp4,{clip},s{k // 2},biceps,{k // 2}" for k, clip in enumerate(clips)]
    table = "\n".join(["path,clip_id,subject_id,muscle,scanner", *rows]) + "\n"
    (tmp_path / "clips.csv").write_text(table)
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "manifest.csv").write_text(table)
    for clip in clips:
        (tmp_path / "study" / f"{clip}.mp4").touch()
    said = "nobody names the subject of 4 clips: each counts as its own; give input=MANIFEST"
    given = {
        "alone": [],
        "input": [f"input={tmp_path / 'study'}", "worst_clips=0"],
        "table": [f"clip_tables=[{tmp_path / 'clips.csv'}]", "subgroups=[scanner]"],
    }
    for name, settings in given.items():
        assert call(tmp_path / "events.csv", tmp_path / "l", tmp_path / name, *settings) == 0
        metrics = json.loads((tmp_path / name / "metrics.json").read_text())
        assert metrics["reference"]["subjects"] == (4 if name == "alone" else 2), name
        assert (said in metrics["warnings"]) == (name == "alone")
        if name == "input":
            assert set(metrics["subgroups"]["muscle"]) == {"biceps"}


def test_counts_and_presence_of_whole_clips_are_judged_too(study, tmp_path, capsys):
    predictions, labels = study
    mixed = tmp_path / "labels"
    shutil.copytree(labels, mixed)
    rows = "s00_0,carl,3,,\ns00_1,carl,0,,10\ns01_0,carl,,yes,\nother_split,carl,2,,\n"
    (mixed / "clip_labels.csv").write_text(
        "clip_id,rater,count,present,examined_s\n" + rows, encoding="utf-8"
    )
    assert call(predictions, mixed, tmp_path / "o", "reference=anna") == 0
    assert "model against carl on 3 whole clips" in capsys.readouterr().out
    metrics = json.loads((tmp_path / "o" / "metrics.json").read_text())
    assert set(metrics["clip_labels"]) == {"carl"}
    assert set(metrics["clip_labels"]["carl"]) == {"model", "anna", "bert"}
    assert metrics["clip_labels"]["carl"]["model"]["counts"]["bias"]["n"] == 2
    assert metrics["clip_labels"]["carl"]["anna"]["clips"]["auroc"]["value"] is None
    assert "Counts, presence and grades of whole clips" in (tmp_path / "o" / "report.html").read_text()
    table = (tmp_path / "o" / "tables" / "clip_labels.csv").read_text()
    assert table.startswith("rater,source,section,figure,value") and "carl,model,clips,kappa" in table


def test_raters_who_only_counted_are_enough(study, tmp_path, capsys):
    predictions, _ = study
    (tmp_path / "l").mkdir()
    table = tmp_path / "l" / "clip_labels.csv"
    table.write_text("clip_id,rater,count\ns00_0,carl,3\ns00_1,carl,1\ns01_0,carl,2\n", encoding="utf-8")
    assert call(predictions, tmp_path / "l", tmp_path / "o") == 0
    assert "model against carl on 3 whole clips" in capsys.readouterr().out
    metrics = json.loads((tmp_path / "o" / "metrics.json").read_text())
    assert metrics["clip_labels"]["carl"]["model"]["counts"]["icc"]["n"] == 3
    write_label(tmp_path / "l", "s00_0", "carl", [])
    assert call(predictions, tmp_path / "l", tmp_path / "q", "missing=leave_out") == 0
    assert "2 clips are only counted" in (tmp_path / "q" / "report.html").read_text()
    (tmp_path / "l" / "s00_0.carl.json").unlink()
    table.write_text("clip_id,rater,count\nelsewhere,carl,3\n", encoding="utf-8")
    assert call(predictions, tmp_path / "l", tmp_path / "p") == 2
    assert "use the same clip_id" in capsys.readouterr().err


def test_an_empty_folder_of_labels_is_named(study, tmp_path, capsys):
    (tmp_path / "l").mkdir()
    assert call(study[0], tmp_path / "l", tmp_path / "o") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and f"{tmp_path / 'l'}" in error and "clip_labels.csv" in error
