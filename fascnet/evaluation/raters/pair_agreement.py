"""Agreement of two sources, neither of which is taken as true: on seconds, clips, events and counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fascnet.evaluation.figures.counts import compute_moment_rows, icc
from fascnet.evaluation.figures.events import f1
from fascnet.evaluation.figures.rates import estimate_icc
from fascnet.evaluation.outcome import ClipOutcome, index_subjects, rate_clip
from fascnet.evaluation.raters.agreement import count_cells
from fascnet.evaluation.raters.coefficients import krippendorff_alpha_from_tables
from fascnet.evaluation.raters.rating_tables import (
    SAME_ANSWER,
    estimate_from_tables,
    estimate_pair_agreement,
)
from fascnet.evaluation.uncertainty.bootstrap import Figure, FloatArray, estimate_from_sums, sum_by_subject


def score_pair(
    outcomes: Sequence[ClipOutcome], ignored_certainty: frozenset[str], weights: FloatArray
) -> dict[str, Figure]:
    """Estimate the agreement of a pair of sources; symmetric in the two.

    Args:
        outcomes: one source against the other, a clip each.
        ignored_certainty: certainty words whose events do not count.
        weights: bootstrap weights (B, S).

    Returns:
        `event_*` on seconds (`agreement.EVENT_KAPPA_RULE`) and `clip_*` on clips: kappa, alpha, AC1, PABAK,
        observed, positive and negative agreement, prevalence and bias index; `f1` of events; `count_icc` and
        `count_icc_3_1` of events per clip.
    """
    subject, n_subjects = index_subjects(outcomes), weights.shape[1]
    cells, clips = np.zeros((len(outcomes), 4)), np.zeros((len(outcomes), 4))
    for row, outcome in enumerate(outcomes):
        cells[row] = count_cells(outcome.reference, outcome.found, outcome.examined, ignored_certainty)
        one = rate_clip(outcome.reference, outcome.examined, ignored_certainty)
        two = rate_clip(outcome.found, outcome.examined, ignored_certainty)
        if -1 not in (one, two):
            clips[row] = [one and two, one and not two, two and not one, not one and not two]
    counts = np.array([[o.n_reference, o.n_found] for o in outcomes], dtype=np.float64).reshape(-1, 2)
    events = np.array([outcome.event_row() for outcome in outcomes], dtype=np.float64).reshape(-1, 4)

    def total(rows: FloatArray) -> FloatArray:
        return sum_by_subject(rows, subject, n_subjects)

    return {
        **_rate("event", total(cells), weights, "seconds"),
        **_rate("clip", total(clips), weights, "clips"),
        "f1": estimate_from_sums(
            total(events),
            f1,
            weights,
            n=int(events[:, :3].sum()),
            unit="events",
            undefined="no event on either side",
        ),
        "count_icc": estimate_from_sums(
            total(compute_moment_rows(counts[:, 0], counts[:, 1])),
            icc,
            weights,
            n=len(outcomes),
            unit="clips",
            undefined="the counts do not vary, or fewer than two clips",
        ),
        "count_icc_3_1": estimate_icc(counts, subject, weights)["icc_3_1"],
    }


def _rate(prefix: str, sums: FloatArray, weights: FloatArray, unit: str) -> dict[str, Figure]:
    """Estimate all coefficients of sums (S, 4): both, only first, only second, neither."""
    both, first, second, neither = np.moveaxis(sums, -1, 0)
    tables = np.stack([np.stack([neither, second], axis=-1), np.stack([first, both], axis=-1)], axis=-2)
    figures = estimate_pair_agreement(tables, weights, unit=unit)
    figures["alpha"] = estimate_from_tables(
        tables + np.swapaxes(tables, -1, -2),
        krippendorff_alpha_from_tables,
        weights,
        n=round(float(sums.sum())),
        unit=unit,
        undefined=SAME_ANSWER,
    )
    return {f"{prefix}_{name}": figure for name, figure in figures.items()}
