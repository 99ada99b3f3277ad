"""From heatmaps and events to one probability per clip: pool, then calibrate. NumPy only, streaming.

Averaging a few cells over a few ticks keeps a single hot cell from making a clip positive, and the maximum
keeps one short twitch in a long clip visible. The rule stands in `fascnet.models.pooling_rule`;
`fascnet.models.pooling` follows it in torch, for training, and a test holds the two together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from fascnet.models.pooling_rule import LOGIT_LIMIT, SMOOTH_TICKS, count_top_cells
from fascnet.types import FASCICULATION, ClipCalibration, Event

_CLIP_P = 1e-5
"""Only keeps the logarithm finite; `LOGIT_LIMIT` is the tighter bound."""


class ClipPool:
    """Pools the heatmaps of one clip into one logit."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._before: float | None = None
        self._best = -math.inf

    def push(self, heatmap: NDArray[np.floating]) -> float | None:
        """Take the heatmap of the next tick.

        Args:
            heatmap: probabilities 0-1, (h, w).

        Returns:
            The smoothed logit of the tick before this one; None at the first tick.
        """
        return self.push_pooled(pool_cells(heatmap))

    def push_pooled(self, pooled: float) -> float | None:
        """Take the next tick as what `pool_cells` made of it; returns what `push` returns."""
        before, last = self._before, self._last
        self._before, self._last = last, pooled
        if last is None:
            return None
        # The first tick stands in for the tick before it: edges are replicated.
        smoothed = ((last if before is None else before) + last + pooled) / SMOOTH_TICKS
        self._best = max(self._best, smoothed)
        return smoothed

    def interrupt(self) -> None:
        """End a run of ticks: the next one is not smoothed with those before it."""
        newest = self.newest
        if newest is not None:
            self._best = max(self._best, newest)
        self._last = self._before = None

    @property
    def newest(self) -> float | None:
        """The smoothed logit of the newest tick if the clip ended here; None before the first tick."""
        if self._last is None:
            return None
        before = self._last if self._before is None else self._before
        return (before + 2.0 * self._last) / SMOOTH_TICKS

    def finish(self) -> float | None:
        """Return the clip's logit, the largest smoothed value; None when there was no heatmap."""
        newest = self.newest
        best = self._best if newest is None else max(self._best, newest)
        return None if math.isinf(best) else best


def pool_cells(heatmap: NDArray[np.floating]) -> float:
    """Average the logits of a heatmap's strongest cells, as many as `count_top_cells` says.

    Args:
        heatmap: probabilities 0-1, (h, w).
    """
    flat = np.asarray(heatmap, dtype=np.float64).reshape(-1)
    k = count_top_cells(flat.size)
    top = np.clip(np.partition(flat, flat.size - k)[flat.size - k :], _CLIP_P, 1.0 - _CLIP_P)
    return float(np.clip(np.log(top / (1.0 - top)), -LOGIT_LIMIT, LOGIT_LIMIT).mean())


def find_surest(events: Iterable[Event]) -> float:
    """Return the highest score of those events that are fasciculations, 0 without any."""
    scores = [event.score or 0.0 for event in events if event.label == FASCICULATION]
    return max(scores, default=0.0)


def calibrate(logit: float, calibration: ClipCalibration, surest: float = 0.0) -> float:
    """Turn a pooled logit and the surest event into the probability that a clip holds a fasciculation.

    Platt scaling with a second number: sigmoid(slope · logit + surest_event · surest + intercept). The pooled
    logit remembers no more than the network does; an event that counts was held against the whole clip.
    Platt 1999, "Probabilistic outputs for support vector machines".

    Args:
        logit: pooled over the clip.
        calibration: the weights.
        surest: score of the surest event that counts, 0-1; 0 when there is none.
    """
    z = calibration.slope * logit + calibration.surest_event * surest + calibration.intercept
    # Two forms, so that neither exponential overflows.
    return 1.0 / (1.0 + math.exp(-z)) if z >= 0 else math.exp(z) / (1.0 + math.exp(z))


class TimeCourse:
    """A curve of any length in bounded memory: when it is full, neighbours are merged by their maximum.

    Args:
        step_s: time between values.
        start_s: time of the first value.
        capacity: points kept at most; even.
    """

    def __init__(self, step_s: float, start_s: float = 0.0, capacity: int = 4096) -> None:
        self._step_s = step_s
        self._start_s = start_s
        self._points = np.zeros(capacity, dtype=np.float64)
        self._full = 0
        self._stride = 1
        self._filling = 0

    def append(self, value: float) -> None:
        """Add the next value."""
        if self._full == self._points.size and self._filling == 0:
            merged = self._points.reshape(-1, 2).max(axis=1)
            self._points[: merged.size] = merged
            self._full = merged.size
            self._stride *= 2
        at = self._full
        self._points[at] = value if self._filling == 0 else max(self._points[at], value)
        self._filling += 1
        if self._filling == self._stride:
            self._full += 1
            self._filling = 0

    def values(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (times_s, values); each value is the largest within its step."""
        n = self._full + (self._filling > 0)
        centre = (self._stride - 1) / 2
        times: NDArray[np.float64] = np.arange(n, dtype=np.float64) * self._stride + centre
        times = self._start_s + times * self._step_s
        return times, self._points[:n].copy()

    def calibrated(
        self, calibration: ClipCalibration, events: Iterable[Event]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (times_s, probabilities) of a curve of pooled logits.

        Args:
            calibration: as of the clip's score.
            events: of the clip; each fasciculation speaks for the time that it lasts.
        """
        times_s, logits = self.values()
        half_s = self._stride * self._step_s / 2
        surest = np.zeros_like(logits)
        for event in events:
            during = (times_s >= event.onset_s - half_s) & (times_s <= event.offset_s + half_s)
            surest[during] = np.maximum(surest[during], find_surest([event]))
        pairs = zip(logits.tolist(), surest.tolist(), strict=True)
        return times_s, np.array([calibrate(logit, calibration, own) for logit, own in pairs])
