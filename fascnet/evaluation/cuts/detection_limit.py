"""How small a twitch is still found: recall against amplitude and noise, and where it crosses 0.5 and 0.9."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from fascnet.evaluation.cuts.event_subgroups import score_recall_by_amplitude
from fascnet.evaluation.outcome import ClipOutcome
from fascnet.evaluation.uncertainty.bootstrap import Figure, FloatArray, estimate_from_weights, not_defined

AMPLITUDE_CUTS_UM = (25.0, 50.0, 75.0, 100.0, 150.0, 200.0, 300.0, 450.0)
"""About even on a log scale; the phantom's standard ranges draw 80 to 900 µm."""

NOISE_CUTS_DB = (-35.0, -25.0)
"""The phantom's standard ranges draw -45 to -18 dB."""

LEVELS = (0.5, 0.9)

MIN_EVENTS_ABOVE = 10
"""A rising fit always reaches 1 when the largest twitch of all is found: one event is no limit."""

UNIT = "reference events"


@dataclass(frozen=True, slots=True, eq=False)
class SizedEvents:
    """Reference events of known size.

    Attributes:
        amplitude_um: largest displacement of each (n,).
        is_found: whether it was (n,).
        subject: index of its subject (n,).
    """

    amplitude_um: FloatArray
    is_found: NDArray[np.bool_]
    subject: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class DetectionLimit:
    """Recall against amplitude of one group of clips.

    Attributes:
        events: behind it.
        recall: in each bin of amplitude, from small to large, `unknown` last.
        limits_um: amplitude at which the rising fit reaches each level.
        curve: amplitudes in µm (m,) and the rising fit there (m,).
    """

    events: SizedEvents
    recall: Mapping[str, Figure]
    limits_um: Mapping[float, Figure]
    curve: tuple[FloatArray, FloatArray]


def estimate_detection_limit(
    outcomes: Sequence[ClipOutcome], weights: FloatArray, cuts_um: Sequence[float] = AMPLITUDE_CUTS_UM
) -> DetectionLimit:
    """Estimate recall by amplitude and the amplitudes at which it reaches `LEVELS`.

    Args:
        outcomes: one source against the reference.
        weights: bootstrap weights (B, S).
        cuts_um: inner edges of the bins in µm, rising; a bin holds its lower edge.
    """
    events = list_sized_events(outcomes)
    recall = score_recall_by_amplitude(outcomes, weights, [cut / 1000 for cut in cuts_um])
    limits = {level: estimate_limit(events, level, weights) for level in LEVELS}
    ones = np.ones(len(events.subject))
    amplitude, fitted, _ = fit_rising_recall(events, ones)
    return DetectionLimit(events, recall, limits, (amplitude, fitted))


def list_sized_events(outcomes: Sequence[ClipOutcome]) -> SizedEvents:
    """List the reference events that count and have a `peak_mm`."""
    rows = []
    for outcome in outcomes:
        found = {match.reference for match in outcome.matching.matches}
        for index in sorted(found | set(outcome.matching.missed)):
            peak_mm = outcome.reference[index].peak_mm
            if peak_mm is not None:
                rows.append((1000 * peak_mm, index in found, outcome.subject))
    return SizedEvents(
        np.array([row[0] for row in rows], dtype=np.float64),
        np.array([row[1] for row in rows], dtype=np.bool_),
        np.array([row[2] for row in rows], dtype=np.int64),
    )


def fit_rising_recall(events: SizedEvents, weights: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Fit recall as a function that nowhere falls with amplitude, by least squares.

    Isotonic regression (pool adjacent violators; Barlow et al. 1972) assumes no shape but that.

    Args:
        events: the events.
        weights: of each (n,), 0 leaves it out.

    Returns:
        Amplitudes that occur, rising, the fit there, and the weight of the events of that size or larger,
        each (m,).
    """
    used = weights > 0
    amplitude, place = np.unique(events.amplitude_um[used], return_inverse=True)
    if len(amplitude) == 0:
        return np.empty(0), np.empty(0), np.empty(0)
    weight = np.bincount(place, weights[used])
    hits = np.bincount(place, weights[used] * events.is_found[used])
    fitted = np.asarray(isotonic_regression(hits / weight, weights=weight).x, dtype=np.float64)
    above = np.asarray(np.cumsum(weight[::-1])[::-1], dtype=np.float64)
    return amplitude, fitted, above


def find_limit(events: SizedEvents, level: float, weights: FloatArray) -> float:
    """Return the smallest amplitude from which on the rising fit is at least a level; NaN if it never is.

    At least `MIN_EVENTS_ABOVE` events must be that large.
    """
    amplitude, fitted, above = fit_rising_recall(events, weights)
    reached = np.flatnonzero((fitted >= level - 1e-12) & (above >= MIN_EVENTS_ABOVE))
    return float(amplitude[reached[0]]) if len(reached) else float("nan")


def estimate_limit(events: SizedEvents, level: float, weights: FloatArray) -> Figure:
    """Estimate the amplitude in µm at which recall reaches a level.

    A resample that never reaches it counts as the largest twitch there is: leaving it out would make the
    limit look surer than it is.

    Args:
        events: the events.
        level: of recall, above 0 to 1.
        weights: bootstrap weights of subjects (B, S).
    """
    n = len(events.subject)
    if n == 0:
        return not_defined("no reference event of known size", UNIT)
    whole = find_limit(events, level, np.ones(n))
    if not np.isfinite(whole):
        reason = f"recall never reaches {level:g} with {MIN_EVENTS_ABOVE} events that large"
        return replace(not_defined(reason, UNIT), n=n, subjects=len(np.unique(events.subject)))
    largest = float(events.amplitude_um.max())

    def find_each(resamples: FloatArray) -> FloatArray:
        found = np.array([find_limit(events, level, row) for row in resamples])
        return np.where(np.isfinite(found), found, largest)

    figure = estimate_from_weights(
        find_each, events.subject, weights, unit=UNIT, undefined="no reference event of known size"
    )
    if whole <= events.amplitude_um.min():
        return replace(figure, reason="the smallest twitches are found as often: the limit lies below")
    return figure
