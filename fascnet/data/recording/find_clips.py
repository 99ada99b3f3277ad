"""Finds the recordings that a file, a folder, a manifest or a list of those names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from fascnet.data.clip_set.manifest import FILE_NAME, read_manifest, read_manifest_file
from fascnet.data.recording.array_file import is_frame_archive
from fascnet.data.recording.dicom_header import is_dicom
from fascnet.data.recording.picture_folder import PICTURE_SUFFIXES
from fascnet.data.recording.sidecar import SIDECAR
from fascnet.errors import ManifestError, RecordingError
from fascnet.types import ClipSource

RECORDING_SUFFIXES = frozenset(
    {
        ".mp4",
        ".m4v",
        ".mov",
        ".3gp",
        ".avi",
        ".mkv",
        ".webm",
        ".mpg",
        ".mpeg",
        ".vob",
        ".m2v",
        ".m2ts",
        ".mts",
    }
    | {".m2ts", ".wmv", ".asf", ".gif", ".apng", ".dcm", ".mha", ".mhd", ".npz"}
)
"""What a search looks for; a file of any other name is opened when it is named itself."""

_PREDICTION_MARKS = ("run.json", "scores.csv")


def find_clips(inputs: str | Path | Sequence[str | Path]) -> list[ClipSource]:
    """List the clips that the input names, in order of path.

    Args:
        inputs: a recording; a folder, searched through all its levels (hidden files and folders written by
            `predict` are passed over; with a `manifest.csv` it is read as a data set); a manifest; a list of
            those. A recording named twice counts once. Pictures are frames of one recording where a
            `recording.json` beside them says so, and left out elsewhere: most folders of stills are no clip.

    Returns:
        Clips with unique ids. Without a manifest, the id is the path inside the given folder without suffix,
        `/` written `__` and odd characters `_`, and stands for the subject too.

    Raises:
        RecordingError: nothing there, or a folder without recordings.
        ManifestError: a bad manifest, or two recordings that come to one id.
        SplitError: a manifest's subject in two splits.
    """
    listed = [inputs] if isinstance(inputs, str | Path) else list(inputs)
    if not listed:
        raise RecordingError("input: names no recording; give a file, a folder or a manifest.csv")
    clips: dict[str, ClipSource] = {}
    known: set[Path] = set()
    for entry in listed:
        for clip in _find_in(Path(entry)):
            place = clip.path.resolve()
            if clip.clip_id in clips and clips[clip.clip_id].path.resolve() != place:
                raise ManifestError(
                    f"{clips[clip.clip_id].path} and {clip.path}: both come to the clip_id '{clip.clip_id}'; "
                    f"rename one, or name the clips in a {FILE_NAME}"
                )
            if clip.clip_id in clips or (place in known and len(listed) > 1):
                continue
            clips[clip.clip_id] = clip
            known.add(place)
    return list(clips.values())


def _find_in(path: Path) -> list[ClipSource]:
    try:
        return _list_clips(path)
    except OSError as error:
        place = path if error.filename is None else error.filename
        raise RecordingError(
            f"{place}: cannot be read ({error.strerror}); check the path and its rights"
        ) from error


def _list_clips(path: Path) -> list[ClipSource]:
    if not path.exists():
        raise RecordingError(f"{path}: there is no such file or folder; check the input")
    if path.is_file():
        return read_manifest_file(path) if path.suffix.lower() == ".csv" else [_name_clip(path, path.parent)]
    if (path / FILE_NAME).is_file():
        return read_manifest(path)
    found = [_name_clip(file, path) for file in _walk(path)]
    if not found:
        kinds = ", ".join(sorted(suffix[1:] for suffix in RECORDING_SUFFIXES))
        if any(file.suffix.lower() in PICTURE_SUFFIXES for file in path.iterdir()):
            raise RecordingError(
                f"{path}: holds no recording, but pictures; if they are the frames of one, say at which "
                f'rate: write {{"fps": 25}} into {SIDECAR} beside them'
            )
        raise RecordingError(
            f"{path}: holds no recording ({kinds}, or DICOM without suffix); check the folder"
        )
    return found


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder, onerror=_stop):
        if all(name in files for name in _PREDICTION_MARKS):
            folders.clear()  # overlays of an earlier run are not recordings
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if SIDECAR in files:
            yield Path(place)
        for name in sorted(files):
            file = Path(place) / name
            if not name.startswith(".") and _is_recording(file):
                yield file


def _stop(error: OSError) -> None:
    """End a search in a folder that cannot be read: its clips would be missing without a word."""
    raise error


def _is_recording(file: Path) -> bool:
    suffix = file.suffix.lower()
    if suffix == ".npz":
        return is_frame_archive(file)
    if suffix in RECORDING_SUFFIXES:
        return True
    # Archives name DICOM files IM00001 or by a UID such as 1.2.840.113; DICOMDIR is an index without images.
    bare = suffix == "" or suffix[1:].isdigit()
    return bare and file.name.upper() != "DICOMDIR" and is_dicom(file)


def _name_clip(file: Path, folder: Path) -> ClipSource:
    # A folder of pictures that was named itself is called by its own name.
    relative = file.relative_to(folder) if file != folder else Path(file.resolve().name)
    stem = relative.with_suffix("") if relative.suffix.lower() in RECORDING_SUFFIXES else relative
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", "__".join(stem.parts))
    clip_id = re.sub(r"^\.", "_", name)
    return ClipSource(clip_id=clip_id, path=file, subject_id=clip_id)
