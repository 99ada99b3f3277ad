"""What a user wrote beside a recording: its frame rate and scale, in a small JSON file."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from fascnet.errors import RecordingError

SIDECAR = "recording.json"
"""Inside a folder of pictures; beside the file `clip.mp4` it is called `clip.mp4.recording.json`."""

_KEYS = ("fps", "mm_per_px")

_MAX_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Sidecar:
    """Contents of a sidecar.

    Attributes:
        path: the file; None when there is none.
        fps: frames per second, if given.
        mm_per_px: pixel spacing, if given.
    """

    path: Path | None = None
    fps: float | None = None
    mm_per_px: float | None = None


def find_sidecar(recording: Path) -> Path:
    """Return where a recording's sidecar stands, whether it exists or not."""
    if recording.is_dir():
        return recording / SIDECAR
    return recording.with_name(f"{recording.name}.{SIDECAR}")


def read_sidecar(recording: Path) -> Sidecar:
    """Read a recording's sidecar: `{"fps": 25, "mm_per_px": 0.08}`, each key optional.

    Raises:
        RecordingError: it is unreadable, not JSON, or holds another key or no number above 0.
    """
    path = find_sidecar(recording)
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return Sidecar()
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    example = '{"fps": 25, "mm_per_px": 0.08}'
    if len(data) > _MAX_BYTES:
        raise RecordingError(f"{path}: is too large for a sidecar; write {example}")
    try:
        facts = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"{path}: is not JSON; write {example}") from error
    if not isinstance(facts, dict):
        raise RecordingError(f"{path}: is no JSON object; write {example}")
    for key, value in facts.items():
        if key not in _KEYS:
            raise RecordingError(f"{path}: there is no key '{key[:40]}'; it knows {' and '.join(_KEYS)}")
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (is_number and 0 < value < math.inf):
            raise RecordingError(f"{path}: {key} must be a number above 0; write {example}")
    return Sidecar(path, *(None if key not in facts else float(facts[key]) for key in _KEYS))
