"""Weak twitches that return to the place of a sure one.

A motor unit that fires comes back, and not always as strongly. Most of what stays below the onset threshold
is noise; at a place that twitched surely and rests otherwise most of it is true (docs/experiments.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fascnet.inference.event_scores import Evidence, score_evidence
from fascnet.inference.events import EventFinder
from fascnet.inference.place_evidence import score_places, weigh_places
from fascnet.types import Event

RETURN_SHARE = 0.9
"""A weak candidate returns when so much of it lies on cells of one sure event: more of the weak ones that
reach beyond are false (docs/experiments.md)."""

Blocks = Callable[[], Iterable[NDArray[np.uint8]]]
"""Gives the clip's heatmaps anew, in blocks (t, h, w), 255 = probability 1."""


def settle_events(
    events: Sequence[Event], finder: EventFinder, blocks: Blocks
) -> tuple[list[Event], list[Event]]:
    """Give candidates their final scores, and add the weak ones that return to the place of a sure one.

    Where the event definition does not look at places, the events are as they should be already.

    Args:
        events: all that `finder` found in the clip.
        finder: has ended the clip; it will know the weak ones too.
        blocks: the clip's heatmaps; called as often as they are needed.

    Returns:
        The events that stay, in order of onset, and those that are dropped.
    """
    kept, dropped = score_places(events, finder, blocks())
    rule = finder.definition
    if rule.return_threshold and kept:
        for event, evidence in weigh_returning(kept, events, finder, blocks):
            score = score_evidence(evidence, rule, rule.score_return)
            if score >= rule.min_score:
                kept.append(replace(event, score=score))
    return sorted(kept, key=lambda event: (event.onset_s, event.offset_s, event.peak_s)), dropped


def weigh_returning(
    sure: Sequence[Event], candidates: Sequence[Event], finder: EventFinder, blocks: Blocks
) -> list[tuple[Event, Evidence]]:
    """Return the weak candidates at places of sure events, and what speaks for each.

    Args:
        sure: events that count.
        candidates: all that `finder` found; what touches one of them is no other.
        finder: found them; it will know the weak ones too.
        blocks: the clip's heatmaps.
    """
    loose = _loosen(finder)
    found = [event for block in blocks() for heatmap in block for event in loose.push(heatmap / 255.0)]
    found += loose.finish(finder.end_s)
    places = np.array([finder.footprint(event).cells().ravel() for event in sure])
    known = [(finder.ticks(event), finder.footprint(event).cells().ravel()) for event in candidates]
    returning: list[Event] = []
    others: list[Event] = []
    for event in found:
        cells = loose.footprint(event).cells().ravel()
        first, stop = loose.ticks(event)
        if any(a < stop and b > first and (own & cells).any() for (a, b), own in known):
            others.append(event)
        elif (places & cells).sum(axis=1).max() >= RETURN_SHARE * cells.sum():
            returning.append(event)
    # A place is at rest apart from all of these: each of them needs the others beside it.
    evidence = weigh_places([*returning, *others], loose, blocks())
    for event in returning:
        finder.adopt(event, loose)
    return list(zip(returning, evidence, strict=False))


def _loosen(finder: EventFinder) -> EventFinder:
    """Return a finder of weak candidates; its two thresholds have the ratio that those of `finder` have."""
    rule = finder.definition
    offset = rule.return_threshold * rule.offset_threshold / rule.onset_threshold
    loose = replace(rule, onset_threshold=rule.return_threshold, offset_threshold=offset)
    return EventFinder(loose, finder.fps, finder.shape, finder.box, finder.mm_per_px, finder.pixel_aspect)
