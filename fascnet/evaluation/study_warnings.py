"""What a reader must know before any figure: too few, left out, known to the model, flattering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fascnet.evaluation.figures.clip_scores import count_own_calls
from fascnet.evaluation.reference import CONSENSUS
from fascnet.evaluation.rules import ScoringRules
from fascnet.evaluation.scoring import SourceResult, Study, sum_events
from fascnet.evaluation.sources.missing import MissingClips
from fascnet.evaluation.sources.seen_subjects import SeenCheck
from fascnet.evaluation.uncertainty.small_samples import warn_of_dominance, warn_of_kinds, warn_of_subjects


def find_warnings(
    study: Study,
    results: Sequence[SourceResult],
    missing: Mapping[str, MissingClips],
    seen: Mapping[str, SeenCheck],
    rules: ScoringRules,
    raters: Sequence[str],
    n_unscored: int,
) -> list[str]:
    """Find what belongs on top of a benchmark, the gravest first."""
    truth, main = study.truth, results[0]
    warnings = [line for check in seen.values() for line in check.warnings]
    warnings += [line for result in results for line in result.source.notes]
    warnings += [line for each in missing.values() for line in each.warnings()]
    if n_unscored:
        warnings.append(f"{n_unscored} labelled clips are in no predictions and were not scored")
    warnings += warn_of_subjects("all figures", len(study.subjects))
    recall = main.figures["events"]["recall"]
    if recall.value is not None and recall.subjects < len(study.subjects):
        warnings += warn_of_subjects("recall", recall.subjects)
    sums = sum_events(main.outcomes, study.weights.shape[1])
    units = np.asarray(sums[:, 0] + sums[:, 2], dtype=np.float64)
    warnings += warn_of_dominance("recall", units, "reference events")
    truths = [outcome.truth() for outcome in main.outcomes]
    warnings += warn_of_kinds(
        "clip figures",
        {
            "clips with a fasciculation": sum(truth is True for truth in truths),
            "clips without one": sum(truth is False for truth in truths),
        },
    )
    warnings += [line for result in results for line in _warn_of_calls(result)]
    if truth.name == CONSENSUS and raters:
        warnings.append(
            "the raters' own answers are part of the consensus that they are scored against: their rows are "
            "flattered; interchangeability compares them fairly"
        )
    places = [event.region for clip in truth.clips.values() for event in clip.events]
    limits = (rules.matching.max_distance_px, rules.matching.max_distance_mm)
    if None in places and limits != (None, None):
        warnings.append(f"{places.count(None)} reference events have no place: matched in time only")
    return warnings


def _warn_of_calls(result: SourceResult) -> list[str]:
    """Say how many clips a source that makes calls of its own does not call."""
    called, left_out = count_own_calls(result.outcomes)
    if not called or not left_out:
        return []
    return [
        f"{result.source.name}: {left_out} of {called + left_out} clips have an empty cell in `positive` and "
        "are left out of own_sensitivity and own_specificity"
    ]
