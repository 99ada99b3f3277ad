from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fascnet.errors import SettingError
from fascnet.phantom.plan import plan_clips
from fascnet.phantom.settings import PhantomSettings

FRACTIONS = {"train": 0.6, "val": 0.2, "test": 0.2}


@settings(deadline=None)
@given(
    clips=st.integers(3, 120),
    seed=st.integers(0, 10),
    per_subject=st.integers(1, 9),
    share=st.floats(0.05, 0.95),
)
def test_subjects_stay_in_one_split_and_each_split_has_both_kinds(
    clips: int, seed: int, per_subject: int, share: float
) -> None:
    chosen = PhantomSettings(clips_per_subject=per_subject, twitch_clip_share=share)
    plans = plan_clips(clips, seed, chosen, FRACTIONS)
    assert len({plan.clip_id for plan in plans}) == len(plans) == clips
    homes = {(plan.subject_id, plan.split) for plan in plans}
    assert len(homes) == len({subject for subject, _ in homes})
    for name in FRACTIONS:
        members = [plan for plan in plans if plan.split == name]
        assert members
        if len(members) >= 2:
            assert {plan.has_twitches for plan in members} == {True, False}


def test_shares_are_met() -> None:
    plans = plan_clips(200, 0, PhantomSettings(), FRACTIONS)
    assert sum(plan.split == "train" for plan in plans) == 120
    assert abs(sum(plan.has_twitches for plan in plans) - 140) <= 2


@pytest.mark.parametrize(
    ("clips", "seed", "fractions", "what"),
    [
        (2, 0, FRACTIONS, "clips=2"),
        (9, -1, FRACTIONS, "seed=-1"),
        (9, 0, {"train": 0.6, "val": 0.2}, "add up to 0.8"),
        (9, 0, {"train": 1.2, "val": -0.2}, r"split_fractions\.train"),
        (9, 0, {"train": 0.5, "tset": 0.5}, r"split_fractions\.tset"),
    ],
)
def test_refuses(clips: int, seed: int, fractions: dict[str, float], what: str) -> None:
    with pytest.raises(SettingError, match=what):
        plan_clips(clips, seed, PhantomSettings(), fractions)


def test_a_split_of_share_zero_is_left_out() -> None:
    assert {
        plan.split for plan in plan_clips(8, 0, PhantomSettings(), {"train": 0.5, "val": 0.5, "test": 0.0})
    } == {
        "train",
        "val",
    }
