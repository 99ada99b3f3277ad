"""Seconds that were looked at: joined where they touch, and which events lie in them."""

from __future__ import annotations

from collections.abc import Sequence

from fascnet.types import Event, Interval


def merge_intervals(intervals: Sequence[Interval]) -> tuple[Interval, ...]:
    """Return the seconds in any of the intervals, as intervals that do not touch, in order."""
    merged: list[Interval] = []
    for start_s, end_s in sorted(intervals):
        if merged and start_s <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end_s))
        else:
            merged.append((start_s, end_s))
    return tuple(merged)


def leave_out(whole: Interval, left_out: Sequence[Interval]) -> tuple[Interval, ...]:
    """Return what remains of an interval, which may be without end, outside the others, in order."""
    begin_s, stop_s = whole
    kept: list[Interval] = []
    for start_s, end_s in merge_intervals(left_out):
        kept.append((begin_s, min(start_s, stop_s)))
        begin_s = max(begin_s, end_s)
    kept.append((begin_s, stop_s))
    return tuple((start_s, end_s) for start_s, end_s in kept if end_s > start_s)


def is_examined(event: Event, examined: Sequence[Interval]) -> bool:
    """Whether the middle of an event lies in the examined seconds."""
    middle_s = (event.onset_s + event.offset_s) / 2
    for start_s, end_s in examined:  # noqa: SIM110 - called for every event; `any` takes twice as long
        if start_s <= middle_s < end_s:
            return True
    return False
