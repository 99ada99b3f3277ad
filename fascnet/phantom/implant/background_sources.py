"""Finds the recordings and stills to implant twitches in, and whose they are; names stay in memory."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fascnet.data.clip_set.manifest import FILE_NAME
from fascnet.data.labelling.labels import find_labels, read_labels
from fascnet.data.recording.find_clips import find_clips
from fascnet.data.recording.picture_folder import PICTURE_SUFFIXES
from fascnet.data.recording.recordings import list_files
from fascnet.data.recording.sidecar import SIDECAR
from fascnet.errors import LabelError, RecordingError
from fascnet.types import ClipSource

_SAMPLE_BYTES = 65536


@dataclass(frozen=True, slots=True)
class BackgroundSource:
    """One recording or still, before it is opened.

    Attributes:
        clip: what is known about it; its clip_id and path may hold a patient's name and stay in memory.
        subject_id: neutral name of the person, such as `b3f2a91c0`; also in the output.
        is_still: a single picture.
        fingerprint: hash of size, head and tail of the file: the same file is known again, its name is not.
    """

    clip: ClipSource
    subject_id: str
    is_still: bool
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Refusals:
    """Sources that may not be used, index -> why.

    Attributes:
        failed: the user has to do something about it.
        skipped: recordings with labelled fasciculations, which are left out as they should be.
    """

    failed: dict[int, str]
    skipped: dict[int, str]


def find_backgrounds(inputs: str | Path | Sequence[str | Path]) -> list[BackgroundSource]:
    """List what the input names, in order of path.

    Args:
        inputs: as for `find_clips`; still pictures beside the recordings of a folder are found too.

    Returns:
        Sources. Subjects come from a manifest, which may list recordings and stills of one; without it every
        recording is a subject of its own, and the stills of one folder are one, since they are most often
        frames of one video.

    Raises:
        RecordingError: nothing there.
        ManifestError: a bad manifest, or two recordings that come to one id.
        SplitError: a manifest's subject in two splits.
    """
    listed = [inputs] if isinstance(inputs, str | Path) else list(inputs)
    found: list[tuple[ClipSource, bool]] = []
    for entry in map(Path, listed):
        stills = list(_find_stills(entry))
        if not (stills and entry.suffix.lower() in PICTURE_SUFFIXES):
            try:
                found += [(clip, False) for clip in find_clips(entry)]
            except RecordingError:
                # A folder of stills alone holds no recording.
                if not stills:
                    raise
        found += [(_name_still(still), True) for still in stills]
    if not found:
        raise RecordingError("input: names nothing; give a recording, a still, a folder or a manifest.csv")
    # The manifest knows whose a still is, and wins over the still given by itself.
    found.sort(key=lambda pair: pair[1])
    unique = {clip.path.resolve(): (clip, is_loose) for clip, is_loose in reversed(found)}
    ordered = sorted(unique.values(), key=lambda pair: str(pair[0].path))
    fingerprints = [take_fingerprint(clip.path) for clip, _ in ordered]
    files: dict[tuple[bool, str], list[str]] = {}
    for pair, fingerprint in zip(ordered, fingerprints, strict=True):
        files.setdefault(_name_subject(*pair), []).append(fingerprint)
    return [
        BackgroundSource(
            clip,
            _hide_subject(files[_name_subject(clip, is_loose)]),
            is_loose or _is_still(clip.path),
            fingerprint,
        )
        for (clip, is_loose), fingerprint in zip(ordered, fingerprints, strict=True)
    ]


def find_label_problems(
    sources: Sequence[BackgroundSource], labels: Path | None, assume_no_twitches: bool
) -> Refusals:
    """Say which backgrounds may not be used, because twitches that nobody labelled would spoil the truth.

    Args:
        sources: the backgrounds.
        labels: folder of label files, or None.
        assume_no_twitches: the user vouches for clips without labels. A still holds no movement of its own
            and needs nobody to vouch for it.

    Raises:
        LabelError: the folder of labels is missing, or a file in it has a wrong name.
    """
    files = {} if labels is None else find_labels(labels)
    failed: dict[int, str] = {}
    skipped: dict[int, str] = {}
    for index, source in enumerate(sources):
        if source.is_still:
            continue
        try:
            raters = [read_labels(path) for path in files.get(source.clip.clip_id, {}).values()]
        except LabelError as error:
            failed[index] = str(error)
            continue
        count = sum(len(rater.fasciculations()) for rater in raters)
        if count:
            skipped[index] = f"its labels hold {count} fasciculations"
        elif not raters and not assume_no_twitches:
            failed[index] = (
                "nobody has said that it holds no fasciculation; give labels=… with empty events, or "
                "assume_no_twitches=true if you know it"
            )
    return Refusals(failed, skipped)


def take_fingerprint(path: Path) -> str:
    """Return a hash of sizes, first and last 64 KiB of a recording's files; empty when one cannot be read."""
    digest = hashlib.sha256()
    try:
        for part in list_files(path):
            with part.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(0)
                head = file.read(_SAMPLE_BYTES)
                file.seek(max(size - _SAMPLE_BYTES, 0))
                digest.update(b"%d:" % size + head + file.read(_SAMPLE_BYTES))
    except OSError:
        return ""  # reported when it is opened
    return digest.hexdigest()[:32]


def _is_still(path: Path) -> bool:
    """Tell a picture that a manifest lists from a recording."""
    return path.is_file() and path.suffix.lower() in PICTURE_SUFFIXES


def _find_stills(entry: Path) -> Iterator[Path]:
    if _is_still(entry):
        yield entry
    # A manifest names all that belongs to a data set.
    if not entry.is_dir() or (entry / FILE_NAME).is_file():
        return
    for place, folders, files in os.walk(entry):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        # With its rate beside it, a folder of pictures is a recording.
        if SIDECAR in files:
            continue
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in PICTURE_SUFFIXES:
                yield Path(place) / name


def _name_still(path: Path) -> ClipSource:
    return ClipSource(clip_id=path.stem, path=path, subject_id=str(path.parent.resolve()))


def _hide_subject(fingerprints: Sequence[str]) -> str:
    """Name a person by the files they come with: the same in every set made of these, and no index.

    Two sets made of the same recordings share their subjects, and two sets of different ones do not, so that
    a benchmark can tell whether a person was seen in training.
    """
    return f"b{hashlib.sha256(min(fingerprints).encode()).hexdigest()[:8]}"


def _name_subject(clip: ClipSource, is_loose: bool) -> tuple[bool, str]:
    """Tell persons apart. A loose still has no manifest: its folder's name is not a subject of one."""
    return is_loose, clip.subject_id
