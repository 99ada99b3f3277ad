"""Which clips cost a source most? Where to look first, in the same order on every machine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fascnet.errors import SettingError
from fascnet.evaluation.outcome import ClipOutcome
from fascnet.types import Event, Interval

MISS_COST = 1.0
"""A missed event costs as much as a false alarm that the source is certain of."""

COST_RULE = (
    "missed reference events, 1 each, plus false alarms, each by the source's confidence in it (1 where it "
    "gives none); equal costs: more errors first, then by clip_id"
)


@dataclass(frozen=True, slots=True)
class WorstClip:
    """A clip and what went wrong in it.

    Attributes:
        clip_id: the clip.
        cost: as `COST_RULE` says, from 0.
        missed: (onset_s, offset_s) of each missed reference event, by onset.
        false_alarms: (onset_s, offset_s, confidence or None) of each, most confident first.
        n_reference: reference events that count.
        n_found: found events that count.
        minutes: examined minutes.
        score: the source's score of the clip, or None.
        truth: whether the reference calls it positive; None when only left-out events speak for it.
    """

    clip_id: str
    cost: float
    missed: tuple[Interval, ...]
    false_alarms: tuple[tuple[float, float, float | None], ...]
    n_reference: int
    n_found: int
    minutes: float
    score: float | None
    truth: bool | None


def rank_worst_clips(outcomes: Sequence[ClipOutcome], limit: int = 20) -> list[WorstClip]:
    """List the clips that cost most, worst first; clips without an error are never listed.

    Args:
        outcomes: one source against the reference.
        limit: how many at most, from 0.

    Raises:
        SettingError: the limit is negative.
    """
    if limit < 0:
        raise SettingError(f"worst_clips is {limit}; give 0 or more")
    clips = [_describe(outcome) for outcome in outcomes if outcome.matching.missed or outcome.matching.false]
    clips.sort(key=lambda clip: (-clip.cost, -(len(clip.missed) + len(clip.false_alarms)), clip.clip_id))
    return clips[:limit]


def measure_cost(missed: Sequence[Event], false_alarms: Sequence[Event]) -> float:
    """Return the cost of a clip's errors, see `COST_RULE`; it does not depend on their order."""
    confidence = [1.0 if event.score is None else event.score for event in false_alarms]
    # fsum is exact, so that equal errors cost the same to the last bit, and ties are ties.
    return math.fsum([MISS_COST * len(missed), *confidence])


def _describe(outcome: ClipOutcome) -> WorstClip:
    missed = [outcome.reference[i] for i in outcome.matching.missed]
    false = [outcome.found[j] for j in outcome.matching.false]
    false.sort(
        key=lambda event: (-1.0 if event.score is None else -event.score, event.onset_s, event.offset_s)
    )
    return WorstClip(
        clip_id=outcome.clip_id,
        cost=measure_cost(missed, false),
        missed=tuple(sorted((event.onset_s, event.offset_s) for event in missed)),
        false_alarms=tuple((event.onset_s, event.offset_s, event.score) for event in false),
        n_reference=outcome.n_reference,
        n_found=outcome.n_found,
        minutes=outcome.minutes,
        score=outcome.score,
        truth=outcome.truth(),
    )
