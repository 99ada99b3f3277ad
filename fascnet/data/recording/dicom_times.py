"""The moment of each frame of a DICOM cine, by its header; never guessed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE_TOLERANCE = 0.02
"""Two statements of the rate that differ by more than this share contradict each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Timing:
    """How a header says the frames follow each other.

    Attributes:
        offsets_s: (T,) seconds from the first frame.
        source: the element that says it, such as `FrameTime`.
        remark: what is doubtful about it, or empty.
    """

    offsets_s: NDArray[np.float64]
    source: str
    remark: str = ""


def read_timing(header: Any, n_frames: int) -> Timing | None:
    """Return the timing of `n_frames` frames, or None where the header says nothing of it.

    FrameTimeVector (ms since the frame before) goes first, then FrameTime (ms), CineRate and
    RecommendedDisplayFrameRate (frames/s), all of DICOM PS3.3 C.7.6.5, then ActualFrameDuration (ms).

    Raises:
        ValueError, TypeError: elements that hold no numbers.
    """
    offsets_s = _read_vector(header, n_frames)
    if offsets_s is not None:
        return Timing(offsets_s, "FrameTimeVector")
    steps_s = _list_steps(header)
    for name, step_s in steps_s.items():
        remark = ""
        other = next((s for o, s in steps_s.items() if o != name), step_s)
        if abs(other - step_s) > RATE_TOLERANCE * step_s:
            second = next(o for o in steps_s if o != name)
            remark = f"{name} says {1 / step_s:.2f} frames/s, but {second} {1 / other:.2f}; {name} is used"
        elif name == "RecommendedDisplayFrameRate":
            remark = "its only frame rate is a recommended display rate; check it against the scanner's"
        elif name == "ActualFrameDuration":
            remark = "its only frame rate is the time taken by one frame; check it against the scanner's"
        return Timing(np.arange(n_frames, dtype=np.float64) * step_s, name, remark)
    return None


def _list_steps(header: Any) -> dict[str, float]:
    """Return seconds from frame to frame by each element that states them, the most trusted first."""
    steps: dict[str, float] = {}
    for name, is_rate in (
        ("FrameTime", False),
        ("CineRate", True),
        ("RecommendedDisplayFrameRate", True),
        ("ActualFrameDuration", False),
    ):
        number = _read_positive(header, name)
        if number is not None:
            steps[name] = 1.0 / number if is_rate else number / 1000.0
    return steps


def _read_vector(header: Any, n_frames: int) -> NDArray[np.float64] | None:
    """FrameTimeVector: its first element belongs to the first frame and is 0 by the standard."""
    vector = header.get("FrameTimeVector")
    if vector is None or isinstance(vector, str) or not hasattr(vector, "__len__"):
        return None
    steps_s = np.asarray([float(step) for step in vector], np.float64) / 1000.0
    if len(steps_s) == n_frames - 1:
        # Some writers leave the first frame's out.
        steps_s = np.concatenate([[0.0], steps_s])
    if len(steps_s) != n_frames or not np.all(np.isfinite(steps_s)) or not np.all(steps_s[1:] > 0):
        return None
    return np.asarray(np.cumsum(np.concatenate([[0.0], steps_s[1:]])), np.float64)


def _read_positive(header: Any, name: str) -> float | None:
    value = header.get(name)
    if value is None or value == "":
        return None
    number = float(value)
    return number if math.isfinite(number) and number > 0 else None
