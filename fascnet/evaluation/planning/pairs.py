"""Studies of two sources that nobody has done yet: a new one and a standard on the same subjects and units.

Both sources find the same subjects and units hard to some degree, `pair_correlation`: the latent normal
variables behind both answers correlate so much, between subjects and between the units of one (a Gaussian
copula; a choice of this project). 0 is as if each were tried on people of its own, and needs the most
subjects; 1 makes the sources differ by nothing but their rates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv, gammaincinv, ndtr, ndtri

from fascnet.errors import SettingError
from fascnet.evaluation.figures.events import f1
from fascnet.evaluation.planning.draws import UnitCounts, check_icc, check_pilot, check_share
from fascnet.evaluation.planning.models import share
from fascnet.evaluation.uncertainty.bootstrap import FloatArray, Resampled, SumsFigure, resample_sums
from fascnet.evaluation.uncertainty.differences import subtract

_EDGE = 1e-12
"""Quantiles stay this far from 0 and 1, where they end."""


@dataclass(frozen=True, slots=True)
class SharePair:
    """Two shares of the same units, such as the recall of two sources.

    Attributes:
        standard: share of the standard, between 0 and 1.
        difference: new minus standard, in truth.
        units: as in `models.ShareModel`.
        icc: likewise, of each source.
        pair_correlation: 0 to 1.
    """

    standard: float
    difference: float
    units: UnitCounts
    icc: float
    pair_correlation: float

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            SettingError: a value is out of range.
        """
        check_share("value", self.standard)
        check_share("value + difference", self.standard + self.difference)
        check_icc(self.icc)
        check_correlation(self.pair_correlation)

    def draw(self, n: int, rng: np.random.Generator) -> FloatArray:
        """Draw the hits of the new source and of the standard, and the units, of n subjects (n, 3)."""
        units = self.units.draw(n, rng)
        subject = np.repeat(np.arange(n), units)
        own = ndtr(draw_twins(self.pair_correlation, n, rng))
        effort = draw_twins(self.pair_correlation, len(subject), rng)
        hits = []
        for side, mean in enumerate((self.standard + self.difference, self.standard)):
            able = _find_own(own[side], mean, self.icc)
            hit = effort[side] < ndtri(np.clip(able, _EDGE, 1 - _EDGE))[subject]
            hits.append(np.bincount(subject, weights=hit, minlength=n))
        return np.column_stack([*hits, units]).astype(np.float64)

    def resample(self, subjects: int, rng: np.random.Generator, weights: FloatArray) -> Resampled:
        """Draw one study and resample the difference."""
        new, standard, units = self.draw(subjects, rng).T
        return _subtract(np.column_stack([new, units]), np.column_stack([standard, units]), share, weights)


@dataclass(frozen=True, slots=True)
class F1Pair:
    """Two F1 on the same reference events; each source as in `models.F1Model`.

    Attributes:
        hits: the two recalls, equal to the F1s.
    """

    hits: SharePair

    def resample(self, subjects: int, rng: np.random.Generator, weights: FloatArray) -> Resampled:
        """Draw one study and resample the difference."""
        pair = self.hits
        new, standard, events = pair.draw(subjects, rng).T
        factors = draw_twin_factors(pair.units.cv, pair.pair_correlation, subjects, rng)
        sides = []
        for side, hits in enumerate((new, standard)):
            value = pair.standard + (pair.difference if side == 0 else 0.0)
            false = rng.poisson((1 - value) * pair.units.per_subject * factors[side])
            sides.append(np.column_stack([hits, false, events - hits, np.ones(subjects)]))
        return _subtract(sides[0], sides[1], f1, weights)


@dataclass(frozen=True, slots=True)
class RatePair:
    """Two rates in the same minutes, such as false alarms; each as in `models.RateModel`.

    Attributes:
        standard: events per minute of the standard, above 0.
        difference: new minus standard, in truth.
        minutes: examined of each subject.
        between_cv: coefficient of variation of the subjects' own rates.
        pair_correlation: 0 to 1.
    """

    standard: float
    difference: float
    minutes: float
    between_cv: float
    pair_correlation: float

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            SettingError: a value is out of range.
        """
        if not (self.standard > 0 and self.standard + self.difference > 0):
            raise SettingError("value, value + difference: rates must be above 0")
        if not (np.isfinite(self.minutes) and self.minutes > 0 and self.between_cv >= 0):
            raise SettingError("per_subject must be above 0, between_cv 0 or more")
        check_correlation(self.pair_correlation)

    def resample(self, subjects: int, rng: np.random.Generator, weights: FloatArray) -> Resampled:
        """Draw one study and resample the difference."""
        factors = draw_twin_factors(self.between_cv, self.pair_correlation, subjects, rng)
        minutes = np.full(subjects, self.minutes)
        rates = (self.standard + self.difference, self.standard)
        new, standard = (
            np.column_stack([rng.poisson(rate * self.minutes * own), minutes]).astype(np.float64)
            for rate, own in zip(rates, factors, strict=True)
        )
        return _subtract(new, standard, share, weights)


@dataclass(frozen=True, slots=True, eq=False)
class PilotPair:
    """Any figure of two sources, by drawing subjects of a pilot with replacement, both sources together.

    Attributes:
        new: sums of the new source (S, k).
        standard: sums of the standard, of the same clips (S, k).
        figure: of sums (..., k); a function of a module.
        shift: added to the pilot's difference, to plan for another true difference than it had.
    """

    new: FloatArray
    standard: FloatArray
    figure: SumsFigure
    shift: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            SettingError: the pilot has fewer than two subjects.
        """
        check_pilot(len(self.new))

    def resample(self, subjects: int, rng: np.random.Generator, weights: FloatArray) -> Resampled:
        """Draw one study and resample the difference."""
        drawn = rng.integers(0, len(self.new), subjects)
        found = _subtract(self.new[drawn], self.standard[drawn], self.figure, weights)
        return Resampled(
            found.value + self.shift,
            found.samples + self.shift,
            found.jackknife + self.shift,
            found.subjects,
        )


def draw_twins(correlation: float, n: int, rng: np.random.Generator) -> FloatArray:
    """Draw pairs of standard normal numbers with a correlation (2, n)."""
    first, own = rng.normal(size=(2, n))
    return np.stack([first, correlation * first + np.sqrt(1 - correlation**2) * own])


def draw_twin_factors(cv: float, correlation: float, n: int, rng: np.random.Generator) -> FloatArray:
    """Draw pairs of gamma factors of mean 1 (2, n); the normal numbers behind them correlate."""
    if cv == 0:
        return np.ones((2, n))
    quantile = np.clip(ndtr(draw_twins(correlation, n, rng)), _EDGE, 1 - _EDGE)
    return np.asarray(gammaincinv(1 / cv**2, quantile) * cv**2, dtype=np.float64)


def check_correlation(correlation: float) -> None:
    """Refuse a pair correlation outside 0 to 1.

    Raises:
        SettingError: it is.
    """
    if not 0 <= correlation <= 1:
        raise SettingError(f"pair_correlation: {correlation} must lie from 0 to 1")


def _find_own(quantile: FloatArray, mean: float, icc: float) -> FloatArray:
    if icc == 0:
        return np.full(len(quantile), mean)
    total = 1 / icc - 1
    return np.asarray(betaincinv(mean * total, (1 - mean) * total, quantile), dtype=np.float64)


def _subtract(new: FloatArray, standard: FloatArray, figure: SumsFigure, weights: FloatArray) -> Resampled:
    return subtract(resample_sums(new, figure, weights), resample_sums(standard, figure, weights))
