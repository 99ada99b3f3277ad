from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fascnet.data.clip_set.splits import check_splits, draw_splits, keep_split
from fascnet.errors import SplitError
from fascnet.types import ClipSource

FRACTIONS = {"train": 0.6, "val": 0.2, "test": 0.2}


def make_clips(n_subjects: int, per_subject: int = 3) -> list[ClipSource]:
    return [
        ClipSource(f"s{s}_{k}", Path("x.mp4"), f"s{s}") for s in range(n_subjects) for k in range(per_subject)
    ]


@given(st.integers(3, 40), st.integers(0, 2**31))
def test_subjects_never_cross_and_no_split_is_empty(n_subjects: int, seed: int) -> None:
    clips = draw_splits(make_clips(n_subjects), FRACTIONS, seed)
    check_splits(clips)
    subjects = {name: {c.subject_id for c in clips if c.split == name} for name in FRACTIONS}
    for name, fraction in FRACTIONS.items():
        assert len(subjects[name]) >= 1
        assert abs(len(subjects[name]) - fraction * n_subjects) <= 1.5


def test_same_seed_same_splits_whatever_the_order() -> None:
    clips = make_clips(12)
    one = {c.clip_id: c.split for c in draw_splits(clips, FRACTIONS, 0)}
    other = {c.clip_id: c.split for c in draw_splits(clips[::-1], FRACTIONS, 0)}
    assert one == other
    assert one != {c.clip_id: c.split for c in draw_splits(clips, FRACTIONS, 1)}


def test_given_splits_are_kept() -> None:
    clips = [replace(c, split="test") for c in make_clips(2)]
    assert draw_splits(clips, FRACTIONS, 0) == clips


@pytest.mark.parametrize(
    ("clips", "fractions", "says"),
    [
        (
            [replace(make_clips(1)[0], split="train"), *make_clips(2)],
            FRACTIONS,
            "has no split while others have",
        ),
        (make_clips(2), FRACTIONS, "2 subjects cannot fill"),
        (make_clips(5), {"train": 1.0, "val": 0.0}, "must be above 0"),
        (make_clips(5), {"train": 1.0, "dev": 1.0}, "dev"),
        (
            [replace(c, split=s) for c, s in zip(make_clips(1, 2), ["train", "val"], strict=True)],
            FRACTIONS,
            "'s0'",
        ),
    ],
)
def test_refusals(clips: list[ClipSource], fractions: dict[str, float], says: str) -> None:
    with pytest.raises(SplitError, match=says):
        draw_splits(clips, fractions, 0)


def test_keep_split_keeps_one_split_or_all(tmp_path: Path) -> None:
    clips = [
        ClipSource(f"c{i}", tmp_path / f"c{i}.avi", f"s{i}", split=s) for i, s in enumerate(("train", "test"))
    ]
    assert [clip.clip_id for clip in keep_split(clips, "test")] == ["c1"]
    assert keep_split(clips, None) == clips
    with pytest.raises(SplitError, match=r"split=val.*there are test, train"):
        keep_split(clips, "val")
    with pytest.raises(SplitError, match="no split column"):
        keep_split([ClipSource("c", tmp_path / "c.avi", "s")], "test")
