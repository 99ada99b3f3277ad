"""Muscles and patients: do two sources agree on presence, grades, and sums over a patient's muscles?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.evaluation.figures.clips import count_outcomes, sensitivity, specificity
from fascnet.evaluation.figures.counts import estimate_counts
from fascnet.evaluation.figures.muscles import GradeScale, MuscleFinding
from fascnet.evaluation.uncertainty.bootstrap import (
    Figure,
    FloatArray,
    divide,
    estimate_from_sums,
    not_defined,
)

TablesFigure = Callable[[FloatArray], FloatArray]
"""From tables (..., k, k), first source in rows, to a coefficient (...,); NaN where it is not defined."""

MuscleKey = tuple[int, str]
"""Index of the subject, and muscle with side (`biceps L`)."""


@dataclass(frozen=True, slots=True)
class PatientScore:
    """One source's findings summed over the muscles of a patient.

    Attributes:
        n_muscles: muscles rated.
        n_positive: muscles that fasciculate.
        n_events: events in all.
        sums: sum of grades by name of scale.
    """

    n_muscles: int
    n_positive: int
    n_events: int
    sums: Mapping[str, int]


def score_patients(muscles: Mapping[MuscleKey, MuscleFinding]) -> dict[int, PatientScore]:
    """Sum findings over each subject's rated muscles; a subject without one is left out."""
    rated_of: dict[int, list[MuscleFinding]] = {}
    for (subject, _), finding in muscles.items():
        if finding.positive is not None:
            rated_of.setdefault(subject, []).append(finding)
    scores = {}
    for subject, rated in sorted(rated_of.items()):
        names = sorted({name for finding in rated for name in finding.grades})
        scores[subject] = PatientScore(
            len(rated),
            sum(finding.positive is True for finding in rated),
            sum(finding.n_events for finding in rated),
            {name: sum(finding.grades.get(name, 0) for finding in rated) for name in names},
        )
    return scores


def share_muscles(
    first: Mapping[MuscleKey, MuscleFinding], second: Mapping[MuscleKey, MuscleFinding]
) -> list[MuscleKey]:
    """Return the muscles that both sources rated, in order."""
    return sorted(
        key
        for key, finding in first.items()
        if key in second and finding.positive is not None and second[key].positive is not None
    )


def tabulate_grades(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    subject: NDArray[np.int64],
    n_subjects: int,
    levels: int,
) -> FloatArray:
    """Count pairs of grades of each subject: (S, levels, levels), first source in rows."""
    tables = np.zeros((n_subjects, levels, levels))
    np.add.at(tables, (subject, first, second), 1.0)
    return tables


def estimate_muscles(
    reference: Mapping[MuscleKey, MuscleFinding],
    found: Mapping[MuscleKey, MuscleFinding],
    scales: Sequence[GradeScale],
    weights: FloatArray,
    *,
    kappa: TablesFigure | None = None,
    weighted_kappa: TablesFigure | None = None,
) -> dict[str, Figure]:
    """Estimate agreement on muscles that both rated.

    Args:
        reference: the reference's findings.
        found: the source's.
        scales: whose grades to compare.
        weights: from `draw_weights` (B, S).
        kappa: coefficient of tables (..., 2, 2) for presence.
        weighted_kappa: coefficient of tables (..., k, k) for grades.

    Returns:
        `sensitivity`, `specificity`, `presence_kappa`, and `<scale>_weighted_kappa` and `<scale>_same` (share
        of equal grades) of each scale.
    """
    keys = share_muscles(reference, found)
    subject = np.array([who for who, _ in keys], dtype=np.int64)
    n_subjects, n = weights.shape[1], len(keys)
    truth = np.array([reference[key].positive is True for key in keys], dtype=bool)
    says = np.array([found[key].positive is True for key in keys], dtype=bool)
    outcomes = np.zeros((n_subjects, 4))
    np.add.at(outcomes, subject, count_outcomes(says, truth))
    n_true = int(truth.sum())
    figures = {
        "sensitivity": estimate_from_sums(
            outcomes, sensitivity, weights, n=n_true, unit="positive muscles", undefined="no positive muscle"
        ),
        "specificity": estimate_from_sums(
            outcomes,
            specificity,
            weights,
            n=n - n_true,
            unit="negative muscles",
            undefined="no negative muscle",
        ),
    }
    presence = tabulate_grades(truth.astype(np.int64), says.astype(np.int64), subject, n_subjects, 2)
    figures["presence_kappa"] = _estimate_tables(presence, kappa, weights, n)
    for scale in scales:
        grades = [
            np.array([side[key].grades[scale.name] for key in keys], dtype=np.int64)
            for side in (reference, found)
        ]
        tables = tabulate_grades(grades[0], grades[1], subject, n_subjects, scale.levels)
        figures[f"{scale.name}_weighted_kappa"] = _estimate_tables(tables, weighted_kappa, weights, n)
        figures[f"{scale.name}_same"] = _estimate_tables(tables, _share_equal, weights, n)
    return figures


def estimate_patients(
    reference: Mapping[MuscleKey, MuscleFinding],
    found: Mapping[MuscleKey, MuscleFinding],
    scales: Sequence[GradeScale],
    weights: FloatArray,
) -> dict[str, dict[str, Figure]]:
    """Estimate agreement on each patient's number of positive muscles, events, and sum of grades.

    Only muscles that both rated are summed: a muscle that one did not see must not count as negative.

    Returns:
        `n_positive`, `n_events` and `<scale>_sum`, each with the figures of `counts.estimate_counts`, in
        patients.
    """
    keys = share_muscles(reference, found)
    one, two = (score_patients({key: side[key] for key in keys}) for side in (reference, found))
    who = sorted(one)
    subject = np.array(who, dtype=np.int64)

    def compare(read: Callable[[PatientScore], float]) -> dict[str, Figure]:
        first, second = (np.array([read(side[s]) for s in who], dtype=np.float64) for side in (one, two))
        return estimate_counts(first, second, subject, weights, unit="patients")

    figures = {
        "n_positive": compare(lambda score: score.n_positive),
        "n_events": compare(lambda score: score.n_events),
    }
    for scale in scales:
        figures[f"{scale.name}_sum"] = compare(lambda score, name=scale.name: score.sums.get(name, 0))  # type: ignore[misc]
    return figures


def _share_equal(tables: FloatArray) -> FloatArray:
    total = tables.sum(axis=(-2, -1))
    same = np.trace(tables, axis1=-2, axis2=-1)
    return divide(same, total)


def _estimate_tables(
    tables: FloatArray, coefficient: TablesFigure | None, weights: FloatArray, n: int
) -> Figure:
    """Estimate a coefficient of per-subject tables (S, k, k)."""
    if coefficient is None:
        return not_defined("no coefficient was given", "muscles")
    levels = tables.shape[-1]
    return estimate_from_sums(
        tables.reshape(len(tables), -1),
        lambda sums: coefficient(sums.reshape(*sums.shape[:-1], levels, levels)),
        weights,
        n=n,
        unit="muscles",
        undefined="no shared muscle, or both sources always give the same one grade",
    )
