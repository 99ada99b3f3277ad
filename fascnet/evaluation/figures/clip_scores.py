"""Clip figures of a source's outcomes: is a clip with a fasciculation told from one without?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fascnet.evaluation.figures.calibration import estimate_calibration
from fascnet.evaluation.figures.clips import estimate_decisions
from fascnet.evaluation.figures.operating_curves import (
    SPECIFICITIES,
    OperatingPoint,
    estimate_clip_curve,
)
from fascnet.evaluation.outcome import ClipOutcome, index_subjects
from fascnet.evaluation.uncertainty.bootstrap import Figure, FloatArray, not_defined

_CURVE = (
    "auroc",
    "partial_auroc",
    "average_precision",
    *(f"sensitivity_at_specificity_{wanted:g}" for wanted in SPECIFICITIES),
)
_CALIBRATION = ("reliability", "resolution", "uncertainty", "within_bin", "ece_equal_count", "ece_by_chance")
OWN_CALLS = ("own_sensitivity", "own_specificity")

ClipScores = tuple[FloatArray, NDArray[np.bool_], NDArray[np.int64]]
"""Score, truth and index of the subject of each clip (n,)."""


def score_clips(
    outcomes: Sequence[ClipOutcome], clip_threshold: float, weights: FloatArray
) -> tuple[dict[str, Figure], dict[str, Figure], list[OperatingPoint]]:
    """Estimate clip figures, parts of the calibration, and operating points.

    A source with scores calls a clip positive from the threshold on; one without (a rater), from one event
    on. Clips for which only left-out events speak are neither positive nor negative and not used. The calls
    that a source makes itself are scored besides, whatever the threshold.
    """
    used = [outcome for outcome in outcomes if outcome.truth() is not None]
    says = np.array(
        [o.presence() if o.score is None else o.score >= clip_threshold for o in used], dtype=bool
    )
    truth = np.array([outcome.truth() is True for outcome in used], dtype=bool)
    decisions = estimate_decisions(says, truth, index_subjects(used), weights)
    own = score_own_calls(outcomes, weights)
    score, is_true, subject = list_clip_scores(outcomes)
    if len(score) == 0:
        why = not_defined("this source gives no score" if used else "no clip")
        curve = dict.fromkeys((*_CURVE, "brier", "ece"), why)
        return {**curve, **decisions, **own}, dict.fromkeys(_CALIBRATION, why), []
    curve, points = estimate_clip_curve(score, is_true, subject, weights)
    parts = estimate_calibration(score, is_true, subject, weights)
    clips = {**curve, **decisions, "brier": parts["brier"], "ece": parts["ece_equal_width"]}
    return clips | own, {name: parts[name] for name in _CALIBRATION}, points


def score_own_calls(outcomes: Sequence[ClipOutcome], weights: FloatArray) -> dict[str, Figure]:
    """Estimate `own_sensitivity` and `own_specificity`: of what a source itself calls positive.

    Clips that it does not call are left out; `count_own_calls` says how many.
    """
    used = [outcome for outcome in outcomes if outcome.truth() is not None and outcome.called is not None]
    if not used:
        return dict.fromkeys(OWN_CALLS, not_defined("this source calls no clip positive or negative itself"))
    says = np.array([outcome.called is True for outcome in used], dtype=bool)
    truth = np.array([outcome.truth() is True for outcome in used], dtype=bool)
    figures = estimate_decisions(says, truth, index_subjects(used), weights)
    return {f"own_{name}": figure for name, figure in figures.items()}


def count_own_calls(outcomes: Sequence[ClipOutcome]) -> tuple[int, int]:
    """Count the positive and negative clips that a source calls itself, and those that it does not."""
    calls = [outcome.called for outcome in outcomes if outcome.truth() is not None]
    left_out = calls.count(None)
    return len(calls) - left_out, left_out


def list_clip_scores(outcomes: Sequence[ClipOutcome]) -> ClipScores:
    """List the clips that are positive or negative; all empty when any of them lacks a score."""
    used = [outcome for outcome in outcomes if outcome.truth() is not None]
    scores = [outcome.score for outcome in used if outcome.score is not None]
    if len(scores) < len(used):
        used, scores = [], []
    return (
        np.array(scores, dtype=np.float64),
        np.array([outcome.truth() is True for outcome in used], dtype=bool),
        index_subjects(used),
    )
