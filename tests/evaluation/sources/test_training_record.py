from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from fascnet.data.clip_set.subject_hash import hash_input_subject, hash_subject
from fascnet.errors import ModelFileError, OutputError
from fascnet.evaluation.sources.training_record import (
    read_model_header,
    read_training_record,
)

SALT = "d86a"
HASHES = [hashlib.sha256(f"{SALT}:{name}".encode()).hexdigest() for name in ("s000", "s001")]
SPEC = {
    "format": "fascnet-model/1",
    "name": "first",
    "salt": SALT,
    "subjects_sha256": HASHES,
    "event_definition": {"onset_threshold": 0.8, "offset_threshold": 0.56},
    "calibration": {"slope": 0.5, "intercept": -2.65},
    "metrics": {"on": "validation clips, also used to choose thresholds and calibration"},
}


def write_model(path, spec):
    save_file({"w": np.zeros(3, np.float32)}, path, metadata={"fascnet": json.dumps(spec)})
    return path


def write_run(folder, predictor, **more):
    folder.mkdir(exist_ok=True)
    (folder / "run.json").write_text(json.dumps({"format": "fascnet-run/1", "predictor": predictor, **more}))
    return folder


def test_header_is_read_without_torch_as_safetensors_wrote_it(tmp_path):
    path = write_model(tmp_path / "model.safetensors", SPEC)
    record = read_model_header(path)
    assert record.seen == set(HASHES) and record.salt == SALT and record.model == "first"
    assert record.model_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert record.thresholds["event_definition.onset_threshold"] == 0.8
    assert record.thresholds["calibration.intercept"] == -2.65
    assert "thresholds" in record.tuned_on and record.training is None and record.tuning is None


def test_the_packaged_model_names_its_subjects():
    record = read_model_header(Path(str(files("fascnet") / "weights" / "model.safetensors")))
    # The card names its sets: phantoms of fifteen seeds, five persons' stills, three persons' recordings,
    # and what was implanted into four of these.
    seeds = [*range(501, 510), *range(511, 517)]
    simulated = [f"p{seed}s{number:03d}" for seed in seeds for number in range(230)]
    persons = ["b5e4ea0dd", "b86c7f76c", "b94b09bd0", "bbdb607d6", "beb120854", "flowaveB", "gmP6", "nsS2"]
    persons += ["b77d28c1f", "b8b12fb37"]
    known = {hash_subject(name, record.salt) for name in (*simulated, *persons)}
    assert record.seen and record.seen <= known
    assert {hash_subject(name, record.salt) for name in persons} <= record.seen
    assert record.training and record.tuning and not record.training & record.tuning


def test_roles_are_told_apart_where_they_are_written(tmp_path):
    spec = SPEC | {"training_subjects_sha256": HASHES[:1], "tuning_subjects_sha256": HASHES[1:]}
    record = read_model_header(write_model(tmp_path / "m.safetensors", spec))
    assert (record.training, record.tuning) == (frozenset(HASHES[:1]), frozenset(HASHES[1:]))
    del spec["subjects_sha256"]
    assert read_model_header(write_model(tmp_path / "m.safetensors", spec)).seen == set(HASHES)


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "other", "format", "huge", "hash"])
def test_a_damaged_model_file_is_one_line(tmp_path, damage):
    path = write_model(tmp_path / "m.safetensors", SPEC)
    whole = path.read_bytes()
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "text":
        path.write_bytes(b"this is no model file at all")
    elif damage == "cut":
        path.write_bytes(whole[:60])
    elif damage == "huge":
        path.write_bytes(b"\xff" * 8 + whole[8:])
    elif damage == "other":
        save_file({"w": np.zeros(3, np.float32)}, path)
    elif damage == "format":
        write_model(path, SPEC | {"format": "fascnet-model/2"})
    else:
        write_model(path, SPEC | {"subjects_sha256": ["s000"]})
    with pytest.raises(ModelFileError, match=r"m\.safetensors") as caught:
        read_model_header(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(ModelFileError, match="cannot be read"):
        read_model_header(tmp_path / "none.safetensors")


def test_run_json_is_enough(tmp_path):
    predictor = {key: value for key, value in SPEC.items() if key not in {"format", "metrics"}}
    inputs = {"a": {"subject_sha256": hash_input_subject("s000", "xy"), "bytes": 3}}
    record = read_training_record(
        write_run(tmp_path / "out", predictor | {"model_sha256": "ab"}, subject_salt="xy", inputs=inputs)
    )
    assert record.seen == set(HASHES) and record.model_sha256 == "ab" and record.origin.name == "run.json"
    assert record.inputs == {"a": hash_input_subject("s000", "xy")} and record.input_salt == "xy"


def test_no_word_about_subjects_is_none(tmp_path):
    assert read_training_record(tmp_path) is None
    assert read_training_record(write_run(tmp_path / "out", {"name": "farneback"})) is None
    (tmp_path / "events.csv").write_text("")
    assert read_training_record(tmp_path / "events.csv") is None


def test_another_tool_says_it_in_subjects_json_but_never_against_run_json(tmp_path):
    tree = {"format": "fascnet-subjects/1", "salt": SALT, "subjects_sha256": HASHES}
    tree["tuned_on"] = "ten of ours"
    (tmp_path / "subjects.json").write_text(json.dumps(tree))
    record = read_training_record(tmp_path)
    assert record.seen == set(HASHES) and record.tuned_on == "ten of ours"
    (tmp_path / "subjects.json").write_text(json.dumps(tree | {"subjects_sha256": []}))
    write_run(tmp_path, {"salt": SALT, "subjects_sha256": HASHES})
    assert read_training_record(tmp_path).seen == set(HASHES)


@pytest.mark.parametrize(
    "tree",
    [
        [],
        {"format": "other"},
        {"format": "fascnet-subjects/1", "subjects_sha256": "s000"},
        {"format": "fascnet-subjects/1", "subjects_sha256": ["s000"]},
        {"format": "fascnet-subjects/1", "subjects_sha256": HASHES, "salt": 3},
        {"format": "fascnet-subjects/1", "subjects_sha256": HASHES, "calibration": {"slope": "x"}},
        {"format": "fascnet-subjects/1", "subjects_sha256": HASHES, "calibration": [1]},
    ],
)
def test_a_damaged_record_is_one_line_and_never_read_as_none_seen(tmp_path, tree):
    (tmp_path / "subjects.json").write_text(json.dumps(tree))
    with pytest.raises(OutputError, match=r"subjects\.json") as caught:
        read_training_record(tmp_path)
    assert "\n" not in str(caught.value)
    (tmp_path / "subjects.json").write_text("{")
    with pytest.raises(OutputError, match="unreadable"):
        read_training_record(tmp_path)
