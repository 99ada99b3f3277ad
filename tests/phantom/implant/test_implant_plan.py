from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fascnet.errors import SettingError, SplitError
from fascnet.phantom.implant.background_sources import BackgroundSource
from fascnet.phantom.implant.implant_plan import ImplantSettings, plan_implants
from fascnet.phantom.settings import TwitchRanges
from fascnet.types import ClipSource

FRACTIONS = {"train": 0.6, "val": 0.2, "test": 0.2}
SETTINGS = ImplantSettings(clips_per_background=3, twitches=TwitchRanges(clip_share=0.5))


def make_sources(count: int = 10, split: str | None = None) -> dict[int, BackgroundSource]:
    return {
        k: BackgroundSource(
            ClipSource(f"name{k}", Path(f"{k}.avi"), f"person{k // 2}", split=split),
            f"b{k // 2:03d}",
            False,
            "",
        )
        for k in range(count)
    }


def test_whole_subjects_and_both_kinds_in_every_split() -> None:
    plans = plan_implants(make_sources(), 1, SETTINGS, FRACTIONS)
    assert len(plans) == 30 == len({plan.clip_id for plan in plans})
    assert len({(plan.subject_id, plan.split) for plan in plans}) == 5
    for split in FRACTIONS:
        kinds = [plan.has_twitches for plan in plans if plan.split == split]
        assert sum(kinds) == len(kinds) // 2
    assert plans == plan_implants(make_sources(), 1, SETTINGS, FRACTIONS)
    twitching = {(p.background, p.variant) for p in plans if p.has_twitches}
    others = plan_implants(make_sources(), 2, SETTINGS, FRACTIONS)
    assert twitching != {(p.background, p.variant) for p in others if p.has_twitches}


def test_sets_of_the_same_backgrounds_share_no_name() -> None:
    first, second = (
        {plan.clip_id for plan in plan_implants(make_sources(), seed, SETTINGS, FRACTIONS)} for seed in (1, 2)
    )
    assert len(first) == len(second) == 30 and not first & second


def test_names_do_not_depend_on_what_else_can_be_used() -> None:
    sources = make_sources()
    every = {(p.background, p.variant): p.clip_id for p in plan_implants(sources, 1, SETTINGS, FRACTIONS)}
    fewer = {k: source for k, source in sources.items() if k != 4}
    for plan in plan_implants(fewer, 1, SETTINGS, FRACTIONS):
        assert every[plan.background, plan.variant] == plan.clip_id


def test_splits_of_a_manifest_are_kept() -> None:
    plans = plan_implants(make_sources(split="val"), 1, SETTINGS, FRACTIONS)
    assert {plan.split for plan in plans} == {"val"}


def test_a_split_can_be_left_out() -> None:
    plans = plan_implants(make_sources(2), 1, SETTINGS, {"train": 1.0, "val": 0.0, "test": 0})
    assert {plan.split for plan in plans} == {"train"}
    with pytest.raises(SplitError, match="1 subjects cannot fill"):
        plan_implants(make_sources(2), 1, SETTINGS, FRACTIONS)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_all_or_none_twitch(share: float) -> None:
    settings = replace(SETTINGS, twitches=TwitchRanges(clip_share=share))
    assert {p.has_twitches for p in plan_implants(make_sources(), 0, settings, FRACTIONS)} == {share == 1}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"clips_per_background": 0}, "clips_per_background=0"),
        ({"duration_s": [0.1, 5]}, "duration_s=0.1"),
        ({"crop": 1}, "crop=1"),
    ],
)
def test_wrong_settings(changes: dict[str, object], says: str) -> None:
    with pytest.raises(SettingError, match=says):
        ImplantSettings(**changes)
    with pytest.raises(SettingError, match="seed=-1"):
        plan_implants(make_sources(), -1, SETTINGS, FRACTIONS)
