"""How large, long and slow a recording may claim to be: checked before anything is allocated for it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fascnet.errors import RecordingError

REMEDY = "export or copy it again"

MAX_FRAME_PIXELS = 1 << 24
"""4096 x 4096, twice a 4K screen. A larger picture is a damaged header (choice of this project)."""

MAX_ASPECT = 10.0
"""Pixels so many times as wide as high, or as high as wide, are a damaged header (choice of this project)."""

MAX_ASPECT_ERROR = 0.01
"""Pixels that differ by less from squares are called square (choice of this project)."""

MAX_FRAMES = 1 << 22
"""39 hours at 30 frames/s (choice of this project)."""

MIN_FPS, MAX_FPS = 1.0, 50_000.0
"""Slower are stills in a row, faster than any ultrafast scanner: damage (choice of this project)."""

MAX_GAP_S = 60.0
"""Two frames further apart belong to two recordings, or a time is damaged (choice of this project)."""


def check_size(name: str, height: int, width: int) -> None:
    """Refuse a frame without pixels or with more than `MAX_FRAME_PIXELS`.

    Raises:
        RecordingError: the size cannot be true.
    """
    if height < 1 or width < 1:
        raise RecordingError(f"{name}: its image has no pixels; {REMEDY}")
    if height * width > MAX_FRAME_PIXELS:
        raise RecordingError(
            f"{name}: claims frames of {width}x{height} pixels, more than any scanner's; {REMEDY}"
        )


def describe_aspect(aspect: float) -> list[str]:
    """Say that pixels are not square; nothing where they are.

    Args:
        aspect: width of a pixel over its height.
    """
    if abs(aspect - 1.0) <= MAX_ASPECT_ERROR:
        return []
    return [
        f"its pixels are {aspect:.3f} times as wide as high: frames stay so, mm_per_px counts downwards, and "
        "the detectors see them square"
    ]


def check_rate(name: str, fps: float, *, given: bool) -> float:
    """Return a frame rate that a recording can have.

    Args:
        name: what to call the recording in messages.
        fps: frames per second.
        given: whether a user gave it, so that it can be corrected where it was given.

    Raises:
        RecordingError: not finite, or outside `MIN_FPS` to `MAX_FPS`.
    """
    if math.isfinite(fps) and MIN_FPS <= fps <= MAX_FPS:
        return fps
    remedy = "correct it" if given else "give the true one in the fps column of a manifest.csv"
    raise RecordingError(f"{name}: {fps:g} frames/s is no rate of an ultrasound clip; {remedy}")


def check_count(name: str, n_frames: int, n_bytes: int, bytes_per_frame: int = 1) -> None:
    """Refuse a number of frames that the bytes of a file cannot hold.

    Args:
        name: what to call the recording in messages.
        n_frames: the claim.
        n_bytes: bytes that are there.
        bytes_per_frame: least bytes of one frame.

    Raises:
        RecordingError: the claim is too large.
    """
    if n_frames > MAX_FRAMES or n_frames * bytes_per_frame > n_bytes:
        raise RecordingError(f"{name}: claims {n_frames} frames, but is too small for them; {REMEDY}")


def check_times(name: str, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return times from the first frame on, after a look at them.

    Args:
        name: what to call the recording in messages.
        times_s: (T,) a moment for each frame, on any clock.

    Raises:
        RecordingError: not finite, not increasing, or further apart than `MAX_GAP_S`.
    """
    steps_s = np.diff(times_s)
    if not (np.all(np.isfinite(times_s)) and np.all(steps_s > 0)):
        raise RecordingError(f"{name}: the times of its frames do not increase; {REMEDY}")
    for index in np.flatnonzero(steps_s > MAX_GAP_S)[:1]:
        check_gap(name, int(index), float(steps_s[index]))
    return np.asarray(times_s - times_s[0], np.float64)


def check_gap(name: str, index: int, step_s: float) -> None:
    """Refuse a gap after frame `index` that no recording has.

    Raises:
        RecordingError: the gap is longer than `MAX_GAP_S`.
    """
    if not step_s <= MAX_GAP_S:
        raise RecordingError(
            f"{name}: jumps by {step_s:.0f} s after frame {index}; split the recording there, or {REMEDY}"
        )


def spread_times(n_frames: int, fps: float) -> NDArray[np.float64]:
    """Return (T,) seconds of frames at an even rate."""
    return np.arange(n_frames, dtype=np.float64) / fps


def measure_rate(times_s: NDArray[np.float64]) -> float:
    """Return the mean rate, frames/s, of two or more increasing times."""
    return (len(times_s) - 1) / float(times_s[-1] - times_s[0])
