"""Which subjects a source has seen, as its files say: `run.json`, `subjects.json` or a model file's header.

The benchmark needs no model file: `predict` copies the hashes into `run.json`. Another tool may say the same
in `subjects.json`. Subjects stand there as salted hashes, so nobody can read the names of patients.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fascnet.errors import ModelFileError, OutputError
from fascnet.inference.run_record import RUN_FILE

SUBJECTS_FILE = "subjects.json"
"""What another tool may put beside `events.csv`: `format`, `salt`, `subjects_sha256`, `tuned_on`."""

SUBJECTS_FORMAT = "fascnet-subjects/1"
MODEL_FORMAT = "fascnet-model/1"
HEADER_KEY = "fascnet"

_MAX_HEADER_BYTES = 100_000_000
"""The safetensors format's own limit (safetensors README, "Format")."""

_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """What is known of how a source came about.

    Attributes:
        origin: the file that says it.
        model: name of the model or tool.
        model_sha256: hash of the model file, empty when unknown.
        salt: of the hashes.
        seen: hash of every subject in training or validation.
        training: those trained on; None when the file does not tell them apart.
        tuning: those that thresholds and calibration were chosen on; None when the file does not tell.
        tuned_on: the same in words, empty when nothing is said.
        thresholds: event definition and calibration, by `event_definition.onset_threshold` and so on.
        input_salt: of `inputs`.
        inputs: clip_id -> hash of the subject that it was predicted as (sha256 of `input_salt` + id).
    """

    origin: Path
    model: str
    model_sha256: str
    salt: str
    seen: frozenset[str]
    training: frozenset[str] | None = None
    tuning: frozenset[str] | None = None
    tuned_on: str = ""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    input_salt: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)


def read_training_record(folder: Path) -> TrainingRecord | None:
    """Read what stands beside a source's tables; None when nothing is said about subjects.

    A baseline's `run.json` lists no subjects: that is None, not "none seen".

    Raises:
        OutputError: the file is damaged.
    """
    # The run's own record first: a file put beside it must not hide what it says.
    for name in (RUN_FILE, SUBJECTS_FILE):
        path = folder / name
        try:
            tree = json.loads(path.read_text(encoding="utf-8-sig"))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError, RecursionError) as error:
            raise OutputError(f"{path}: unreadable ({error}); write it again or remove it") from error
        if not isinstance(tree, dict):
            raise OutputError(f"{path}: holds no JSON object; write it again or remove it")
        if name == SUBJECTS_FILE and tree.get("format") != SUBJECTS_FORMAT:
            raise OutputError(f"{path}: format is {tree.get('format')!r}, expected '{SUBJECTS_FORMAT}'")
        facts = tree if name == SUBJECTS_FILE else tree.get("predictor")
        if isinstance(facts, dict) and "subjects_sha256" in facts:
            return _parse(path, facts, tree)
    return None


def read_model_header(path: Path) -> TrainingRecord:
    """Read the same from a model file's header, with the standard library only; no weight is touched.

    The format: 8 bytes of length, little end first, then that many bytes of JSON whose `__metadata__` holds
    our specification (safetensors README, "Format").

    Raises:
        ModelFileError: it is missing, no safetensors file, or no model of fascnet.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = file.read(length) if 0 < length <= _MAX_HEADER_BYTES else b""
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    try:
        facts = json.loads(json.loads(header.decode())["__metadata__"][HEADER_KEY])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelFileError(f"{path}: not a model file of fascnet, or damaged; copy it again") from error
    if not isinstance(facts, dict) or facts.get("format") != MODEL_FORMAT:
        raise ModelFileError(f"{path}: its header is not of format '{MODEL_FORMAT}'; copy it again")
    metrics = facts.get("metrics")
    if "tuned_on" not in facts and isinstance(metrics, dict):
        facts["tuned_on"] = metrics.get("on", "")
    try:
        return _parse(path, {**facts, "model_sha256": digest}, {})
    except OutputError as error:
        raise ModelFileError(str(error)) from error


def _parse(path: Path, facts: Mapping[str, object], tree: Mapping[str, object]) -> TrainingRecord:
    training = _take_hashes(path, facts, "training_subjects_sha256")
    tuning = _take_hashes(path, facts, "tuning_subjects_sha256")
    seen = _take_hashes(path, facts, "subjects_sha256")
    everyone = frozenset().union(*(part for part in (seen, training, tuning) if part is not None))
    inputs = tree.get("inputs")
    recorded = {
        str(clip_id): str(entry["subject_sha256"])
        for clip_id, entry in (inputs if isinstance(inputs, dict) else {}).items()
        if isinstance(entry, dict) and "subject_sha256" in entry
    }
    return TrainingRecord(
        origin=path,
        model=_take_text(path, facts, "name"),
        model_sha256=_take_text(path, facts, "model_sha256"),
        salt=_take_text(path, facts, "salt"),
        seen=everyone,
        training=training,
        tuning=tuning,
        tuned_on=_take_text(path, facts, "tuned_on"),
        thresholds=_list_thresholds(path, facts),
        input_salt=_take_text(path, tree, "subject_salt"),
        inputs=recorded,
    )


def _take_hashes(path: Path, facts: Mapping[str, object], key: str) -> frozenset[str] | None:
    if key not in facts:
        return None
    values = facts[key]
    if not isinstance(values, list):
        raise OutputError(f"{path}: {key} is no list of hashes; write it again")
    for value in values:
        # A list of plain names would never match and read as "none seen".
        if not isinstance(value, str) or len(value) != 64 or not set(value) <= _HEX:
            raise OutputError(f"{path}: {key} holds something that is no sha256 of 'salt:subject'")
    return frozenset(values)


def _take_text(path: Path, facts: Mapping[str, object], key: str) -> str:
    value = facts.get(key, "")
    if not isinstance(value, str):
        raise OutputError(f"{path}: {key} is no text; write it again")
    return value


def _list_thresholds(path: Path, facts: Mapping[str, object]) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in ("event_definition", "calibration"):
        values = facts.get(part, {})
        if not isinstance(values, dict):
            raise OutputError(f"{path}: {part} is no JSON object; write it again")
        for key, value in values.items():
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                raise OutputError(f"{path}: {part}.{key} is no number; write it again")
            found[f"{part}.{key}"] = float(value)
    return found
