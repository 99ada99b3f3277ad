"""What a candidate's place shows at other times: evidence that needs the whole clip.

A twitch stands out from a place that rests, and a motor unit that fires comes back. A place that flickers all
the time, below what makes an event, is tremor, a pulse or noise. The network cannot know: it remembers 1.6 s.
On subjects left out both numbers together halve the loss of the scores (docs/experiments.md).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from fascnet.inference.event_scores import Evidence, looks_at_places, score_evidence
from fascnet.inference.events import EventFinder
from fascnet.types import Event

BEFORE_S, AFTER_S = 0.27, 0.33
"""Margins of a candidate: probability rises before it and falls after it. With margins of 0.1 s most of the
evidence is lost (docs/experiments.md)."""

LEAST_QUIET_S = 1.0
"""Where less than this is free of candidates, all but the candidate itself tells how restless it is."""

UNREST_SHARE = 0.95
"""Restlessness is this quantile over time: the mean is ruled by rest, the largest grows with the clip."""

LEAST_P = 1e-3
"""Added before logarithms: the mean of many cells kept as bytes is known no better."""

_STEP = 0.02
_LOWEST = math.log(LEAST_P)
_BINS = math.ceil((math.log(1.0 + LEAST_P) - _LOWEST) / _STEP)


def score_places(
    events: Sequence[Event], finder: EventFinder, heatmaps: Iterable[NDArray[np.uint8]]
) -> tuple[list[Event], list[Event]]:
    """Give candidates their final scores and tell those from the least score on from the others.

    Where the event definition does not look at places, the events are as they should be already.

    Args:
        events: all that `finder` found in the clip.
        finder: has ended the clip.
        heatmaps: the clip's heatmaps once more, in blocks (t, h, w), 255 = probability 1; read if needed.

    Returns:
        The events that stay and those that are dropped, each in the order given.
    """
    rule = finder.definition
    if not looks_at_places(rule):
        return list(events), []
    kept: list[Event] = []
    dropped: list[Event] = []
    for event, evidence in zip(events, weigh_places(events, finder, heatmaps), strict=True):
        score = score_evidence(evidence, rule)
        (kept if score >= rule.min_score else dropped).append(replace(event, score=score))
    return kept, dropped


def weigh_places(
    events: Sequence[Event], finder: EventFinder, heatmaps: Iterable[NDArray[np.uint8]]
) -> list[Evidence]:
    """Return all that speaks for each candidate; memory grows with their number, not with the clip.

    Args:
        events: all that `finder` found in the clip, in any order.
        finder: has ended the clip.
        heatmaps: the clip's heatmaps once more, in blocks (t, h, w), 255 = probability 1.
    """
    if not events:
        return []
    courses = _PlaceCourses(events, finder)
    for block in heatmaps:
        courses.push(block)
    unrest, recurrence = courses.finish()
    return [
        finder.evidence(event)._replace(unrest=u, recurrence=r)
        for event, u, r in zip(events, unrest.tolist(), recurrence.tolist(), strict=True)
    ]


class _PlaceCourses:
    """Sums up the mean probability of each candidate's cells (K places) over time."""

    def __init__(self, events: Sequence[Event], finder: EventFinder) -> None:
        cells = [np.flatnonzero(finder.footprint(event).cells()) for event in events]
        sizes = [len(own) for own in cells]
        starts = np.cumsum([0, *sizes])
        shape = (len(events), math.prod(finder.shape))
        self._places = csr_array((np.ones(starts[-1]), np.concatenate(cells), starts), shape=shape)
        self._touch = csr_array(self._places @ self._places.T)
        self._full = 255.0 * np.array(sizes)
        ticks = np.array([finder.ticks(event) for event in events])
        self._first = ticks[:, 0] - round(BEFORE_S * finder.fps)
        self._stop = ticks[:, 1] + round(AFTER_S * finder.fps)
        self._least_quiet = LEAST_QUIET_S * finder.fps
        self._tick = 0
        self._quiet, self._others = np.zeros((2, len(events), _BINS), dtype=np.int64)
        self._sum = np.zeros(len(events))

    def push(self, block: NDArray[np.uint8]) -> None:
        """Take the next heatmaps (t, h, w)."""
        at = np.arange(self._tick, self._tick + len(block))
        self._tick += len(block)
        # Sums of bytes are whole numbers: how the clip is cut into blocks changes no bit.
        summed = self._places @ block.reshape(len(block), -1).T.astype(np.float64)
        own = (at >= self._first[:, None]) & (at < self._stop[:, None])
        near = (self._touch @ own.astype(np.float64)) > 0
        heights = np.log(summed / self._full[:, None] + LEAST_P) - _LOWEST
        bins = (heights / _STEP).astype(np.int64).clip(0, _BINS - 1)
        bins += np.arange(len(bins))[:, None] * _BINS
        self._quiet += self._count(bins[~near])
        self._others += self._count(bins[~own])
        self._sum += np.where(own, 0.0, summed).sum(axis=1)

    def _count(self, bins: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.bincount(bins, minlength=self._quiet.size).reshape(self._quiet.shape)

    def finish(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return unrest and recurrence (K,). Of a place that was never seen otherwise: that it rests."""
        enough = self._quiet.sum(axis=1) >= self._least_quiet
        counts = np.where(enough[:, None], self._quiet, self._others)
        summed = counts.cumsum(axis=1)
        n = summed[:, -1]
        bins = np.argmax(summed >= UNREST_SHARE * n[:, None], axis=1)
        unrest = np.where(n > 0, _LOWEST + (bins + 0.5) * _STEP, _LOWEST)
        n_others = self._others.sum(axis=1)
        return unrest, np.log(self._sum / (self._full * np.maximum(n_others, 1)) + LEAST_P)
