"""Studies that nobody has done yet: subjects drawn from what is believed of a figure, or from a pilot.

A model draws n subjects and resamples their figure as the benchmark would. What all of them share: subjects
differ from each other (`icc`), and bring unequal numbers of units (`cv`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import ndtri

from fascnet.errors import SettingError
from fascnet.evaluation.figures.clips import build_auroc
from fascnet.evaluation.figures.events import f1
from fascnet.evaluation.planning.draws import (
    UnitCounts,
    check_icc,
    check_pilot,
    check_share,
    draw_factors,
    draw_own,
)
from fascnet.evaluation.raters.agreement import cohen_kappa
from fascnet.evaluation.uncertainty.bootstrap import (
    FloatArray,
    Resampled,
    SumsFigure,
    divide,
    resample_sums,
    resample_weights,
)
from fascnet.evaluation.uncertainty.intervals import CONFIDENCE, find_reach


class StudyModel(Protocol):
    """Something that studies can be drawn from."""

    def resample(self, subjects: int, rng: np.random.Generator, weights: FloatArray) -> Resampled:
        """Draw one study of so many subjects and resample its figure with `weights` (B, subjects)."""


@dataclass(frozen=True, slots=True)
class ShareModel:
    """A share, such as sensitivity: each subject's own share is beta, its units are binomial.

    Beta with a + b = 1 / icc - 1 gives units of a subject that correlation (Griffiths 1973, Biometrics
    29:637-648).

    Attributes:
        value: the true share over all subjects, between 0 and 1.
        units: that the share is of (positive clips, for a sensitivity).
        icc: correlation of two units of one subject, 0 (none) to below 1.
    """

    value: float
    units: UnitCounts
    icc: float

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            SettingError: a value is out of range.
        """
        check_share("value", self.value)
        check_icc(self.icc)

    def draw(self, n: int, rng: np.random.Generator) -> FloatArray:
        """Draw successes and units of n subjects (n, 2)."""
        units = self.units.draw(n, rng)
        return np.column_stack([rng.binomial(units, draw_own(self.value, self.icc, n, rng)), units]).astype(
            np.float64
        )

    def resample(self, subjects: int, rng: np.random.Generator, weights: FloatArray) -> Resampled:
        """Draw one study and resample successes / units."""
        return resample_sums(self.draw(subjects, rng), share, weights)

    def expect_width(self, subjects: int, confidence: float = CONFIDENCE) -> float:
        """Compute the width of the interval in closed form, to start from and to hold the simulation to.

        2 t sqrt(p (1 - p) deff / (n m)) with the design effect 1 + ((1 + cv²) m - 1) icc (Kish 1965, Survey
        Sampling; unequal sizes: Eldridge, Ashby & Kerry 2006, Int J Epidemiol 35:1292-1300) and t of n - 1
        degrees of freedom, as the benchmark's intervals are widened for n subjects.
        """
        m = self.units.per_subject
        effect = 1 + ((1 + self.units.cv**2) * m - 1) * self.icc
        variance = self.value * (1 - self.value) * effect / (subjects * m)
        # The reach holds sqrt(n / (n - 1)) against the spread of resamples; the true variance needs none.
        reach = find_reach((1 - confidence) / 2, subjects) * np.sqrt((subjects - 1) / subjects)
        return float(2 * reach * np.sqrt(variance))


@dataclass(frozen=True, slots=True)
class F1Model:
    """F1 of events, recall and precision taken as equal to it.

    Reference events of a subject are found as in `ShareModel`; its false alarms are gamma-Poisson with the
    `cv` of the reference events (a choice of this project), about a mean that makes precision equal recall.

    Attributes:
        value: true F1, between 0 and 1.
        units: reference events.
        icc: correlation of two events of one subject in being found.
    """

    value: float
    units: UnitCounts
    icc: float

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            SettingError: a value is out of range.
        """
        check_share("value", self.value)
        check_icc(self.icc)

    def resample(self, subjects: int, rng: np.random.Generator, weights: FloatArray) -> Resampled:
        """Draw one study and resample its F1."""
        events = self.units.draw(subjects, rng)
        hits = rng.binomial(events, draw_own(self.value, self.icc, subjects, rng))
        false = rng.poisson(
            (1 - self.value) * self.units.per_subject * draw_factors(self.units.cv, subjects, rng)
        )
        sums = np.column_stack([hits, false, events - hits, np.ones(subjects)]).astype(np.float64)
        return resample_sums(sums, f1, weights)


@dataclass(frozen=True, slots=True)
class RateModel:
    """Events per minute, such as false alarms: Poisson, about a rate of each subject's own (gamma).

    Attributes:
        value: true mean per minute, above 0.
        per_subject: minutes examined of each subject, above 0.
        between_cv: coefficient of variation of the subjects' own rates, from 0.
    """

    value: float
    per_subject: float
    between_cv: float

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            SettingError: a value is out of range.
        """
        for name in ("value", "per_subject"):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise SettingError(f"{name}: {getattr(self, name)} must be above 0")
        if not (np.isfinite(self.between_cv) and self.between_cv >= 0):
            raise SettingError(f"between_cv: {self.between_cv} must be 0 or more")

    def resample(self, subjects: int, rng: np.random.Generator, weights: FloatArray) -> Resampled:
        """Draw one study and resample events / minutes."""
        mean = self.value * self.per_subject * draw_factors(self.between_cv, subjects, rng)
        sums = np.column_stack([rng.poisson(mean), np.full(subjects, self.per_subject)]).astype(np.float64)
        return resample_sums(sums, share, weights)


@dataclass(frozen=True, slots=True)
class KappaModel:
    """Cohen's kappa of two raters with equal shares of yes.

    A subject's own share of yes is beta with `icc`. Within a subject the raters agree with
    kappa_w = (kappa - icc) / (1 - icc): then kappa of all units together is kappa, since subjects that
    differ make raters agree too (variance of the subjects' shares = icc p (1 - p)).

    Attributes:
        value: true kappa of all units together, from `icc` to below 1.
        prevalence: share of yes, between 0 and 1.
        units: rated units (clips, seconds).
        icc: correlation of two answers of one rater about one subject.
    """

    value: float
    prevalence: float
    units: UnitCounts
    icc: float

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            SettingError: a value is out of range.
        """
        check_share("prevalence", self.prevalence)
        check_icc(self.icc)
        if not self.icc <= self.value < 1:
            raise SettingError(
                f"value: a kappa of {self.value} must lie from icc ({self.icc}) to below 1: subjects that "
                "differ make raters agree so much by themselves"
            )

    def resample(self, subjects: int, rng: np.random.Generator, weights: FloatArray) -> Resampled:
        """Draw one study and resample its kappa."""
        within = (self.value - self.icc) / (1 - self.icc)
        yes = draw_own(self.prevalence, self.icc, subjects, rng)
        shared = yes * (1 - yes) * within
        apart = yes * (1 - yes) - shared
        cells = np.column_stack([yes**2 + shared, apart, apart, (1 - yes) ** 2 + shared])
        # Rounding must not make the four shares exceed 1.
        cells /= cells.sum(axis=1, keepdims=True)
        sums = rng.multinomial(self.units.draw(subjects, rng), cells).astype(np.float64)
        return resample_sums(sums, cohen_kappa, weights)


@dataclass(frozen=True, slots=True)
class AurocModel:
    """Area under the ROC curve of clips: two normal distributions of scores, shifted alike within a subject.

    Attributes:
        value: true area, from 0.5 to below 1.
        prevalence: share of positive clips, between 0 and 1.
        units: clips.
        icc: correlation of the scores of two clips of one subject and class.
    """

    value: float
    prevalence: float
    units: UnitCounts
    icc: float

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            SettingError: a value is out of range.
        """
        if not 0.5 <= self.value < 1:
            raise SettingError(f"value: an area of {self.value} must lie from 0.5 to below 1")
        check_share("prevalence", self.prevalence)
        check_icc(self.icc)

    def resample(self, subjects: int, rng: np.random.Generator, weights: FloatArray) -> Resampled:
        """Draw one study and resample its area."""
        subject = np.repeat(np.arange(subjects), self.units.draw(subjects, rng))
        truth = rng.random(len(subject)) < self.prevalence
        shift = rng.normal(0, np.sqrt(self.icc), subjects)[subject]
        # Two normal scores of variance 1: area = Phi(distance / sqrt(2)).
        distance = np.sqrt(2) * ndtri(self.value)
        score = distance * truth + shift + rng.normal(0, np.sqrt(1 - self.icc), len(subject))
        return resample_weights(build_auroc(score, truth), subject, weights)


@dataclass(frozen=True, slots=True, eq=False)
class PilotModel:
    """Any figure of per-subject sums, by drawing subjects from a pilot with replacement.

    The pilot's subjects stand for all subjects; with S of them the spread between subjects is (S - 1) / S of
    the true one on average.

    Attributes:
        sums: statistics of the pilot's subjects (S, k).
        figure: of sums (..., k); a function of a module, so that workers find it.
    """

    sums: FloatArray
    figure: SumsFigure

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            SettingError: the pilot has fewer than two subjects.
        """
        check_pilot(len(self.sums))

    def resample(self, subjects: int, rng: np.random.Generator, weights: FloatArray) -> Resampled:
        """Draw one study and resample its figure."""
        return resample_sums(self.sums[rng.integers(0, len(self.sums), subjects)], self.figure, weights)


def share(sums: FloatArray) -> FloatArray:
    """Successes / units, or events / minutes, of sums (..., 2)."""
    return divide(sums[..., 0], sums[..., 1])
