"""Recordings of any readable kind: open one, find many, read one whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fascnet.data.recording.dicom import DicomRecording
from fascnet.data.recording.find_clips import find_clips, is_dicom
from fascnet.data.recording.video import VideoRecording, check_file
from fascnet.data.screen.imaging_area import find_imaging_area
from fascnet.errors import RecordingError
from fascnet.types import Clip, ClipSource, PixelBox, Recording

__all__ = ["find_clips", "open_recording", "read_clip"]

_SAMPLED_FRAMES = 25
_SAMPLE_STEP = 6
"""Frames 0, 6, ... 24 show enough motion to tell tissue from furniture, and cost a fraction of a second."""

_META_IMAGE = "a MetaImage, which is not readable yet; convert it to AVI (codec ffv1) or DICOM"
_STILL = "a still image, not a clip; join the frames: ffmpeg -framerate FPS -i %03d{} -c:v ffv1 clip.avi"
_UNREADABLE = {".mha": _META_IMAGE, ".mhd": _META_IMAGE} | {
    suffix: _STILL.format(suffix) for suffix in (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
}


def open_recording(path: Path, *, fps: float | None = None, mm_per_px: float | None = None) -> Recording:
    """Open a video or DICOM cine and find its imaging area.

    Args:
        path: the file.
        fps: frame rate that replaces the file's.
        mm_per_px: pixel spacing that replaces the file's.

    Raises:
        RecordingError: missing, unreadable or not a clip; one line that says what to do.
    """
    check_file(path)
    kind = path.suffix.lower()
    if kind in _UNREADABLE:
        raise RecordingError(f"{path}: is {_UNREADABLE[kind]}")
    reader = DicomRecording if kind == ".dcm" or is_dicom(path) else VideoRecording
    recording: Recording = reader(path, fps=fps, mm_per_px=mm_per_px)
    if isinstance(recording, DicomRecording) and recording.has_region:
        return recording
    return reader(path, fps=fps, mm_per_px=mm_per_px, box=_find_box(recording))


def read_clip(source: ClipSource) -> Clip:
    """Decode a whole clip into memory (height x width bytes a frame).

    Raises:
        RecordingError: it cannot be opened or fully decoded.
    """
    recording = open_recording(source.path, fps=source.fps, mm_per_px=source.mm_per_px)
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


def _find_box(recording: Recording) -> PixelBox:
    samples: list[NDArray[np.uint8]] = []
    try:
        for frame in recording.frames():
            if frame.index % _SAMPLE_STEP == 0:
                samples.append(frame.image)
            if frame.index + 1 >= _SAMPLED_FRAMES:
                break
    except RecordingError:
        # A clip that breaks later is still read as far as it is sound; one without any frame is not a clip.
        if not samples:
            raise
    return find_imaging_area(np.stack(samples))
