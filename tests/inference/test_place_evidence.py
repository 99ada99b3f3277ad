from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fascnet.inference.event_scores import Evidence, score_evidence
from fascnet.inference.events import EventFinder
from fascnet.inference.heatmap_store import quantise
from fascnet.inference.place_evidence import (
    AFTER_S,
    BEFORE_S,
    LEAST_P,
    UNREST_SHARE,
    score_places,
    weigh_places,
)
from fascnet.types import Event, EventDefinition

FPS = 30.0
LOOSE = EventDefinition(0.3, 0.2, min_on_s=0.067, min_off_s=0.034, min_cells=4)
REST = np.log(LEAST_P)


def find(heatmaps: np.ndarray, definition: EventDefinition = LOOSE) -> tuple[list[Event], EventFinder]:
    _, h, w = heatmaps.shape
    finder = EventFinder(definition, FPS, (h, w), (0, 0, w, h))
    events = [event for heatmap in heatmaps for event in finder.push(heatmap)]
    return [*events, *finder.finish()], finder


def weigh(heatmaps: np.ndarray, block: int = 64) -> list[Evidence]:
    events, finder = find(heatmaps)
    blocks = (quantise(heatmaps[k : k + block]) for k in range(0, len(heatmaps), block))
    return weigh_places(events, finder, blocks)


def make_twitch(n_ticks: int = 300, at: int = 100) -> np.ndarray:
    heatmaps = np.zeros((n_ticks, 10, 12), np.float32)
    heatmaps[at : at + 6, 2:5, 3:6] = 0.8
    return heatmaps


def test_a_lone_twitch_lies_in_a_place_that_rests() -> None:
    (evidence,) = weigh(make_twitch())
    assert evidence.unrest == pytest.approx(REST, abs=0.02)
    assert evidence.recurrence == pytest.approx(REST)


def test_a_second_twitch_there_is_recurrence_and_no_unrest() -> None:
    heatmaps = make_twitch() + make_twitch(at=200)
    one, other = weigh(heatmaps)
    for evidence in (one, other):
        assert evidence.unrest == pytest.approx(REST, abs=0.02)
        own = 6 + round(BEFORE_S * FPS) + round(AFTER_S * FPS)
        assert evidence.recurrence == pytest.approx(np.log(6 * 0.8 / (300 - own) + LEAST_P), abs=0.01)


def test_what_flickers_below_an_event_is_unrest() -> None:
    heatmaps = make_twitch()
    heatmaps[150:180, 2:5, 3:6] = 0.1
    (evidence,) = weigh(heatmaps)
    assert evidence.unrest == pytest.approx(np.log(26 / 255 + LEAST_P), abs=0.02)
    elsewhere = make_twitch()
    elsewhere[150:180, 6:9, 7:11] = 0.1
    (evidence,) = weigh(elsewhere)
    assert evidence.unrest == pytest.approx(REST, abs=0.02)


def test_its_own_rise_and_fall_are_no_unrest() -> None:
    heatmaps = make_twitch(100, 40)
    heatmaps[34:40, 2:5, 3:6] = 0.15
    heatmaps[46:54, 2:5, 3:6] = 0.15
    (evidence,) = weigh(heatmaps)
    assert evidence[2:] == pytest.approx((REST, REST), abs=0.02)


def test_a_place_that_was_never_seen_otherwise_rests() -> None:
    heatmaps = make_twitch(20, 7)
    (evidence,) = weigh(heatmaps)
    assert evidence[2:] == pytest.approx((REST, REST), abs=0.02)


def test_where_hardly_any_time_is_free_the_other_candidates_count() -> None:
    heatmaps = np.minimum(make_twitch(120, 10), 0.5)
    for at in range(35, 115, 20):
        heatmaps[at : at + 4, 2:5, 3:6] = 0.5
    evidence = weigh(heatmaps)
    assert len(evidence) == 5
    assert all(each.unrest == pytest.approx(np.log(128 / 255 + LEAST_P), abs=0.02) for each in evidence)


@pytest.mark.parametrize("seed", range(5))
def test_equals_a_plain_sum_over_the_clip_in_any_blocks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    heatmaps = (0.2 * rng.random((400, 9, 11)) ** 4).astype(np.float32)
    for _ in range(12):
        t, y, x = rng.integers(0, [390, 6, 8])
        heatmaps[t : t + 5, y : y + 3, x : x + 3] = rng.uniform(0.3, 0.9)
    events, finder = find(heatmaps)
    assert len(events) > 5
    kept = quantise(heatmaps) / 255.0
    spans = [finder.ticks(event) for event in events]
    cells = [finder.footprint(event).cells() for event in events]
    tick = np.arange(len(heatmaps))
    margins = round(BEFORE_S * FPS), round(AFTER_S * FPS)
    near = [(tick >= first - margins[0]) & (tick < stop + margins[1]) for first, stop in spans]
    found = weigh(heatmaps, 7)
    assert found == weigh(heatmaps, 400)
    for k, evidence in enumerate(found):
        course = kept[:, cells[k]].mean(axis=1)
        busy = np.any([near[j] for j in range(len(events)) if (cells[j] & cells[k]).any()], axis=0)
        free = ~near[k] if (~busy).sum() < FPS else ~busy
        unrest = np.quantile(course[free], UNREST_SHARE, method="inverted_cdf")
        assert evidence.unrest == pytest.approx(np.log(unrest + LEAST_P), abs=0.011)
        assert evidence.recurrence == pytest.approx(np.log(course[~near[k]].mean() + LEAST_P), abs=1e-4)
        assert evidence[:2] == finder.evidence(events[k])[:2]


RULE = dataclasses.replace(LOOSE, score_intercept=-9.0, score_unrest=-2.0, score_recurrence=0.5)


def test_scores_are_given_once_the_clip_has_ended() -> None:
    heatmaps = make_twitch()
    heatmaps[150:156, 6:9, 7:11] = 0.8
    heatmaps[180:240, 6:9, 7:11] = 0.12
    strict = dataclasses.replace(RULE, min_score=0.5)
    events, finder = find(heatmaps, strict)
    assert len(events) == 2, "nothing is dropped before"
    (kept,), (dropped,) = score_places(events, finder, [quantise(heatmaps)])
    assert dropped.onset_s == pytest.approx(150 / FPS)
    assert dropped.score < 0.5
    assert kept.onset_s == pytest.approx(100 / FPS)
    evidence, _ = weigh_places(events, finder, [quantise(heatmaps)])
    assert kept.score == pytest.approx(score_evidence(evidence, strict))
    assert kept == dataclasses.replace(events[0], score=kept.score)


def test_a_rule_that_looks_at_no_place_reads_no_heatmap() -> None:
    events, finder = find(make_twitch())

    def refuse() -> None:
        raise AssertionError

    assert score_places(events, finder, iter(refuse, None)) == (events, [])


def test_a_clip_without_candidates_has_no_evidence() -> None:
    heatmaps = np.zeros((30, 4, 4), np.float32)
    events, finder = find(heatmaps, RULE)
    assert score_places(events, finder, [quantise(heatmaps)]) == ([], [])
