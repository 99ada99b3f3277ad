"""Brings movement and heatmaps of a clip together: which events count, and its logit without the rest."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Self

from fascnet.inference.events import EventFinder
from fascnet.inference.heatmap_store import HeatmapStore
from fascnet.inference.movement.judge import MovementRules, explain_unscored, extend_last, judge_events
from fascnet.inference.movement.watcher import MovementWatcher
from fascnet.inference.pooled_course import Place, PooledCourse
from fascnet.spacing import choose_spacing
from fascnet.types import FASCICULATION, Event, HeatmapStream, NotScored

_FLANK_S = 0.2
"""Seconds around a named event that do not count either: probability rises before and falls after it."""


@dataclass(frozen=True, slots=True)
class JudgedClip:
    """What is left of a clip.

    Attributes:
        events: events that stay; periodic ones under another label.
        not_scored: what cannot be scored.
        logit: the clip's pooled logit; None when not a single tick is left.
        active_area_fraction: share of the cells that events which count have covered, 0-1.
        reason: why most of it was not scored; empty otherwise.
    """

    events: tuple[Event, ...]
    not_scored: tuple[NotScored, ...]
    logit: float | None
    active_area_fraction: float
    reason: str

    @property
    def not_scored_s(self) -> float:
        """Seconds that cannot be scored."""
        return sum(part.end_s - part.start_s for part in self.not_scored)


class ClipJudge:
    """Holds what is needed to judge a clip while it streams. A context manager.

    Args:
        stream: the clip's heatmaps; only its facts are used.
        rules: what is done. Without any, nothing is kept and everything counts.
    """

    def __init__(self, stream: HeatmapStream, rules: MovementRules) -> None:
        self._rules = rules
        self._fps = stream.fps
        self._open = ExitStack()
        self.watcher: MovementWatcher | None = None
        """Has to see every frame of the clip; None when nothing need be watched."""
        self._pooled: PooledCourse | None = None
        if not rules.is_idle:
            mm_per_px = choose_spacing(stream.mm_per_px, stream.assumed_mm_per_px)
            self.watcher = self._open.enter_context(
                MovementWatcher(stream.box, mm_per_px, rules.reject, stream.pixel_aspect)
            )
            self._pooled = self._open.enter_context(PooledCourse())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def append(self, pooled: float) -> None:
        """Note the next tick's pooled logit."""
        if self._pooled is not None:
            self._pooled.append(pooled)

    def judge(
        self,
        events: Sequence[Event],
        finder: EventFinder,
        store: HeatmapStore,
        logit: float,
        end_s: float,
        dropped: Sequence[Event] = (),
    ) -> JudgedClip:
        """Judge the clip, once it has ended.

        Args:
            events: as `finder` found them, in order of onset.
            finder: knows which cells they covered.
            store: the clip's heatmaps.
            logit: the clip's logit with everything in it.
            end_s: end of what was scored.
            dropped: candidates of too low a score. No events, but where they beat in a rhythm their place
                does not speak for the clip either.
        """
        if self.watcher is None or self._pooled is None:
            return JudgedClip(tuple(events), (), logit, finder.measure_covered(events), "")
        judged = judge_events(events, self.watcher, self._rules, end_s, dropped)
        counted = [event for event in judged.events if event.label == FASCICULATION]
        left: float | None = logit
        if judged.not_scored or judged.rhythms:
            left = self._pooled.pool_again(
                store,
                self._fps,
                extend_last(judged.not_scored, end_s),
                # The place is left out for as long as the rhythm was seen there: weaker beats are beats too.
                [
                    Place(
                        finder.footprint(event),
                        min(rhythm.start_s, event.onset_s) - _FLANK_S,
                        max(rhythm.end_s, event.offset_s) + _FLANK_S,
                    )
                    for event, rhythm in judged.rhythms
                ],
                [Place(finder.footprint(event), event.onset_s, event.offset_s) for event in counted],
            )
        return JudgedClip(
            judged.events,
            judged.not_scored,
            left,
            finder.measure_covered(counted),
            explain_unscored(judged.not_scored, end_s),
        )
