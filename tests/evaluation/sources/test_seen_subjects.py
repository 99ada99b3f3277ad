from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fascnet.data.clip_set.subject_hash import hash_input_subject, hash_subject
from fascnet.errors import SettingError
from fascnet.evaluation.sources.seen_subjects import check_same_model, check_seen, trace_thresholds
from fascnet.evaluation.sources.training_record import TrainingRecord

SALT = "d86a"


def hashes(*subjects):
    return frozenset(hash_subject(subject, SALT) for subject in subjects)


RECORD = TrainingRecord(
    origin=Path("out/run.json"),
    model="first",
    model_sha256="ab",
    salt=SALT,
    seen=hashes("s000", "s001", "s002"),
    tuned_on="validation clips",
    thresholds={"event_definition.onset_threshold": 0.8, "calibration.slope": 0.5},
)
NEW = {"a": "t000", "b": "t001"}
MIXED = {"a": "t000", "b": "s001", "c": "s001", "d": "s002"}


def test_new_subjects_pass():
    check = check_seen("model", RECORD, NEW)
    assert (check.status, check.seen_clips, check.warnings) == ("none_seen", (), ())
    assert check.known_subjects == 3 and check.evidence == "run.json"


def test_seen_subjects_are_refused_by_name_in_one_line():
    words = r"model: run\.json .* subjects 's001', 's002'.*allow_seen"
    with pytest.raises(SettingError, match=words) as caught:
        check_seen("model", RECORD, MIXED)
    assert "\n" not in str(caught.value)
    many = {f"c{i}": f"s{i}" for i in range(9)}
    with pytest.raises(SettingError, match=r"'s0', 's1', 's2' and 6 more"):
        check_seen("model", replace(RECORD, seen=hashes(*many.values())), many)


def test_the_override_needs_a_reason_and_is_recorded():
    check = check_seen("model", RECORD, MIXED, "phantom of another seed: same names, other subjects")
    assert check.status == "seen_but_allowed" and check.seen_clips == ("b", "c", "d")
    plain = check.to_json()
    assert plain["reason"].startswith("phantom of another seed") and plain["seen_clips"] == ["b", "c", "d"]
    assert "3 clips of 2 seen subjects" in check.warnings[0]
    assert "s001" not in str(plain), "metrics.json names no subject"
    for empty in ("", "  "):
        with pytest.raises(SettingError, match="reason in words"):
            check_seen("model", RECORD, NEW, empty)
    assert check_seen("model", RECORD, NEW, "just in case").reason == "", "nothing was overridden"


def test_the_message_says_which_role():
    roles = replace(RECORD, training=hashes("s000", "s001"), tuning=hashes("s002"))
    with pytest.raises(SettingError, match="was trained on"):
        check_seen("model", roles, MIXED)
    with pytest.raises(SettingError, match="chose its thresholds on subject 's002'"):
        check_seen("model", roles, {"d": "s002"})
    with pytest.raises(SettingError, match="in training or in choosing thresholds"):
        check_seen("model", RECORD, {"d": "s002"})
    check = check_seen("model", roles, MIXED, "a test")
    assert (check.trained_on, check.tuned_on) == (1, 1)


@pytest.mark.parametrize("record", [None, replace(RECORD, seen=frozenset())])
def test_no_evidence_is_said_and_is_not_a_pass(record):
    check = check_seen("tool", record, NEW)
    assert check.status == "not_checked" and check.reason and "not checked" in check.warnings[0]
    assert {t.verdict for t in trace_thresholds(record, check, {}, {})} <= {"not_known"}


def test_clips_of_nobody_are_not_a_pass():
    check = check_seen("model", RECORD, {"a": "a", "b": "b"})
    assert check.status == "not_checked" and check.unsure_clips == ("a", "b")
    part = check_seen("model", RECORD, {"a": "a", "b": "t001"})
    assert part.status == "none_seen" and "1 clips" in part.warnings[0]
    assert {t.verdict for t in trace_thresholds(RECORD, part, {}, {})} == {"not_known"}


def test_another_spelling_is_pointed_out():
    check = check_seen("model", RECORD, {"a": "S001", "b": "t0"})
    assert check.status == "none_seen" and "1 subjects differ" in check.warnings[0]


def test_a_subject_renamed_after_prediction_is_refused():
    inputs = {"a": hash_input_subject("s001", "xy"), "b": hash_input_subject("t001", "xy")}
    record = replace(RECORD, input_salt="xy", inputs=inputs)
    with pytest.raises(SettingError, match="clip 'a' was predicted as another subject than 't000'"):
        check_seen("model", record, NEW)
    bare = {"a": hash_input_subject("a", "xy"), "b": hash_input_subject("", "xy")}
    check = check_seen("model", replace(record, inputs=bare), NEW)
    assert check.status == "none_seen", "predicted without manifest"


def test_every_threshold_has_an_origin():
    defaults = {"clip_threshold": 0.5, "pixel_threshold": 0.5}
    given = defaults | {"clip_threshold": 0.37}

    def trace(record, subject_of, allow=None):
        check = check_seen("model", record, subject_of, allow)
        return {t.name: (t.origin, t.verdict) for t in trace_thresholds(record, check, given, defaults)}

    passed = trace(RECORD, NEW)
    assert passed["event_definition.onset_threshold"] == ("model", "other_subjects")
    assert passed["clip_threshold"] == ("by_hand", "not_known") and passed["pixel_threshold"][0] == "default"
    assert trace(RECORD, MIXED, "a test")["calibration.slope"] == ("model", "test_subjects")
    only_trained = replace(RECORD, training=RECORD.seen, tuning=hashes("v000"))
    assert trace(only_trained, MIXED, "a test")["calibration.slope"] == ("model", "other_subjects")


def test_predictions_are_held_to_their_model_file():
    check_same_model(RECORD, replace(RECORD, origin=Path("model.safetensors")))
    changed = {**RECORD.thresholds, "event_definition.onset_threshold": 0.6}
    for run, words in (
        (replace(RECORD, model_sha256="cd"), "another model file"),
        (replace(RECORD, thresholds=changed), r"event_definition\.onset_threshold is not the model file's"),
        (replace(RECORD, seen=hashes("s000")), "lists other subjects"),
    ):
        with pytest.raises(SettingError, match=words):
            check_same_model(run, RECORD)
