"""Which pairs of events fit a rule, and which of the fitting pairs to take: the arithmetic under matching."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from fascnet.evaluation.matching.distance import measure_distance_px
from fascnet.evaluation.matching.matching_rule import MatchingRule
from fascnet.evaluation.uncertainty.bootstrap import FloatArray
from fascnet.types import Event

BoolArray = NDArray[np.bool_]

SLACK = 1e-9
"""Tolerances are inclusive; differences of decimal times carry rounding errors."""


class PairTable:
    """How every pair of two sequences of events of one clip lies in time and space.

    Times are computed once for all rules. Distances are measured when a rule first asks for them, and only
    for pairs that fit in time: a mask file is slow to read.

    Attributes:
        difference_s: time between peaks, or onsets where either event has no peak (n, m).
        overlap_s: shared time, not above 0 when there is none (n, m).
    """

    __slots__ = (
        "_aspect",
        "_distances",
        "_found",
        "_iou",
        "_reference",
        "_spans_s",
        "difference_s",
        "overlap_s",
    )

    def __init__(self, reference: Sequence[Event], found: Sequence[Event], pixel_aspect: float = 1.0) -> None:
        self._reference, self._found, self._aspect = reference, found, pixel_aspect
        self._distances: dict[tuple[int, int, float], float | None] = {}
        one, other = _list_times(reference)[:, :, None], _list_times(found)[:, None, :]
        by_peak = np.abs(one[2] - other[2])
        self.difference_s: FloatArray = np.where(np.isnan(by_peak), np.abs(one[0] - other[0]), by_peak)
        self.overlap_s: FloatArray = np.minimum(one[1], other[1]) - np.maximum(one[0], other[0])
        self._spans_s = one[1] - one[0], other[1] - other[0]
        self._iou: FloatArray | None = None

    @property
    def iou(self) -> FloatArray:
        """Shared time / joint time, 0-1 (n, m); computed when a rule first asks for it."""
        if self._iou is None:
            shared_s = np.maximum(self.overlap_s, 0.0)
            joint_s = self._spans_s[0] + self._spans_s[1] - shared_s
            self._iou = np.divide(shared_s, joint_s, out=np.zeros_like(shared_s), where=joint_s > 0)
        return self._iou

    def find_fitting(self, rule: MatchingRule, tolerance_s: float, limit_px: float | None) -> BoolArray:
        """Return which pairs fit the rule in time and space: (n, m)."""
        if rule.mode == "overlap":
            fits = self.overlap_s > 0
        elif rule.mode == "iou":
            fits = self.iou >= (0.0 if rule.min_iou is None else rule.min_iou) - SLACK
        else:
            fits = self.difference_s <= tolerance_s + SLACK
        if limit_px is not None:
            # What is asked for in pixels is a number of pixels whichever way; a mm is not.
            aspect = 1.0 if rule.max_distance_mm is None else self._aspect
            for i, j in np.argwhere(fits).tolist():
                distance_px = self.measure_px(i, j, aspect)
                fits[i, j] = distance_px is None or distance_px <= limit_px + SLACK
        return np.asarray(fits, dtype=np.bool_)

    def measure_px(self, i: int, j: int, aspect: float = 1.0) -> float | None:
        """Return the distance of a pair in stored pixels; None where either event has no place.

        With an `aspect` other than 1 it is in heights of a pixel that is so many times as wide.
        """
        key = i, j, aspect
        if key not in self._distances:
            one, other = self._reference[i].region, self._found[j].region
            known = one is not None and other is not None
            self._distances[key] = measure_distance_px(one, other, aspect) if known else None  # type: ignore[arg-type]
        return self._distances[key]


def assign_pairs(
    fits: BoolArray, difference_s: FloatArray, spare_rows: BoolArray, spare_columns: BoolArray
) -> list[tuple[int, int]]:
    """Choose pairs one to one.

    The most pairs come first; then the fewest pairs with spare events (events that would not count if left
    alone: what is over after the choice is then as little as possible, on both sides at once, see Mendelsohn
    & Dulmage 1958); then the smallest sum of time differences. Solved by `scipy.optimize
    .linear_sum_assignment`.

    Args:
        fits: pairs that may be taken (n, m).
        difference_s: time difference of each pair (n, m).
        spare_rows: which rows are spare (n,).
        spare_columns: which columns are spare (m,).
    """
    pairs = np.argwhere(fits).tolist()
    if len({i for i, _ in pairs}) == len(pairs) == len({j for _, j in pairs}):
        return [(i, j) for i, j in pairs]
    rows, columns = np.flatnonzero(fits.any(axis=1)), np.flatnonzero(fits.any(axis=0))
    near, small = fits[np.ix_(rows, columns)], difference_s[np.ix_(rows, columns)]
    # Each aim outweighs all later ones together: one lost pair costs 1, every taken pair far less.
    most = min(near.shape) + 1
    longest_s = float(small[near].max()) + 1e-9
    spare = spare_rows[rows][:, None].astype(np.float64) + spare_columns[columns][None, :]
    heaviest_s = longest_s * most if spare[near].any() else 0.0
    whole_s = (2 * heaviest_s + longest_s) * most
    cost = np.where(near, (small + heaviest_s * spare) / whole_s, 1.0)
    chosen = zip(*linear_sum_assignment(cost), strict=True)
    return [(int(rows[i]), int(columns[j])) for i, j in chosen if near[i, j]]


def assign_by_score(fits: BoolArray, order: Sequence[int]) -> dict[int, int]:
    """Give columns a row each, in the order given, moving earlier ones to other rows where needed.

    The sets of columns that can have rows of their own form a matroid (a transversal matroid, Edmonds &
    Fulkerson 1965). So for every k, as many of the first k columns have a row as any choice could give them:
    one pass gives the best matching above every score threshold at once.

    Args:
        fits: pairs that may be taken (n, m).
        order: columns, the highest score first.

    Returns:
        column -> row of the columns that have one.
    """
    rows_of: dict[int, list[int]] = {}
    for row, column in np.argwhere(fits).tolist():
        rows_of.setdefault(column, []).append(row)
    owner: dict[int, int] = {}
    for column in order:
        if column in rows_of:
            _give_row(column, rows_of, owner, set())
    return {column: row for row, column in owner.items()}


def group_overlapping(events: Sequence[Event], indices: Sequence[int]) -> list[list[int]]:
    """Group events that overlap in time, directly or through a chain; touching intervals do not overlap."""
    groups: list[list[int]] = []
    end_s = -np.inf
    for index in sorted(indices, key=lambda i: (events[i].onset_s, i)):
        if groups and events[index].onset_s < end_s:
            groups[-1].append(index)
        else:
            groups.append([index])
            end_s = -np.inf
        end_s = max(end_s, events[index].offset_s)
    return groups


def _give_row(
    column: int, rows_of: Mapping[int, Sequence[int]], owner: dict[int, int], tried: set[int]
) -> bool:
    for row in rows_of[column]:
        if row in tried:
            continue
        tried.add(row)
        if row not in owner or _give_row(owner[row], rows_of, owner, tried):
            owner[row] = column
            return True
    return False


def _list_times(events: Sequence[Event]) -> FloatArray:
    """Return onset, offset and peak (NaN: unknown) of each event: (3, n)."""
    rows = [(e.onset_s, e.offset_s, np.nan if e.peak_s is None else e.peak_s) for e in events]
    return np.array(rows, dtype=np.float64).reshape(-1, 3).T
