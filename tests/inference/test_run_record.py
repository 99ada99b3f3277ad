from __future__ import annotations

import hashlib
import json

import pytest

from fascnet.errors import OutputError
from fascnet.inference.run_record import (
    RunRecord,
    StageClock,
    describe_predictor,
    gives_same_results,
    read_record,
)
from fascnet.types import ClipSource, Prediction

from .fakes import BrightnessPredictor


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "clip.avi"
    path.write_bytes(b"frames")
    return ClipSource("clip", path, "Jane Doe")


def save(folder, source, earlier=None, **settings):
    record = RunRecord(folder, BrightnessPredictor(settings=settings), {"output": "x"}, earlier)
    seen = {
        "area_from": "found",
        "area_confidence": 0.91234,
        "box": (1, 2, 30, 40),
        "mm_per_px_from": "ruler",
    }
    record.put_input(source, Prediction("clip", "ok", mm_per_px=0.1, scale_confidence=0.7, **seen))
    record.n_frames = 10
    record.save(finished=True, counts={"ok": 1})
    return record


def test_says_what_was_run_without_naming_anyone(tmp_path, source):
    record = save(tmp_path, source)
    assert record.describes(source)
    text = (tmp_path / "run.json").read_text()
    assert "Jane" not in text
    found = json.loads(text)
    assert {"fascnet", "torch", "numpy", "av", "pydicom", "python"} <= set(found["versions"])
    assert found["inputs"]["clip"]["sha256"] == hashlib.sha256(b"frames").hexdigest()
    salted = f"{found['subject_salt']}Jane Doe".encode()
    assert found["inputs"]["clip"]["subject_sha256"] == hashlib.sha256(salted).hexdigest()
    assert found["frames"] == 10
    kept = ("box", "area_from", "area_confidence", "mm_per_px", "mm_per_px_from", "scale_confidence")
    assert [found["inputs"]["clip"][key] for key in kept] == [
        [1, 2, 30, 40], "found", 0.912, 0.1, "ruler", 0.7
    ]  # fmt: skip
    assert found["predictor"]["event_definition"]["onset_threshold"] == 0.5
    assert found["config"] == {"output": "x"}


def test_inputs_and_salt_survive_a_second_run(tmp_path, source):
    save(tmp_path, source)
    earlier = read_record(tmp_path)
    again = RunRecord(tmp_path, BrightnessPredictor(), None, earlier)
    assert again.describes(source)
    again.save(finished=False, counts={})
    now = read_record(tmp_path)
    assert (now["subject_salt"], now["inputs"]) == (earlier["subject_salt"], earlier["inputs"])


def test_a_changed_recording_is_another_one(tmp_path, source):
    record = save(tmp_path, source)
    assert not record.describes(ClipSource("clip", source.path, "Jane Doe", mm_per_px=0.1))
    assert not record.describes(ClipSource("clip", source.path, "Jane Doe", box=(0, 0, 10, 10)))
    source.path.write_bytes(b"FRAMES")
    assert not record.describes(source)
    source.path.unlink()
    assert not record.describes(source)


def test_device_and_chunks_do_not_make_another_predictor(tmp_path, source):
    save(tmp_path, source, weights="a", chunk_frames=8)
    earlier = read_record(tmp_path)
    same = BrightnessPredictor(settings={"weights": "a", "chunk_frames": 99, "device": "NVIDIA"})
    assert gives_same_results(earlier, same)
    assert not gives_same_results(earlier, BrightnessPredictor(settings={"weights": "b", "chunk_frames": 8}))
    assert not gives_same_results({}, same)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "other"}'])
def test_damaged_records_are_refused(tmp_path, text):
    assert read_record(tmp_path) is None
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(OutputError, match=r"run\.json"):
        read_record(tmp_path)


def test_clock_adds_up():
    clock = StageClock()
    clock.add("decode", 1.0)
    clock.add("decode", 0.5)
    with pytest.raises(ValueError, match="x"), clock.stage("write"):
        raise ValueError("x")
    assert clock.seconds["decode"] == 1.5
    assert clock.seconds["write"] >= 0


def test_other_rules_about_movement_give_other_results():
    rules = {"reject": {"probe_mm_per_s": 4.0}, "name_periodic": None}
    record = {"predictor": describe_predictor(BrightnessPredictor()), "movement": rules}
    assert gives_same_results(record, BrightnessPredictor(), dict(rules))
    assert not gives_same_results(record, BrightnessPredictor(), {**rules, "reject": {"probe_mm_per_s": 5.0}})
    assert not gives_same_results(record, BrightnessPredictor())
    # A record of an earlier version had no such rules.
    earlier = {"predictor": record["predictor"]}
    assert gives_same_results(earlier, BrightnessPredictor(), {"reject": None, "name_periodic": None})
    assert not gives_same_results(earlier, BrightnessPredictor(), rules)
