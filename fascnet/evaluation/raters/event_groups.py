"""Which events of several raters are one? Groups of matched events, and each rater's vote on them.

Groups, not time bins, because a fasciculation is a thing that is counted: bins split an event at their edge,
join two neighbours, and make the answer depend on their length.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from numpy.typing import NDArray

from fascnet.data.labelling.seconds import is_examined
from fascnet.evaluation.matching.match import MatchingRule, match_events
from fascnet.evaluation.raters.agreement import CELL_S, rate_cells
from fascnet.evaluation.sources.source import NOTHING_KNOWN, ClipFacts
from fascnet.types import FASCICULATION, Event, Interval, Labels

YES, NO, SILENT = 1, 0, -1
"""A vote on a moment. `SILENT`: the rater did not look there, or named a certainty that does not count."""


@dataclass(frozen=True, slots=True)
class EventGroup:
    """Events of different raters that are one event.

    Attributes:
        event: their middle: median onset, offset and peak, and the region of the member nearest to it.
        members: (index of the rater, event), at most one a rater, in order of raters.
    """

    event: Event
    members: tuple[tuple[int, Event], ...]


def group_events(
    labels: Sequence[Labels],
    rule: MatchingRule,
    *,
    label: str = FASCICULATION,
    facts: ClipFacts = NOTHING_KNOWN,
) -> list[EventGroup]:
    """Group the events of several raters of one clip; the order of the raters matters for exact ties only.

    The two most agreeing raters (highest F1, then smallest mean difference) are matched first, optimally and
    one to one; then, as in a guide tree, again the two most agreeing of what is left, by the middles of their
    groups. An event outside its rater's own examined seconds is left out.

    Args:
        labels: one clip's labels, one a rater.
        rule: when two events match.
        label: which events to group.
        facts: the clip's frame rate, where the rule counts frames; its pixel spacing, where it counts mm.

    Returns:
        Groups in order of onset.

    Raises:
        SettingError: the rule needs a frame rate or a spacing that is unknown.
    """
    parts: list[list[EventGroup]] = []
    for rater, one in enumerate(labels):
        kept = [e for e in one.events if e.label == label and is_examined(e, one.examined)]
        if kept:
            parts.append([EventGroup(event, ((rater, event),)) for event in kept])
    while len(parts) > 1:
        best: tuple[float, float] | None = None
        for i in range(len(parts)):
            for j in range(i + 1, len(parts)):
                first, second = ([group.event for group in parts[k]] for k in (i, j))
                matches = match_events(
                    first,
                    second,
                    rule,
                    fps=facts.fps,
                    mm_per_px=facts.mm_per_px,
                    pixel_aspect=facts.aspect,
                ).matches
                apart_s = sum(match.difference_s for match in matches) / max(len(matches), 1)
                rank = (-2 * len(matches) / (len(first) + len(second)), apart_s)
                if best is None or rank < best:
                    best, chosen, pairs = rank, (i, j), [(m.reference, m.found) for m in matches]
        i, j = chosen
        joined = _join(parts[i], parts[j], pairs)
        parts = [part for k, part in enumerate(parts) if k not in chosen] + [joined]
    return sorted(parts[0], key=lambda group: (group.event.onset_s, group.event.offset_s)) if parts else []


def vote(group: EventGroup, labels: Sequence[Labels], silent_certainty: frozenset[str]) -> list[int]:
    """Return each rater's vote on a group: `YES`, `NO`, or `SILENT`."""
    votes = [NO if is_examined(group.event, one.examined) else SILENT for one in labels]
    for rater, event in group.members:
        votes[rater] = SILENT if event.certainty in silent_certainty else YES
    return votes


def vote_on_clip(
    labels: Sequence[Labels], groups: Sequence[EventGroup], silent_certainty: frozenset[str]
) -> NDArray[np.int64]:
    """Return the votes on all groups and on the seconds without any event: (n, raters).

    Seconds in which nobody saw anything are the statements "no twitch here"; without them nobody's
    specificity, and so nobody's false alarms, could be estimated.
    """
    rows = [vote(group, labels, silent_certainty) for group in groups]
    if not math.isfinite(max((end for one in labels for _, end in one.examined), default=0.0)):
        labels = [replace(one, examined=_cut(one.examined, _last_s(labels))) for one in labels]
    events = [event for one in labels for event in one.fasciculations()]
    cells = rate_cells([events] * len(labels), [one.examined for one in labels])
    empty = cells[np.all(cells != YES, axis=1)]
    return np.concatenate([np.array(rows, dtype=np.int64).reshape(-1, len(labels)), empty])


def _join(
    first: Sequence[EventGroup], second: Sequence[EventGroup], pairs: Sequence[tuple[int, int]]
) -> list[EventGroup]:
    joined = [_average((*first[i].members, *second[j].members)) for i, j in pairs]
    joined += [group for i, group in enumerate(first) if i not in {pair[0] for pair in pairs}]
    return joined + [group for j, group in enumerate(second) if j not in {pair[1] for pair in pairs}]


def _average(members: tuple[tuple[int, Event], ...]) -> EventGroup:
    members = tuple(sorted(members, key=lambda member: member[0]))
    events = [event for _, event in members]
    onset_s, offset_s = median(e.onset_s for e in events), median(e.offset_s for e in events)
    peaks = [e.peak_s for e in events if e.peak_s is not None]

    def distance(event: Event) -> tuple[bool, float]:
        return event.region is None, abs(event.onset_s - onset_s) + abs(event.offset_s - offset_s)

    nearest = min(events, key=distance)
    middle = Event(
        onset_s,
        offset_s,
        # A median of some raters' peaks beside onsets of all would not be one moment's description.
        median(peaks) if len(peaks) == len(events) else None,
        nearest.label,
        region=nearest.region,
        ignore_region=nearest.ignore_region,
    )
    return EventGroup(middle, members)


def _last_s(labels: Sequence[Labels]) -> float:
    ends = [end for one in labels for _, end in one.examined if math.isfinite(end)]
    return max(ends + [event.offset_s + CELL_S for one in labels for event in one.events], default=0.0)


def _cut(examined: Sequence[Interval], last_s: float) -> tuple[Interval, ...]:
    return tuple((start, min(end, last_s)) for start, end in examined if start < last_s)
