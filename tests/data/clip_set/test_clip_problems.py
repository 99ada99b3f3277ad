from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fascnet.data.clip_set.clip_facts import ClipFacts
from fascnet.data.clip_set.clip_problems import find_clip_problems, find_scale_problems
from fascnet.data.clip_set.patient import PatientMark
from fascnet.types import ClipSource

MANIFEST = Path("root/manifest.csv")
CLIP = ClipSource("c", Path("root/c.avi"), "s", mm_per_px=0.1)
SOUND = ClipFacts(
    "c",
    status="ok",
    n_frames=300,
    announced=300,
    fps=30.0,
    own_fps=30.0,
    measured_fps=30.0,
    duration_s=10.0,
    shortest_step_s=0.033,
    longest_step_s=0.034,
    width=64,
    height=64,
    mm_per_px=0.1,
)


def find_kinds(clip: ClipSource = CLIP, **changes: object) -> list[str]:
    return [problem.kind for problem in find_clip_problems(clip, replace(SOUND, **changes), MANIFEST)]


def test_a_sound_clip_has_none() -> None:
    assert find_kinds() == []
    assert list(find_scale_problems([CLIP], {"c": SOUND}, MANIFEST)) == []


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({"status": "failed", "reason": "c.avi: is empty; copy it", "duration_s": 0.0}, ["unreadable"]),
        ({"status": "partial", "reason": "c.avi: ends; copy it", "duration_s": 0.4}, ["unreadable"]),
        ({"duration_s": 0.97}, ["too_short"]),
        ({"duration_s": 0.9999}, []),
        ({"n_frames": 320}, ["frame_count"]),
        ({"n_frames": 306}, []),
        ({"announced": None, "n_frames": 320}, []),
        ({"measured_fps": 25.0}, ["rate"]),
        ({"measured_fps": 29.97}, []),
        ({"measured_fps": None, "own_fps": None}, []),
        ({"uneven": 0.2, "longest_step_s": 0.07}, ["variable_rate"]),
        ({"longest_step_s": 0.5}, ["gap"]),
        ({"longest_step_s": 0.09}, []),
        ({"longest_freeze_s": 0.3, "doubled": 9}, ["frozen"]),
        ({"longest_freeze_s": 0.1, "doubled": 3}, ["doubled"]),
        ({"own_mm_per_px": 0.11}, ["scale"]),
        ({"own_mm_per_px": 0.102}, []),
        ({"mm_per_px_from": "ruler"}, ["ruler"]),
        ({"area_from": "found", "area_confidence": 0.4, "box": (4, 4, 60, 60)}, ["unsure_area"]),
        ({"area_from": "found", "area_confidence": 0.6, "box": (4, 4, 60, 60)}, []),
        ({"area_from": "found", "area_confidence": 0.4, "box": (0, 0, 64, 64)}, []),
        ({"area_from": "whole", "area_confidence": 0.0, "box": (0, 0, 64, 64)}, ["unsure_area"]),
        ({"notes": ("its scale is ignored",)}, ["reader_note"]),
        ({"patient": PatientMark("x", ("path",))}, ["names_patient"]),
    ],
)
def test_each_kind(changes: dict[str, object], kinds: list[str]) -> None:
    assert find_kinds(**changes) == kinds


def test_a_manifest_that_contradicts_the_file() -> None:
    assert find_kinds(replace(CLIP, fps=29.97)) == []
    (problem,) = find_clip_problems(replace(CLIP, fps=25.0), SOUND, MANIFEST)
    assert (problem.kind, problem.file) == ("rate", f"{MANIFEST}")
    assert "fps 25" in problem.what and "30.00" in problem.what


def test_clips_without_scale_are_one_line() -> None:
    clips = [replace(CLIP, clip_id=f"c{k}", mm_per_px=None) for k in range(5)]
    facts = {clip.clip_id: replace(SOUND, clip_id=clip.clip_id, mm_per_px=None) for clip in clips}
    facts["c4"] = ClipFacts("c4")
    (problem,) = find_scale_problems(clips, facts, MANIFEST)
    assert problem.clip_ids == ("c0", "c1", "c2", "c3")
    assert "4 clips ('c0', 'c1', 'c2' and 1 more) have no mm_per_px" in problem.what
    (problem,) = find_scale_problems(clips[:1], facts, MANIFEST)
    assert "clip 'c0' has no mm_per_px" in problem.what


def test_a_manifest_that_the_ruler_contradicts_is_told_so() -> None:
    facts = replace(SOUND, own_mm_per_px=0.05, own_mm_per_px_from="ruler")
    (problem,) = find_clip_problems(CLIP, facts, MANIFEST)
    assert problem.kind == "scale" and "the ruler on the screen of root/c.avi says 0.0500" in problem.what
