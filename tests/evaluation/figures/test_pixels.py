from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, jaccard_score

from fascnet.evaluation.figures.pixels import PixelHistogram, compare_heatmap, leave_out_places
from fascnet.evaluation.sources.source import Heatmap
from fascnet.types import Box, Event, Labels, Point


@pytest.fixture
def cells():
    rng = np.random.default_rng(0)
    truth = rng.random((30, 8, 9)) < 0.1
    score = np.clip(0.3 * truth + 0.7 * rng.random((30, 8, 9)), 0, 1)
    return (score * 255).astype(np.uint8), truth, rng.random((30, 8, 9)) < 0.8


@pytest.mark.parametrize("bins", [256, 4096])
def test_uint8_scores_equal_scikit_learn(cells, bins):
    score, truth, valid = cells
    histogram = PixelHistogram(bins)
    for part in (slice(0, 7), slice(7, 30)):
        histogram.add(score[part], truth[part], valid[part])
    flat, says = truth[valid], score[valid] >= 0.5 * 255
    assert histogram.average_precision() == pytest.approx(
        average_precision_score(flat, score[valid]), abs=1e-9
    )
    assert histogram.dice(0.5) == pytest.approx(f1_score(flat, says), abs=1e-9)
    assert histogram.iou(0.5) == pytest.approx(jaccard_score(flat, says), abs=1e-9)


def test_float_scores_equal_scikit_learn_on_the_same_bins(cells):
    score, truth, valid = cells
    values = np.floor(np.random.default_rng(5).random(score.shape) ** 2 * 4096) / 4096
    histogram = PixelHistogram()
    histogram.add(values.astype(np.float32), truth, valid)
    expected = average_precision_score(truth[valid], values[valid])
    assert histogram.average_precision() == pytest.approx(expected, abs=1e-9)


def test_best_dice_is_the_best_of_all_thresholds(cells):
    score, truth, valid = cells
    histogram = PixelHistogram(256)
    histogram.add(score, truth, valid)
    best, threshold = histogram.best_dice()
    by_hand = [f1_score(truth[valid], score[valid] >= t) for t in range(256)]
    assert best == pytest.approx(max(by_hand), abs=1e-9)
    assert int(np.argmax(by_hand)) == round(threshold * 256)


def test_perfect_and_constant_scores(cells):
    _, truth, valid = cells
    perfect, constant = PixelHistogram(), PixelHistogram()
    perfect.add(truth.astype(np.float32), truth, valid)
    constant.add(np.full(truth.shape, 0.3, np.float32), truth, valid)
    assert perfect.average_precision() == 1 and perfect.dice(1.0) == 1
    assert constant.average_precision() == pytest.approx(truth[valid].mean())


def test_without_true_cells_nothing_is_defined():
    histogram = PixelHistogram()
    assert (histogram.average_precision(), histogram.best_dice(), histogram.dice(0.5)) == (None, None, None)
    histogram.add(np.full((2, 2, 2), 0.1), np.zeros((2, 2, 2), bool), np.ones((2, 2, 2), bool))
    assert histogram.average_precision() is None


def test_merging_equals_adding(cells):
    one, two, both = PixelHistogram(256), PixelHistogram(256), PixelHistogram(256)
    for target in (one, both):
        target.add(*cells)
    for target in (two, both):
        target.add(cells[0][::-1], *cells[1:])
    one.merge(two)
    assert (one.positive == both.positive).all() and (one.negative == both.negative).all()
    with pytest.raises(ValueError, match="bins"):
        one.merge(PixelHistogram(16))


def test_heatmap_is_scored_where_and_when_labels_speak():
    values = np.zeros((1200, 12, 16), np.uint8)
    # 30 per second; the twitch of 1.0-1.4 s lies over cells 4-7 in both directions of 8-pixel cells.
    values[30:42, 4:8, 4:8] = 255
    event = Event(1.0, 1.4, region=Box(31.5, 31.5, 63.5, 63.5))
    nowhere = Event(30.0, 31.0)
    labels = Labels("c", "r", ((0.0, 5.0), (29.0, 32.0)), (event, nowhere))
    histogram = PixelHistogram(256)
    for piece in compare_heatmap(Heatmap(values, 30.0, (0, 0, 128, 96)), labels):
        histogram.add(*piece)
    assert histogram.average_precision() == 1
    assert histogram.positive.sum() == 12 * 16
    # 5 s and the 2 s around the event without a place count, nothing else.
    assert (histogram.positive + histogram.negative).sum() == 7 * 30 * 12 * 16


def test_the_disc_of_a_click_is_round_on_tissue():
    values = np.zeros((30, 96, 96), np.uint8)
    labels = Labels("c", "r", ((0.0, 1.0),), (Event(0.0, 1.0, region=Point(48, 48)),))
    sides = []
    for aspect in (1.0, 2.0):
        ((_, truth, _),) = compare_heatmap(Heatmap(values, 30.0, (0, 0, 96, 96)), labels, aspect)
        sides.append([int(truth[0].any(axis=axis).sum()) for axis in (0, 1)])
    (across, down), (across_wide, down_wide) = sides
    assert across == down == down_wide > 10
    assert abs(across_wide - across / 2) <= 1


def test_cells_of_events_that_do_not_count_are_neither_true_nor_false():
    values = np.zeros((90, 12, 16), np.uint8)
    sure = Event(1.0, 1.4, certainty="definite", region=Box(31.5, 31.5, 63.5, 63.5))
    unsure = Event(1.2, 2.0, certainty="possible", region=Box(63.5, 31.5, 95.5, 63.5))
    labels = leave_out_places(Labels("c", "r", ((0.0, 3.0),), (sure, unsure)), frozenset({"possible"}))
    assert [event.region for event in labels.events] == [sure.region, None]
    histogram = PixelHistogram(256)
    for piece in compare_heatmap(Heatmap(values, 30.0, (0, 0, 128, 96)), labels):
        histogram.add(*piece)
    assert histogram.positive.sum() == 12 * 16
    # While the unsure one lasts, 24 of 90 moments, only the sure one's 6 moments there are known.
    assert histogram.negative.sum() == (90 - 24) * 12 * 16 - 6 * 16
