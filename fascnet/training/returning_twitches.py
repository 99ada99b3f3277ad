"""Decides whether weak twitches that return to the place of a sure one count, and what that is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from fascnet.data.training_input.working_clip import WorkingClip
from fascnet.evaluation.figures.events import f1
from fascnet.inference.event_scores import score_evidence
from fascnet.inference.place_evidence import score_places
from fascnet.inference.returning import weigh_returning
from fascnet.training.event_scoring import RIDGE
from fascnet.training.heatmap_spool import HeatmapSpool
from fascnet.training.validation import count_all, find_candidates, match_clip, read_quantised
from fascnet.types import EventDefinition

RETURN_THRESHOLD = 0.1
"""From 0.15 on half as many are found, from 0.05 on hardly more (docs/experiments.md)."""

LEAST_OF_A_KIND = 10
"""So many true and so many false ones are needed to fit one number (choice of this project)."""


def add_returning(
    spool: HeatmapSpool, clips: Sequence[WorkingClip], definition: EventDefinition
) -> EventDefinition:
    """Let weak twitches return where that raises F1 on these clips.

    Args:
        spool: the clips' heatmaps.
        clips: validation clips, in the same order.
        definition: scored, without returning twitches.

    Returns:
        The definition with a threshold and a prior for them, or as it was.
    """
    loose = replace(definition, return_threshold=RETURN_THRESHOLD)
    logits, is_true = _collect(spool, clips, loose)
    if min(is_true.sum(), (~is_true).sum()) < LEAST_OF_A_KIND:
        return definition
    returning = replace(loose, score_return=round(fit_prior(logits, is_true), 3))
    before, after = (float(f1(count_all(spool, clips, rule))) for rule in (definition, returning))
    return returning if after > before else definition


def _collect(
    spool: HeatmapSpool, clips: Sequence[WorkingClip], definition: EventDefinition
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the logit (n,) of each weak candidate, without a prior, and whether it is a missed twitch."""
    logits: list[float] = []
    is_true: list[bool] = []
    for index, clip in enumerate(clips):
        found, finder = find_candidates(spool, index, clip, definition)
        kept, _ = score_places(found, finder, read_quantised(spool, index))
        if not kept:
            continue
        returning = weigh_returning(kept, found, finder, partial(read_quantised, spool, index))
        matching = match_clip(clip, [*kept, *(event for event, _ in returning)])
        hits = {match.found for match in matching.matches}
        for k, (_, evidence) in enumerate(returning, len(kept)):
            if k in hits or k in matching.false:
                score = min(max(score_evidence(evidence, definition), 1e-9), 1.0 - 1e-9)
                logits.append(float(np.log(score / (1.0 - score))))
                is_true.append(k in hits)
    return np.asarray(logits, np.float64), np.asarray(is_true, bool)


def fit_prior(logits: NDArray[np.float64], is_true: NDArray[np.bool_]) -> float:
    """Fit what is to be added to the logits, pulled a little towards nothing.

    Args:
        logits: (n,).
        is_true: (n,).
    """

    def measure_cost(prior: float) -> float:
        logit = logits + prior
        return float(np.logaddexp(0.0, logit).sum() - logit[is_true].sum() + RIDGE * prior**2)

    return float(minimize_scalar(measure_cost, bounds=(-5.0, 5.0), method="bounded").x)
