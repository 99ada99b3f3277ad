"""What a user wrote beside a recording: frame rate, scale and imaging area, in a small JSON file."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from fascnet.errors import RecordingError
from fascnet.types import PixelBox

SIDECAR = "recording.json"
"""Inside a folder of pictures; beside the file `clip.mp4` it is called `clip.mp4.recording.json`."""

_NUMBERS = ("fps", "mm_per_px")

_BOX = "box"

_MAX_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Sidecar:
    """Contents of a sidecar.

    Attributes:
        path: the file; None when there is none.
        fps: frames per second, if given.
        mm_per_px: pixel spacing, if given.
        box: imaging area (x0, y0, x1, y1) in pixels, if given.
    """

    path: Path | None = None
    fps: float | None = None
    mm_per_px: float | None = None
    box: PixelBox | None = None


def find_sidecar(recording: Path) -> Path:
    """Return where a recording's sidecar stands, whether it exists or not."""
    if recording.is_dir():
        return recording / SIDECAR
    return recording.with_name(f"{recording.name}.{SIDECAR}")


def read_sidecar(recording: Path) -> Sidecar:
    """Read a recording's sidecar: `{"fps": 25, "mm_per_px": 0.08, "box": [x0, y0, x1, y1]}`, each optional.

    Raises:
        RecordingError: it is unreadable, not JSON, or holds another key, no number above 0, or no box.
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
        if key not in (*_NUMBERS, _BOX):
            raise RecordingError(
                f"{path}: there is no key '{key[:40]}'; it knows {', '.join(_NUMBERS)} and {_BOX}"
            )
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if key in _NUMBERS and not (is_number and 0 < value < math.inf):
            raise RecordingError(f"{path}: {key} must be a number above 0; write {example}")
    fps, mm_per_px = (None if key not in facts else float(facts[key]) for key in _NUMBERS)
    return Sidecar(path, fps, mm_per_px, _read_box(facts[_BOX], path) if _BOX in facts else None)


def _read_box(value: object, path: Path) -> PixelBox:
    whole = isinstance(value, list) and all(isinstance(e, int) and not isinstance(e, bool) for e in value)
    if isinstance(value, list) and whole and len(value) == 4:
        x0, y0, x1, y1 = value
        if 0 <= x0 < x1 and 0 <= y0 < y1:
            return x0, y0, x1, y1
    raise RecordingError(f"{path}: box must be [x0, y0, x1, y1] in whole pixels, x1 > x0 and y1 > y0")
