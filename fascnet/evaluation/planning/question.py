"""A question about the size of a study: what is believed, and what is wanted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fascnet.errors import SettingError
from fascnet.evaluation.planning.simulation import LEAST_SUBJECTS

SHARES: Mapping[str, str] = {
    "sensitivity": "positive clips",
    "specificity": "negative clips",
    "recall": "reference events",
    "precision": "found events",
}
UNITS: Mapping[str, str] = {
    **SHARES,
    "f1": "reference events",
    "false_alarms_per_min": "examined minutes",
    "kappa": "clips",
    "auroc": "clips",
}
"""The figures that can be planned, and what a subject brings for each."""


@dataclass(frozen=True, slots=True)
class NonInferiorityQuestion:
    """How many subjects to show that a source is no worse than another.

    Attributes:
        margin: how much worse still counts as no worse, above 0; None: not asked.
        difference: new minus standard, in truth; None: what the pilot found, or 0 without one.
        power: wanted share of studies that show it, between 0 and 1.
        alpha: one-sided level, between 0 and 0.5.
        pair_correlation: see `pairs`; not used with a pilot, which says so itself.
        standard: the pilot's source to compare with.
    """

    margin: float | None = None
    difference: float | None = None
    power: float = 0.8
    alpha: float = 0.025
    pair_correlation: float = 0.5
    standard: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            SettingError: a value is out of range; it names the key.
        """
        if self.margin is not None and not (math.isfinite(self.margin) and self.margin > 0):
            raise SettingError(f"non_inferiority.margin={self.margin} must be above 0")
        if not 0 < self.power < 1:
            raise SettingError(f"non_inferiority.power={self.power} must lie between 0 and 1")
        if not 0 < self.alpha < 0.5:
            raise SettingError(
                f"non_inferiority.alpha={self.alpha} must lie between 0 and 0.5, it is one-sided"
            )


@dataclass(frozen=True, slots=True)
class StudyQuestion:
    """What is believed, and what is wanted.

    Attributes:
        figure: a key of `UNITS`.
        value: the figure expected; of the standard source, for non-inferiority.
        per_subject: units (or minutes) that a subject brings.
        cv: coefficient of variation of the units.
        icc: correlation of two units of one subject.
        prevalence: share of yes or of positive clips, for kappa and auroc.
        between_cv: of the subjects' own rates, for false alarms.
        pilot: a finished benchmark, in place of all of these; None for none.
        source: whose clips of the pilot; None: the main source's.
        widths: of 95 % intervals, high - low.
        subjects: sizes to try; None: search.
        most_subjects: end of the search.
        dropout: share of recruited subjects that are lost, from 0 to below 1.
        non_inferiority: see there.
        studies: simulated for each size.
        resamples: of subjects, in each study.
        seed: of everything random.
        workers: processes; 1 or less works in this one.
    """

    figure: str
    value: float | None = None
    per_subject: float | None = None
    cv: float = 0.5
    icc: float | None = None
    prevalence: float | None = None
    between_cv: float = 1.0
    pilot: Path | None = None
    source: str | None = None
    widths: Sequence[float] = (0.2,)
    subjects: Sequence[int] | None = None
    most_subjects: int = 5000
    dropout: float = 0.0
    non_inferiority: NonInferiorityQuestion = field(default_factory=NonInferiorityQuestion)
    studies: int = 400
    resamples: int = 500
    seed: int = 0
    workers: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            SettingError: a value is out of range; it names the key.
        """
        if self.figure not in UNITS:
            raise SettingError(f"figure is '{self.figure}'; choose {', '.join(UNITS)}")
        if not all(math.isfinite(width) and width > 0 for width in self.widths):
            raise SettingError(f"widths={list(self.widths)}: each must be above 0")
        if self.subjects is not None and (not self.subjects or min(self.subjects) < 2):
            raise SettingError("subjects: give sizes of 2 or more, or null to search")
        if self.most_subjects < LEAST_SUBJECTS:
            raise SettingError(f"most_subjects={self.most_subjects}: give {LEAST_SUBJECTS} or more")
        if not 0 <= self.dropout < 1:
            raise SettingError(f"dropout={self.dropout} must lie from 0 to below 1")
        for name, value, most in (
            ("studies", self.studies, 100_000),
            ("resamples", self.resamples, 100_000),
            ("workers", self.workers, 64),
        ):
            if not 1 <= value <= most:
                raise SettingError(f"{name}={value}: give a whole number from 1 to {most}")
        if self.seed < 0:
            raise SettingError(f"seed={self.seed}: give a whole number from 0")
        if not self.widths and self.subjects is None and self.non_inferiority.margin is None:
            raise SettingError("nothing is asked: give widths, subjects or non_inferiority.margin")

    @property
    def unit(self) -> str:
        """What a subject brings, in the plural."""
        return UNITS[self.figure]

    @property
    def larger_is_better(self) -> bool:
        """Which way is good."""
        return self.figure != "false_alarms_per_min"

    def recruit(self, subjects: int) -> int:
        """Return how many to recruit so that so many remain."""
        # A share such as 0.1 has no exact binary form: 90 of 100 must not become 101.
        return math.ceil(subjects / (1 - self.dropout) - 1e-9)
