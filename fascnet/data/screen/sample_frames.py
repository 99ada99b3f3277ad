"""Takes a few frames, spread over a recording's start, without holding more than a few at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fascnet.errors import RecordingError
from fascnet.types import Recording

MOST_FRAMES = 16
"""Frames kept; finding tissue hardly gets better with more (choice of this project)."""

LOOKED_FRAMES = 48
"""Frames decoded at most: 1-2 s of a clip hold enough movement to tell tissue from furniture, and every
recording that is opened is looked at so."""


def sample_frames(
    recording: Recording, most: int = MOST_FRAMES, looked: int = LOOKED_FRAMES
) -> NDArray[np.uint8]:
    """Return up to `most` evenly spaced frames of the first `looked` frames of a recording.

    The recording's length need not be known: whenever too many are kept, every second one is dropped and the
    step doubles.

    Args:
        recording: where to look.
        most: frames kept, >= 2.
        looked: frames decoded, >= 1.

    Returns:
        uint8 (N, H, W), 1 <= N <= most, in order of time.

    Raises:
        RecordingError: not even the first frame can be decoded.
    """
    kept: list[NDArray[np.uint8]] = []
    step = 1
    try:
        for frame in recording.frames():
            if frame.index >= looked:
                break
            if frame.index % step:
                continue
            if len(kept) == most:
                kept, step = kept[::2], 2 * step
                if frame.index % step:
                    continue
            kept.append(frame.image)
    except RecordingError:
        # A clip that breaks later is still looked at as far as it is sound.
        if not kept:
            raise
    if not kept:
        raise RecordingError(f"{recording.path}: holds no frame; export or copy it again")
    return np.stack(kept)
