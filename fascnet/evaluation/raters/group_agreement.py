"""Agreement of all raters at once, on seconds and on clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fascnet.evaluation.outcome import rate_clip
from fascnet.evaluation.raters.agreement import rate_cells
from fascnet.evaluation.raters.rating_tables import estimate_group_agreement, tabulate_ratings
from fascnet.evaluation.uncertainty.bootstrap import Figure, FloatArray
from fascnet.types import Labels

MIN_RATERS = 2


def score_group(
    clips: Mapping[str, Mapping[str, Labels]],
    raters: Sequence[str],
    subjects: Mapping[str, int],
    ignored_certainty: frozenset[str],
    weights: FloatArray,
) -> dict[str, dict[str, Figure]]:
    """Estimate Fleiss' kappa, Krippendorff's alpha and AC1 of two raters or more; empty with fewer.

    Args:
        clips: clip_id -> rater -> labels.
        raters: whose; not all need to have seen every clip.
        subjects: index of each clip's subject, by clip_id.
        ignored_certainty: certainty words whose events do not count.
        weights: bootstrap weights (B, S).

    Returns:
        `seconds` and `clips`, each with the three coefficients.
    """
    if len(raters) < MIN_RATERS:
        return {}
    cells, cell_subjects, presences, clip_subjects = [], [], [], []
    for clip_id, by_rater in clips.items():
        given = [by_rater.get(rater) for rater in raters]
        if sum(one is not None for one in given) < MIN_RATERS:
            continue
        ratings = rate_cells(
            [() if one is None else one.fasciculations() for one in given],
            [() if one is None else one.examined for one in given],
            ignored_certainty,
        )
        cells.append(ratings)
        cell_subjects.append(np.full(len(ratings), subjects[clip_id]))
        presences.append(
            [
                -1 if one is None else rate_clip(one.fasciculations(), one.examined, ignored_certainty)
                for one in given
            ]
        )
        clip_subjects.append(subjects[clip_id])
    n_subjects = weights.shape[1]
    empty = np.empty((0, len(raters)), dtype=np.int64)
    seconds = tabulate_ratings(
        np.concatenate([empty, *cells]),
        np.concatenate([np.empty(0, dtype=np.int64), *cell_subjects]),
        n_subjects,
        2,
    )
    whole = tabulate_ratings(
        np.array(presences, dtype=np.int64).reshape(-1, len(raters)),
        np.array(clip_subjects, dtype=np.int64),
        n_subjects,
        2,
    )
    return {
        "seconds": estimate_group_agreement(seconds, weights, unit="seconds"),
        "clips": estimate_group_agreement(whole, weights, unit="clips"),
    }
