"""Which clips an implanted set has: of which backgrounds, in which split, with or without twitches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fascnet.data.clip_set.splits import draw_splits
from fascnet.errors import SettingError
from fascnet.phantom.chance import make_rng
from fascnet.phantom.implant.background import BackgroundSettings
from fascnet.phantom.implant.background_sources import BackgroundSource
from fascnet.phantom.ranges import Range, check_ranges
from fascnet.phantom.settings import ConfounderRanges, TwitchRanges
from fascnet.types import ClipSource

_TWITCH_STREAM = 5


@dataclass(frozen=True, slots=True)
class ImplantSettings:
    """What an implanted set is drawn from.

    Attributes:
        clips_per_background: clips made from each recording or still, >= 1.
        duration_s: length of a clip; a recording that is shorter gives what it has.
        whole_recordings: clips are whole recordings instead; stills keep to `duration_s`.
        forth_and_back: a recording that is too short is played back from its end, and forth again. Movement
            of its own then also runs backwards.
        crop: write the imaging area alone, without the screen around it and the names on it.
        still_noise: mean absolute difference of two frames of a still at rest, in grey levels. A quiet
            recording showed 0.5-1.5 (field notes 3d).
        background: what is known about the backgrounds.
        twitches: ranges of the fasciculations.
        confounders: ranges of what else is made to move. Lift-off and out-of-plane movement cannot be
            implanted.
    """

    clips_per_background: int = 2
    duration_s: Range = (5.0, 10.0)
    whole_recordings: bool = False
    forth_and_back: bool = False
    crop: bool = True
    still_noise: Range = (0.5, 1.5)
    background: BackgroundSettings = field(default_factory=BackgroundSettings)
    twitches: TwitchRanges = field(default_factory=TwitchRanges)
    confounders: ConfounderRanges = field(default_factory=ConfounderRanges)

    def __post_init__(self) -> None:
        check_ranges(
            self,
            {"clips_per_background": (1, 1000), "duration_s": (1.0, 600.0), "still_noise": (0.0, 10.0)},
        )
        for name in ("whole_recordings", "forth_and_back", "crop"):
            if not isinstance(getattr(self, name), bool):
                raise SettingError(f"{name}={getattr(self, name)}: give true or false")


@dataclass(frozen=True, slots=True)
class ImplantPlan:
    """One clip to be made.

    Attributes:
        clip_id: its name.
        subject_id: neutral name of the person.
        background: index of its background among all that were found.
        variant: from 0, counts the clips of one background.
        split: `train`, `val` or `test`.
        has_twitches: whether twitches are implanted.
    """

    clip_id: str
    subject_id: str
    background: int
    variant: int
    split: str
    has_twitches: bool


def plan_implants(
    sources: Mapping[int, BackgroundSource],
    seed: int,
    settings: ImplantSettings,
    split_fractions: Mapping[str, float],
) -> tuple[ImplantPlan, ...]:
    """Plan a set: whole subjects in each split, and in each split clips with and without twitches.

    Names and seeds of a background's clips do not depend on which other backgrounds can be used. The seed is
    in the names, so that sets made of the same backgrounds can be trained on together.

    Args:
        sources: the backgrounds that can be used, by their index among all that were found.
        seed: seed of the set, >= 0.
        settings: gives `clips_per_background` and `twitches.clip_share`.
        split_fractions: shares of subjects in `train`, `val`, `test`; 0 leaves a split out. Splits of a
            manifest are kept instead.

    Raises:
        SettingError: a negative seed.
        SplitError: fewer subjects than splits, or a manifest with splits for some clips only.
    """
    if seed < 0:
        raise SettingError(f"seed={seed}: give a whole number of 0 or more")
    neutral = [
        ClipSource(f"{index}", source.clip.path, source.subject_id, split=source.clip.split)
        for index, source in sources.items()
    ]
    shares = {name: share for name, share in split_fractions.items() if share != 0}
    splits = {clip.clip_id: clip.split for clip in draw_splits(neutral, shares, seed)}
    n_variants = settings.clips_per_background
    keys = [(index, variant) for index in sources for variant in range(n_variants)]
    twitching = _choose_twitching(keys, splits, seed, settings.twitches.clip_share)
    return tuple(
        ImplantPlan(
            clip_id=f"{sources[index].subject_id}_i{seed}_c{index * n_variants + variant:05d}",
            subject_id=sources[index].subject_id,
            background=index,
            variant=variant,
            split=f"{splits[f'{index}']}",
            has_twitches=(index, variant) in twitching,
        )
        for index, variant in keys
    )


def _choose_twitching(
    keys: Sequence[tuple[int, int]], splits: Mapping[str, str | None], seed: int, share: float
) -> set[tuple[int, int]]:
    rng = make_rng(_TWITCH_STREAM, seed)
    chosen: set[tuple[int, int]] = set()
    for name in sorted({f"{split}" for split in splits.values()}):
        members = [key for key in keys if splits[f"{key[0]}"] == name]
        count = round(len(members) * share)
        if len(members) >= 2 and 0 < share < 1:
            count = min(max(count, 1), len(members) - 1)
        chosen.update(members[place] for place in rng.permutation(len(members))[:count])
    return chosen
