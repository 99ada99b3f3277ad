"""Which clips a phantom set has: subjects, splits, clips with twitches. Decided before any clip is made."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from fascnet.errors import SettingError
from fascnet.phantom.chance import make_rng
from fascnet.phantom.settings import PhantomSettings

SPLITS = ("train", "val", "test")

_SPLIT_STREAM = 1


@dataclass(frozen=True, slots=True)
class ClipPlan:
    """One clip to be made.

    Attributes:
        index: from 0; seeds the clip.
        clip_id: its name.
        subject_index: from 0; seeds the subject.
        subject_id: the subject's name.
        split: `train`, `val` or `test`.
        has_twitches: whether it holds any.
    """

    index: int
    clip_id: str
    subject_index: int
    subject_id: str
    split: str
    has_twitches: bool


def plan_clips(
    clips: int, seed: int, settings: PhantomSettings, split_fractions: Mapping[str, float]
) -> tuple[ClipPlan, ...]:
    """Plan a set: whole subjects in each split, and in each split clips with and without twitches.

    Args:
        clips: number of clips, at least one a split.
        seed: seed of the set, >= 0.
        settings: gives `clips_per_subject` and `twitches.clip_share`.
        split_fractions: shares of `train`, `val`, `test`, adding up to 1; a split of share 0 is left out.

    Raises:
        SettingError: too few clips, or fractions that are not shares of 1.
    """
    shares = _check_fractions(split_fractions)
    if not isinstance(clips, int) or clips < len(shares):
        raise SettingError(f"clips={clips}: give at least {len(shares)}, one for each of {', '.join(shares)}")
    if not isinstance(seed, int) or seed < 0:
        raise SettingError(f"seed={seed}: give a whole number of 0 or more")
    subjects = max(math.ceil(clips / settings.clips_per_subject), len(shares))
    splits = [name for name, count in _share_out(subjects, shares).items() for _ in range(count)]
    rng = make_rng(_SPLIT_STREAM, seed)
    rng.shuffle(splits)
    # Clip i belongs to subject i modulo n: sizes differ by one at most.
    twitching: set[int] = set()
    for name in shares:
        members = [index for index in range(clips) if splits[index % subjects] == name]
        count = round(len(members) * settings.twitches.clip_share)
        if len(members) >= 2 and 0 < settings.twitches.clip_share < 1:
            count = min(max(count, 1), len(members) - 1)
        twitching.update(int(index) for index in rng.permutation(members)[:count])
    width = max(len(str(clips - 1)), 4)
    return tuple(
        ClipPlan(
            index=index,
            clip_id=f"{name_subject(seed, index % subjects)}_c{index:0{width}d}",
            subject_index=index % subjects,
            subject_id=name_subject(seed, index % subjects),
            split=splits[index % subjects],
            has_twitches=index in twitching,
        )
        for index in range(clips)
    )


def name_subject(seed: int, index: int) -> str:
    """Name a phantom subject, such as `p7s012`.

    The seed of the set is in the name: whether a subject was seen in training is told by its name, and the
    first subject of one set is not that of another.
    """
    return f"p{seed}s{index:03d}"


def _check_fractions(fractions: Mapping[str, float]) -> dict[str, float]:
    unknown = sorted(set(fractions) - set(SPLITS))
    if unknown:
        raise SettingError(f"split_fractions.{unknown[0]}: choose from {', '.join(SPLITS)}")
    for name, share in fractions.items():
        if not (isinstance(share, int | float) and math.isfinite(share) and 0 <= share <= 1):
            raise SettingError(f"split_fractions.{name}={share}: give a share between 0 and 1")
    if abs(sum(fractions.values()) - 1) > 1e-6:
        raise SettingError(f"split_fractions: the shares add up to {sum(fractions.values()):g}; make it 1")
    return {name: fractions[name] for name in SPLITS if fractions.get(name, 0) > 0}


def _share_out(count: int, shares: Mapping[str, float]) -> dict[str, int]:
    """Split a count by shares, largest remainders first, at least one each."""
    counts = {name: max(int(count * share), 1) for name, share in shares.items()}
    while sum(counts.values()) > count:
        counts[max(counts, key=lambda name: counts[name])] -= 1
    while sum(counts.values()) < count:
        counts[max(counts, key=lambda name: count * shares[name] - counts[name])] += 1
    return counts
