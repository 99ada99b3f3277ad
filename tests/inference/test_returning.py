from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest

from fascnet.inference.event_scores import Evidence, score_evidence
from fascnet.inference.events import EventFinder
from fascnet.inference.heatmap_store import quantise
from fascnet.inference.place_evidence import LEAST_P
from fascnet.inference.returning import settle_events, weigh_returning
from fascnet.types import Event, EventDefinition

FPS = 30.0
RULE = EventDefinition(
    0.3,
    0.18,
    min_on_s=0.067,
    min_off_s=0.034,
    min_cells=4,
    min_score=0.5,
    score_intercept=-13.0,
    score_strength=1.7,
    score_unrest=-3.0,
    score_recurrence=1.4,
    return_threshold=0.1,
    score_return=0.5,
)
REST = np.log(LEAST_P)


class Clip:
    """Heatmaps, the candidates in them, and how often they were read."""

    def __init__(self, heatmaps: np.ndarray, rule: EventDefinition = RULE) -> None:
        _, h, w = heatmaps.shape
        self._heatmaps = quantise(heatmaps)
        self.n_reads = 0
        self.finder = EventFinder(rule, FPS, (h, w), (0, 0, w, h), 0.5)
        found = [event for heatmap in heatmaps for event in self.finder.push(heatmap)]
        self.candidates = [*found, *self.finder.finish(len(heatmaps) / FPS)]

    def blocks(self) -> Iterator[np.ndarray]:
        self.n_reads += 1
        for start in range(0, len(self._heatmaps), 64):
            yield self._heatmaps[start : start + 64]

    def settle(self) -> tuple[list[Event], list[Event]]:
        return settle_events(self.candidates, self.finder, self.blocks)

    def onsets(self) -> list[int]:
        return [round(event.onset_s * FPS) for event in self.settle()[0]]


def make_clip(*flashes: tuple[int, float, int], n_ticks: int = 300) -> np.ndarray:
    """Flashes of 3 x 3 cells at (tick, probability, column)."""
    heatmaps = np.zeros((n_ticks, 10, 30), np.float32)
    for tick, p, column in flashes:
        heatmaps[tick : tick + 6, 2:5, column : column + 3] = p
    return heatmaps


def test_a_weak_twitch_counts_where_a_sure_one_was_or_will_be() -> None:
    clip = Clip(make_clip((20, 0.2, 4), (100, 0.9, 4), (200, 0.2, 4)))
    assert len(clip.candidates) == 1
    events, dropped = clip.settle()
    assert ([round(event.onset_s * FPS) for event in events], dropped) == ([20, 100, 200], [])
    assert all(event.score >= 0.5 for event in events)


def test_elsewhere_it_does_not_nor_where_nothing_is_sure() -> None:
    assert Clip(make_clip((100, 0.9, 4), (200, 0.2, 20))).onsets() == [100]
    assert Clip(make_clip((100, 0.2, 4), (200, 0.2, 4))).onsets() == []


def test_most_of_it_has_to_lie_on_one_sure_event() -> None:
    beside = make_clip((100, 0.9, 4), (100, 0.9, 8), (200, 0.2, 4))
    beside[200:206, 2:5, 7] = 0.2
    assert Clip(beside).onsets() == [100, 100], "three of its four columns on one, none more on the other"
    beside[200:206, 2:5, 7] = 0.0
    assert Clip(beside).onsets() == [100, 100, 200]


def test_a_place_that_flickers_is_believed_no_weak_twitch() -> None:
    """The sure one covers more cells, most of which rest."""
    heatmaps = make_clip((100, 0.9, 4), (200, 0.2, 4))
    heatmaps[100:106, 2:9, 4:14] = 0.99
    assert Clip(heatmaps).onsets() == [100, 200]
    heatmaps[220:290:3, 2:5, 4:7] = 0.03
    assert Clip(heatmaps).onsets() == [100]


def test_what_rises_before_a_candidate_is_no_other_event() -> None:
    heatmaps = make_clip((100, 0.9, 4))
    heatmaps[96:100, 2:5, 4:7] = 0.12
    heatmaps[106:112, 2:5, 4:7] = 0.15
    assert Clip(heatmaps).onsets() == [100]


def test_its_score_is_that_of_its_evidence_and_the_prior() -> None:
    clip = Clip(make_clip((100, 0.9, 4), (200, 0.2, 4)))
    sure, _ = settle_events(clip.candidates, clip.finder, clip.blocks)
    ((event, evidence),) = weigh_returning(sure[:1], clip.candidates, clip.finder, clip.blocks)
    assert evidence.strength == pytest.approx(np.log(0.2 / 0.8), abs=0.02)
    assert evidence.unrest == pytest.approx(REST, abs=0.02)
    assert evidence.recurrence > REST + 1.0
    assert sure[1].score == pytest.approx(score_evidence(evidence, RULE, prior=0.5))
    assert sure[1] == dataclasses.replace(event, score=sure[1].score)
    doubtful = dataclasses.replace(RULE, score_return=-5.0)
    assert Clip(make_clip((100, 0.9, 4), (200, 0.2, 4)), doubtful).onsets() == [100]
    assert score_evidence(Evidence(0.0, 0.0), EventDefinition(), prior=1.0) == pytest.approx(0.731, abs=1e-3)


def test_the_finder_knows_it_too() -> None:
    clip = Clip(make_clip((100, 0.9, 4), (200, 0.2, 4)))
    events, _ = clip.settle()
    assert clip.finder.ticks(events[1]) == (200, 206)
    assert clip.finder.footprint(events[1]).cells().sum() == 9
    assert clip.finder.measure_covered(events) == pytest.approx(9 / 300)


def test_an_event_at_the_end_is_clipped_to_the_clip() -> None:
    padded = dataclasses.replace(RULE, pad_offset_s=0.5)
    clip = Clip(make_clip((100, 0.9, 4), (292, 0.2, 4)), padded)
    assert clip.settle()[0][1].offset_s == pytest.approx(10.0)


def test_nothing_is_read_where_nothing_can_return() -> None:
    off = Clip(make_clip((100, 0.9, 4), (200, 0.2, 4)), dataclasses.replace(RULE, return_threshold=0.0))
    assert (off.onsets(), off.n_reads) == ([100], 1)
    unsure = Clip(make_clip((100, 0.35, 4), (200, 0.2, 4)), dataclasses.replace(RULE, score_intercept=-20.0))
    assert (unsure.onsets(), unsure.n_reads) == ([], 1)
