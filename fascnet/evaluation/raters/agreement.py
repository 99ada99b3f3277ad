"""Agreement of two sources, neither of which is taken as true: Cohen's kappa, F1 and ICC of counts.

Everything here is symmetric: swapping the two sources changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fascnet.errors import SettingError
from fascnet.evaluation.raters.coefficients import cohen_kappa_from_tables
from fascnet.evaluation.uncertainty.bootstrap import FloatArray
from fascnet.types import Event, Interval

CELL_S = 1.0
"""Length of a cell of the event kappa."""

MIN_CELL_S = 0.5
"""A shorter rest at the end of an examined interval is no cell."""

EVENT_KAPPA_RULE = (
    "Cohen's kappa on cells of 1 second: the seconds that both sources examined are cut from the start of "
    "each examined interval, a rest shorter than 0.5 s is left out, and a cell is positive for a source when "
    "any of its events covers any part of it. Cells touched by an ignored event of either are left out."
)
CLIP_KAPPA_RULE = (
    "Cohen's kappa on clips: a clip is positive for a source with at least one event in the examined seconds."
)


def cohen_kappa(sums: FloatArray) -> FloatArray:
    """Cohen's kappa (1960) of summed cells both, only first, only second, neither (..., 4).

    NaN (not defined) when both sources always say the same one thing: chance agreement is then complete.
    """
    both, first, second, neither = np.moveaxis(sums, -1, 0)
    tables = np.stack([np.stack([neither, second], axis=-1), np.stack([first, both], axis=-1)], axis=-2)
    return cohen_kappa_from_tables(tables)


def count_cells(
    first: Sequence[Event],
    second: Sequence[Event],
    examined: Sequence[Interval],
    ignored_certainty: frozenset[str] = frozenset(),
) -> FloatArray:
    """Count 1-second cells of a clip that both, only first, only second, neither call positive: (4,).

    The rule is `EVENT_KAPPA_RULE`. `examined` must be finite: the seconds that both sources looked at.
    """
    counts = np.zeros(4)
    for start_s, end_s in examined:
        n_cells = math.floor((end_s - start_s) / CELL_S + 1e-9)
        rest_s = end_s - start_s - n_cells * CELL_S
        n_cells += rest_s >= MIN_CELL_S
        one, one_ignored = _mark_cells(first, start_s, end_s, n_cells, ignored_certainty)
        two, two_ignored = _mark_cells(second, start_s, end_s, n_cells, ignored_certainty)
        kept = ~(one_ignored | two_ignored)
        cells = (one & two, one & ~two, ~one & two, ~one & ~two)
        counts += [np.count_nonzero(cell & kept) for cell in cells]
    return counts


def rate_cells(
    events: Sequence[Sequence[Event]],
    examined: Sequence[Sequence[Interval]],
    ignored_certainty: frozenset[str] = frozenset(),
) -> NDArray[np.int64]:
    """Rate the seconds of one clip by several raters: 1 yes, 0 no, -1 not examined or ignored (n, raters).

    Cells start at full seconds of the clip. A rater rates a cell that he examined by half or more; it is
    positive when any of his events covers any part of it, and not rated when only ignored events do.

    Args:
        events: each rater's events.
        examined: the seconds each of them looked at, finite.
        ignored_certainty: certainty words whose events do not count.

    Raises:
        SettingError: an examined interval has no end, or there are not as many of them as raters.
    """
    if len(events) != len(examined):
        raise SettingError(f"{len(events)} raters gave events, but {len(examined)} examined seconds")
    last_s = max((end_s for intervals in examined for _, end_s in intervals), default=0.0)
    if not math.isfinite(last_s):
        raise SettingError("examined seconds have no end; cut them to the clip first")
    n_cells = math.ceil(last_s / CELL_S - 1e-9)
    ratings = np.full((n_cells, len(events)), -1, dtype=np.int64)
    starts_s = np.arange(n_cells) * CELL_S
    for rater, (ours, intervals) in enumerate(zip(events, examined, strict=True)):
        seen_s, counted, ignored = np.zeros(n_cells), np.zeros(n_cells, bool), np.zeros(n_cells, bool)
        for start_s, end_s in intervals:
            seen_s += np.clip(np.minimum(starts_s + CELL_S, end_s) - np.maximum(starts_s, start_s), 0, None)
            inside = [e for e in ours if e.onset_s < end_s and e.offset_s > start_s]
            marks = _mark_cells(inside, 0.0, last_s, n_cells, ignored_certainty)
            counted, ignored = counted | marks[0], ignored | marks[1]
        ratings[:, rater] = np.where((seen_s < MIN_CELL_S - 1e-9) | (ignored & ~counted), -1, counted)
    return ratings


def intersect(first: Sequence[Interval], second: Sequence[Interval]) -> tuple[Interval, ...]:
    """Return the seconds in both lists of intervals, in order."""
    shared = [(max(a0, b0), min(a1, b1)) for a0, a1 in first for b0, b1 in second]
    return tuple(sorted((start, end) for start, end in shared if start < end))


def _mark_cells(
    events: Sequence[Event], start_s: float, end_s: float, n_cells: int, ignored_certainty: frozenset[str]
) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Mark the cells of one interval that counted and that ignored events cover."""
    counted, ignored = np.zeros(n_cells, dtype=bool), np.zeros(n_cells, dtype=bool)
    for event in events:
        onset_s, offset_s = max(event.onset_s, start_s), min(event.offset_s, end_s)
        if onset_s >= offset_s:
            continue
        from_cell = math.floor((onset_s - start_s) / CELL_S + 1e-9)
        to_cell = math.ceil((offset_s - start_s) / CELL_S - 1e-9)
        marks = ignored if event.certainty in ignored_certainty else counted
        marks[from_cell:to_cell] = True
    return counted, ignored & ~counted
