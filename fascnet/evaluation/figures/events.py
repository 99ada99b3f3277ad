"""Event figures: precision, recall, F1 and false alarms per minute, from counts of matched events."""

from __future__ import annotations

from fascnet.evaluation.uncertainty.bootstrap import (
    Figure,
    FloatArray,
    divide,
    estimate_from_sums,
    rests_on,
)

HIT, FALSE, MISSED, MINUTES = range(4)
"""Columns of the statistics: matched pairs, false alarms, missed reference events, examined minutes."""


@rests_on(HIT, FALSE)
def precision(sums: FloatArray) -> FloatArray:
    """Share of found events that are real: hits / (hits + false alarms), of sums (..., 4)."""
    return divide(sums[..., HIT], sums[..., HIT] + sums[..., FALSE])


@rests_on(HIT, MISSED)
def recall(sums: FloatArray) -> FloatArray:
    """Share of reference events that were found: hits / (hits + missed), of sums (..., 4)."""
    return divide(sums[..., HIT], sums[..., HIT] + sums[..., MISSED])


@rests_on(HIT, FALSE, MISSED)
def f1(sums: FloatArray) -> FloatArray:
    """Harmonic mean of both: 2 hits / (2 hits + false alarms + missed); symmetric in the two sides."""
    return divide(2 * sums[..., HIT], 2 * sums[..., HIT] + sums[..., FALSE] + sums[..., MISSED])


@rests_on(MINUTES)
def false_alarms_per_min(sums: FloatArray) -> FloatArray:
    """False alarms / examined minutes, of sums (..., 4)."""
    return divide(sums[..., FALSE], sums[..., MINUTES])


def estimate_events(sums: FloatArray, weights: FloatArray) -> dict[str, Figure]:
    """Estimate the four event figures from per-subject sums (S, 4) and bootstrap weights (B, S)."""
    hits, false, missed = (int(sums[:, column].sum()) for column in (HIT, FALSE, MISSED))
    minutes = round(float(sums[:, MINUTES].sum()))
    return {
        "precision": estimate_from_sums(
            sums, precision, weights, n=hits + false, unit="found events", undefined="no event was found"
        ),
        "recall": estimate_from_sums(
            sums, recall, weights, n=hits + missed, unit="reference events", undefined="no reference event"
        ),
        "f1": estimate_from_sums(
            sums, f1, weights, n=hits + false + missed, unit="events", undefined="no event on either side"
        ),
        "false_alarms_per_min": estimate_from_sums(
            sums,
            false_alarms_per_min,
            weights,
            n=minutes,
            unit="examined minutes",
            undefined="nothing examined",
        ),
    }
