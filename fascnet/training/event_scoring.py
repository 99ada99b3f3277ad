"""Fits the scores of events: candidates of a loose definition, told true from false by logistic regression.

A threshold on a heatmap asks each cell by itself; that a candidate is strong and lasts says more. What the
regression is worth, and from which score on an event counts, is judged on subjects that it was not fitted to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from fascnet.data.training_input.working_clip import WorkingClip
from fascnet.evaluation.figures.events import f1
from fascnet.inference.event_scores import Evidence
from fascnet.inference.heatmap_store import quantise
from fascnet.inference.place_evidence import weigh_places
from fascnet.training.definition_variations import vary_definition
from fascnet.training.heatmap_spool import HeatmapSpool
from fascnet.training.validation import find_events, match_clip
from fascnet.types import EventDefinition

LOOSE: dict[str, tuple[float, ...]] = {
    "onset_threshold": (0.3, 0.5, 0.7),
    "offset_share": (0.6, 0.9),
    "min_on_s": (0.067, 0.1),
    "join_cells": (0, 2, 4),
}
"""What is tried to collect candidates with, the loosest first, as `vary_definition` takes it."""

SHARED = EventDefinition(min_off_s=0.034, min_cells=4)
"""What all of them share."""

F1_SLACK = 0.01
"""Of definitions that reach so nearly the same F1, the loosest is chosen: simulated clips can hardly tell
them apart, and the movements of real ones stand lower in a heatmap; the score decides anyway (choice of this
project: with thresholds of 0.7 and 0.42 instead of 0.3 and 0.2 one of three real fasciculations was lost)."""

LEAST_OF_A_KIND = 20
"""So many true and so many false candidates are needed to fit five numbers (choice of this project)."""

LEAST_SUBJECTS = 5
MOST_CANDIDATES_PER_TWITCH = 8
"""More candidates than this for each labelled twitch are noise, and slow to match."""

RIDGE = 0.1
"""Pull of the standardised weights towards zero."""

LEAST_SCORE_SLACK = 0.005
"""F1 hardly knows from which score on events should count: on 478 twitches it was 0.918 to 0.920 from
0.4 to 0.7 (docs/experiments.md)."""

SCORES = np.linspace(0.05, 0.95, 37)

_BOUNDS = [(None, 0.0) if name == "unrest" else (0.0, None) for name in Evidence._fields]


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """What a loose definition finds in the validation clips.

    Attributes:
        evidence: float (n, 4), rows of `Evidence`.
        is_true: bool (n,), matched with a labelled fasciculation.
        subjects: (n,) whose clip.
        n_labelled: labelled fasciculations of the examined seconds, found or not.
    """

    evidence: NDArray[np.float64]
    is_true: NDArray[np.bool_]
    subjects: NDArray[np.str_]
    n_labelled: int


def choose_scored_definition(
    spool: HeatmapSpool, clips: Sequence[WorkingClip]
) -> tuple[EventDefinition, float] | None:
    """Choose a loose definition, the weights and the least score, by F1.

    Args:
        spool: the clips' heatmaps.
        clips: validation clips, in the same order.

    Returns:
        The loosest definition that comes within `F1_SLACK` of the best, and its F1 on subjects left out of
        the fit in turn; None where there are too few candidates or subjects to fit anything.
    """
    tried: list[tuple[float, float, EventDefinition, Candidates]] = []
    for loose in vary_definition(SHARED, LOOSE):
        candidates = collect_candidates(spool, clips, loose)
        if _suffice(candidates):
            tried.append((*choose_least_score(candidates, score_left_out(candidates)), loose, candidates))
    if not tried:
        return None
    best = max(reached for reached, *_ in tried)
    # They were tried from the loosest on.
    reached, least, loose, candidates = next(row for row in tried if row[0] >= best - F1_SLACK)
    weights = fit_weights(candidates.evidence, candidates.is_true)
    intercept, strength, duration, unrest, recurrence = (round(float(w), 4) for w in weights)
    scored = replace(
        loose,
        min_score=round(least, 3),
        score_intercept=intercept,
        score_strength=strength,
        score_duration=duration,
        score_unrest=unrest,
        score_recurrence=recurrence,
    )
    return scored, reached


def collect_candidates(
    spool: HeatmapSpool, clips: Sequence[WorkingClip], definition: EventDefinition
) -> Candidates:
    """Find the candidates of all clips and match them with the labels.

    Args:
        spool: the clips' heatmaps.
        clips: validation clips, in the same order.
        definition: what makes a candidate.
    """
    rows: list[Evidence] = []
    is_true: list[bool] = []
    subjects: list[str] = []
    n_labelled = 0
    for index, clip in enumerate(clips):
        found, finder = find_events(spool, index, clip, definition)
        matching = match_clip(clip, found)
        n_labelled += len(matching.matches) + len(matching.missed)
        # What was found where nobody looked is neither true nor false.
        hits = {match.found for match in matching.matches}
        judged = sorted({*hits, *matching.false})
        evidence = weigh_places(found, finder, map(quantise, spool.read_chunks(index)))
        rows += [evidence[k] for k in judged]
        is_true += [k in hits for k in judged]
        subjects += [clip.source.subject_id] * len(judged)
    table = np.asarray(rows, np.float64).reshape(-1, len(Evidence._fields))
    return Candidates(table, np.asarray(is_true, bool), np.asarray(subjects, np.str_), n_labelled)


def _suffice(candidates: Candidates) -> bool:
    n_true = int(candidates.is_true.sum())
    n_false = len(candidates.is_true) - n_true
    return (
        min(n_true, n_false) >= LEAST_OF_A_KIND
        and len(candidates.is_true) <= MOST_CANDIDATES_PER_TWITCH * candidates.n_labelled
        and len(np.unique(candidates.subjects)) >= LEAST_SUBJECTS
    )


def fit_weights(evidence: NDArray[np.float64], is_true: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Fit a logistic regression with a ridge on standardised evidence.

    Args:
        evidence: (n, k).
        is_true: (n,).

    Returns:
        (1 + k,) intercept and weights of the evidence as it is. What is stronger, lasts longer or comes back
        is never less likely, nor what lies where it is quieter.
    """
    mean, spread = evidence.mean(axis=0), evidence.std(axis=0) + 1e-9
    z = (evidence - mean) / spread

    def measure_cost(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logit = z @ parameters[1:] + parameters[0]
        weights = parameters[1:]
        cost = np.logaddexp(0.0, logit).sum() - logit[is_true].sum() + RIDGE * np.square(weights).sum()
        error = expit(logit) - is_true
        gradient = np.concatenate([[error.sum()], error @ z + 2.0 * RIDGE * weights])
        return float(cost), gradient

    bounds = [(None, None), *_BOUNDS]
    start = np.zeros(evidence.shape[1] + 1)
    fitted = minimize(measure_cost, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    weights = fitted[1:] / spread
    return np.concatenate([[fitted[0] - float(weights @ mean)], weights])


def score_left_out(candidates: Candidates) -> NDArray[np.float64]:
    """Return the score (n,) of each candidate by weights fitted without its subject."""
    scores = np.zeros(len(candidates.is_true))
    for subject in np.unique(candidates.subjects):
        own = candidates.subjects == subject
        weights = fit_weights(candidates.evidence[~own], candidates.is_true[~own])
        scores[own] = expit(candidates.evidence[own] @ weights[1:] + weights[0])
    return scores


def choose_least_score(candidates: Candidates, scores: NDArray[np.float64]) -> tuple[float, float]:
    """Return an F1 within `LEAST_SCORE_SLACK` of the largest, and the score from which events count for it.

    Of scores that do, the one nearest to a half, where an event is as likely as not; of two as near, the
    strictest.
    """
    reached = np.zeros(len(SCORES))
    for index, least in enumerate(SCORES):
        counts = scores >= least
        hits = int(candidates.is_true[counts].sum())
        found = f1(np.array([hits, counts.sum() - hits, candidates.n_labelled - hits, 0.0]))
        reached[index] = np.nan_to_num(found)
    good = np.flatnonzero(reached >= reached.max() - LEAST_SCORE_SLACK)
    chosen = good[::-1][np.argmin(np.abs(SCORES[good[::-1]] - 0.5).round(6))]
    return float(reached[chosen]), float(SCORES[chosen])
