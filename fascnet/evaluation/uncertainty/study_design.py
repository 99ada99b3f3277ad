"""How many subjects for an interval of a given width? By simulation, before the data are collected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.errors import SettingError
from fascnet.evaluation.uncertainty.bootstrap import (
    FloatArray,
    SumsFigure,
    divide,
    draw_weights,
    explain_no_interval,
    resample_sums,
    select_defined,
)
from fascnet.evaluation.uncertainty.intervals import CONFIDENCE, estimate_interval, find_reach

DrawSubjects = Callable[[int, np.random.Generator], FloatArray]
"""From a number of subjects and a generator to the sums (S, k) of one simulated study."""


@dataclass(frozen=True, slots=True)
class ShareAssumption:
    """What is believed of a share, such as sensitivity, before the study.

    Attributes:
        share: the true share over all subjects, between 0 and 1.
        per_subject: mean number of units a subject brings that the share is of (positive clips, for a
            sensitivity); each brings at least one.
        icc: correlation of two units of one subject, 0 (none) to below 1.
        cv: coefficient of variation of the number of units per subject; 0 when all bring the same.
    """

    share: float
    per_subject: float
    icc: float
    cv: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            SettingError: a value is out of range.
        """
        if not 0 < self.share < 1:
            raise SettingError(f"share: {self.share} must lie between 0 and 1")
        if not (np.isfinite(self.per_subject) and self.per_subject >= 1):
            raise SettingError(f"per_subject: {self.per_subject} must be 1 or more")
        if not 0 <= self.icc < 1:
            raise SettingError(f"icc: {self.icc} must lie from 0 to below 1")
        if not (np.isfinite(self.cv) and self.cv >= 0):
            raise SettingError(f"cv: {self.cv} must be 0 or more")


@dataclass(frozen=True, slots=True)
class PlannedWidth:
    """What a study of so many subjects may expect.

    Attributes:
        subjects: how many.
        expected_width: mean width of the interval (high - low) over the simulated studies that had one.
        width_90: the width that 90 % of those stay within.
        defined_share: share of the simulated studies that had an interval with a width.
    """

    subjects: int
    expected_width: float | None
    width_90: float | None
    defined_share: float

    def to_json(self) -> dict[str, object]:
        """Return a row of the table."""
        return asdict(self)


def plan_study(
    draw: DrawSubjects,
    figure: SumsFigure,
    subjects: Sequence[int],
    *,
    seed: int,
    studies: int = 200,
    resamples: int = 1000,
) -> tuple[PlannedWidth, ...]:
    """Simulate studies of each size, each with its interval as the benchmark would give it.

    Args:
        draw: from `build_share` or `build_pilot`.
        figure: the figure of summed statistics (..., k).
        subjects: the sizes to try, each 2 or more.
        seed: of everything random; a size's row does not depend on the other sizes.
        studies: how many to simulate for each size.
        resamples: of subjects, in each study.

    Returns:
        One row for each size, in the order given.

    Raises:
        SettingError: a size is below 2, or no study or resample is asked for.
    """
    if not subjects or min(subjects) < 2:
        raise SettingError("subjects: give sizes of 2 or more; an interval needs two subjects")
    if min(studies, resamples) < 1:
        raise SettingError("studies, resamples: give 1 or more")
    return tuple(_plan_size(draw, figure, n, seed, studies, resamples) for n in subjects)


def _plan_size(
    draw: DrawSubjects, figure: SumsFigure, n: int, seed: int, studies: int, resamples: int
) -> PlannedWidth:
    rng = np.random.default_rng((seed, n))
    # Studies are independent of each other; the resamples need not be drawn anew for each.
    weights = draw_weights(n, resamples, seed)
    widths = []
    for _ in range(studies):
        study = resample_sums(draw(n, rng), figure, weights)
        if not np.isfinite(study.value) or explain_no_interval(study):
            continue
        samples = select_defined(study.samples)
        interval = estimate_interval(study.value, samples, study.jackknife, subjects=study.subjects)
        # No width is no precision: all subjects were alike, as small studies happen to be.
        if interval.high > interval.low:
            widths.append(interval.high - interval.low)
    if not widths:
        return PlannedWidth(n, None, None, 0.0)
    return PlannedWidth(n, float(np.mean(widths)), float(np.quantile(widths, 0.9)), len(widths) / studies)


def find_subjects(table: Sequence[PlannedWidth], width: float, *, assured: bool = False) -> int | None:
    """Return the smallest planned size whose interval is expected to be no wider; None where none is.

    Args:
        table: from `plan_study`.
        width: high - low, above 0.
        assured: ask that 90 % of studies stay within the width, not just their mean.

    Raises:
        SettingError: the width is not above 0.
    """
    if not width > 0:
        raise SettingError(f"width: {width} must be above 0")
    expected = [(row.subjects, row.width_90 if assured else row.expected_width) for row in table]
    return min((n for n, wide in expected if wide is not None and wide <= width), default=None)


def build_share(assumption: ShareAssumption) -> DrawSubjects:
    """Build studies of a share: each subject's own share is beta, its units are binomial.

    Beta with a + b = 1 / icc - 1 gives units of a subject that correlation (Griffiths 1973, Biometrics
    29:637-648). The number of units is 1 + a gamma-Poisson count, or the rounded mean where `cv` is 0. Use
    with `figure=share`.
    """
    total = np.inf if assumption.icc == 0 else 1 / assumption.icc - 1

    def draw(n: int, rng: np.random.Generator) -> FloatArray:
        own = np.full(n, assumption.share)
        if assumption.icc > 0:
            own = rng.beta(assumption.share * total, (1 - assumption.share) * total, n)
        units = _draw_units(assumption, n, rng)
        return np.column_stack([rng.binomial(units, own), units]).astype(np.float64)

    return draw


def _draw_units(assumption: ShareAssumption, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    extra = assumption.per_subject - 1
    if assumption.cv == 0 or extra == 0:
        return np.full(n, round(assumption.per_subject), dtype=np.int64)
    # Variance of 1 + Poisson(gamma) is extra + the gamma's; Poisson alone is the least there can be.
    spread = max((assumption.cv * assumption.per_subject) ** 2 - extra, 0.0)
    mean = np.full(n, extra) if spread == 0 else rng.gamma(extra**2 / spread, spread / extra, n)
    return 1 + rng.poisson(mean).astype(np.int64)


def build_pilot(sums: FloatArray) -> DrawSubjects:
    """Build studies by drawing subjects from a pilot's sums (S, k) with replacement; for any figure of them.

    Raises:
        SettingError: the pilot has fewer than two subjects.
    """
    if len(sums) < 2:
        raise SettingError(f"pilot: {len(sums)} subjects; give at least two")

    def draw(n: int, rng: np.random.Generator) -> FloatArray:
        return sums[rng.integers(0, len(sums), n)]

    return draw


def share(sums: FloatArray) -> FloatArray:
    """Successes / units, of sums (..., 2)."""
    return divide(sums[..., 0], sums[..., 1])


def compute_expected_width(
    assumption: ShareAssumption, subjects: int, confidence: float = CONFIDENCE
) -> float:
    """Compute the width of a share's interval in closed form, to hold the simulation to.

    2 t sqrt(p (1 - p) deff / (n m)) with the design effect 1 + ((1 + cv²) m - 1) icc (Kish 1965, Survey
    Sampling; unequal sizes: Eldridge, Ashby & Kerry 2006, Int J Epidemiol 35:1292-1300) and t of n - 1
    degrees of freedom, as the benchmark's intervals are widened for n subjects.
    """
    m = assumption.per_subject
    effect = 1 + ((1 + assumption.cv**2) * m - 1) * assumption.icc
    variance = assumption.share * (1 - assumption.share) * effect / (subjects * m)
    # The reach holds sqrt(n / (n - 1)) against the spread of resamples; the true variance needs none.
    reach = find_reach((1 - confidence) / 2, subjects) * np.sqrt((subjects - 1) / subjects)
    return float(2 * reach * np.sqrt(variance))
