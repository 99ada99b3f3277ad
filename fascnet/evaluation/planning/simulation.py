"""How many subjects does a study need? By simulation, before the data are collected.

For an interval of a given width, or to show that a source is no worse than another by more than a margin.
Every simulated study gets the interval that the benchmark would give it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.data.job_runner import start_pool
from fascnet.errors import SettingError
from fascnet.evaluation.planning.models import StudyModel
from fascnet.evaluation.uncertainty.bootstrap import (
    MIN_DEFINED_SHARE,
    Resampled,
    draw_weights,
    explain_no_interval,
    select_defined,
)
from fascnet.evaluation.uncertainty.intervals import estimate_interval
from fascnet.evaluation.uncertainty.noninferiority import ALPHA, judge_non_inferiority

LEAST_SUBJECTS = 5
"""The search begins here: an interval of fewer subjects is hardly one (`small_samples.FEWEST_SUBJECTS`)."""

PRECISION = 0.01
"""The search ends when it knows the number to 1 %; the simulation itself knows it no better."""

_CHUNK = 50
"""Studies that one generator draws: results do not depend on how many workers share them out."""

FloatArray = NDArray[np.float64]
Spread = Callable[[Callable[["_Job"], FloatArray], Iterable["_Job"]], Iterable[FloatArray]]
"""`map`, or that of a pool of processes."""


@dataclass(frozen=True, slots=True)
class Margin:
    """What is to be shown: new minus standard lies on the good side of the margin.

    Attributes:
        margin: how much worse still counts as no worse, above 0, in units of the figure.
        alpha: one-sided level.
        larger_is_better: False for a figure such as false alarms per minute.
    """

    margin: float
    alpha: float = ALPHA
    larger_is_better: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            SettingError: a value is out of range.
        """
        if not (np.isfinite(self.margin) and self.margin > 0):
            raise SettingError(f"margin: {self.margin} must be above 0")
        if not 0 < self.alpha < 0.5:
            raise SettingError(f"alpha: {self.alpha} must lie between 0 and 0.5, it is one-sided")


@dataclass(frozen=True, slots=True)
class PlannedWidth:
    """What a study of so many subjects may expect.

    Attributes:
        subjects: how many.
        expected_width: mean width of the interval (high - low) over the simulated studies that had one; None
            where no study had one.
        width_90: the width that 90 % of those stay within.
        defined_share: share of the simulated studies that had an interval with a width.
    """

    subjects: int
    expected_width: float | None
    width_90: float | None
    defined_share: float

    def is_within(self, width: float, *, assured: bool = False) -> bool:
        """Whether studies of this size stay within a width: on average, or (`assured`) 90 % of them."""
        expected = self.width_90 if assured else self.expected_width
        return expected is not None and expected <= width and self.defined_share > MIN_DEFINED_SHARE

    def to_json(self) -> dict[str, object]:
        """Return a row of the table."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class PlannedPower:
    """How often a study of so many subjects shows non-inferiority.

    Attributes:
        subjects: how many.
        power: share of the simulated studies that showed it.
        standard_error: of the power, from the number of simulated studies.
    """

    subjects: int
    power: float
    standard_error: float

    def to_json(self) -> dict[str, object]:
        """Return a row of the table."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Simulation:
    """How a size is tried.

    Attributes:
        seed: of everything random; a size's row does not depend on the other sizes or on the workers.
        studies: simulated for each size, 1 or more.
        resamples: of subjects, in each study, 1 or more.
        spread: from `start_workers`; `map` works in this process.
    """

    seed: int
    studies: int = 400
    resamples: int = 500
    spread: Spread = map

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            SettingError: no study or resample is asked for.
        """
        if min(self.studies, self.resamples) < 1:
            raise SettingError("studies, resamples: give 1 or more")

    def plan_width(self, model: StudyModel, subjects: int) -> PlannedWidth:
        """Simulate studies of a size and summarise the widths of their intervals.

        Raises:
            SettingError: fewer than two subjects.
        """
        found = self._simulate(model, subjects, None)
        # No width is no precision: all subjects were alike, as small studies happen to be.
        widths = found[np.isfinite(found) & (found > 0)]
        if len(widths) == 0:
            return PlannedWidth(subjects, None, None, 0.0)
        return PlannedWidth(
            subjects, float(widths.mean()), float(np.quantile(widths, 0.9)), len(widths) / len(found)
        )

    def plan_power(self, model: StudyModel, subjects: int, aim: Margin) -> PlannedPower:
        """Simulate studies of a size and count those that show non-inferiority.

        Raises:
            SettingError: fewer than two subjects.
        """
        power = float(self._simulate(model, subjects, aim).mean())
        error = float(np.sqrt(power * (1 - power) / self.studies))
        return PlannedPower(subjects, power, error)

    def _simulate(self, model: StudyModel, subjects: int, aim: Margin | None) -> FloatArray:
        if subjects < 2:
            raise SettingError(f"subjects: {subjects}; an interval needs two subjects")
        starts = range(0, self.studies, _CHUNK)
        jobs = [
            _Job(model, subjects, aim, self.seed, start, min(_CHUNK, self.studies - start), self.resamples)
            for start in starts
        ]
        return np.concatenate(list(self.spread(_run, jobs)))


@contextmanager
def start_workers(workers: int) -> Iterator[Spread]:
    """Give `map`, spread over so many processes; 1 or less works in this one."""
    if workers <= 1:
        yield map
        return
    with start_pool(workers) as pool:
        yield pool.map


def find_subjects(is_enough: Callable[[int], bool], start: int, most: int) -> int | None:
    """Return the smallest number of subjects that is enough, to `PRECISION`; None where `most` is not.

    From the start outwards in steps of a half, then by halving. A simulated answer is not quite monotone:
    near the border one of the numbers around it is returned.

    Args:
        is_enough: whether a number is; asked for few of them, since each costs a simulation.
        start: where to begin.
        most: the largest number of interest.
    """
    low, high = LEAST_SUBJECTS - 1, min(max(start, LEAST_SUBJECTS), most)
    while not is_enough(high):
        if high == most:
            return None
        low, high = high, min(high + max(high // 2, 1), most)
    # Downwards in the same steps until it is no longer enough.
    while low < LEAST_SUBJECTS <= high - 1:
        below = max(high - max(high // 3, 1), LEAST_SUBJECTS)
        if not is_enough(below):
            low = below
        else:
            high = below
            if below == LEAST_SUBJECTS:
                return below
    while high - low > max(1, PRECISION * high):
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def guess_for_width(row: PlannedWidth, width: float) -> int:
    """Guess the subjects for a width from a simulated size: widths fall with the root of the number."""
    if row.expected_width is None:
        return row.subjects
    return max(round(row.subjects * (row.expected_width / width) ** 2), LEAST_SUBJECTS)


@dataclass(frozen=True, slots=True)
class _Job:
    """Some studies of one size; `aim` None measures widths."""

    model: StudyModel
    subjects: int
    aim: Margin | None
    seed: int
    start: int
    studies: int
    resamples: int


def _run(job: _Job) -> FloatArray:
    """Return the width of each study (NaN: no interval), or 1 for each that shows non-inferiority."""
    rng = np.random.default_rng((job.seed, job.subjects, job.start))
    # Studies are independent of each other; the resamples need not be drawn anew for each.
    weights = draw_weights(job.subjects, job.resamples, job.seed)
    found = []
    for _ in range(job.studies):
        study = job.model.resample(job.subjects, rng, weights)
        found.append(_measure_width(study) if job.aim is None else _judge(study, job.aim))
    return np.array(found, dtype=np.float64)


def _measure_width(study: Resampled) -> float:
    if not np.isfinite(study.value) or explain_no_interval(study):
        return np.nan
    samples = select_defined(study.samples)
    interval = estimate_interval(study.value, samples, study.jackknife, subjects=study.subjects)
    return interval.high - interval.low


def _judge(study: Resampled, aim: Margin) -> float:
    verdict = judge_non_inferiority(
        study, margin=aim.margin, alpha=aim.alpha, larger_is_better=aim.larger_is_better
    )
    return float(verdict.verdict == "non-inferior")
