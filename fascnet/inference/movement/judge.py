"""Which of a clip's events count: not those in seconds that cannot be scored, nor periodic movement."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fascnet.inference.movement.naming import find_rhythms
from fascnet.inference.movement.periodic import PeriodicRule, Rhythm
from fascnet.inference.movement.unscored import RejectRule
from fascnet.inference.movement.watcher import MovementWatcher
from fascnet.types import Event, NotScored

_INSIDE_SHARE = 0.5
"""An event with at least this share of its time in seconds that cannot be scored is not counted."""

_END_TOLERANCE_S = 1e-6

MOSTLY_SHARE = 0.5
"""From this share of a clip on, its row says why it was not scored."""


@dataclass(frozen=True, slots=True)
class MovementRules:
    """What is done about movement that is no twitch.

    Attributes:
        reject: which seconds cannot be scored; None scores all.
        name_periodic: which movement is periodic; None names none.
    """

    reject: RejectRule | None = None
    name_periodic: PeriodicRule | None = None

    @property
    def is_idle(self) -> bool:
        """Nothing is to be done, so nothing need be watched."""
        return self.reject is None and self.name_periodic is None

    def describe(self) -> dict[str, Mapping[str, Any] | None]:
        """Plain facts for `run.json`."""
        return {
            "reject": None if self.reject is None else self.reject.describe(),
            "name_periodic": None if self.name_periodic is None else self.name_periodic.describe(),
        }


@dataclass(frozen=True, slots=True)
class Judged:
    """A clip's events, judged.

    Attributes:
        events: those that stay, in order of onset; periodic ones under another label.
        not_scored: what cannot be scored, with the number of events that were dropped there.
        rhythms: for each event that was named, what it is a part of; dropped candidates that beat too.
    """

    events: tuple[Event, ...]
    not_scored: tuple[NotScored, ...]
    rhythms: tuple[tuple[Event, Rhythm], ...]


def judge_events(
    events: Iterable[Event],
    watcher: MovementWatcher,
    rules: MovementRules,
    end_s: float,
    dropped: Iterable[Event] = (),
) -> Judged:
    """Drop and name events; call it once, when the clip has ended.

    Args:
        events: as the detector found them, in order of onset.
        watcher: saw every frame of the clip.
        rules: what is done.
        end_s: end of the clip.
        dropped: candidates of too low a score: no events, but a rhythm of theirs is one all the same.
    """
    unscored = watcher.list_unscored(end_s)
    reaching = extend_last(unscored, end_s)
    lost = [0] * len(unscored)
    scored: list[Event] = []
    for event in events:
        at = find_part(event, reaching)
        if at is None:
            scored.append(event)
        else:
            lost[at] += 1
    weak = [event for event in dropped if find_part(event, reaching) is None]
    rule = rules.name_periodic
    none: list[Rhythm | None] = [None] * (len(scored) + len(weak))
    found = none if rule is None else find_rhythms(scored, weak, watcher, rule)
    labelled = [_label(event, rhythm) for event, rhythm in zip(scored, found, strict=False)]
    pairs = zip([*labelled, *weak], found, strict=True)
    rhythms = [(event, rhythm) for event, rhythm in pairs if rhythm is not None]
    parts = tuple(
        dataclasses.replace(part, n_events=count) for part, count in zip(unscored, lost, strict=True)
    )
    return Judged(tuple(labelled), parts, tuple(rhythms))


def _label(event: Event, rhythm: Rhythm | None) -> Event:
    if rhythm is None:
        return event
    return dataclasses.replace(event, label=rhythm.label, movement_hz=round(rhythm.hz, 2))


def extend_last(unscored: Sequence[NotScored], end_s: float) -> list[NotScored]:
    """Return the parts with those that reach the clip's end going on for ever.

    The last heatmap of a clip may stand for a moment at its end or past it, which no frame was seen after.
    """
    return [
        dataclasses.replace(part, end_s=math.inf) if part.end_s >= end_s - _END_TOLERANCE_S else part
        for part in unscored
    ]


def find_part(event: Event, unscored: Sequence[NotScored]) -> int | None:
    """Return which of the unscored parts an event belongs to, or None when it counts.

    It belongs to one that holds its peak, else to the one that holds most of it when they hold half of it.
    """
    peak_s = (event.onset_s + event.offset_s) / 2 if event.peak_s is None else event.peak_s
    overlaps_s = [
        max(0.0, min(event.offset_s, part.end_s) - max(event.onset_s, part.start_s)) for part in unscored
    ]
    for at, part in enumerate(unscored):
        if part.start_s <= peak_s < part.end_s:
            return at
    if sum(overlaps_s) < _INSIDE_SHARE * (event.offset_s - event.onset_s) or not any(overlaps_s):
        return None
    return max(range(len(unscored)), key=overlaps_s.__getitem__)


def explain_unscored(unscored: Sequence[NotScored], end_s: float) -> str:
    """Return a line for a clip of which most cannot be scored; empty for any other."""
    lost_s = sum(part.end_s - part.start_s for part in unscored)
    if end_s <= 0 or lost_s < MOSTLY_SHARE * end_s:
        return ""
    by_reason: dict[str, float] = {}
    for part in unscored:
        by_reason[part.reason] = by_reason.get(part.reason, 0.0) + part.end_s - part.start_s
    reasons = ", ".join(sorted(by_reason, key=lambda reason: -by_reason[reason]))
    return f"{lost_s:.1f} of {end_s:.1f} s not scored: {reasons}"
