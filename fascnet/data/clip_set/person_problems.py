"""Who is in a data set twice: copies of recordings, one patient under two ids, ids written in two ways."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from fascnet.data.clip_set.clip_facts import ClipFacts
from fascnet.data.clip_set.copies import Copy, find_copies
from fascnet.data.clip_set.problem import Problem
from fascnet.types import ClipSource


def find_copy_problems(
    clips: Sequence[ClipSource], facts: Mapping[str, ClipFacts]
) -> Iterator[tuple[Problem, tuple[str, str]]]:
    """Yield the recordings that a data set holds twice, each with the two subjects it stands under."""
    for copy in find_copies([facts[clip.clip_id].marks for clip in clips]):
        first, second = clips[copy.first], clips[copy.second]
        across = []
        if first.subject_id != second.subject_id:
            across.append(f"subjects '{first.subject_id}' and '{second.subject_id}'")
        if first.split != second.split:
            across.append(f"splits '{first.split}' and '{second.split}'")
        what = f"{_describe(copy)} {first.path} (clip '{first.clip_id}')"
        remedy = "keep one; copies make results look better than they are"
        if across:
            what += f", in the {' and the '.join(across)}"
            remedy = "keep one, and give one person one subject_id"
        kind = "copy_across" if across else "copy" if copy.how == "frames" else "alike"
        ids = (first.clip_id, second.clip_id)
        yield Problem(f"{second.path}", what, remedy, kind, ids), (first.subject_id, second.subject_id)


def find_person_problems(
    clips: Sequence[ClipSource], facts: Mapping[str, ClipFacts], manifest: Path
) -> Iterator[tuple[Problem, tuple[str, ...]]]:
    """Yield subject ids that are probably one person, and ids that hold several, with the ids concerned.

    Patients are compared by a salted hash of their DICOM number, which is never written.
    """
    subjects: dict[str, dict[str, str]] = {}
    patients: dict[str, dict[str, str]] = {}
    for clip in clips:
        mark = facts[clip.clip_id].patient.mark
        if mark:
            subjects.setdefault(mark, {}).setdefault(clip.subject_id, clip.clip_id)
            patients.setdefault(clip.subject_id, {}).setdefault(mark, clip.clip_id)
    for ids in subjects.values():
        if len(ids) > 1:
            where = _quote(ids.values())
            what = f"the subjects {_quote(ids)} have the same DICOM patient number (in clips {where})"
            remedy = "give one person one subject_id, unless an anonymiser gave all the same number"
            yield Problem(f"{manifest}", what, remedy, "one_patient", tuple(ids.values())), tuple(ids)
    for subject, marks in patients.items():
        if len(marks) > 1:
            where = _quote(marks.values())
            what = f"subject '{subject}' has {len(marks)} DICOM patient numbers (in clips {where})"
            remedy = "check whose recordings they are"
            yield Problem(f"{manifest}", what, remedy, "two_patients", tuple(marks.values())), ()
    for ids_alike in _group_alike(clip.subject_id for clip in clips):
        what = f"the subjects {_quote(ids_alike)} differ in their writing only"
        remedy = "give one person one subject_id"
        of = tuple(clip.clip_id for clip in clips if clip.subject_id in ids_alike)
        yield Problem(f"{manifest}", what, remedy, "one_patient", of), tuple(ids_alike)


def find_spelling_problems(clips: Sequence[ClipSource], manifest: Path) -> Iterator[Problem]:
    """Yield muscles that are written in two ways."""
    for names in _group_alike(clip.muscle for clip in clips if clip.muscle):
        what = f"the muscles {_quote(names)} differ in their writing only"
        of = tuple(clip.clip_id for clip in clips if clip.muscle in names)
        yield Problem(f"{manifest}", what, "write one muscle in one way", "spelling", of)


def _group_alike(names: Iterable[str]) -> list[list[str]]:
    """Group names that are equal but for case, separators, accents of writing and leading zeros."""
    groups: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        plain = re.sub(r"[\W_]+", "", re.sub(r"(?<!\d)0+(?=\d)", "", name.casefold()))
        groups.setdefault(plain, []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def _describe(copy: Copy) -> str:
    if copy.how == "frames":
        return "holds the same frames as"
    if copy.how == "part":
        return f"shares {copy.share:.0%} of the shorter clip's frames with"
    return f"shows the same, encoded or scaled again (correlation {copy.share:.2f}), as"


def _quote(names: Iterable[str]) -> str:
    listed = [f"'{name}'" for name in names]
    shown = listed[:5] + [f"{len(listed) - 5} more"] * (len(listed) > 5)
    return ", ".join(shown[:-1]) + f" and {shown[-1]}" if len(shown) > 1 else "".join(shown)
