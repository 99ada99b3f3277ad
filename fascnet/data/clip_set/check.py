"""Looks through a data set (manifest, recordings, labels, people, splits): all collected, nothing raised."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fascnet.data.clip_set.balance import BalanceRow, count_balance
from fascnet.data.clip_set.clip_facts import ClipFacts, ClipJob, measure_clip
from fascnet.data.clip_set.clip_label_problems import find_clip_label_problems
from fascnet.data.clip_set.clip_problems import find_clip_problems, find_scale_problems
from fascnet.data.clip_set.label_problems import KNOWN_CONFOUNDERS, find_label_problems
from fascnet.data.clip_set.manifest import FILE_NAME, scan_manifest
from fascnet.data.clip_set.person_problems import (
    find_copy_problems,
    find_person_problems,
    find_spelling_problems,
)
from fascnet.data.clip_set.problem import SEVERITIES, Problem, list_clips, take_apart
from fascnet.data.clip_set.splits import find_clips_without_split, find_split_problems
from fascnet.data.job_runner import run_each
from fascnet.data.label_forms.clip_labels import CLIP_LABELS_FILE, ClipLabel, list_labelled, read_clip_labels
from fascnet.data.labelling.labels import list_label_files, read_labels
from fascnet.errors import LabelError, ManifestError
from fascnet.types import FASCICULATION, ClipSource, Labels

__all__ = ["Problem", "Review", "check_data_set", "review_data_set"]


@dataclass(frozen=True, slots=True, eq=False)
class Review:
    """What a data set is and what is wrong with it.

    Attributes:
        root: its folder.
        labels_dir: the folder of its labels.
        clips: the sound rows of its manifest.
        facts: clip_id -> what decoding showed.
        labels: clip_id -> rater -> labels, of the files that can be read.
        problems: errors first, then warnings, then notes.
        balance: how it is made up.
        same_person: groups of subject ids that are one person, as far as can be told.
    """

    root: Path
    labels_dir: Path
    clips: tuple[ClipSource, ...]
    facts: Mapping[str, ClipFacts]
    labels: Mapping[str, Mapping[str, Labels]]
    problems: tuple[Problem, ...]
    balance: tuple[BalanceRow, ...] = ()
    same_person: tuple[tuple[str, ...], ...] = ()

    def count(self, severity: str) -> int:
        """Return how many problems of a severity there are."""
        return sum(problem.severity == severity for problem in self.problems)


def check_data_set(root: Path, labels_dir: Path | None = None) -> list[Problem]:
    """Check a data set in this process.

    Args:
        root: folder with `manifest.csv`.
        labels_dir: folder of label files; None for `ROOT/labels`.

    Returns:
        Every error and warning, errors first; empty when the data set is sound. Notes are left out.
    """
    review = review_data_set(root, labels_dir)
    return [problem for problem in review.problems if problem.severity != "note"]


def review_data_set(
    root: Path,
    labels_dir: Path | None = None,
    *,
    workers: int = 0,
    thumbnails: bool = False,
    on_clip: Callable[[int, int], None] | None = None,
) -> Review:
    """Look through a data set; every clip is decoded once, from the first frame to the last.

    Args:
        root: folder with `manifest.csv`.
        labels_dir: folder of label files; None for `ROOT/labels`.
        workers: processes that decode; 0 for this one. With processes, one that crashes costs only its clip.
        thumbnails: draw a picture of each clip.
        on_clip: told (clips done, all clips) after each clip.
    """
    manifest = root / FILE_NAME
    folder = root / "labels" if labels_dir is None else labels_dir
    try:
        scan = scan_manifest(manifest)
    except ManifestError as error:
        return Review(root, folder, (), {}, {}, (take_apart(error, manifest, "manifest"),))
    clips = scan.clips
    problems = [take_apart(text, manifest, "manifest") for text in scan.problems]
    problems += [
        take_apart(f"{manifest}: {text}", manifest, "two_splits") for text in find_split_problems(clips)
    ]
    labels, label_problems = _read_all_labels(folder)
    problems += label_problems
    statements: Mapping[str, Mapping[str, ClipLabel]] = {}
    try:
        statements = read_clip_labels(folder)
    except LabelError as error:
        problems.append(take_apart(error, folder / CLIP_LABELS_FILE, "label_file"))
    if folder.is_dir():
        problems += _match_labels(clips, labels, statements, folder, manifest)
        problems += _find_missing_splits(clips, list_labelled(labels, statements), manifest)
        problems += _find_empty_splits(clips, labels, manifest)
        problems += _find_unknown_words(labels, folder)
    facts = _measure_all(root, clips, workers, thumbnails, on_clip)
    problems += find_scale_problems(clips, facts, manifest)
    problems += find_clip_label_problems(statements, labels, clips, facts, folder, manifest)
    for clip in clips:
        one = facts[clip.clip_id]
        problems += find_clip_problems(clip, one, manifest)
        if one.status == "ok":
            for of_rater in labels.get(clip.clip_id, {}).values():
                problems += find_label_problems(of_rater, folder, one.duration_s, one.width, one.height)
    same: list[tuple[str, ...]] = []
    for problem, subjects in (
        *find_copy_problems(clips, facts),
        *find_person_problems(clips, facts, manifest),
    ):
        problems.append(problem)
        if len(set(subjects)) > 1:
            same.append(tuple(subjects))
    problems += find_spelling_problems(clips, manifest)
    return Review(
        root=root,
        labels_dir=folder,
        clips=clips,
        facts=facts,
        labels=labels,
        problems=tuple(sorted(problems, key=lambda problem: SEVERITIES.index(problem.severity))),
        balance=tuple(count_balance(clips, labels, facts)),
        same_person=tuple(same),
    )


def _measure_all(
    root: Path,
    clips: Sequence[ClipSource],
    workers: int,
    thumbnails: bool,
    on_clip: Callable[[int, int], None] | None,
) -> dict[str, ClipFacts]:
    salt = secrets.token_hex(16)
    jobs = [ClipJob(clip, clip.path.relative_to(root).as_posix(), salt, thumbnails) for clip in clips]
    measured: dict[str, ClipFacts] = {}
    for done, (index, result, failure) in enumerate(run_each(measure_clip, jobs, workers), start=1):
        clip = clips[index]
        ended = f"{clip.path}: cannot be read (its process ended: {failure}); export it again"
        measured[clip.clip_id] = ClipFacts(clip.clip_id, reason=ended) if result is None else result
        if on_clip is not None:
            on_clip(done, len(clips))
    return measured


def _read_all_labels(folder: Path) -> tuple[dict[str, dict[str, Labels]], list[Problem]]:
    if not folder.is_dir():
        missing = Problem(
            f"{folder}",
            "there is no such folder of labels",
            "name it: data.labels=FOLDER",
            "no_labels_folder",
        )
        return {}, [missing]
    labels: dict[str, dict[str, Labels]] = {}
    problems: list[Problem] = []
    for path in list_label_files(folder):
        try:
            one = read_labels(path)
        except LabelError as error:
            clip_id = path.name.removesuffix(".json").rpartition(".")[0]
            problems.append(take_apart(error, path, "label_file", (clip_id,)))
            labels.setdefault(clip_id, {})
            continue
        labels.setdefault(one.clip_id, {})[one.rater] = one
        if not one.examined:
            what = "says that no second was examined, so that nothing of it is used"
            remedy = "give the seconds the rater looked at, or remove the file"
            problems.append(Problem(f"{path}", what, remedy, "not_examined", (one.clip_id,)))
    return labels, problems


def _match_labels(
    clips: Sequence[ClipSource],
    labels: Mapping[str, Mapping[str, Labels]],
    statements: Mapping[str, Mapping[str, ClipLabel]],
    folder: Path,
    manifest: Path,
) -> Iterator[Problem]:
    known = {clip.clip_id for clip in clips}
    for clip_id, raters in labels.items():
        for rater in raters:
            if clip_id not in known:
                file = f"{folder / f'{clip_id}.{rater}.json'}"
                what = f"speaks of clip '{clip_id}', which is not in {manifest}"
                yield Problem(file, what, "add it or rename the file", "unknown_clip")
    # A clip of which only a count is known must not be given an empty label file.
    without = tuple(c.clip_id for c in clips if c.clip_id not in labels and c.clip_id not in statements)
    if without:
        which = f"clip '{without[0]}' has" if len(without) == 1 else f"{list_clips(without)} have"
        remedy = "add CLIP.RATER.json (events may be empty) or remove the rows"
        yield Problem(f"{manifest}", f"{which} no label in {folder}", remedy, "no_labels", without)


def _find_missing_splits(
    clips: Sequence[ClipSource], labelled: Collection[str], manifest: Path
) -> Iterator[Problem]:
    without = find_clips_without_split(clips, labelled)
    if without:
        which = f"clip '{without[0]}' has" if len(without) == 1 else f"{list_clips(without)} have"
        what = f"{which} no split while others have"
        yield Problem(f"{manifest}", what, "fill the split column or empty it", "missing_split", without)


def _find_empty_splits(
    clips: Sequence[ClipSource], labels: Mapping[str, Mapping[str, Labels]], manifest: Path
) -> Iterator[Problem]:
    positives: dict[str | None, int] = {}
    for clip in clips:
        positive = any(one.fasciculations() for one in labels.get(clip.clip_id, {}).values())
        positives[clip.split] = positives.get(clip.split, 0) + int(positive)
    for split, count in positives.items():
        # Clips without a split beside others with one are no part of the set's own (`_find_missing_splits`).
        if count == 0 and (split is not None or len(positives) == 1):
            where = "the data set" if split is None else f"split '{split}'"
            what = f"{where} holds no labelled fasciculation"
            yield Problem(f"{manifest}", what, "add clips with some, or move subjects", "no_positives")


def _find_unknown_words(labels: Mapping[str, Mapping[str, Labels]], folder: Path) -> Iterator[Problem]:
    """Yield each unknown word once, however often it is used."""
    files: dict[str, list[str]] = {}
    for clip_id, raters in labels.items():
        for rater, one in raters.items():
            for word in {event.label for event in one.events} - KNOWN_CONFOUNDERS - {FASCICULATION}:
                files.setdefault(word, []).append(f"{clip_id}.{rater}.json")
    for word, names in sorted(files.items()):
        more = f" and {len(names) - 1} more files" if len(names) > 1 else ""
        what = f"uses the label '{word}'{more}, which is not among the known ones; it counts as a confounder"
        known = ", ".join(sorted(KNOWN_CONFOUNDERS))
        remedy = f"use {FASCICULATION} or one of {known}, if one of them is meant"
        ids = tuple(name.rpartition(".json")[0].rpartition(".")[0] for name in names)
        yield Problem(f"{folder / names[0]}", what, remedy, "unknown_label", ids)
