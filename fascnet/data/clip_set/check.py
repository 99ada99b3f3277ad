"""Lists a data set's problems (manifest, recordings, labels, splits): all are collected, none is raised."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fascnet.data.clip_set.manifest import FILE_NAME, scan_manifest
from fascnet.data.clip_set.splits import find_split_problems
from fascnet.data.labelling.labels import find_clip_problems, list_label_files, read_labels
from fascnet.data.recording.recordings import open_recording
from fascnet.errors import LabelError, ManifestError, RecordingError
from fascnet.types import ClipSource, Labels

LEAST_DURATION_S = 1.0
"""A shorter clip holds hardly more than one fasciculation (0.1-0.6 s) and no rest to compare it with."""

RATE_TOLERANCE = 0.02
"""Rates that differ by more than this share contradict each other (30 against 29.97 does not)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: in which file, what, and how to mend it."""

    file: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}: {self.what} -> {self.remedy}"


@dataclass(frozen=True, slots=True)
class _Decoded:
    """What full decoding of a clip showed."""

    duration_s: float
    width: int
    height: int
    digest: str


def check_data_set(root: Path, labels_dir: Path | None = None) -> list[Problem]:
    """Check a data set; every clip is decoded once, from the first frame to the last, a frame at a time.

    Args:
        root: folder with `manifest.csv`.
        labels_dir: folder of label files; None for `ROOT/labels`.

    Returns:
        Every problem found, manifest first; empty when the data set is sound.
    """
    manifest = root / FILE_NAME
    try:
        scan = scan_manifest(manifest)
    except ManifestError as error:
        return [_split_message(error, manifest)]
    problems = [_split_message(text, manifest) for text in scan.problems]
    problems += [_split_message(f"{manifest}: {text}", manifest) for text in find_split_problems(scan.clips)]
    folder = root / "labels" if labels_dir is None else labels_dir
    labels, label_problems = _read_all_labels(folder)
    problems += label_problems
    if folder.is_dir():
        problems += _match_labels(scan.clips, labels, folder, manifest)
        problems += _find_empty_splits(scan.clips, labels, manifest)
    first_with: dict[str, ClipSource] = {}
    for clip in scan.clips:
        decoded, found = _check_recording(clip, manifest)
        problems += found
        if decoded is None:
            continue
        for one in labels.get(clip.clip_id, {}).values():
            outside = find_clip_problems(one, decoded.duration_s, decoded.width, decoded.height)
            problems += [_split_message(text, folder) for text in outside]
        twin = first_with.setdefault(decoded.digest, clip)
        if twin is not clip:
            what = f"holds the same frames as {twin.path} (clip '{twin.clip_id}')"
            problems.append(
                Problem(f"{clip.path}", what, "keep one; copies make results look better than they are")
            )
    return problems


def _read_all_labels(folder: Path) -> tuple[dict[str, dict[str, Labels]], list[Problem]]:
    if not folder.is_dir():
        return {}, [Problem(f"{folder}", "there is no such folder of labels", "name it: data.labels=FOLDER")]
    labels: dict[str, dict[str, Labels]] = {}
    problems: list[Problem] = []
    for path in list_label_files(folder):
        try:
            one = read_labels(path)
        except LabelError as error:
            problems.append(_split_message(error, path))
            labels.setdefault(path.name.removesuffix(".json").rpartition(".")[0], {})
            continue
        labels.setdefault(one.clip_id, {})[one.rater] = one
        if not one.examined:
            what = "says that no second was examined, so that nothing of it is used"
            problems.append(
                Problem(f"{path}", what, "give the seconds the rater looked at, or remove the file")
            )
    return labels, problems


def _match_labels(
    clips: Sequence[ClipSource], labels: Mapping[str, Mapping[str, Labels]], folder: Path, manifest: Path
) -> Iterator[Problem]:
    known = {clip.clip_id for clip in clips}
    for clip_id, raters in labels.items():
        for rater in raters:
            if clip_id not in known:
                file = f"{folder / f'{clip_id}.{rater}.json'}"
                yield Problem(
                    file,
                    f"speaks of clip '{clip_id}', which is not in {manifest}",
                    "add it or rename the file",
                )
    for clip in clips:
        if clip.clip_id not in labels:
            what = f"clip '{clip.clip_id}' has no label in {folder}"
            yield Problem(
                f"{manifest}", what, f"add {clip.clip_id}.RATER.json (events may be empty) or remove the row"
            )


def _find_empty_splits(
    clips: Sequence[ClipSource], labels: Mapping[str, Mapping[str, Labels]], manifest: Path
) -> Iterator[Problem]:
    positives: dict[str | None, int] = {}
    for clip in clips:
        positive = any(one.fasciculations() for one in labels.get(clip.clip_id, {}).values())
        positives[clip.split] = positives.get(clip.split, 0) + int(positive)
    for split, count in positives.items():
        if count == 0:
            where = "the data set" if split is None else f"split '{split}'"
            yield Problem(
                f"{manifest}",
                f"{where} holds no labelled fasciculation",
                "add clips with some, or move subjects",
            )


def _check_recording(clip: ClipSource, manifest: Path) -> tuple[_Decoded | None, list[Problem]]:
    file = f"{clip.path}"
    problems: list[Problem] = []
    digest = hashlib.blake2b(digest_size=20)
    count, last_s = 0, 0.0
    try:
        recording = open_recording(clip.path, fps=clip.fps, mm_per_px=clip.mm_per_px)
        for frame in recording.frames():
            digest.update(frame.image.tobytes())
            count, last_s = frame.index + 1, frame.time_s
    except RecordingError as error:
        return None, [_split_message(error, clip.path)]
    info = recording.info
    duration_s = last_s + 1.0 / info.fps
    if duration_s < LEAST_DURATION_S:
        what = f"lasts {duration_s:.2f} s, less than {LEAST_DURATION_S:g} s"
        problems.append(Problem(file, what, "record longer or remove the clip"))
    if info.n_frames is not None and count > info.n_frames * (1 + RATE_TOLERANCE) + 1:
        what = f"announces {info.n_frames} frames but holds {count}"
        problems.append(Problem(file, what, "export it again"))
    if count > 1 and _contradict((count - 1) / last_s, info.fps):
        what = f"announces {info.fps:.2f} frames/s but its frames come at {(count - 1) / last_s:.2f}"
        problems.append(Problem(file, what, "export it again, or give the true rate in the fps column"))
    own_fps = _read_own_fps(clip)
    if clip.fps is not None and own_fps is not None and _contradict(clip.fps, own_fps):
        what = f"clip '{clip.clip_id}' has fps {clip.fps:g}, but {clip.path} says {own_fps:.2f}"
        problems.append(Problem(f"{manifest}", what, "correct the fps cell or leave it empty"))
    if info.mm_per_px is None:
        what = f"clip '{clip.clip_id}' has no mm_per_px, and its file does not say it"
        problems.append(Problem(f"{manifest}", what, "fill in mm_per_px (depth in mm / rows of the image)"))
    return _Decoded(duration_s, info.width, info.height, digest.hexdigest()), problems


def _read_own_fps(clip: ClipSource) -> float | None:
    """The file's own rate, None when it has none (then the manifest's is needed, not a contradiction)."""
    try:
        return open_recording(clip.path).info.fps
    except RecordingError:
        return None


def _contradict(one: float, other: float) -> bool:
    return abs(one - other) > RATE_TOLERANCE * other


def _split_message(message: object, file: Path) -> Problem:
    """Take apart an error's line, which is always written `file: what; remedy`."""
    place, colon, rest = f"{message}".partition(": ")
    what, semicolon, remedy = rest.rpartition("; ")
    if not colon or not semicolon:
        return Problem(f"{file}", f"{message}", "see the message")
    return Problem(place, what, remedy)
