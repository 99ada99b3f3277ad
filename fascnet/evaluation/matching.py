"""Which found event is which reference event? Optimal one-to-one assignment in time and space.

Greedy nearest-first matching can cost a match; the assignment here has the largest possible number of matches
and, among those, the smallest sum of time differences.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from fascnet.errors import SettingError
from fascnet.evaluation.distance import measure_distance_px
from fascnet.types import Event, Interval

TIME_ROUNDING_S = 0.001
"""Slack of the frame rule: times in tables are rounded, and a frame period is seldom a round number."""


@dataclass(frozen=True, slots=True)
class MatchingRule:
    """When do two events match? In time, and in space when a distance is given; both must hold.

    Attributes:
        name: key in `metrics.json`.
        mode: `overlap` (the intervals share any moment) or `tolerance` (peaks, or onsets where either event
            has no peak, differ by at most the tolerance).
        tolerance_s: largest time difference in seconds, for `tolerance`.
        tolerance_frames: the same in frames of the recording; the clip's frame rate turns it into seconds.
        max_distance_px: largest distance in stored pixels, from one event's centre to the other's region, 0
            inside.
        max_distance_mm: the same in mm. Neither: time only. An event without region is matched in time only.
    """

    name: str
    mode: str = "overlap"
    tolerance_s: float | None = None
    tolerance_frames: float | None = None
    max_distance_px: float | None = None
    max_distance_mm: float | None = None

    def __post_init__(self) -> None:
        if self.mode not in {"overlap", "tolerance"}:
            raise SettingError(f"matching.mode is '{self.mode}'; choose overlap or tolerance")
        if self.mode == "tolerance" and self.tolerance_s is None and self.tolerance_frames is None:
            raise SettingError("matching.mode=tolerance needs matching.tolerance_s")
        for key in ("tolerance_s", "tolerance_frames", "max_distance_px", "max_distance_mm"):
            value = getattr(self, key)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise SettingError(f"matching.{key} is {value}; give a number from 0")
        if self.max_distance_px is not None and self.max_distance_mm is not None:
            raise SettingError("matching: set max_distance_px or max_distance_mm to null")

    def describe(self) -> dict[str, object]:
        """Return the rule as it stands in `metrics.json`."""
        keys = ("mode", "tolerance_s", "tolerance_frames", "max_distance_px", "max_distance_mm")
        return {"name": self.name} | {key: getattr(self, key) for key in keys}


@dataclass(frozen=True, slots=True)
class Match:
    """One pair: indices into the two sequences, and how far apart they are (px is None when not compared)."""

    reference: int
    found: int
    difference_s: float
    distance_px: float | None


@dataclass(frozen=True, slots=True)
class Matching:
    """What became of each event.

    Attributes:
        matches: the pairs.
        missed: indices of reference events that nothing matched.
        false: indices of found events that match nothing.
        left_out_reference: reference events not counted (ignorable, outside the examined seconds, or paired
            with an ignorable event of the other side).
        left_out_found: found events not counted, likewise.
    """

    matches: tuple[Match, ...]
    missed: tuple[int, ...]
    false: tuple[int, ...]
    left_out_reference: tuple[int, ...]
    left_out_found: tuple[int, ...]


def match_events(
    reference: Sequence[Event],
    found: Sequence[Event],
    rule: MatchingRule,
    *,
    examined: Sequence[Interval] | None = None,
    ignored_certainty: frozenset[str] = frozenset(),
    fps: float | None = None,
    mm_per_px: float | None = None,
) -> Matching:
    """Match two sequences of events of one clip; swapping them swaps the result and changes nothing else.

    Args:
        reference: events taken as true.
        found: events to be judged.
        rule: when two events match.
        examined: seconds that count; an event whose midpoint lies outside is left out. None: all.
        ignored_certainty: certainty words (`possible`) whose events are neither misses nor false alarms, nor
            is an otherwise unmatched event that matches one of them.
        fps: the clip's frame rate, needed by `tolerance_frames`.
        mm_per_px: the clip's pixel spacing, needed by `max_distance_mm`.

    Raises:
        SettingError: the rule needs a frame rate or a spacing that is unknown.
    """
    tolerance_s, limit_px = _resolve(rule, fps, mm_per_px)
    sides = (reference, found)
    counted, ignorable, outside = [], [], []
    for events in sides:
        inside = [i for i, e in enumerate(events) if examined is None or _is_examined(e, examined)]
        counted.append([i for i in inside if events[i].certainty not in ignored_certainty])
        ignorable.append([i for i in inside if events[i].certainty in ignored_certainty])
        outside.append(sorted(set(range(len(events))) - set(inside)))

    matches = _assign(reference, found, counted[0], counted[1], rule, tolerance_s, limit_px)
    missed = sorted(set(counted[0]) - {m.reference for m in matches})
    false = sorted(set(counted[1]) - {m.found for m in matches})

    def touches(one: Event, others: list[Event]) -> bool:
        return any(_compare(one, other, rule, tolerance_s, limit_px) is not None for other in others)

    excused_missed = [i for i in missed if touches(reference[i], [found[j] for j in ignorable[1]])]
    excused_false = [j for j in false if touches(found[j], [reference[i] for i in ignorable[0]])]
    return Matching(
        matches=tuple(matches),
        missed=tuple(i for i in missed if i not in set(excused_missed)),
        false=tuple(j for j in false if j not in set(excused_false)),
        left_out_reference=tuple(sorted(outside[0] + ignorable[0] + excused_missed)),
        left_out_found=tuple(sorted(outside[1] + ignorable[1] + excused_false)),
    )


def measure_difference_s(first: Event, second: Event) -> float:
    """Return the time between two events: between their peaks, or their onsets where either has no peak."""
    if first.peak_s is not None and second.peak_s is not None:
        return abs(first.peak_s - second.peak_s)
    return abs(first.onset_s - second.onset_s)


def _resolve(rule: MatchingRule, fps: float | None, mm_per_px: float | None) -> tuple[float, float | None]:
    """Turn frames and mm into seconds and pixels of this clip."""
    tolerance_s = 0.0
    if rule.mode == "tolerance":
        if rule.tolerance_frames is not None:
            if fps is None:
                raise SettingError(
                    f"matching rule {rule.name} counts frames, but the frame rate of a clip is unknown"
                )
            tolerance_s = rule.tolerance_frames / fps + TIME_ROUNDING_S
        elif rule.tolerance_s is not None:
            tolerance_s = rule.tolerance_s
    limit_px = rule.max_distance_px
    if rule.max_distance_mm is not None:
        if mm_per_px is None:
            raise SettingError(
                f"matching rule {rule.name} is in mm, but mm_per_px of a clip is unknown: give pixels"
            )
        limit_px = rule.max_distance_mm / mm_per_px
    return tolerance_s, limit_px


def _is_examined(event: Event, examined: Sequence[Interval]) -> bool:
    middle_s = (event.onset_s + event.offset_s) / 2
    return any(start <= middle_s < end for start, end in examined)


def _compare(
    one: Event, other: Event, rule: MatchingRule, tolerance_s: float, limit_px: float | None
) -> tuple[float, float | None] | None:
    """Return (time difference, distance) when the two match under the rule, else None."""
    difference_s = measure_difference_s(one, other)
    if rule.mode == "overlap":
        if not (one.onset_s < other.offset_s and other.onset_s < one.offset_s):
            return None
    elif difference_s > tolerance_s + 1e-9:
        return None
    if limit_px is None or one.region is None or other.region is None:
        return difference_s, None
    distance_px = measure_distance_px(one.region, other.region)
    return (difference_s, distance_px) if distance_px <= limit_px + 1e-9 else None


def _assign(
    reference: Sequence[Event],
    found: Sequence[Event],
    rows: list[int],
    columns: list[int],
    rule: MatchingRule,
    tolerance_s: float,
    limit_px: float | None,
) -> list[Match]:
    if not rows or not columns:
        return []
    pairs: dict[tuple[int, int], tuple[float, float | None]] = {}
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            compared = _compare(reference[row], found[column], rule, tolerance_s, limit_px)
            if compared is not None:
                pairs[i, j] = compared
    if not pairs:
        return []
    # All feasible costs together stay below the cost of one lost match: the number of matches comes first.
    longest_s = max(difference_s for difference_s, _ in pairs.values())
    unit_s = (longest_s + 1e-9) * (min(len(rows), len(columns)) + 1)
    cost: NDArray[np.float64] = np.ones((len(rows), len(columns)))
    for (i, j), (difference_s, _) in pairs.items():
        cost[i, j] = difference_s / unit_s
    chosen = zip(*linear_sum_assignment(cost), strict=True)
    found_pairs = [(int(i), int(j)) for i, j in chosen]
    return [Match(rows[i], columns[j], *pairs[i, j]) for i, j in found_pairs if (i, j) in pairs]
