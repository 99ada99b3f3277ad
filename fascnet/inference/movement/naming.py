"""Which candidates of a clip are periodic: each by the rhythm of its place, then all held against each other.

A pulse that is taken for a twitch is taken for one again and again. Where an event stands alone on a place
that beats, it is something that beats are not: on validation clips all fourteen events of a score above a
half that were named a pulse by the rhythm alone were twitches (docs/reject.md).
"""

from __future__ import annotations

from collections.abc import Sequence

from fascnet.inference.movement.beats import AFTER_S, BEFORE_S
from fascnet.inference.movement.periodic import (
    AROUND_S,
    ARTERIAL_PULSATION,
    PeriodicRule,
    Rhythm,
)
from fascnet.inference.movement.trace import Course
from fascnet.inference.movement.watcher import MovementWatcher
from fascnet.types import Event, Point

LEAST_COMPANY = 1 / 3
"""Of the other beats of its pulse, an event needs candidates at this share. Twitches on arteries had them at
up to 1 of 8, beats that were taken for twitches at 4 of 8 or more."""

LEAST_VOTES = 2
"""An event without a rhythm of its own is a beat when so many, and half, of its place's pulses say so."""

_NEAR_BLOCKS = 1


def find_rhythms(
    events: Sequence[Event], dropped: Sequence[Event], watcher: MovementWatcher, rule: PeriodicRule
) -> list[Rhythm | None]:
    """Return what periodic movement each of `[*events, *dropped]` is part of; None for those of none.

    Args:
        events: of the clip, without those in seconds that cannot be scored.
        dropped: candidates of too low a score, likewise.
        watcher: saw every frame of the clip.
        rule: what is periodic.
    """
    return _Places([*events, *dropped], watcher, rule).name(len(events))


class _Places:
    """The candidates of a clip and the movement of their places."""

    def __init__(self, candidates: list[Event], watcher: MovementWatcher, rule: PeriodicRule) -> None:
        self._candidates = candidates
        self._watcher = watcher
        self._rule = rule
        self._blocks = [
            watcher.small.find_block(event.region.x, event.region.y)
            if isinstance(event.region, Point)
            else None
            for event in candidates
        ]

    def name(self, n_events: int) -> list[Rhythm | None]:
        """Name the candidates; only the first `n_events` count as they are, and are held against others."""
        found = [self._find_rhythm(index) for index in range(len(self._candidates))]
        named = [
            None if rhythm is not None and index < n_events and self._stands_alone(index, rhythm) else rhythm
            for index, rhythm in enumerate(found)
        ]
        return [
            self._ask_others(index, named[:n_events]) if rhythm is None and index < n_events else rhythm
            for index, rhythm in enumerate(named)
        ]

    def _find_rhythm(self, index: int) -> Rhythm | None:
        block, event = self._blocks[index], self._candidates[index]
        if block is None:
            return None
        return self._rule.find_rhythm(self._read_around(event), block, event.onset_s, event.offset_s)

    def _read_around(self, event: Event) -> Course:
        return self._watcher.trace.read(event.onset_s - AROUND_S, event.offset_s + AROUND_S)

    def _stands_alone(self, index: int, rhythm: Rhythm) -> bool:
        """Say whether too few of the other beats of a pulse were candidates too. No tremor stands alone."""
        event = self._candidates[index]
        others_s = [beat_s for beat_s in rhythm.beats_s if not _holds(event, beat_s)]
        near = [self._candidates[other] for other in self._list_near(index)]
        seen = sum(any(_holds(other, beat_s) for other in near) for beat_s in others_s)
        return seen < LEAST_COMPANY * len(others_s)

    def _ask_others(self, index: int, named: Sequence[Rhythm | None]) -> Rhythm | None:
        """Return the pulse that half of the pulses of its place count an event to, or None."""
        event = self._candidates[index]
        votes: list[Rhythm | None] = []
        for other in self._list_near(index):
            rhythm = named[other] if other < len(named) else None
            block, pulse = self._blocks[other], self._candidates[other]
            if rhythm is None or rhythm.label != ARTERIAL_PULSATION or block is None:
                continue
            if rhythm.start_s < event.offset_s and event.onset_s < rhythm.end_s:
                is_beat = self._rule.is_beat_of(
                    self._read_around(pulse),
                    block,
                    (pulse.onset_s, pulse.offset_s),
                    (event.onset_s, event.offset_s),
                )
                votes.append(rhythm if is_beat else None)
        ayes = [rhythm for rhythm in votes if rhythm is not None]
        return ayes[0] if len(ayes) >= LEAST_VOTES and 2 * len(ayes) >= len(votes) else None

    def _list_near(self, index: int) -> list[int]:
        own = self._blocks[index]
        return [
            other
            for other, block in enumerate(self._blocks)
            if other != index
            and block is not None
            and own is not None
            and max(abs(block[0] - own[0]), abs(block[1] - own[1])) <= _NEAR_BLOCKS
        ]


def _holds(event: Event, beat_s: float) -> bool:
    return event.onset_s - BEFORE_S <= beat_s <= event.offset_s + AFTER_S
