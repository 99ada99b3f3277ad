"""From events to what a clinic writes down of a muscle: present or absent, a grade, a rate."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fascnet.errors import SettingError
from fascnet.types import Event, Interval


@dataclass(frozen=True, slots=True)
class PresenceRule:
    """When does a muscle fasciculate?

    Attributes:
        min_events: events needed, from 1; 2 in 60 s is common, 1 is "any" (field.md 4a).
        window_s: they must begin within so many examined seconds of each other; infinite: anywhere.
        min_examined_s: a muscle examined for less than this and not positive is not rated: it is unknown
            whether it would have been.
    """

    min_events: int = 2
    window_s: float = 60.0
    min_examined_s: float = 0.0

    def __post_init__(self) -> None:
        if self.min_events < 1 or not self.window_s > 0 or not 0 <= self.min_examined_s < math.inf:
            raise SettingError("presence rule: min_events from 1, window_s above 0, min_examined_s from 0")


@dataclass(frozen=True, slots=True)
class GradeScale:
    """Grades by events per examined minute.

    Attributes:
        name: key in `metrics.json`.
        cutoffs_per_min: the rate from which grade 1, 2, … is given, rising; grade 0 lies below the first.
    """

    name: str
    cutoffs_per_min: tuple[float, ...]

    def __post_init__(self) -> None:
        cutoffs = self.cutoffs_per_min
        rising = all(low < high for low, high in pairwise(cutoffs))
        if not cutoffs or not rising or not cutoffs[0] > 0 or not math.isfinite(cutoffs[-1]):
            raise SettingError(f"grade scale {self.name}: give rising cut-offs above 0, in events per minute")

    @property
    def levels(self) -> int:
        """How many grades there are, 0 among them."""
        return len(self.cutoffs_per_min) + 1

    def grade(self, rate_per_min: float) -> int:
        """Return the grade of a rate, 0 to `levels` - 1; a rate on a cut-off has the higher grade."""
        return int(np.searchsorted(self.cutoffs_per_min, rate_per_min + 1e-9, side="right"))


GRADES_0_3 = GradeScale("grade_0_3", (1.0, 5.0, 20.0))
FIVE_LEVELS = GradeScale("five_levels", (1.0, 3.0, 10.0, 30.0))
"""Scales of 0-3 and of five levels are published (BMC Neurol 2022; Liu 2021), their cut-offs were not found:
these are this project's, to be replaced by the clinic's own."""


@dataclass(frozen=True, slots=True)
class MuscleFinding:
    """What one source says about one muscle of one subject.

    Attributes:
        n_events: events in the examined seconds.
        examined_s: examined seconds of all its clips.
        positive: whether it fasciculates; None: not rated, examined too briefly.
        grades: grade by name of scale; empty when not rated.
    """

    n_events: int
    examined_s: float
    positive: bool | None
    grades: Mapping[str, int]

    @property
    def rate_per_min(self) -> float:
        """Events per examined minute."""
        return 60 * self.n_events / self.examined_s


def judge_muscle(
    clips: Sequence[tuple[Sequence[Event], Sequence[Interval]]],
    rule: PresenceRule,
    scales: Iterable[GradeScale] = (GRADES_0_3, FIVE_LEVELS),
) -> MuscleFinding | None:
    """Judge a muscle from all its clips.

    The examined seconds of the clips are laid end to end, in the order given: two 30 s clips are a minute.

    Args:
        clips: events and examined intervals (finite, in order, not overlapping) of each clip. Events that do
            not count (ignored certainty, merged foci) are left out by the caller.
        rule: when a muscle fasciculates.
        scales: grades to give.

    Returns:
        None when nothing was examined.
    """
    times_s: list[float] = []
    examined_s = 0.0
    for events, intervals in clips:
        for start_s, end_s in intervals:
            middles = [(event.onset_s + event.offset_s) / 2 for event in events]
            times_s += [examined_s + middle - start_s for middle in middles if start_s <= middle < end_s]
            examined_s += end_s - start_s
    if examined_s <= 0:
        return None
    positive: bool | None = _has_crowd(sorted(times_s), rule)
    if not positive and examined_s < rule.min_examined_s:
        return MuscleFinding(len(times_s), examined_s, None, {})
    rate_per_min = 60 * len(times_s) / examined_s
    grades = {scale.name: scale.grade(rate_per_min) for scale in scales}
    return MuscleFinding(len(times_s), examined_s, positive, grades)


def _has_crowd(times_s: Sequence[float], rule: PresenceRule) -> bool:
    """Return whether `min_events` middles of events lie within `window_s`."""
    span = rule.min_events - 1
    return any(times_s[i + span] - times_s[i] <= rule.window_s + 1e-9 for i in range(len(times_s) - span))
