"""Folds for cross-validation, by subject, each with its share of the fasciculations of every muscle."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fascnet.data.whole_file import write_whole
from fascnet.errors import SplitError
from fascnet.types import ClipSource, Labels

FOLDS_FILE = "folds.csv"
COLUMNS = ("subject_id", "fold", "clips", "positive_clips", "fasciculations")

LEAST_FOLDS = 3
"""Each round needs one to test on, one to choose thresholds on, and one or more to train on."""

_HELD_OUT = "test"


@dataclass(frozen=True, slots=True)
class FoldRow:
    """A subject's fold, from 1, and what the subject brings into it."""

    subject_id: str
    fold: int
    clips: int
    positive_clips: int
    fasciculations: int


def draw_folds(
    clips: Sequence[ClipSource],
    labels: Mapping[str, Mapping[str, Labels]],
    n_folds: int,
    seed: int,
    same_person: Sequence[Sequence[str]] = (),
) -> list[FoldRow]:
    """Deal subjects into folds so that each has its share of every muscle's clips, positive and not.

    Greedy, as scikit-learn's `StratifiedGroupKFold`: the subjects who bring most go first, each into the fold
    that leaves the counts most even; then subjects change places as long as that helps. Which of equals goes
    first is drawn with the seed. The result does not depend on the order of the clips.

    Args:
        clips: the data set. Subjects of the split `test` are held out of all folds.
        labels: clip_id -> rater -> labels; a clip counts as positive when any rater saw a fasciculation.
        n_folds: folds, `LEAST_FOLDS` or more.
        seed: of the draw.
        same_person: groups of subject ids that must not be parted.

    Returns:
        A row a subject, sorted by id.

    Raises:
        SplitError: too few folds, or fewer subjects (persons) than folds.
    """
    if n_folds < LEAST_FOLDS:
        raise SplitError(f"folds={n_folds}: give {LEAST_FOLDS} or more, to test, to tune and to train on")
    persons = _join_persons([clip for clip in clips if clip.split != _HELD_OUT], same_person)
    if len(persons) < n_folds:
        raise SplitError(f"folds={n_folds}: there are {len(persons)} subjects to deal; give fewer folds")
    counts = _count_classes(clips, labels, persons)
    fold_of_person = _deal(counts, n_folds, np.random.default_rng(seed))
    rows = []
    for person, fold in zip(persons, fold_of_person.tolist(), strict=True):
        for subject in person:
            own = [clip for clip in clips if clip.subject_id == subject and clip.split != _HELD_OUT]
            events = [_count_events(labels.get(clip.clip_id, {})) for clip in own]
            positive = sum(n > 0 for n in events)
            rows.append(FoldRow(subject, fold + 1, len(own), positive, sum(events)))
    return sorted(rows, key=lambda row: row.subject_id)


def write_folds(path: Path, rows: Sequence[FoldRow]) -> Path:
    """Write a fold table, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow((row.subject_id, row.fold, row.clips, row.positive_clips, row.fasciculations))
    with write_whole(path) as beside:
        beside.write_text(text.getvalue(), encoding="utf-8", newline="")
    return path


def read_folds(path: Path) -> dict[str, int]:
    """Read a fold table as subject_id -> fold; only these two columns are needed.

    Raises:
        SplitError: it cannot be read, lacks a column or a fold, or names a subject twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise SplitError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise SplitError(f"{path}: is no CSV table in UTF-8; write it with fascnet check folds=N") from error
    folds: dict[str, int] = {}
    for number, row in enumerate(rows, start=2):
        subject, fold = row.get("subject_id"), row.get("fold")
        if not subject or fold is None or not fold.strip().isdecimal() or int(fold) < 1:
            raise SplitError(f"{path} row {number}: needs subject_id and a fold from 1; mend the row")
        if subject in folds:
            raise SplitError(f"{path} row {number}: subject '{subject}' occurs twice; remove one row")
        folds[subject] = int(fold)
    used = sorted(set(folds.values()))
    if len(used) < LEAST_FOLDS or used != list(range(1, 1 + len(used))):
        raise SplitError(f"{path}: needs folds 1 to N, N at least {LEAST_FOLDS}; write it with fascnet check")
    return folds


def assign_fold(clips: Sequence[ClipSource], folds: Mapping[str, int], fold: int) -> list[ClipSource]:
    """Give clips the splits of one round of cross-validation.

    The fold is `test`, the next one (after the last the first) is `val`, and all others are `train`. Every
    round's test clips are then predicted by a model that has not seen them, neither for its weights nor for
    its thresholds.

    Args:
        clips: the data set; its own splits are replaced, clips of its `test` are left out of every round.
        folds: subject_id -> fold, as `read_folds` gives.
        fold: which round, from 1.

    Raises:
        SplitError: no such fold, or a subject without one.
    """
    n_folds = max(folds.values(), default=0)
    if not 1 <= fold <= n_folds:
        raise SplitError(f"fold={fold}: there are folds 1 to {n_folds}; give one of them")
    splits = {fold: "test", fold % n_folds + 1: "val"}
    kept: list[ClipSource] = []
    for clip in clips:
        if clip.split == _HELD_OUT:
            continue
        if clip.subject_id not in folds:
            raise SplitError(
                f"subject '{clip.subject_id}' (clip '{clip.clip_id}') has no fold; write the folds again"
            )
        kept.append(replace(clip, split=splits.get(folds[clip.subject_id], "train")))
    return kept


def choose_round(clips: Sequence[ClipSource], folds: str | Path | None, fold: int | None) -> list[ClipSource]:
    """Give clips the splits of a round of cross-validation where one is asked for, else leave them.

    Args:
        clips: the data set.
        folds: a table that `write_folds` wrote, or None.
        fold: which round, from 1; None with no table.

    Raises:
        SplitError: a table without a round or a round without a table, or as `read_folds` and `assign_fold`.
    """
    if folds is None and fold is None:
        return list(clips)
    if not isinstance(folds, str | Path) or not isinstance(fold, int) or isinstance(fold, bool):
        raise SplitError(f"folds={folds}, fold={fold}: give the table of folds and which of them to test on")
    return assign_fold(clips, read_folds(Path(folds)), fold)


def _join_persons(clips: Sequence[ClipSource], same_person: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return the subjects of the clips, those of one person together, all sorted."""
    group = {clip.subject_id: {clip.subject_id} for clip in clips}
    for ids in same_person:
        joined = set().union(*(group[one] for one in ids if one in group))
        for one in joined:
            group[one] = joined
    return sorted({tuple(sorted(ids)): sorted(ids) for ids in group.values()}.values())


def _count_events(raters: Mapping[str, Labels]) -> int:
    return max((len(one.fasciculations()) for one in raters.values()), default=0)


def _count_classes(
    clips: Sequence[ClipSource], labels: Mapping[str, Mapping[str, Labels]], persons: Sequence[Sequence[str]]
) -> NDArray[np.float64]:
    """Count each person's clips by muscle and class, as shares of the whole set: (persons, classes).

    The last column counts persons, so that folds are also alike in those.
    """
    person_of = {subject: index for index, person in enumerate(persons) for subject in person}
    kept = [clip for clip in clips if clip.split != _HELD_OUT]
    classes = {key: column for column, key in enumerate(sorted({_classify(clip, labels) for clip in kept}))}
    counts = np.zeros((len(persons), len(classes) + 1))
    for clip in kept:
        counts[person_of[clip.subject_id], classes[_classify(clip, labels)]] += 1
    counts[:, -1] = 1
    # A rare class weighs as much as a common one.
    return np.asarray(counts / counts.sum(axis=0), np.float64)


def _classify(clip: ClipSource, labels: Mapping[str, Mapping[str, Labels]]) -> tuple[str, bool]:
    return clip.muscle, _count_events(labels.get(clip.clip_id, {})) > 0


def _deal(shares: NDArray[np.float64], n_folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return each person's fold, 0 to n_folds - 1."""
    order = rng.permutation(len(shares))
    order = order[np.argsort(-shares[order].max(axis=1), kind="stable")]
    fold_of = np.full(len(shares), -1, np.int64)
    sums = np.zeros((n_folds, shares.shape[1]))
    for person in order:
        # The cost of a fold that takes this person; of equal ones the first in a drawn order.
        costs = [measure_unevenness(_add(sums, fold, shares[person])) for fold in range(n_folds)]
        drawn = rng.permutation(n_folds)
        fold = int(drawn[np.argmin(np.round(np.asarray(costs)[drawn], 12))])
        fold_of[person] = fold
        sums[fold] += shares[person]
    _exchange(shares, sums, fold_of)
    return fold_of


def _exchange(shares: NDArray[np.float64], sums: NDArray[np.float64], fold_of: NDArray[np.int64]) -> None:
    """Move persons, or let two change places, as long as that makes the folds more even; in place."""
    for _ in range(20):  # each pass lowers the cost; few are needed
        before = measure_unevenness(sums)
        for person in range(len(shares)):
            for fold in range(len(sums)):
                _try(shares, sums, fold_of, {person: fold})
            for other in range(person):
                _try(shares, sums, fold_of, {person: int(fold_of[other]), other: int(fold_of[person])})
        if measure_unevenness(sums) > before - 1e-12:
            return


def _try(
    shares: NDArray[np.float64],
    sums: NDArray[np.float64],
    fold_of: NDArray[np.int64],
    moves: Mapping[int, int],
) -> None:
    if all(fold_of[person] == fold for person, fold in moves.items()):
        return
    changed = sums.copy()
    for person, fold in moves.items():
        changed[fold_of[person]] -= shares[person]
        changed[fold] += shares[person]
    everyone = changed[:, -1].min() > 0.5 / len(shares)
    if everyone and measure_unevenness(changed) < measure_unevenness(sums) - 1e-12:
        sums[:] = changed
        for person, fold in moves.items():
            fold_of[person] = fold


def measure_unevenness(sums: NDArray[np.float64]) -> float:
    """Return the mean over classes of the variance over folds, (folds, classes) shares; 0 is even."""
    return float(np.mean(np.var(sums, axis=0)))


def _add(sums: NDArray[np.float64], fold: int, share: NDArray[np.float64]) -> NDArray[np.float64]:
    changed = sums.copy()
    changed[fold] += share
    return changed
