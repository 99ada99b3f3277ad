"""What subjects of a study to come differ in: how many units they bring, and their own shares and rates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.errors import SettingError
from fascnet.evaluation.uncertainty.bootstrap import FloatArray


@dataclass(frozen=True, slots=True)
class UnitCounts:
    """How many units a subject brings: 1 + a gamma-Poisson count, or the rounded mean where `cv` is 0.

    Attributes:
        per_subject: mean number, 1 or more.
        cv: coefficient of variation; a Poisson count varies by sqrt(mean - 1) / mean, which is the least.
    """

    per_subject: float
    cv: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            SettingError: a value is out of range.
        """
        if not (np.isfinite(self.per_subject) and self.per_subject >= 1):
            raise SettingError(f"per_subject: {self.per_subject} must be 1 or more")
        if not (np.isfinite(self.cv) and self.cv >= 0):
            raise SettingError(f"cv: {self.cv} must be 0 or more")

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw the counts of n subjects (n,)."""
        extra = self.per_subject - 1
        if self.cv == 0 or extra == 0:
            return np.full(n, round(self.per_subject), dtype=np.int64)
        # Variance of 1 + Poisson(gamma) is extra + the gamma's; Poisson alone is the least there can be.
        spread = max((self.cv * self.per_subject) ** 2 - extra, 0.0)
        mean = np.full(n, extra) if spread == 0 else rng.gamma(extra**2 / spread, spread / extra, n)
        return 1 + rng.poisson(mean).astype(np.int64)


def draw_own(mean: float, icc: float, n: int, rng: np.random.Generator) -> FloatArray:
    """Draw the own shares of n subjects (n,): beta with variance icc · mean · (1 - mean)."""
    if icc == 0:
        return np.full(n, mean)
    total = 1 / icc - 1
    return rng.beta(mean * total, (1 - mean) * total, n)


def draw_factors(cv: float, n: int, rng: np.random.Generator) -> FloatArray:
    """Draw gamma factors (n,) of mean 1 and this coefficient of variation."""
    return np.ones(n) if cv == 0 else rng.gamma(1 / cv**2, cv**2, n)


def check_share(name: str, value: float) -> None:
    """Refuse a share that is not between 0 and 1.

    Raises:
        SettingError: it is not.
    """
    if not 0 < value < 1:
        raise SettingError(f"{name}: {value} must lie between 0 and 1")


def check_icc(icc: float) -> None:
    """Refuse an intraclass correlation outside 0 to below 1.

    Raises:
        SettingError: it is.
    """
    if not 0 <= icc < 1:
        raise SettingError(f"icc: {icc} must lie from 0 to below 1")


def check_pilot(n_subjects: int) -> None:
    """Refuse a pilot that cannot be resampled.

    Raises:
        SettingError: fewer than two subjects.
    """
    if n_subjects < 2:
        raise SettingError(f"pilot: {n_subjects} subjects; give at least two")
