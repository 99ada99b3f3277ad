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

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d, uniform_filter1d
from scipy.signal import find_peaks

from fascnet.errors import SettingError
from fascnet.inference.movement.trace import Course

ARTERIAL_PULSATION = "arterial_pulsation"
PSEUDOTREMOR = "pseudotremor"
"""Names of confounders as label files spell them."""

AROUND_S = 7.0
"""Seconds before and after an event that are searched for further beats: nine at 0.8 Hz."""

_STEP_S = 1 / 60
"""Courses are brought to even steps."""

_GAP_S = 0.15
"""Steps longer than this hide what moved."""

_BEAT_S, _BEAT_SMOOTH_S, _BEAT_BASE_S = 0.4, 0.03, 1.0
"""A beat's form covers 0.4 s, is smoothed with a Gaussian of 0.03 s, and lies on a mean of 1 s."""

_LEAST_APART_S = 0.4
"""Of two movements closer than this only the one that is more like the event is a beat: pulses stay below
2 Hz."""

_MOST_EXCESS = 2.0
"""An event that deviates this much more from the median beat than beats do is something on top of them."""

_MOST_BEATS = 1.5
"""Length of an event in beats beyond which it keeps its name."""

_TREMOR_SMOOTH_S, _TREMOR_BASE_S, _TREMOR_AROUND_S = 0.012, 0.4, 0.75
"""The same for tremor, and the seconds on either side that are looked at."""

_ANY_SIZE, _USUAL_SIZE = (0.3, 3.0), (0.5, 2.0)
"""A beat of the same movement has 0.3 to 3 times its size, and the median of them 0.5 to 2 times: a twitch on
top of a pulse is larger than the pulse."""

_CELL = 1
"""Blocks on each side of the event's own that are taken along."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What a movement was recognised as.

    Attributes:
        label: `arterial_pulsation` or `pseudotremor`.
        hz: rate of its beats or oscillations.
        start_s: first moment at which it was seen.
        end_s: last moment.
    """

    label: str
    hz: float
    start_s: float
    end_s: float


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
    pulse_interval_cv: float = 0.15
    tremor_hz: tuple[float, float] = (4.0, 12.0)
    tremor_s: float = 0.8
    tremor_likeness: float = 0.3
    tremor_excess: float = 2.0

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
        times_s, velocity = _make_even(course, block, _BEAT_SMOOTH_S, _BEAT_BASE_S)
        middle = _find_strongest(times_s, velocity, onset_s, offset_s)
        if middle is None:
            return None
        beats_s, sizes = _find_alike(times_s, velocity, middle, self.pulse_likeness)
        others = sizes[np.abs(beats_s - times_s[middle]) > _STEP_S]
        if not others.size or not _USUAL_SIZE[0] <= float(np.median(others)) <= _USUAL_SIZE[1]:
            return None
        train = self._take_train(beats_s, float(times_s[middle]))
        if train is None:
            return None
        first_s, last_s, hz = train
        # What lasts over two beats is more than a beat; what is hidden in it cannot be told.
        is_long = (offset_s - onset_s) * hz > _MOST_BEATS
        if is_long or measure_excess(times_s, velocity, beats_s, onset_s, offset_s) > _MOST_EXCESS:
            return None
        return Rhythm(ARTERIAL_PULSATION, hz, first_s - _BEAT_S / 2, last_s + _BEAT_S / 2)

    def _take_train(self, beats_s: NDArray[np.float64], own_s: float) -> tuple[float, float, float] | None:
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
        return float(beats_s[first]), float(beats_s[last]), hz

    def _find_tremor(
        self, course: Course, block: tuple[int, int], onset_s: float, offset_s: float
    ) -> Rhythm | None:
        times_s, velocity = _make_even(course, block, _TREMOR_SMOOTH_S, _TREMOR_BASE_S)
        middle = _find_strongest(times_s, velocity, onset_s, offset_s)
        if middle is None:
            return None
        reach = round(_TREMOR_AROUND_S / _STEP_S)
        start, stop = max(0, middle - reach), min(len(times_s), middle + reach + 1)
        period_s = self._find_period(velocity[start:stop])
        if period_s is None:
            return None
        # How long it lasts: the movement of one period, as long as it stays above 0.3 of what it is here.
        width = max(1, round(period_s / _STEP_S))
        energy = np.sqrt(uniform_filter1d(np.square(velocity).sum(axis=1), width, mode="nearest"))
        lasting = energy >= 0.3 * float(np.median(np.sort(energy[start:stop])[-width:]))
        first, last = middle, middle
        while first > 0 and lasting[first - 1]:
            first -= 1
        while last < len(lasting) - 1 and lasting[last + 1]:
            last += 1
        length_s = (last + 1 - first) * _STEP_S
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
        longest = round(3.3 / self.tremor_hz[0] / _STEP_S)
        if len(velocity) < longest + round(1 / self.tremor_hz[0] / _STEP_S):
            return None
        likeness = _autocorrelate(velocity, longest + 1)
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
        period_s = period * _STEP_S
        return period_s if self.tremor_hz[0] <= 1 / period_s <= self.tremor_hz[1] else None


def _make_even(
    course: Course, block: tuple[int, int], smooth_s: float, base_s: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bring the velocity of an event's blocks to even steps (n, k), smoothed, without what is slower.

    A course of less than ten steps gives none.
    """
    row, col = block
    around = course.mm_per_s[:, max(0, row - _CELL) : row + _CELL + 1, max(0, col - _CELL) : col + _CELL + 1]
    if len(course.times_s) < 10:
        return np.zeros(0), np.zeros((0, 1))
    flat = around.reshape(len(around), -1).astype(np.float64)
    times_s = np.arange(course.times_s[0], course.times_s[-1], _STEP_S)
    # Linear interpolation would flatten a tremor of 11 Hz, which 30 frames/s show in 2.7 points.
    even = np.asarray(CubicSpline(course.times_s, flat)(times_s), dtype=np.float64)
    # Across a standing picture a spline swings; nothing is known there.
    after = np.clip(np.searchsorted(course.times_s, times_s), 1, len(course.times_s) - 1)
    even[course.times_s[after] - course.times_s[after - 1] > _GAP_S] = 0.0
    even = gaussian_filter1d(even, smooth_s / _STEP_S, axis=0)
    return times_s, even - uniform_filter1d(even, round(base_s / _STEP_S), axis=0)


def _find_strongest(
    times_s: NDArray[np.float64], velocity: NDArray[np.float64], onset_s: float, offset_s: float
) -> int | None:
    """Return the step of an event about which it moves most."""
    within = np.flatnonzero((times_s >= onset_s - 0.1) & (times_s <= offset_s + 0.05))
    if within.size == 0:
        return None
    energy = uniform_filter1d(np.square(velocity).sum(axis=1), round(0.2 / _STEP_S))
    return int(within[np.argmax(energy[within])])


def _find_alike(
    times_s: NDArray[np.float64], velocity: NDArray[np.float64], middle: int, likeness: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return when the movement about `middle` is seen, itself among them, and at how many times its size."""
    half = round(_BEAT_S / _STEP_S / 2)
    start, stop = max(0, middle - half), min(len(times_s), middle + half + 1)
    form = velocity[start:stop]
    length, size = len(form), float(np.square(form).sum())
    if size <= 0 or length < half:
        return np.zeros(0), np.zeros(0)
    windows = np.lib.stride_tricks.sliding_window_view(velocity, length, axis=0)
    product = np.einsum("tkl,lk->t", windows, form)
    energy = np.convolve(np.square(velocity).sum(axis=1), np.ones(length), mode="valid")
    alike = product / np.sqrt(np.maximum(energy, 1e-12) * size)
    found, _ = find_peaks(
        np.pad(alike, 1, constant_values=-1.0), height=likeness, distance=round(_LEAST_APART_S / _STEP_S)
    )
    found = found - 1
    sizes = product[found] / size
    alike_in_size = (sizes >= _ANY_SIZE[0]) & (sizes <= _ANY_SIZE[1])
    return times_s[found[alike_in_size] + (middle - start)], sizes[alike_in_size]


def measure_excess(
    times_s: NDArray[np.float64],
    velocity: NDArray[np.float64],
    beats_s: NDArray[np.float64],
    onset_s: float,
    offset_s: float,
) -> float:
    """Measure what an event moves beyond the beats of its place: a twitch on an artery moves more.

    Args:
        times_s: even steps, (n,).
        velocity: of the place, (n, k).
        beats_s: when it beats, increasing.
        onset_s: start of the event.
        offset_s: its end.

    Returns:
        The event's largest deviation from the median beat over 0.15 s, as a multiple of what is usual at the
        same phase of other beats; about 1 for a beat. Infinite when too few beats are apart from the event.
    """
    own_s = float(beats_s[np.argmin(np.abs(beats_s - (onset_s + offset_s) / 2))])
    own = round((own_s - float(times_s[0])) / _STEP_S)
    first = max(round((onset_s - 0.05 - own_s) / _STEP_S), -own)
    last = min(round((offset_s + 0.05 - own_s) / _STEP_S), len(times_s) - 1 - own)
    others = []
    for beat_s in beats_s:
        middle = round((float(beat_s) - float(times_s[0])) / _STEP_S)
        # Beats within the event's length would hold a part of what it moves besides.
        if abs(beat_s - own_s) > offset_s - onset_s and first + middle >= 0 and last + middle < len(times_s):
            others.append(velocity[middle + first : middle + last + 1])
    if len(others) < 3 or last <= first:
        return math.inf
    form = np.median(np.stack(others), axis=0)
    usual = float(np.median([_find_largest(one - form) for one in others]))
    excess = _find_largest(velocity[own + first : own + last + 1] - form)
    return excess / usual if usual > 0 else math.inf


def _find_largest(velocity: NDArray[np.float64]) -> float:
    """Return the largest size of a movement (n, k), averaged over 0.15 s."""
    energy = uniform_filter1d(np.square(velocity).sum(axis=1), round(0.15 / _STEP_S))
    return float(np.sqrt(energy.max()))


def _autocorrelate(velocity: NDArray[np.float64], n_lags: int) -> NDArray[np.float64]:
    """Return the correlation of a course (n, k) with itself at each lag, each lag normalised by itself."""
    found = np.ones(n_lags)
    for lag in range(1, n_lags):
        early, late = velocity[:-lag], velocity[lag:]
        size = np.sqrt(np.square(early).sum() * np.square(late).sum())
        found[lag] = (early * late).sum() / size if size > 0 else 0.0
    return found
