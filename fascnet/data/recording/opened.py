"""What every reader gives beyond the `Recording` protocol: the moment of each frame, and remarks."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fascnet.data.recording.limits import REMEDY
from fascnet.errors import RecordingError
from fascnet.types import PixelBox, Recording, RecordingInfo


class OpenedRecording(Recording, Protocol):
    """A recording as `open_recording` returns it."""

    @property
    def times_s(self) -> NDArray[np.float64]:
        """(T,) seconds of every frame that can be decoded, increasing, first 0.

        Videos are decoded once for it, without keeping pixels; the other kinds say it themselves.
        """

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks that a user should know and that do not stop reading; without any patient data."""

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that the recording is read from, for fingerprints: what decides its content."""


def make_info(
    *,
    height: int,
    width: int,
    n_frames: int | None,
    fps: float,
    duration_s: float | None,
    spacing: tuple[float, str] | None,
    box: PixelBox | None,
    pixel_aspect: float = 1.0,
) -> RecordingInfo:
    """Put together what a recording says about itself.

    Args:
        height: rows as stored.
        width: columns as stored.
        n_frames: announced frames, if known.
        fps: frames per second.
        duration_s: length where `n_frames` is unknown.
        spacing: mm per pixel downwards and where it came from, if known.
        box: imaging area; the whole image if None.
        pixel_aspect: width of a pixel over its height.
    """
    return RecordingInfo(
        height=height,
        width=width,
        n_frames=n_frames,
        fps=fps,
        duration_s=duration_s if n_frames is None else n_frames / fps,
        mm_per_px=None if spacing is None else spacing[0],
        box=(0, 0, width, height) if box is None else box,
        mm_per_px_from="" if spacing is None else spacing[1],
        pixel_aspect=pixel_aspect,
    )


def choose_spacing(
    given_mm_per_px: float | None, given_by: str, own_mm_per_px: float | None, own_from: str
) -> tuple[float, str] | None:
    """Return the spacing that counts and where it came from: what was given goes before the file's own."""
    if given_mm_per_px is not None:
        return given_mm_per_px, given_by
    return None if own_mm_per_px is None else (own_mm_per_px, own_from)


def check_file(path: Path) -> Path:
    """Return the path of a file that exists and is not empty.

    Raises:
        RecordingError: it is missing, a folder, unreadable or of zero length.
    """
    try:
        if path.is_dir():
            raise RecordingError(f"{path}: is a folder, not a recording; name a file in it")
        with path.open("rb") as file:
            if not file.read(1):
                raise RecordingError(f"{path}: is empty (0 bytes); {REMEDY}")
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    return path
