"""Recordings of any readable kind: open one, find many, read one whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fascnet.data.recording.array_file import ArrayRecording
from fascnet.data.recording.dicom import DicomRecording
from fascnet.data.recording.dicom_header import is_dicom
from fascnet.data.recording.find_clips import find_clips
from fascnet.data.recording.meta_image import MetaImageRecording
from fascnet.data.recording.opened import OpenedRecording, check_file
from fascnet.data.recording.picture_folder import PICTURE_SUFFIXES, PictureFolder
from fascnet.data.recording.sidecar import find_sidecar, read_sidecar
from fascnet.data.recording.video import VideoRecording
from fascnet.data.screen.describe_screen import describe_screen
from fascnet.data.screen.tissue_only import TissueRecording
from fascnet.errors import RecordingError
from fascnet.types import Clip, ClipSource, PixelBox

__all__ = ["OpenedRecording", "find_clips", "list_files", "open_clip", "open_recording", "read_clip"]

_BY_SUFFIX: dict[str, Callable[..., OpenedRecording]] = {
    ".dcm": DicomRecording,
    ".mha": MetaImageRecording,
    ".mhd": MetaImageRecording,
    ".npz": ArrayRecording,
}


def open_recording(
    path: Path,
    *,
    fps: float | None = None,
    mm_per_px: float | None = None,
    box: PixelBox | None = None,
    find_area: bool = True,
) -> OpenedRecording:
    """Open a recording of any kind and look at its screen; nothing but a few frames is decoded.

    Its frames show the tissue only: what lies outside the outline of the imaging area is black, and text
    found on the tissue is filled in. A rate, scale or box that is given goes before one in the sidecar
    (`clip.mp4.recording.json`, or `recording.json` in a folder of pictures), and that before the file's own;
    a scale that nobody gives is read off the depth ruler, if that is sure.

    Args:
        path: a video, DICOM cine, MetaImage or .npz, or a folder of pictures.
        fps: frame rate that replaces the file's.
        mm_per_px: pixel spacing that replaces the file's.
        box: imaging area that replaces the header's and the one that would be found.
        find_area: False gives the recording as stored, screen and all, and decodes nothing: for those who ask
            for times and rates, and hand no picture on.

    Raises:
        RecordingError: missing, unreadable or not a clip, or a box outside its image; one line that says
            what to do.
    """
    reader = _choose_reader(path)
    sidecar = read_sidecar(path)
    settings: dict[str, Any] = {
        "fps": sidecar.fps if fps is None else fps,
        "mm_per_px": sidecar.mm_per_px if mm_per_px is None else mm_per_px,
        "given_by": "sidecar" if mm_per_px is None else "manifest",
    }
    recording = reader(path, **settings)
    area, area_from = (sidecar.box, "sidecar") if box is None else (box, "given")
    if area is not None:
        x0, y0, x1, y1 = area
        width, height = recording.info.width, recording.info.height
        if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
            where = f"{path}: the box" if box is not None else f"{sidecar.path}: box"
            raise RecordingError(
                f"{where} {list(area)} does not lie in its image of {width}x{height}; correct it"
            )
    if not find_area:
        return recording if area is None else reader(path, **settings, box=area)
    return TissueRecording(recording, describe_screen(recording, given_box=area), area_from)


def open_clip(clip: ClipSource) -> OpenedRecording:
    """Open the recording of a clip with everything that is given with it; otherwise as `open_recording`."""
    return open_recording(clip.path, fps=clip.fps, mm_per_px=clip.mm_per_px, box=clip.box)


def list_files(path: Path) -> tuple[Path, ...]:
    """Return every file that decides what `open_recording(path)` shows, for fingerprints and caches.

    A recording that cannot be opened stands for itself.
    """
    try:
        # The rate does not matter here, but some kinds cannot be opened without one.
        files = _choose_reader(path)(path, fps=25.0).files
    except RecordingError:
        files = (path,)
    sidecar = find_sidecar(path)
    return (*files, sidecar) if sidecar.is_file() else files


def read_clip(source: ClipSource) -> Clip:
    """Decode a whole clip into memory (height x width bytes a frame), the tissue only.

    Raises:
        RecordingError: it cannot be opened or fully decoded.
    """
    recording = open_clip(source)
    images: list[NDArray[np.uint8]] = []
    times_s: list[float] = []
    for frame in recording.frames():
        images.append(frame.image)
        times_s.append(frame.time_s)
    return Clip(
        clip_id=source.clip_id,
        frames=np.stack(images),
        times_s=np.asarray(times_s, np.float64),
        mm_per_px=recording.info.mm_per_px,
        subject_id=source.subject_id,
        muscle=source.muscle,
        side=source.side,
    )


def _choose_reader(path: Path) -> Callable[..., OpenedRecording]:
    try:
        is_folder = path.is_dir()
    except OSError as error:
        raise RecordingError(f"{path}: cannot be reached ({error.strerror}); check the path") from error
    if is_folder:
        return PictureFolder
    check_file(path)
    suffix = path.suffix.lower()
    if suffix in PICTURE_SUFFIXES:
        raise RecordingError(f"{path}: is a still image, not a clip; name the folder that holds all frames")
    return DicomRecording if is_dicom(path) else _BY_SUFFIX.get(suffix, VideoRecording)
