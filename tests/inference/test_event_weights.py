from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fascnet.inference.event_weights import FLANK_CELLS, FLANK_S, weigh_heatmaps
from fascnet.inference.events import EventFinder
from fascnet.inference.heatmap_store import HeatmapStore, quantise
from fascnet.types import EventDefinition

FPS = 30.0
BARE = EventDefinition(0.3, 0.2, min_on_s=0.067, min_off_s=0.034, min_cells=4)
PLACED = dataclasses.replace(BARE, score_unrest=-1.0)
FLANK = round(FLANK_S * FPS)


def make_heatmaps(n_ticks=600, places=((100, 3, 4),)):
    """Events of six ticks and 4x4 cells from some tick, row and column on, in a haze of a tenth."""
    heatmaps = np.full((n_ticks, 20, 24), 0.1, np.float32)
    for start, row, column in places:
        heatmaps[start : start + 6, row : row + 4, column : column + 4] = 0.8
    return heatmaps


@pytest.fixture
def weigh(tmp_path):
    """Return heatmaps as they are after events were given scores and labels; a score below 0.5 drops one."""

    def run(heatmaps, scores=(), labels=(), definition=PLACED):
        shape = heatmaps.shape[1:]
        finder = EventFinder(definition, FPS, shape, (0, 0, shape[1], shape[0]))
        found = [event for heatmap in heatmaps for event in finder.push(heatmap)] + finder.finish()
        labels = labels or ("fasciculation",) * len(scores)
        told = [
            dataclasses.replace(event, score=score, label=label)
            for event, score, label in zip(found, scores, labels, strict=True)
        ]
        with HeatmapStore(tmp_path / "clip", shape) as store:
            store.append(heatmaps)
            kept = [event for event in told if event.score >= 0.5]
            weigh_heatmaps(store, finder, kept, [event for event in told if event.score < 0.5])
            assert np.array_equal(store.find_highest(), store.read(0, len(heatmaps)).max(axis=0, initial=0))
            return store.read(0, len(heatmaps)).copy()

    return run


def expect(heatmaps, weights):
    """Weigh the 4x4 cells from (start, row, column) on, with flanks; later ones win where they are larger."""
    factor = np.full(heatmaps.shape, -1.0)
    for (start, row, column), weight in weights.items():
        t = slice(max(0, start - FLANK), start + 6 + FLANK)
        for reach_r in range(-FLANK_CELLS, 4 + FLANK_CELLS):
            for reach_c in range(-FLANK_CELLS, 4 + FLANK_CELLS):
                beyond = max(-reach_r, reach_r - 3, 0) + max(-reach_c, reach_c - 3, 0)
                if beyond <= FLANK_CELLS and row + reach_r >= 0 and column + reach_c >= 0:
                    at = (t, row + reach_r, column + reach_c)
                    factor[at] = np.maximum(factor[at], weight)
    return np.rint(quantise(heatmaps) * np.where(factor < 0, 1.0, factor).astype(np.float32)).astype(np.uint8)


@pytest.mark.parametrize("score", [0.97, 0.5, 0.04, 0.0])
def test_cells_are_as_probable_as_their_event_too(weigh, score):
    heatmaps = make_heatmaps()
    weighed = weigh(heatmaps, [score])
    assert np.array_equal(weighed, expect(heatmaps, {(100, 3, 4): score}))
    assert weighed[103, 5, 6] == round(score * 204) and weighed[50, 5, 6] == 26


def test_what_was_named_is_no_fasciculation_at_all(weigh):
    heatmaps = make_heatmaps(places=((100, 3, 4), (200, 12, 14)))
    weighed = weigh(heatmaps, [0.99, 0.8], ("arterial_pulsation", "fasciculation"))
    assert np.array_equal(weighed, expect(heatmaps, {(100, 3, 4): 0.0, (200, 12, 14): 0.8}))


def test_a_twitch_beside_a_pulse_keeps_its_cells_and_flanks(weigh):
    places = {(100, 3, 4): 0.0, (101, 3, 11): 0.9, (104, 9, 4): 0.2}
    heatmaps = make_heatmaps(places=tuple(places))
    labels = ("pseudotremor", "fasciculation", "fasciculation")
    weighed = weigh(heatmaps, [0.99, 0.9, 0.2], labels)
    assert np.array_equal(weighed, expect(heatmaps, places))


@pytest.mark.parametrize("start", [0, 250, 253, 256, 258, 594])
def test_nothing_depends_on_where_blocks_end(weigh, start):
    heatmaps = make_heatmaps(places=((start, 3, 4),))
    assert np.array_equal(weigh(heatmaps, [0.3]), expect(heatmaps, {(start, 3, 4): 0.3}))


def test_strengths_that_are_no_probabilities_weigh_nothing(weigh):
    heatmaps = make_heatmaps(places=((100, 3, 4), (200, 12, 14)))
    assert np.array_equal(weigh(heatmaps, [0.8, 0.6], definition=BARE), quantise(heatmaps))
    named = weigh(heatmaps, [0.8, 0.6], ("fasciculation", "arterial_pulsation"), BARE)
    assert np.array_equal(named, expect(heatmaps, {(200, 12, 14): 0.0}))


def test_without_events_nothing_changes(weigh):
    heatmaps = make_heatmaps(places=())
    assert np.array_equal(weigh(heatmaps), quantise(heatmaps))
