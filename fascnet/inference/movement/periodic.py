"""Is a movement one beat of many, or a tremor? By the rhythm of its place before and after, and nothing else.

A pulse: the movement of the event is looked for at its place in the seconds around it (velocity of nine
blocks, both directions, as one vector, so that tissue which moves apart does not cancel). It is named when
movements of the same form and about the same size come again and again, at even intervals. Fasciculations of
one focus have the same form as well, but come at uneven intervals: exponential-like in the literature, where
the deviation of intervals is about their mean. A tremor: autocorrelation of the velocity has peaks at once,
twice and three times its period, and the movement lasts; the two pulses of a doublet have one peak, and what
is much faster than the tremor around it is no part of it.
What is in doubt keeps its name.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.signal import find_peaks

from fascnet.errors import SettingError
from fascnet.inference.movement.beats import (
    AFTER_S,
    BEAT_S,
    BEFORE_S,
    STEP_S,
    autocorrelate,
    find_alike,
    find_strongest,
    make_even,
    measure_excess,
)
from fascnet.inference.movement.trace import Course

ARTERIAL_PULSATION = "arterial_pulsation"
PSEUDOTREMOR = "pseudotremor"
"""Names of confounders as label files spell them."""

AROUND_S = 7.0
"""Seconds before and after an event that are searched for further beats: nine at 0.8 Hz."""

_BEAT_SMOOTH_S, _BEAT_BASE_S = 0.03, 1.0
"""A beat's form is smoothed with a Gaussian of 0.03 s, and lies on a mean of 1 s."""

_MOST_EXCESS = 2.0
"""An event that deviates this much more from the median beat than beats do is something on top of them."""

_MOST_BEATS = 1.5
"""Length of an event in beats beyond which it keeps its name."""

_TREMOR_SMOOTH_S, _TREMOR_BASE_S, _TREMOR_AROUND_S = 0.012, 0.4, 0.75
"""The same for tremor, and the seconds on either side that are looked at."""

_USUAL_SIZE = (0.5, 2.0)
"""The median of the beats has so many times the size of the event: a twitch on top of a pulse is larger. An
event that is told by another's beats has so many times the size of that one."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What a movement was recognised as.

    Attributes:
        label: `arterial_pulsation` or `pseudotremor`.
        hz: rate of its beats or oscillations.
        start_s: first moment at which it was seen.
        end_s: last moment.
        beats_s: when a pulse beats, in order; empty for tremor.
    """

    label: str
    hz: float
    start_s: float
    end_s: float
    beats_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Train:
    """Beats of one form at even intervals.

    Attributes:
        beats_s: (n,) when, in order; all of the form, also those before and after the even ones.
        sizes: (n,) as multiples of the size of the event that they are like.
        first: of the even ones.
        last: of them.
        hz: their rate.
    """

    beats_s: NDArray[np.float64]
    sizes: NDArray[np.float64]
    first: int
    last: int
    hz: float

    def pick(self, onset_s: float, offset_s: float) -> NDArray[np.intp]:
        """Return which of the even beats an event holds."""
        even = np.arange(self.first, self.last + 1)
        beats_s = self.beats_s[even]
        return even[(beats_s >= onset_s - BEFORE_S) & (beats_s <= offset_s + AFTER_S)]


@dataclass(frozen=True, slots=True)
class PeriodicRule:
    """What makes a movement periodic.

    Args:
        pulse_hz: rates of a pulse, [low, high] within 0.3-4 Hz.
        pulse_beats: beats of the same form needed, the event among them, 3-20.
        pulse_likeness: correlation of their form with the event's, 0.2-0.95.
        pulse_interval_cv: largest deviation of their intervals, as a share of the mean, 0.01-0.5. A heart at
            rest stays below 0.1; fasciculations have about 1.
        tremor_hz: rates of tremor, [low, high] within 3-20 Hz.
        tremor_s: it lasts at least so long, 0.3-5 s.
        tremor_likeness: autocorrelation at one, two and three periods, 0.1-0.95.
        tremor_excess: an event that moves so many times faster than the tremor around it is a twitch in the
            midst of it, 1-100; RMS over a period.

    Raises:
        SettingError: a value is outside its range.
    """

    pulse_hz: tuple[float, float] = (0.8, 2.0)
    pulse_beats: int = 5
    pulse_likeness: float = 0.5
    pulse_interval_cv: float = 0.1
    tremor_hz: tuple[float, float] = (4.0, 12.0)
    tremor_s: float = 0.8
    tremor_likeness: float = 0.3
    tremor_excess: float = 1.25

    def __post_init__(self) -> None:
        for name, low, high in (
            ("pulse_beats", 3, 20),
            ("pulse_likeness", 0.2, 0.95),
            ("pulse_interval_cv", 0.01, 0.5),
            ("tremor_s", 0.3, 5.0),
            ("tremor_likeness", 0.1, 0.95),
            ("tremor_excess", 1.0, 100.0),
        ):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and low <= value <= high):
                raise SettingError(f"name_periodic: {name} is {value}; give a value from {low:g} to {high:g}")
        for name, low, high in (("pulse_hz", 0.3, 4.0), ("tremor_hz", 3.0, 20.0)):
            bounds = getattr(self, name)
            if len(bounds) != 2 or not low <= bounds[0] < bounds[1] <= high:
                raise SettingError(
                    f"name_periodic: {name} is {list(bounds)}; give [low, high] within {low:g} to {high:g} Hz"
                )

    def describe(self) -> dict[str, object]:
        """Plain facts for `run.json`."""
        facts = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return {
            name: list(value) if isinstance(value, list | tuple) else value for name, value in facts.items()
        }

    def find_rhythm(
        self, course: Course, block: tuple[int, int], onset_s: float, offset_s: float
    ) -> Rhythm | None:
        """Say what periodic movement an event belongs to; None when it is none, or in doubt.

        Args:
            course: movement from `AROUND_S` before the event to as long after it, as far as the clip goes.
            block: row and column of the event's place.
            onset_s: start of the event.
            offset_s: its end.
        """
        tremor = self._find_tremor(course, block, onset_s, offset_s)
        return self._find_pulse(course, block, onset_s, offset_s) if tremor is None else tremor

    def _find_pulse(
        self, course: Course, block: tuple[int, int], onset_s: float, offset_s: float
    ) -> Rhythm | None:
        times_s, velocity = make_even(course, block, _BEAT_SMOOTH_S, _BEAT_BASE_S)
        train = self._find_train(times_s, velocity, onset_s, offset_s)
        if train is None or not _is_one_beat(times_s, velocity, train, onset_s, offset_s):
            return None
        beats_s = train.beats_s[train.first : train.last + 1].tolist()
        start_s, end_s = beats_s[0] - BEAT_S / 2, beats_s[-1] + BEAT_S / 2
        return Rhythm(ARTERIAL_PULSATION, train.hz, start_s, end_s, tuple(beats_s))

    def is_beat_of(
        self,
        course: Course,
        block: tuple[int, int],
        pulse_s: tuple[float, float],
        event_s: tuple[float, float],
    ) -> bool:
        """Say whether an event is a beat of the pulse that another event of its place was named after.

        The first beats of a clip have few beside them, and a beat whose form was seen badly is like no other.

        Args:
            course: movement around the other event, as `find_rhythm` was given it.
            block: row and column of its place.
            pulse_s: its start and end.
            event_s: start and end of the event in question.
        """
        times_s, velocity = make_even(course, block, _BEAT_SMOOTH_S, _BEAT_BASE_S)
        train = self._find_train(times_s, velocity, *pulse_s)
        if train is None:
            return False
        sizes = train.sizes[train.pick(*event_s)]
        of_its_size = bool(((sizes >= _USUAL_SIZE[0]) & (sizes <= _USUAL_SIZE[1])).any())
        return of_its_size and _is_one_beat(times_s, velocity, train, *event_s)

    def _find_train(
        self,
        times_s: NDArray[np.float64],
        velocity: NDArray[np.float64],
        onset_s: float,
        offset_s: float,
    ) -> _Train | None:
        """Return the even beats that look like an event, itself among them, or None."""
        middle = find_strongest(times_s, velocity, onset_s, offset_s)
        if middle is None:
            return None
        beats_s, sizes = find_alike(times_s, velocity, middle, self.pulse_likeness)
        others = sizes[np.abs(beats_s - times_s[middle]) > STEP_S]
        if not others.size or not _USUAL_SIZE[0] <= float(np.median(others)) <= _USUAL_SIZE[1]:
            return None
        found = self._take_train(beats_s, float(times_s[middle]))
        return None if found is None else _Train(beats_s, sizes, *found)

    def _take_train(self, beats_s: NDArray[np.float64], own_s: float) -> tuple[int, int, float] | None:
        """Return (first, last, rate) of an even train that the beat at `own_s` belongs to, or None."""
        if beats_s.size < self.pulse_beats:
            return None
        steps_s = np.diff(beats_s)
        step_s = float(np.median(steps_s))
        if not self.pulse_hz[0] <= 1 / step_s <= self.pulse_hz[1]:
            return None
        # One or two beats may be missed: an interval is then as many. Anything else breaks the rhythm.
        counts = np.rint(steps_s / step_s)
        even = (counts >= 1) & (counts <= 3) & (np.abs(steps_s - counts * step_s) <= 0.25 * step_s * counts)
        own = int(np.argmin(np.abs(beats_s - own_s)))
        first = own
        while first > 0 and even[first - 1]:
            first -= 1
        last = own
        while last < len(even) and even[last]:
            last += 1
        size = last - first + 1
        if size < self.pulse_beats or size < 0.75 * beats_s.size:
            return None
        inside, missed = steps_s[first:last], counts[first:last] - 1
        singles_s = inside / (missed + 1)
        if missed.sum() > 0.34 * len(inside) or singles_s.std() > self.pulse_interval_cv * singles_s.mean():
            return None
        hz = float(1 / singles_s.mean())
        if not self.pulse_hz[0] <= hz <= self.pulse_hz[1]:
            return None
        return first, last, hz

    def _find_tremor(
        self, course: Course, block: tuple[int, int], onset_s: float, offset_s: float
    ) -> Rhythm | None:
        times_s, velocity = make_even(course, block, _TREMOR_SMOOTH_S, _TREMOR_BASE_S)
        middle = find_strongest(times_s, velocity, onset_s, offset_s)
        if middle is None:
            return None
        reach = round(_TREMOR_AROUND_S / STEP_S)
        start, stop = max(0, middle - reach), min(len(times_s), middle + reach + 1)
        period_s = self._find_period(velocity[start:stop])
        if period_s is None:
            return None
        # How long it lasts: the movement of one period, as long as it stays above 0.3 of what it is here.
        width = max(1, round(period_s / STEP_S))
        energy = np.sqrt(uniform_filter1d(np.square(velocity).sum(axis=1), width, mode="nearest"))
        lasting = energy >= 0.3 * float(np.median(np.sort(energy[start:stop])[-width:]))
        first, last = middle, middle
        while first > 0 and lasting[first - 1]:
            first -= 1
        while last < len(lasting) - 1 and lasting[last + 1]:
            last += 1
        length_s = (last + 1 - first) * STEP_S
        if length_s < max(self.tremor_s, 4 * period_s):
            return None
        # Without the event itself, and a period on either side that its smoothed energy reaches.
        seen_s = times_s[first : last + 1]
        apart = (seen_s <= onset_s - period_s) | (seen_s >= offset_s + period_s)
        others = energy[first : last + 1][apart]
        # At the rims of a tremor that hardly outlasts the event there is nothing to compare it with.
        if others.size >= 2 * width and energy[middle] > self.tremor_excess * float(np.median(others)):
            return None
        # Beyond what was analysed it may be something else.
        first, last = max(first, start), min(last, stop - 1)
        return Rhythm(PSEUDOTREMOR, 1 / period_s, float(times_s[first]), float(times_s[last]))

    def _find_period(self, velocity: NDArray[np.float64]) -> float | None:
        longest = round(3.3 / self.tremor_hz[0] / STEP_S)
        if len(velocity) < longest + round(1 / self.tremor_hz[0] / STEP_S):
            return None
        likeness = autocorrelate(velocity, longest + 1)
        peaks, _ = find_peaks(likeness, height=self.tremor_likeness)
        if peaks.size == 0:
            return None
        first = int(peaks[0])
        # Between the peaks the movement is the opposite: a slow one does not turn so fast.
        if float(likeness[: first + 1].min()) > -self.tremor_likeness:
            return None
        for times in (2, 3):
            near = np.abs(peaks - times * first) <= max(1.5, 0.2 * first)
            if not near.any():
                return None
            period = float(peaks[near][0]) / times
        period_s = period * STEP_S
        return period_s if self.tremor_hz[0] <= 1 / period_s <= self.tremor_hz[1] else None


def _is_one_beat(
    times_s: NDArray[np.float64],
    velocity: NDArray[np.float64],
    train: _Train,
    onset_s: float,
    offset_s: float,
) -> bool:
    """Say whether an event moves no more and no longer than a beat of its place."""
    # What lasts over two beats is more than a beat; what is hidden in it cannot be told.
    is_long = (offset_s - onset_s) * train.hz > _MOST_BEATS
    return not is_long and measure_excess(times_s, velocity, train.beats_s, onset_s, offset_s) <= _MOST_EXCESS
