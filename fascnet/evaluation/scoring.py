"""The figures of one source against the reference, section by section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fascnet.evaluation.figures.calibration import ReliabilityRow, cut_equal_width, tabulate_reliability
from fascnet.evaluation.figures.clip_scores import list_clip_scores, score_clips
from fascnet.evaluation.figures.counts import estimate_counts
from fascnet.evaluation.figures.event_scores import score_event_curve, score_timing
from fascnet.evaluation.figures.events import estimate_events
from fascnet.evaluation.figures.heatmaps import score_pixels
from fascnet.evaluation.figures.muscle_findings import score_muscles
from fascnet.evaluation.figures.operating_curves import OperatingPoint
from fascnet.evaluation.figures.rates import estimate_icc, estimate_rate_ratio
from fascnet.evaluation.outcome import ClipOutcome, Comparison, compare_sources, index_subjects
from fascnet.evaluation.rules import ScoringRules
from fascnet.evaluation.sources.source import ClipFacts, Source
from fascnet.evaluation.uncertainty.bootstrap import Figure, FloatArray, not_defined, sum_by_subject
from fascnet.types import Labels

Section = Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class SourceResult:
    """What report and tables need of one source.

    Attributes:
        source: whose.
        outcomes: clip by clip, under the main rule.
        figures: by section (`events`, `event_curve`, `timing`, `pixels`, `clips`, `calibration`, `counts`,
            `muscles`, `patients`) and name.
        by_tolerance: event figures under every reported rule.
        operating_points: sensitivity at fixed specificities, with thresholds; empty without scores.
        reliability: the reliability table; empty without scores.
    """

    source: Source
    outcomes: tuple[ClipOutcome, ...]
    figures: Mapping[str, Section]
    by_tolerance: Mapping[str, Section]
    operating_points: tuple[OperatingPoint, ...]
    reliability: tuple[ReliabilityRow, ...]


@dataclass(frozen=True, slots=True)
class Study:
    """What every source is scored on.

    Attributes:
        truth: the reference.
        labels: the reference's labels by clip, confounders among their events.
        places: the same for figures of cells, without the places of events that do not count.
        facts: what is known of each clip.
        subjects: index of each subject.
        weights: bootstrap weights (B, S).
    """

    truth: Source
    labels: Mapping[str, Labels]
    places: Mapping[str, Labels]
    facts: Mapping[str, ClipFacts]
    subjects: Mapping[str, int]
    weights: FloatArray


def score_source(source: Source, study: Study, rules: ScoringRules) -> SourceResult:
    """Score one source against the reference of a study."""
    comparison = compare_sources(
        study.truth,
        source,
        [rules.matching, *rules.reported],
        rules.ignored_certainty,
        study.facts,
        study.subjects,
    )
    outcomes, weights = comparison.outcomes, study.weights
    clips, calibration, points = score_clips(outcomes, rules.clip_threshold, weights)
    figures: dict[str, Section] = {
        "events": score_events(outcomes, weights),
        "event_curve": score_event_curve(outcomes, rules, study.facts, weights),
        "timing": score_timing(outcomes, study.facts, weights),
        "pixels": score_pixels(outcomes, source, study.places, study.facts, rules.pixel_threshold, weights),
        "clips": clips,
        "calibration": calibration,
        "counts": score_counts(outcomes, weights),
        **score_muscles(outcomes, study.facts, rules, weights),
    }
    return SourceResult(
        source,
        outcomes,
        figures,
        score_reported_rules(comparison, rules, weights),
        tuple(points),
        _tabulate_reliability(outcomes, weights),
    )


def score_events(outcomes: Sequence[ClipOutcome], weights: FloatArray) -> dict[str, Figure]:
    """Estimate precision, recall, F1 and false alarms per minute."""
    return estimate_events(sum_events(outcomes, weights.shape[1]), weights)


def sum_events(outcomes: Sequence[ClipOutcome], n_subjects: int) -> FloatArray:
    """Sum hits, false alarms, missed events and minutes over each subject: (S, 4)."""
    rows = np.array([outcome.event_row() for outcome in outcomes], dtype=np.float64).reshape(-1, 4)
    return sum_by_subject(rows, index_subjects(outcomes), n_subjects)


def score_reported_rules(
    comparison: Comparison, rules: ScoringRules, weights: FloatArray
) -> dict[str, dict[str, Figure]]:
    """Estimate the event figures under every reported rule."""
    subject = index_subjects(comparison.outcomes)
    minutes = np.array([outcome.minutes for outcome in comparison.outcomes], dtype=np.float64)
    found: dict[str, dict[str, Figure]] = {}
    for rule in rules.reported:
        if rule.name in comparison.undefined:
            missing = not_defined(comparison.undefined[rule.name], "events")
            names = ("precision", "recall", "f1", "false_alarms_per_min")
            found[rule.name] = dict.fromkeys(names, missing)
            continue
        rows = np.column_stack([comparison.rows[rule.name], minutes])
        found[rule.name] = estimate_events(sum_by_subject(rows, subject, weights.shape[1]), weights)
    return found


def score_counts(outcomes: Sequence[ClipOutcome], weights: FloatArray) -> dict[str, Figure]:
    """Estimate how well the counts of events per clip agree, and the rates of both."""
    reference = np.array([outcome.n_reference for outcome in outcomes], dtype=np.float64)
    found = np.array([outcome.n_found for outcome in outcomes], dtype=np.float64)
    minutes = np.array([outcome.minutes for outcome in outcomes], dtype=np.float64)
    subject = index_subjects(outcomes)
    ratings = np.column_stack([reference, found])
    return {
        **estimate_counts(reference, found, subject, weights),
        "icc_3_1": estimate_icc(ratings, subject, weights)["icc_3_1"],
        **estimate_rate_ratio(found, reference, minutes, subject, weights),
    }


def _tabulate_reliability(outcomes: Sequence[ClipOutcome], weights: FloatArray) -> tuple[ReliabilityRow, ...]:
    score, truth, subject = list_clip_scores(outcomes)
    if len(score) == 0:
        return ()
    return tuple(tabulate_reliability(score, truth, subject, weights, cut_equal_width()))
