from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from fascnet.data.clip_set.clip_facts import ClipFacts
from fascnet.data.clip_set.copies import Marks
from fascnet.data.clip_set.patient import PatientMark
from fascnet.data.clip_set.person_problems import (
    find_copy_problems,
    find_person_problems,
    find_spelling_problems,
)
from fascnet.types import ClipSource

MANIFEST = Path("manifest.csv")


def make(*rows: tuple[str, str, str | None, str, str]) -> tuple[list[ClipSource], dict[str, ClipFacts]]:
    """Rows of clip_id, subject, split, digest, patient mark."""
    clips, facts = [], {}
    for k, (clip_id, subject, split, digest, patient) in enumerate(rows):
        clips.append(ClipSource(clip_id, Path(f"{clip_id}.avi"), subject, split=split))
        marks = Marks(digest, np.arange(10 * k, 10 * k + 9, dtype=np.uint64), None)
        facts[clip_id] = ClipFacts(clip_id, status="ok", marks=marks, patient=PatientMark(patient))
    return clips, facts


def test_copies_are_worse_across_subjects_and_splits() -> None:
    clips, facts = make(
        ("a", "s1", "train", "x", ""),
        ("b", "s1", "train", "x", ""),
        ("c", "s2", "train", "x", ""),
        ("d", "s3", "test", "y", ""),
        ("e", "s3", "val", "y", ""),
    )
    found = list(find_copy_problems(clips, facts))
    assert [(p.kind, p.clip_ids, subjects) for p, subjects in found] == [
        ("copy", ("a", "b"), ("s1", "s1")),
        ("copy_across", ("a", "c"), ("s1", "s2")),
        ("copy_across", ("d", "e"), ("s3", "s3")),
    ]
    assert "subjects 's1' and 's2'" in found[1][0].what and "splits" not in found[1][0].what
    assert "splits 'test' and 'val'" in found[2][0].what


def test_one_movement_is_worse_across_subjects() -> None:
    clips, facts = make(("a", "s1", None, "1", ""), ("b", "s1", None, "2", ""), ("c", "s2", None, "3", ""))
    movement = np.full(64, 0.125, np.float16)
    facts = {name: replace(one, marks=replace(one.marks, signature=movement)) for name, one in facts.items()}
    found = [(p.kind, p.clip_ids) for p, _ in find_copy_problems(clips, facts)]
    assert found == [("alike", ("a", "b")), ("copy_across", ("a", "c")), ("copy_across", ("b", "c"))]


def test_patients_are_compared_and_never_written() -> None:
    clips, facts = make(
        ("a", "s1", None, "1", "mark-p"),
        ("b", "s2", None, "2", "mark-p"),
        ("c", "s2", None, "3", "mark-q"),
        ("d", "s3", None, "4", ""),
        ("e", "s4", None, "5", ""),
    )
    found = list(find_person_problems(clips, facts, MANIFEST))
    assert [(p.kind, p.clip_ids, subjects) for p, subjects in found] == [
        ("one_patient", ("a", "b"), ("s1", "s2")),
        ("two_patients", ("b", "c"), ()),
    ]
    assert "mark-" not in " ".join(f"{p}" for p, _ in found)


def test_ids_and_muscles_that_differ_in_writing_only() -> None:
    names = ("p01", "P1", "p_1", "p10", "p100", "q-1", "p 01 L")
    clips, facts = make(*((f"c{k}", name, None, f"{k}", "") for k, name in enumerate(names)))
    found = list(find_person_problems(clips, facts, MANIFEST))
    assert [subjects for _, subjects in found] == [("p01", "P1", "p_1")]
    muscles = ("Vastus lateralis", "vastus_lateralis", "vastus medialis", "")
    clips = [ClipSource(f"c{k}", Path("a"), "s", muscle=muscle) for k, muscle in enumerate(muscles)]
    (problem,) = find_spelling_problems(clips, MANIFEST)
    assert problem.clip_ids == ("c0", "c1") and "'Vastus lateralis' and 'vastus_lateralis'" in problem.what
