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


def test_only_subjects_with_a_labelled_clip_are_drawn() -> None:
    clips = make_clips(12)
    labelled = {f"s{s}_1" for s in range(6)}
    drawn = {c.clip_id: c.split for c in draw_splits(clips, FRACTIONS, 0, labelled)}
    assert [drawn[f"s{s}_{k}"] for s in range(6, 12) for k in range(3)] == [None] * 18
    alone = draw_splits([c for c in clips if int(c.subject_id[1:]) < 6], FRACTIONS, 0)
    assert {c.clip_id: c.split for c in alone} == {k: v for k, v in drawn.items() if v is not None}
    everyone = {c.clip_id for c in clips}
    assert draw_splits(clips, FRACTIONS, 0, everyone) == draw_splits(clips, FRACTIONS, 0)
    with pytest.raises(SplitError, match="2 subjects with labels cannot fill train, val, test"):
        draw_splits(clips, FRACTIONS, 0, {"s0_0", "s1_0", "s1_1"})


def test_drawn_splits_can_be_given_back() -> None:
    clips, labelled = make_clips(6), {f"s{s}_1" for s in range(4)}
    drawn = draw_splits(clips, FRACTIONS, 0, labelled)
    assert draw_splits(drawn, FRACTIONS, 1, labelled) == drawn
    with pytest.raises(SplitError, match="clip 's4_0' has no split while others have"):
        draw_splits(drawn, FRACTIONS, 1, {*labelled, "s4_0"})


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


def test_keep_split_keeps_one_split_or_all(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clips = [
        ClipSource(f"c{i}", tmp_path / f"c{i}.avi", f"s{i}", split=s) for i, s in enumerate(("train", "test"))
    ]
    assert [clip.clip_id for clip in keep_split(clips, "test")] == ["c1"]
    assert keep_split(clips, None) == clips
    with pytest.raises(SplitError, match=r"split=val.*there are test, train"):
        keep_split(clips, "val")
    assert not caplog.records
    assert keep_split([*clips, replace(clips[0], clip_id="c2", split=None)], "test") == clips[1:]
    assert "split=test: 1 clips have no split and are left out, first c2" in caplog.text
    with pytest.raises(SplitError, match="no split column"):
        keep_split([ClipSource("c", tmp_path / "c.avi", "s")], "test")
