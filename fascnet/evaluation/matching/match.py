"""Which found event is which reference event? Optimal one-to-one assignment in time and space.

Greedy nearest-first matching can cost a match; the assignment here has the largest possible number of matches
and, among those, the fewest misses and false alarms and then the smallest sum of time differences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fascnet.data.labelling.seconds import is_examined
from fascnet.errors import SettingError
from fascnet.evaluation.matching.matching_rule import TIME_ROUNDING_S, MatchingRule, build_rule
from fascnet.evaluation.matching.pairing import (
    BoolArray,
    PairTable,
    assign_by_score,
    assign_pairs,
    group_overlapping,
)
from fascnet.evaluation.uncertainty.bootstrap import FloatArray
from fascnet.types import Event, Interval

__all__ = [
    "TIME_ROUNDING_S",
    "Match",
    "Matching",
    "MatchingRule",
    "RankedEvents",
    "build_rule",
    "match_by_rules",
    "match_events",
    "rank_events",
]

Number = TypeVar("Number", np.bool_, np.float64)


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
        left_out_reference: reference events not counted (ignorable, outside the examined seconds, paired with
            an ignorable event of the other side, or counted through a simultaneous event).
        left_out_found: found events not counted, likewise.
    """

    matches: tuple[Match, ...]
    missed: tuple[int, ...]
    false: tuple[int, ...]
    left_out_reference: tuple[int, ...]
    left_out_found: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class RankedEvents:
    """Found events of one clip for curves over score thresholds.

    Attributes:
        score: confidence of each counted found event (n,).
        is_hit: whether it has a reference event of its own (n,).
        n_reference: reference events that count.
    """

    score: FloatArray
    is_hit: NDArray[np.bool_]
    n_reference: int


def match_events(
    reference: Sequence[Event],
    found: Sequence[Event],
    rule: MatchingRule,
    *,
    examined: Sequence[Interval] | None = None,
    ignored_certainty: frozenset[str] = frozenset(),
    fps: float | None = None,
    mm_per_px: float | None = None,
    pixel_aspect: float = 1.0,
) -> Matching:
    """Match two sequences of events of one clip; swapping them swaps the result and changes nothing else.

    Args:
        reference: events taken as true.
        found: events to be judged.
        rule: when two events match.
        examined: seconds that count; an event whose midpoint lies outside is left out. None: all.
        ignored_certainty: certainty words (`possible`) whose events are neither misses nor false alarms, nor
            is an otherwise unmatched event that matches one of them, however many do.
        fps: the clip's frame rate, needed by `tolerance_frames`.
        mm_per_px: the clip's pixel spacing downwards, needed by `max_distance_mm`.
        pixel_aspect: width of a stored pixel over its height, for `max_distance_mm`.

    Raises:
        SettingError: the rule needs a frame rate or a spacing that is unknown.
    """
    return match_by_rules(
        reference,
        found,
        [rule],
        examined=examined,
        ignored_certainty=ignored_certainty,
        fps=fps,
        mm_per_px=mm_per_px,
        pixel_aspect=pixel_aspect,
    )[0]


def match_by_rules(
    reference: Sequence[Event],
    found: Sequence[Event],
    rules: Sequence[MatchingRule],
    *,
    examined: Sequence[Interval] | None = None,
    ignored_certainty: frozenset[str] = frozenset(),
    fps: float | None = None,
    mm_per_px: float | None = None,
    pixel_aspect: float = 1.0,
) -> list[Matching]:
    """Match under several rules; as `match_events` with each, but times and distances are measured once."""
    rows, columns = (_Side.sort(events, examined, ignored_certainty) for events in (reference, found))
    table = PairTable(reference, found, pixel_aspect) if reference and found else None
    # Rules differ, but most of them let the same pairs of a clip through: such are matched once.
    known: dict[tuple[str, bool, bytes], Matching] = {}
    matchings = []
    for rule in rules:
        tolerance_s, limit_px = rule.resolve_tolerance_s(fps), rule.resolve_limit_px(mm_per_px)
        if table is None:
            fits: BoolArray = np.zeros((len(reference), len(found)), dtype=np.bool_)
        else:
            fits = table.find_fitting(rule, tolerance_s, limit_px)
        key = rule.simultaneous, limit_px is not None, fits.tobytes()
        if key not in known:
            known[key] = _match(rows, columns, table, fits, rule, limit_px is not None)
        matchings.append(known[key])
    return matchings


def rank_events(
    reference: Sequence[Event],
    found: Sequence[Event],
    rule: MatchingRule,
    *,
    examined: Sequence[Interval] | None = None,
    ignored_certainty: frozenset[str] = frozenset(),
    fps: float | None = None,
    mm_per_px: float | None = None,
    pixel_aspect: float = 1.0,
) -> RankedEvents:
    """Match so that the hits above every score threshold are as many as a matching of those events alone has.

    Events of higher score have the first choice of a reference event, and move to another where that makes
    room (see `assign_by_score`). Matching once without regard to scores would let a weak duplicate take the
    match of a strong one, and the curve would sag. With `simultaneous=once` a group has its highest score.

    Args and errors are those of `match_events`; every found event needs a score.
    """
    if any(event.score is None for event in found):
        raise SettingError("curves over scores need a score of every event; this source has events without")
    scores = [0.0 if event.score is None else event.score for event in found]
    rows, columns = (_Side.sort(events, examined, ignored_certainty) for events in (reference, found))
    row_groups, column_groups = rows.group(rule), columns.group(rule)
    if not reference or not found:
        fits: BoolArray = np.zeros((len(reference), len(found)), dtype=np.bool_)
    else:
        table = PairTable(reference, found, pixel_aspect)
        fits = table.find_fitting(rule, rule.resolve_tolerance_s(fps), rule.resolve_limit_px(mm_per_px))
    score = np.array([max(scores[j] for j in group) for group in column_groups], dtype=np.float64)
    excused = _touch(fits.T, column_groups, rows.ignorable)
    # Among equal scores an event that would be excused anyway leaves the reference event to the others.
    order = np.lexsort((excused, -score))
    matched = assign_by_score(_any_of_groups(fits, row_groups, column_groups), [int(j) for j in order])
    is_hit = np.array([j in matched for j in range(len(column_groups))], dtype=np.bool_)
    counted = is_hit | ~excused
    return RankedEvents(score[counted], is_hit[counted], len(row_groups))


@dataclass(frozen=True, slots=True)
class _Side:
    """Events of one source in one clip: which count, which are ignorable, which lie outside."""

    events: Sequence[Event]
    counted: list[int]
    ignorable: list[int]
    outside: list[int]

    @classmethod
    def sort(
        cls, events: Sequence[Event], examined: Sequence[Interval] | None, ignored_certainty: frozenset[str]
    ) -> _Side:
        side = cls(events, [], [], [])
        for i, event in enumerate(events):
            if examined is not None and not is_examined(event, examined):
                side.outside.append(i)
            elif event.certainty in ignored_certainty:
                side.ignorable.append(i)
            else:
                side.counted.append(i)
        return side

    def group(self, rule: MatchingRule) -> list[list[int]]:
        """Return the counted events, each alone, or simultaneous ones together."""
        if rule.simultaneous == "once":
            return group_overlapping(self.events, self.counted)
        return [[i] for i in self.counted]


def _match(
    rows: _Side, columns: _Side, table: PairTable | None, fits: BoolArray, rule: MatchingRule, in_space: bool
) -> Matching:
    row_groups, column_groups = rows.group(rule), columns.group(rule)
    excused = (
        _touch(fits, row_groups, columns.ignorable),
        _touch(fits.T, column_groups, rows.ignorable),
    )
    matches: dict[tuple[int, int], Match] = {}
    if table is not None and row_groups and column_groups:
        near = _any_of_groups(fits, row_groups, column_groups)
        apart_s = _least_of_groups(table.difference_s, fits, row_groups, column_groups)
        for a, b in assign_pairs(near, apart_s, *excused):
            i, j = _find_nearest(table, fits, row_groups[a], column_groups[b])
            distance_px = table.measure_px(i, j) if in_space else None
            matches[a, b] = Match(i, j, float(table.difference_s[i, j]), distance_px)
    taken = {a for a, _ in matches}, {b for _, b in matches}
    missed = [g[0] for a, g in enumerate(row_groups) if a not in taken[0] and not excused[0][a]]
    false = [g[0] for b, g in enumerate(column_groups) if b not in taken[1] and not excused[1][b]]
    kept = {match.reference for match in matches.values()} | set(missed)
    kept_found = {match.found for match in matches.values()} | set(false)
    return Matching(
        matches=tuple(matches.values()),
        missed=tuple(sorted(missed)),
        false=tuple(sorted(false)),
        left_out_reference=_list_others(len(rows.events), kept),
        left_out_found=_list_others(len(columns.events), kept_found),
    )


def _list_others(n: int, kept: set[int]) -> tuple[int, ...]:
    return () if len(kept) == n else tuple(i for i in range(n) if i not in kept)


def _find_nearest(table: PairTable, fits: BoolArray, row: list[int], column: list[int]) -> tuple[int, int]:
    """Return the fitting pair of two groups that is nearest in time."""
    if len(row) == 1 and len(column) == 1:
        return row[0], column[0]
    pairs = [(i, j) for i in row for j in column if fits[i, j]]
    return min(pairs, key=lambda pair: (float(table.difference_s[pair]), pair))


def _touch(fits: BoolArray, groups: list[list[int]], ignorable: list[int]) -> BoolArray:
    """Return which groups fit an ignorable event of the other side: (groups,)."""
    if not ignorable:
        return np.zeros(len(groups), dtype=np.bool_)
    return np.array([bool(fits[np.ix_(group, ignorable)].any()) for group in groups], dtype=np.bool_)


def _any_of_groups(fits: BoolArray, rows: list[list[int]], columns: list[list[int]]) -> BoolArray:
    if _are_single(rows) and _are_single(columns):
        return _take(fits, rows, columns)
    cells = [[bool(fits[np.ix_(row, column)].any()) for column in columns] for row in rows]
    return np.array(cells, dtype=np.bool_).reshape(len(rows), len(columns))


def _least_of_groups(
    values: FloatArray, fits: BoolArray, rows: list[list[int]], columns: list[list[int]]
) -> FloatArray:
    """Return the smallest value of the pairs of two groups that fit; any value where none does."""
    if _are_single(rows) and _are_single(columns):
        return _take(values, rows, columns)
    fitting = np.where(fits, values, np.inf)
    cells = [[float(fitting[np.ix_(row, column)].min()) for column in columns] for row in rows]
    return np.array(cells, dtype=np.float64).reshape(len(rows), len(columns))


def _are_single(groups: list[list[int]]) -> bool:
    return sum(map(len, groups)) == len(groups)


def _take(values: NDArray[Number], rows: list[list[int]], columns: list[list[int]]) -> NDArray[Number]:
    """Return the values of single events; all of them as they are in the usual case that all count."""
    i, j = [group[0] for group in rows], [group[0] for group in columns]
    whole = i == list(range(values.shape[0])) and j == list(range(values.shape[1]))
    return values if whole else values[np.ix_(i, j)]
