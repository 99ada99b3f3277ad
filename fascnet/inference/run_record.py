"""`run.json`: what made an output folder, exactly enough to make it again."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fascnet import __version__
from fascnet.data.clip_set.subject_hash import hash_input_subject
from fascnet.data.recording.fingerprint import take_fingerprint
from fascnet.data.recording.recordings import list_files
from fascnet.data.whole_file import write_whole
from fascnet.errors import OutputError
from fascnet.types import ClipSource, Prediction, Predictor

RUN_FILE = "run.json"
RUN_FORMAT = "fascnet-run/1"

_PACKAGES = ("torch", "numpy", "scipy", "opencv-python-headless", "av", "pydicom")

_HOW_NOT_WHAT = frozenset({"device", "chunk_frames", "compile"})
"""Parts of a predictor's description that change the speed and not the result."""


class StageClock:
    """Adds up the seconds spent in named stages."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time of a block."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - began)

    def add(self, name: str, seconds: float) -> None:
        """Count seconds that were measured elsewhere; negative ones correct a stage that contains another."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds


class RunRecord:
    """Collects the facts of a run and writes `run.json` whole.

    Subject ids appear as salted hashes only: sha256 of salt + id, so that a known id can be looked up and an
    unknown one is not printed. The salt is drawn once per output folder from the system's secure source: it
    must not be guessable from a seed.

    Args:
        output: the output folder.
        predictor: what finds the events.
        config: the resolved configuration, if a command gave one.
        earlier: the earlier record of the same folder, whose inputs and salt are kept.
        movement: what was done about movement that is no twitch, as `MovementRules` describes it.
    """

    def __init__(
        self,
        output: Path,
        predictor: Predictor,
        config: Mapping[str, Any] | None,
        earlier: Mapping[str, Any] | None = None,
        movement: Mapping[str, Any] | None = None,
    ) -> None:
        before: Mapping[str, Any] = {} if earlier is None else earlier
        self.clock = StageClock()
        self.n_frames = 0
        self._output = output
        self._began = time.time()
        self._inputs: dict[str, dict[str, Any]] = dict(before.get("inputs", {}))
        self._salt = str(before.get("subject_salt", secrets.token_hex(16)))
        self._facts: dict[str, Any] = {
            "format": RUN_FORMAT,
            "versions": _list_versions(),
            "predictor": describe_predictor(predictor),
            "movement": movement,
            "config": None if config is None else dict(config),
        }

    def put_input(self, source: ClipSource, prediction: Prediction) -> None:
        """Hash a recording and remember what was given with it and what its screen showed.

        Args:
            source: the recording.
            prediction: what became of it.

        Raises:
            OSError: the recording cannot be read.
        """
        fingerprint = take_fingerprint(source.path)
        self._inputs[source.clip_id] = {
            **_state_given(source),
            "bytes": fingerprint.n_bytes,
            "sha256": fingerprint.sha256,
            "subject_sha256": hash_input_subject(source.subject_id, self._salt),
            **_state_screen(prediction),
        }

    def drop_input(self, clip_id: str) -> None:
        """Forget a recording, if it is there."""
        self._inputs.pop(clip_id, None)

    def describes(self, source: ClipSource) -> bool:
        """Say whether a recording is still the one that was recorded, with the same facts given beside it."""
        entry = self._inputs.get(source.clip_id)
        if entry is None or any(entry.get(key) != value for key, value in _state_given(source).items()):
            return False
        try:
            # The size is looked at first: it costs nothing, a hash reads everything.
            if sum(file.stat().st_size for file in list_files(source.path)) != entry.get("bytes"):
                return False
            return take_fingerprint(source.path).sha256 == entry.get("sha256")
        except OSError:
            return False

    def frames_per_second(self) -> float:
        """Return frames over the time since the run began."""
        return self.n_frames / max(1e-9, time.time() - self._began)

    def save(self, *, finished: bool, counts: Mapping[str, int]) -> None:
        """Write `run.json`.

        Args:
            finished: the run came to its end.
            counts: clips by outcome.

        Raises:
            OutputError: it cannot be written.
        """
        elapsed = time.time() - self._began
        text = json.dumps(
            {
                **self._facts,
                "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._began)),
                "finished": finished,
                "clips": dict(counts),
                "seconds": {name: round(value, 4) for name, value in self.clock.seconds.items()},
                "elapsed_s": round(elapsed, 4),
                "frames": self.n_frames,
                "frames_per_second": round(self.frames_per_second(), 3),
                "subject_salt": self._salt,
                "inputs": self._inputs,
            },
            indent=1,
            default=str,
        )
        with write_whole(self._output / RUN_FILE) as beside:
            beside.write_text(text + "\n", encoding="utf-8")


def read_record(output: Path) -> dict[str, Any] | None:
    """Read a folder's `run.json`; None when there is none.

    Raises:
        OutputError: it is damaged or was not written by `predict`.
    """
    path = output / RUN_FILE
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise OutputError(f"{path}: unreadable ({error}); remove it or choose another output") from error
    if not isinstance(record, dict) or record.get("format") != RUN_FORMAT:
        raise OutputError(f"{path}: not a record of {RUN_FORMAT}; choose another output")
    return record


def describe_predictor(predictor: Predictor) -> dict[str, Any]:
    """Describe a predictor in plain JSON values."""
    facts = {
        **predictor.describe(),
        "name": predictor.name,
        "event_definition": asdict(predictor.event_definition),
        "calibration": asdict(predictor.calibration),
    }
    # Through JSON and back, so that it compares equal to what is read from a file.
    plain: dict[str, Any] = json.loads(json.dumps(facts, default=str))
    return plain


def gives_same_results(
    record: Mapping[str, Any], predictor: Predictor, movement: Mapping[str, Any] | None = None
) -> bool:
    """Say whether an earlier record was made by a predictor and rules that give the same results as these."""
    now = describe_predictor(predictor)
    before = record.get("predictor")
    if not isinstance(before, dict):
        return False
    # A record without a word about movement was made by a version that did nothing about it.
    rules = [
        {k: v for k, v in (each if each else {}).items() if v} for each in (record.get("movement"), movement)
    ]
    return rules[0] == rules[1] and _leave_out_how(before) == _leave_out_how(now)


def _leave_out_how(description: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in description.items() if key not in _HOW_NOT_WHAT}


def _state_given(source: ClipSource) -> dict[str, Any]:
    box = None if source.box is None else list(source.box)
    return {
        "source": str(source.path),
        "given_fps": source.fps,
        "given_mm_per_px": source.mm_per_px,
        "given_box": box,
    }


def _state_screen(prediction: Prediction) -> dict[str, Any]:
    p = prediction
    return {
        "box": None if p.box is None else list(p.box),
        "area_from": p.area_from,
        "area_confidence": None if p.area_confidence is None else round(p.area_confidence, 3),
        "mm_per_px": p.mm_per_px,
        "mm_per_px_from": p.mm_per_px_from,
        "scale_confidence": None if p.scale_confidence is None else round(p.scale_confidence, 3),
    }


def _list_versions() -> dict[str, str]:
    versions = {"fascnet": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return versions
