"""Recall by the size of the twitch, and false alarms by what moved when they were raised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fascnet.data.labelling.seconds import is_examined, merge_intervals
from fascnet.evaluation.cuts.subgroups import NONE, name_bins
from fascnet.evaluation.outcome import ClipOutcome, index_subjects
from fascnet.evaluation.raters.agreement import intersect
from fascnet.evaluation.uncertainty.bootstrap import (
    Figure,
    FloatArray,
    divide,
    estimate_from_sums,
    sum_by_subject,
)
from fascnet.types import FASCICULATION, Event, Interval, Labels

AMPLITUDE_CUTS_MM = (0.15, 0.3)
"""As the phantom's `amplitude`: below the first no classical detector finds anything, above the second the
best one finds nearly all (`fascnet.phantom.data_set.difficulty`)."""

UNKNOWN = "unknown"

ATTRIBUTION_RULE = (
    "a false alarm belongs to every labelled confounder that it shares a moment with, in time only, and to "
    f"'{NONE}' when it shares none; per minute of the examined seconds which that confounder covers "
    f"('{NONE}': which none covers). Overlap favours brief confounders: an alarm need only touch them."
)


NEAR_S = 0.25
"""A brief confounder (a gain step, a key frame) starts an alarm that outlasts it by about half an event."""

NEAR_RULE = (
    f"a false alarm belongs to every labelled confounder within {NEAR_S:g} s of its middle, and to '{NONE}' "
    "when there is none; per minute of the examined seconds within that reach of the confounder. Alarms at "
    "random have the same rate under every confounder, however brief it is."
)


def score_recall_by_amplitude(
    outcomes: Sequence[ClipOutcome], weights: FloatArray, cuts_mm: Sequence[float] = AMPLITUDE_CUTS_MM
) -> dict[str, Figure]:
    """Estimate recall by `peak_mm` of the reference events: hits / (hits + missed) in each bin.

    Args:
        outcomes: one source against the reference.
        weights: bootstrap weights (B, S).
        cuts_mm: inner edges of the bins in mm, rising; a bin holds its lower edge.

    Returns:
        bin -> recall, from small to large, and `unknown` for events without `peak_mm`.
    """
    names = [*name_bins(cuts_mm), UNKNOWN]
    rows = np.zeros((len(outcomes), len(names), 2))
    for number, outcome in enumerate(outcomes):
        matched = [outcome.reference[match.reference] for match in outcome.matching.matches]
        missed = [outcome.reference[i] for i in outcome.matching.missed]
        for column, events in enumerate((matched, missed)):
            for event in events:
                rows[number, _find_bin(event, cuts_mm), column] += 1
    subject = index_subjects(outcomes)
    figures = {}
    for index, name in enumerate(names):
        sums = sum_by_subject(rows[:, index], subject, weights.shape[1])
        n = int(sums.sum())
        figures[name] = estimate_from_sums(
            sums, _share, weights, n=n, unit="reference events", undefined="no reference event of this size"
        )
    return figures


def score_false_alarms_by_confounder(
    outcomes: Sequence[ClipOutcome],
    labels: Mapping[str, Labels],
    weights: FloatArray,
    reach_s: float | None = None,
) -> dict[str, dict[str, Figure]]:
    """Estimate how often each labelled confounder raises a false alarm. The rule is `ATTRIBUTION_RULE`.

    Args:
        outcomes: one source against the reference.
        labels: the reference's labels by clip_id, confounders among their events.
        weights: bootstrap weights (B, S).
        reach_s: judge the middle of an alarm against confounders widened by so many seconds on both sides
            instead (with `NEAR_S` the rule is `NEAR_RULE`): rates that can be held against a goal.

    Returns:
        confounder -> `per_min` (false alarms per minute of it) and `share` (of all false alarms; shares may
        add up to more than 1), `none` last.
    """
    kinds = [*sorted({e.label for o in outcomes for e in _list_confounders(o, labels)}), NONE]
    place = {kind: index for index, kind in enumerate(kinds)}
    belongs = _overlaps if reach_s is None else is_examined
    rows = np.zeros((len(outcomes), len(kinds), 3))
    for number, outcome in enumerate(outcomes):
        false = [outcome.found[j] for j in outcome.matching.false]
        covered = {
            kind: intersect(outcome.examined, intervals)
            for kind, intervals in _merge_by_kind(
                _list_confounders(outcome, labels), 0.0 if reach_s is None else reach_s
            ).items()
        }
        rows[number, :, 2] = len(false)
        for kind, intervals in covered.items():
            rows[number, place[kind], 0] = sum(belongs(event, intervals) for event in false)
            rows[number, place[kind], 1] = _measure_min(intervals)
        every = merge_intervals([interval for intervals in covered.values() for interval in intervals])
        rows[number, place[NONE], 0] = sum(not belongs(event, every) for event in false)
        rows[number, place[NONE], 1] = outcome.minutes - _measure_min(every)
    subject = index_subjects(outcomes)
    figures: dict[str, dict[str, Figure]] = {}
    for kind, index in place.items():
        sums = sum_by_subject(rows[:, index], subject, weights.shape[1])
        figures[kind] = {
            "per_min": estimate_from_sums(
                sums[:, :2],
                _per_minute,
                weights,
                n=int(sums[:, 0].sum()),
                unit="false alarms",
                undefined="no examined second of it",
            ),
            "share": estimate_from_sums(
                sums[:, [0, 2]],
                _ratio,
                weights,
                n=int(sums[:, 2].sum()),
                unit="false alarms",
                undefined="no false alarm at all",
            ),
        }
    return figures


def _list_confounders(outcome: ClipOutcome, labels: Mapping[str, Labels]) -> list[Event]:
    if outcome.clip_id not in labels:
        return []
    return [event for event in labels[outcome.clip_id].events if event.label not in {FASCICULATION, NONE}]


def _merge_by_kind(confounders: Sequence[Event], reach_s: float) -> dict[str, tuple[Interval, ...]]:
    by_kind: dict[str, list[Interval]] = {}
    for event in confounders:
        by_kind.setdefault(event.label, []).append((event.onset_s - reach_s, event.offset_s + reach_s))
    return {kind: merge_intervals(intervals) for kind, intervals in by_kind.items()}


def _overlaps(event: Event, intervals: Sequence[Interval]) -> bool:
    return any(event.onset_s < end_s and start_s < event.offset_s for start_s, end_s in intervals)


def _measure_min(intervals: Sequence[Interval]) -> float:
    return sum(end_s - start_s for start_s, end_s in intervals) / 60


def _find_bin(event: Event, cuts_mm: Sequence[float]) -> int:
    if event.peak_mm is None:
        return len(cuts_mm) + 1
    return int(np.searchsorted(cuts_mm, event.peak_mm, side="right"))


def _share(sums: FloatArray) -> FloatArray:
    """First / (first + second), of sums (..., 2)."""
    return divide(sums[..., 0], sums[..., 0] + sums[..., 1])


def _ratio(sums: FloatArray) -> FloatArray:
    """First / second, of sums (..., 2)."""
    return divide(sums[..., 0], sums[..., 1])


def _per_minute(sums: FloatArray) -> FloatArray:
    """First / second, not defined below a millisecond: a remainder of subtraction is no time."""
    minutes = np.where(sums[..., 1] < 1e-3 / 60, 0.0, sums[..., 1])
    return divide(sums[..., 0], minutes)
