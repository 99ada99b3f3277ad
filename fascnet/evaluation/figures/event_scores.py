"""Event curves and timing of a source's outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fascnet.evaluation.figures.operating_curves import FROC_RATES_PER_MIN, estimate_event_curve
from fascnet.evaluation.figures.timing import MOMENTS, estimate_timing, measure_errors_s
from fascnet.evaluation.matching.match import RankedEvents, match_events, rank_events
from fascnet.evaluation.matching.matching_rule import build_rule
from fascnet.evaluation.outcome import ClipOutcome, index_subjects
from fascnet.evaluation.rules import ScoringRules
from fascnet.evaluation.sources.source import ClipFacts
from fascnet.evaluation.uncertainty.bootstrap import Figure, FloatArray, not_defined, sum_by_subject
from fascnet.types import Event

_CURVE = (
    "average_precision",
    *(f"sensitivity_at_{rate:g}_per_min" for rate in FROC_RATES_PER_MIN),
    "froc_score",
)


def rank_outcomes(
    outcomes: Sequence[ClipOutcome], rules: ScoringRules, facts: Mapping[str, ClipFacts]
) -> list[RankedEvents] | None:
    """Match each clip for every score threshold at once; None when an event has no score."""
    if any(event.score is None for outcome in outcomes for event in outcome.found):
        return None
    return [
        rank_events(
            outcome.reference,
            outcome.found,
            rules.matching,
            examined=outcome.examined,
            ignored_certainty=rules.ignored_certainty,
            fps=facts[outcome.clip_id].fps,
            mm_per_px=facts[outcome.clip_id].mm_per_px,
            pixel_aspect=facts[outcome.clip_id].aspect,
        )
        for outcome in outcomes
    ]


def score_event_curve(
    outcomes: Sequence[ClipOutcome],
    rules: ScoringRules,
    facts: Mapping[str, ClipFacts],
    weights: FloatArray,
) -> dict[str, Figure]:
    """Estimate average precision and sensitivity at false alarm rates as the event score falls."""
    ranked = rank_outcomes(outcomes, rules, facts)
    if ranked is None:
        return dict.fromkeys(_CURVE, not_defined("this source gives events no score", "reference events"))
    subject = index_subjects(outcomes)
    extra = np.array(
        [[each.n_reference, outcome.minutes] for each, outcome in zip(ranked, outcomes, strict=True)]
    ).reshape(-1, 2)
    sums = sum_by_subject(extra, subject, weights.shape[1])
    return estimate_event_curve(
        _join([each.score for each in ranked]),
        np.concatenate([np.empty(0, dtype=np.bool_), *(each.is_hit for each in ranked)]),
        np.repeat(subject, [len(each.score) for each in ranked]),
        sums[:, 0],
        sums[:, 1],
        weights,
    )


def score_timing(
    outcomes: Sequence[ClipOutcome], facts: Mapping[str, ClipFacts], weights: FloatArray
) -> dict[str, Figure]:
    """Estimate errors of onset, peak and offset of events matched under any overlap."""
    errors_s, fps, subject = measure_timing(outcomes, facts)
    return estimate_timing(errors_s, fps, subject, weights)


def measure_timing(
    outcomes: Sequence[ClipOutcome], facts: Mapping[str, ClipFacts]
) -> tuple[FloatArray, FloatArray, NDArray[np.int64]]:
    """Measure found minus reference of each match under any overlap.

    Only events that count under the main rule take part.

    Returns:
        errors in s of onset, peak (NaN: unknown) and offset (n, 3), frame rate (n,), index of subject (n,).
    """
    rule = build_rule("any_overlap")
    errors_s, fps, subject = [np.empty((0, len(MOMENTS)))], [], []
    for outcome in outcomes:
        left = outcome.matching
        reference = _drop(outcome.reference, left.left_out_reference)
        found = _drop(outcome.found, left.left_out_found)
        matches = match_events(reference, found, rule, examined=outcome.examined).matches
        errors_s.append(measure_errors_s(reference, found, matches))
        rate = facts[outcome.clip_id].fps
        fps += [np.nan if rate is None else rate] * len(matches)
        subject += [outcome.subject] * len(matches)
    return np.concatenate(errors_s), np.array(fps, dtype=np.float64), np.array(subject, dtype=np.int64)


def _drop(events: Sequence[Event], left_out: Sequence[int]) -> list[Event]:
    return [event for i, event in enumerate(events) if i not in set(left_out)]


def _join(parts: Sequence[FloatArray]) -> FloatArray:
    return np.concatenate([np.empty(0), *parts])
