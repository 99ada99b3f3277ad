"""Is there enough to say anything? The one place that decides when a figure is too small to be believed."""

from __future__ import annotations

from collections.abc import Mapping

from fascnet.evaluation.uncertainty.bootstrap import FloatArray

FEWEST_SUBJECTS = 5
"""Below it an interval is hardly one: n subjects have C(2n - 1, n) distinct resamples (Hall 1992, The
Bootstrap and Edgeworth Expansion, appendix I). For four these are 35, and a tail of 2.5 % holds none."""

FEW_SUBJECTS = 20
"""From here on the intervals were seen to cover 93-97 % in simulation (tests/evaluation/test_coverage.py)."""

FEW_OF_A_KIND = 10
"""Fewer of a rare kind (misses, hits, positives) are a Poisson count known to about a factor of two: the
exact 95 % interval of a mean of which 10 were seen is 4.8 to 18.4 (Garwood 1936, Biometrika 28:437-442)."""

LARGEST_SHARE = 0.5
"""One subject with more of the units than this is the figure; the others hardly matter."""


def warn_of_subjects(name: str, subjects: int) -> list[str]:
    """Warn of too few subjects for an interval."""
    if subjects < 2:
        return [f"{name}: {subjects} subject: no interval, and nothing is shown about other subjects"]
    if subjects < FEWEST_SUBJECTS:
        return [f"{name}: {subjects} subjects: the interval is no more than a hint below {FEWEST_SUBJECTS}"]
    if subjects < FEW_SUBJECTS:
        return [
            f"{name}: {subjects} subjects: the interval may cover less often than 95 % below {FEW_SUBJECTS}"
        ]
    return []


def warn_of_kinds(name: str, counts: Mapping[str, int]) -> list[str]:
    """Warn of each kind there is too little of; `counts` are units by kind (`missed events`: 3)."""
    return [
        f"{name}: {count} {kind}, fewer than {FEW_OF_A_KIND}: a count known to a factor of two"
        if count
        else f"{name}: no {kind}: what was never seen cannot be scored"
        for kind, count in counts.items()
        if count < FEW_OF_A_KIND
    ]


def warn_of_dominance(name: str, units: FloatArray, unit: str) -> list[str]:
    """Warn where one subject brings most of the units, or unequal subjects count as few.

    The effective number of subjects is (sum u)² / sum(u²) (Kish 1965, Survey Sampling).

    Args:
        name: of the figure.
        units: how many units each subject brings (S,), 0 or more.
        unit: what they are.
    """
    total = float(units.sum())
    if total == 0:
        return []
    largest = float(units.max()) / total
    subjects = int((units > 0).sum())
    if subjects > 1 and largest > LARGEST_SHARE:
        return [f"{name}: one of {subjects} subjects brings {100 * largest:.0f} % of the {unit}"]
    effective = total**2 / float((units**2).sum())
    if subjects >= FEW_SUBJECTS and effective < FEW_SUBJECTS / 2:
        return [
            f"{name}: {subjects} subjects bring such unequal numbers of {unit} that they count as "
            f"{effective:.1f}"
        ]
    return []
