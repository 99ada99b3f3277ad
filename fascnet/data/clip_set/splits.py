"""Splits by subject: nobody's muscle is trained on and tested on."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from fascnet.errors import SplitError
from fascnet.types import ClipSource

logger = logging.getLogger(__name__)

SPLITS = ("train", "val", "test")


def check_splits(clips: Sequence[ClipSource]) -> None:
    """Refuse a data set in which a subject stands in more than one split.

    Raises:
        SplitError: names the first such subject and its splits.
    """
    for problem in find_split_problems(clips):
        raise SplitError(problem)


def find_split_problems(clips: Sequence[ClipSource]) -> list[str]:
    """Describe every subject that stands in more than one split, a line each."""
    seen: dict[str, set[str]] = {}
    for clip in clips:
        if clip.split is not None:
            seen.setdefault(clip.subject_id, set()).add(clip.split)
    return [
        f"subject '{subject}' stands in the splits {', '.join(sorted(splits))}; keep all its clips in one"
        for subject, splits in seen.items()
        if len(splits) > 1
    ]


def keep_split(clips: Sequence[ClipSource], split: str | None) -> list[ClipSource]:
    """Return the clips of one split, or all of them for None; how many have no split at all is logged.

    Raises:
        SplitError: no clip is in it.
    """
    if split is None:
        return list(clips)
    kept = [clip for clip in clips if clip.split == split]
    if not kept:
        named = sorted({clip.split for clip in clips if clip.split is not None})
        there = f"; there are {', '.join(named)}" if named else "; the input's manifest has no split column"
        raise SplitError(f"split={split}: no clip is in it{there}")
    if without := find_clips_without_split(clips):
        logger.warning(
            "split=%s: %d clips have no split and are left out, first %s", split, len(without), without[0]
        )
    return kept


def find_clips_without_split(
    clips: Sequence[ClipSource], labelled: Collection[str] | None = None
) -> tuple[str, ...]:
    """Return the clips that lack a split while others have one; none where no clip has any.

    Args:
        clips: the data set.
        labelled: clip_ids that somebody labelled; clips without labels need no split. None = all need one.
    """
    if all(clip.split is None for clip in clips):
        return ()
    return tuple(c.clip_id for c in clips if c.split is None and (labelled is None or c.clip_id in labelled))


def draw_splits(
    clips: Sequence[ClipSource],
    fractions: Mapping[str, float],
    seed: int,
    labelled: Collection[str] | None = None,
) -> list[ClipSource]:
    """Give clips a split, by subject; splits that the data set already has are kept and checked.

    Subjects with a labelled clip are shuffled with the seed and dealt so that each split's share of them is
    as near its fraction as whole subjects allow, at least one each. All of a subject's clips go along.
    Subjects without labels take no place and get no split. The result does not depend on the order of the
    clips.

    Args:
        clips: the data set.
        fractions: share of subjects per split name, such as {"train": 0.7, "val": 0.3}; above 0, any sum.
        seed: of the shuffle.
        labelled: clip_ids that somebody labelled; None where labels play no part: all subjects are drawn.

    Returns:
        The same clips in the same order, with `split` filled, but for clips without labels.

    Raises:
        SplitError: some clips have a split and some (labelled) ones do not; a subject in two splits; fewer
            subjects (with labels) than splits; unknown names or fractions.
    """
    if without := find_clips_without_split(clips, labelled):
        raise SplitError(
            f"clip '{without[0]}' has no split while others have; fill the split column or empty it"
        )
    if any(clip.split is not None for clip in clips):
        check_splits(clips)
        return list(clips)
    _check_fractions(fractions)
    subjects = sorted({c.subject_id for c in clips if labelled is None or c.clip_id in labelled})
    if len(subjects) < len(fractions):
        whose = "" if labelled is None else " with labels"
        raise SplitError(
            f"{len(subjects)} subjects{whose} cannot fill {', '.join(fractions)}; "
            f"add subjects{whose} or name fewer splits"
        )
    order = np.random.default_rng(seed).permutation(len(subjects))
    shuffled = [subjects[i] for i in order]
    split_of: dict[str, str] = {}
    start = 0
    for name, count in _deal(len(subjects), fractions).items():
        split_of |= dict.fromkeys(shuffled[start : start + count], name)
        start += count
    return [replace(clip, split=split_of.get(clip.subject_id)) for clip in clips]


def _check_fractions(fractions: Mapping[str, float]) -> None:
    unknown = [name for name in fractions if name not in SPLITS]
    if unknown or not fractions:
        raise SplitError(
            f"split fractions must name some of {', '.join(SPLITS)}; got {', '.join(unknown) or 'none'}"
        )
    for name, fraction in fractions.items():
        if not (np.isfinite(fraction) and fraction > 0):
            raise SplitError(
                f"the fraction of split '{name}' must be above 0, not {fraction}; leave the split out instead"
            )


def _deal(n_subjects: int, fractions: Mapping[str, float]) -> dict[str, int]:
    """One subject each, then each further subject to the split that lacks most."""
    total = sum(fractions.values())
    counts = dict.fromkeys(fractions, 1)
    for _ in range(n_subjects - len(fractions)):
        lacking = {name: fractions[name] / total * n_subjects - counts[name] for name in counts}
        counts[max(lacking, key=lambda name: lacking[name])] += 1
    return counts
