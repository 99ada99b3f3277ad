from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fascnet.errors import SettingError
from fascnet.phantom.plan import plan_clips
from fascnet.phantom.settings import PhantomSettings

FRACTIONS = {"train": 0.6, "val": 0.2, "test": 0.2}


def choose(per_subject: int = 4, share: float = 0.5) -> PhantomSettings:
    return PhantomSettings.from_mapping({"clips_per_subject": per_subject, "twitches": {"clip_share": share}})


@given(
    clips=st.integers(3, 120),
    seed=st.integers(0, 10),
    per_subject=st.integers(1, 9),
    share=st.floats(0.05, 0.95),
)
def test_subjects_stay_in_one_split_and_each_split_has_both_kinds(
    clips: int, seed: int, per_subject: int, share: float
) -> None:
    plans = plan_clips(clips, seed, choose(per_subject, share), FRACTIONS)
    assert len({plan.clip_id for plan in plans}) == len(plans) == clips
    assert [plan.index for plan in plans] == list(range(clips))
    homes = {(plan.subject_id, plan.split) for plan in plans}
    assert len(homes) == len({subject for subject, _ in homes})
    for name in FRACTIONS:
        members = [plan for plan in plans if plan.split == name]
        assert members
        if len(members) >= 2:
            assert {plan.has_twitches for plan in members} == {True, False}


def test_shares_are_met() -> None:
    plans = plan_clips(200, 0, choose(share=0.7), FRACTIONS)
    assert sum(plan.split == "train" for plan in plans) == 120
    assert abs(sum(plan.has_twitches for plan in plans) - 140) <= 2


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_none_or_all_clips_may_twitch(share: float) -> None:
    plans = plan_clips(30, 0, choose(share=share), FRACTIONS)
    assert {plan.has_twitches for plan in plans} == {bool(share)}


def test_depends_on_the_seed_alone() -> None:
    assert plan_clips(40, 5, choose(), FRACTIONS) == plan_clips(
        40, 5, choose(), dict(reversed(FRACTIONS.items()))
    )
    assert plan_clips(40, 5, choose(), FRACTIONS) != plan_clips(40, 6, choose(), FRACTIONS)


def test_sets_of_two_seeds_share_no_name() -> None:
    one, other = (plan_clips(40, seed, choose(), FRACTIONS) for seed in (1, 11))
    assert one[0].subject_id == "p1s000" and one[0].clip_id == "p1s000_c0000"
    assert not {plan.subject_id for plan in one} & {plan.subject_id for plan in other}


@pytest.mark.parametrize(
    ("clips", "seed", "fractions", "what"),
    [
        (2, 0, FRACTIONS, "clips=2"),
        (0, 0, {"test": 1.0}, "clips=0"),
        (9, -1, FRACTIONS, "seed=-1"),
        (9, 0, {"train": 0.6, "val": 0.2}, "add up to 0.8"),
        (9, 0, {"train": 1.2, "val": -0.2}, r"split_fractions\.train"),
        (9, 0, {"train": float("nan"), "val": 0.2}, r"split_fractions\.train"),
        (9, 0, {"train": 0.5, "tset": 0.5}, r"split_fractions\.tset"),
    ],
)
def test_refuses(clips: int, seed: int, fractions: dict[str, float], what: str) -> None:
    with pytest.raises(SettingError, match=what):
        plan_clips(clips, seed, PhantomSettings(), fractions)


def test_a_split_of_share_zero_is_left_out() -> None:
    plans = plan_clips(8, 0, PhantomSettings(), {"train": 0.5, "val": 0.5, "test": 0.0})
    assert {plan.split for plan in plans} == {"train", "val"}


def test_a_set_may_be_one_split() -> None:
    plans = plan_clips(1, 0, PhantomSettings(), {"train": 0.0, "val": 0.0, "test": 1.0})
    assert [plan.split for plan in plans] == ["test"]


@pytest.mark.parametrize(("key", "value"), [("clips", "ten"), ("clips", 4.5), ("seed", "x"), ("seed", 1.5)])
def test_only_whole_numbers_count(key: str, value: object) -> None:
    arguments: dict[str, object] = {"clips": 6, "seed": 0, key: value}
    with pytest.raises(SettingError, match=f"{key}={value}"):
        plan_clips(settings=PhantomSettings(), split_fractions=FRACTIONS, **arguments)  # type: ignore[arg-type]


def test_a_share_is_a_number() -> None:
    with pytest.raises(SettingError, match=r"split_fractions\.train=half"):
        plan_clips(6, 0, PhantomSettings(), {"train": "half", "val": 0.5})  # type: ignore[dict-item]
