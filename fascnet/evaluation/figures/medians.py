"""Median and median absolute deviation in thousands of resamples of subjects at once, exactly.

The weights of every value in every resample would be hundreds of millions of numbers. Counts in bins say by
one matrix product where a median can lie in any resample; only the values of those few bins are then looked
at one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.evaluation.uncertainty.bootstrap import FloatArray, WeightsFigure

_BINS = 256
"""Bins of equally many values: more make the product dearer, fewer leave more values to look at."""

_BLOCK_ELEMENTS = 4_000_000
"""Weights held at once: bounds memory at about 32 MB an array."""

_BISECTIONS = 64
"""Halvings of a search over values: enough to reach the spacing of double precision."""

_BOUNDING_BISECTIONS = 16
"""Halvings of the search for bounds: 2⁻¹⁶ of the range is less than a bin of values holds."""

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


def build_median(values: FloatArray, subject: IntArray, n_subjects: int) -> WeightsFigure:
    """Build the median as a function of weights of subjects (B, S).

    With whole weights it is the median of the values repeated so often: the mean of the two middle ones.

    Args:
        values: finite, at least one (n,).
        subject: index of each value's subject (n,).
        n_subjects: S.
    """
    data = _Sorted.sort(values, subject, n_subjects)
    return lambda weights: _find_median(data, weights, _accumulate(weights @ data.tally))


def build_mad(values: FloatArray, subject: IntArray, n_subjects: int) -> WeightsFigure:
    """Build the median absolute deviation from the median, unscaled, as a function of weights (B, S).

    The deviations have another order in each resample; instead of sorting them, the deviation that half of
    the weight lies within is searched by halving (Hampel 1974, J Am Stat Assoc 69:383, for the measure).
    Arguments are those of `build_median`.
    """
    data = _Sorted.sort(values, subject, n_subjects)

    def mad(weights: FloatArray) -> FloatArray:
        in_bins = _accumulate(weights @ data.tally)
        centre = _find_median(data, weights, in_bins)
        deviation = np.full(len(weights), np.nan)
        known = np.flatnonzero(np.isfinite(centre))
        if len(known):
            search = _Search(data, weights[known], in_bins[known], centre[known])
            deviation[known] = search.find_mad()
        return deviation

    return mad


@dataclass(frozen=True, slots=True, eq=False)
class _Sorted:
    """Values in order, and how many of each subject lie in each bin.

    Attributes:
        values: rising (n,).
        subject: whose they are (n,).
        edges: index of each bin's first value, and n (K + 1,).
        tally: values of each subject in each bin (S, K).
    """

    values: FloatArray
    subject: IntArray
    edges: IntArray
    tally: FloatArray

    @classmethod
    def sort(cls, values: FloatArray, subject: IntArray, n_subjects: int) -> _Sorted:
        order = np.argsort(values, kind="stable")
        edges = np.linspace(0, len(values), min(_BINS, len(values)) + 1).astype(np.int64)
        tally = np.zeros((n_subjects, len(edges) - 1))
        np.add.at(tally, (subject[order], np.repeat(np.arange(len(edges) - 1), np.diff(edges))), 1.0)
        return cls(values[order], subject[order], edges, tally)

    def open_bins(self, weights: FloatArray, in_bins: FloatArray, first: int, last: int) -> FloatArray:
        """Return the weight before each value of the bins `first` to `last`, and after the last: (B, m)."""
        chosen = self.subject[self.edges[first] : self.edges[last + 1]]
        return in_bins[:, first, None] + _accumulate(weights[:, chosen])


def _accumulate(weights: FloatArray) -> FloatArray:
    """Cumulate along rows, from 0: (B, n) -> (B, n + 1)."""
    total = np.zeros((len(weights), weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=total[:, 1:])
    return total


def _split(n_rows: int, width: int) -> Iterator[slice]:
    step = max(1, _BLOCK_ELEMENTS // max(width, 1))
    return (slice(start, start + step) for start in range(0, n_rows, step))


def _find_median(data: _Sorted, weights: FloatArray, in_bins: FloatArray) -> FloatArray:
    half = in_bins[:, -1:] / 2
    known = half[:, 0] > 0
    median = np.full(len(weights), np.nan)
    if not known.any():
        return median
    # The bin of the first value with at least half of the weight up to it, and with more than half.
    first = int(np.argmax(in_bins[:, 1:] >= half, axis=1)[known].min())
    last = int(np.argmax(in_bins[:, 1:] > half, axis=1)[known].max())
    ordered = data.values[data.edges[first] : data.edges[last + 1]]
    for rows in _split(len(weights), len(ordered)):
        up_to = data.open_bins(weights[rows], in_bins[rows], first, last)[:, 1:]
        low, high = (np.argmax(test, axis=1) for test in (up_to >= half[rows], up_to > half[rows]))
        median[rows] = (ordered[low] + ordered[high]) / 2
    return np.where(known, median, np.nan)


class _Search:
    """The smallest deviation from given centres (B,) that half of the weight lies within."""

    def __init__(self, data: _Sorted, weights: FloatArray, in_bins: FloatArray, centre: FloatArray) -> None:
        self._data, self._weights, self._in_bins, self._centre = data, weights, in_bins, centre
        self._half = in_bins[:, -1] / 2
        self._widest = float(np.ptp(data.values))
        # What a difference of these numbers can be off by.
        self._rounding = float(np.max(np.abs(data.values))) * 1e-14

    def find_mad(self) -> FloatArray:
        """Return the mean of the deviation that reaches half of the weight and of that which exceeds it."""
        short, enough = self._bound()
        every = slice(0, len(self._centre))
        near, far = self._locate(every, np.maximum(short, 0.0)), self._locate(every, enough)
        # The lower limit moves down and the upper one up as the deviation grows from `short` to `enough`.
        bins = [self._find_bins(far[0], near[0]), self._find_bins(near[1], far[1])]
        width = sum(int(self._data.edges[last + 1] - self._data.edges[first]) for first, last in bins)
        found = np.empty(len(self._centre))
        for rows in _split(len(found), width):
            sides = [
                (
                    int(self._data.edges[first]),
                    self._data.open_bins(self._weights[rows], self._in_bins[rows], first, last),
                )
                for first, last in bins
            ]
            ends = [
                self._find_end(rows, sides, short[rows], enough[rows], strictly) for strictly in (False, True)
            ]
            found[rows] = (ends[0] + ends[1]) / 2
        return found

    def _locate(self, rows: slice, deviation: FloatArray) -> tuple[IntArray, IntArray]:
        """Return the index of the first value within the deviation, and of the first beyond it."""
        centre = self._centre[rows]
        low = np.searchsorted(self._data.values, centre - deviation - self._rounding, side="left")
        high = np.searchsorted(self._data.values, centre + deviation + self._rounding, side="right")
        return low, high

    def _bound(self) -> tuple[FloatArray, FloatArray]:
        """Return a deviation that is too small for certain (-1: none), and one that exceeds half."""
        edges, row = self._data.edges, np.arange(len(self._centre))
        every = slice(0, len(self._centre))

        def weigh(deviation: FloatArray) -> tuple[FloatArray, FloatArray]:
            """Return the least and the most weight that whole bins leave possible."""
            low, high = self._locate(every, deviation)
            before, after = (np.searchsorted(edges, index, side="right") - 1 for index in (low, high))
            beyond, until = (np.searchsorted(edges, index, side="left") for index in (low, high))
            least = self._in_bins[row, after] - self._in_bins[row, beyond]
            most = self._in_bins[row, until] - self._in_bins[row, before]
            return least, most

        steps = _BOUNDING_BISECTIONS
        short, _ = self._halve(every, lambda deviation: weigh(deviation)[1] >= self._half, steps)
        _, enough = self._halve(every, lambda deviation: weigh(deviation)[0] > self._half, steps)
        possible = weigh(np.zeros(len(row)))[1] >= self._half
        return np.where(possible, -1.0, short), enough

    def _find_bins(self, first: IntArray, last: IntArray) -> tuple[int, int]:
        """Return the bins that hold all limits from the lowest of `first` to the highest of `last`."""
        edges, most = self._data.edges, len(self._data.edges) - 2
        low = int(np.searchsorted(edges, first.min(), side="right")) - 1
        high = int(np.searchsorted(edges, last.max(), side="left")) - 1
        return min(max(low, 0), most), min(max(high, low, 0), most)

    def _find_end(
        self,
        rows: slice,
        sides: list[tuple[int, FloatArray]],
        short: FloatArray,
        enough: FloatArray,
        strictly: bool,
    ) -> FloatArray:
        """Return the smallest deviation whose weight reaches (or exceeds) half."""
        half, row = self._half[rows], np.arange(len(short))

        def reaches(deviation: FloatArray) -> BoolArray:
            # Beyond the bounds the answer is known, and the values there were not looked at.
            limits = self._locate(rows, np.clip(deviation, np.maximum(short, 0.0), enough))
            low, high = (
                up_to[row, index - start] for (start, up_to), index in zip(sides, limits, strict=True)
            )
            inside = high - low > half if strictly else high - low >= half
            return (deviation >= enough) | (inside & (deviation > short))

        nothing = np.zeros(len(short))
        return np.where(reaches(nothing), 0.0, self._halve(rows, reaches, _BISECTIONS)[1])

    def _halve(
        self, rows: slice, test: Callable[[FloatArray], BoolArray], steps: int
    ) -> tuple[FloatArray, FloatArray]:
        """Return the ends of the narrowest interval of deviations in which a test turns true."""
        n = len(self._centre[rows])
        low, high = np.zeros(n), np.full(n, self._widest)
        for _ in range(steps):
            middle = (low + high) / 2
            found = test(middle)
            high, low = np.where(found, middle, high), np.where(found, low, middle)
        return low, high
