from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from fascnet.evaluation.figures.calibration import (
    brier,
    compute_bin_rows,
    cut_equal_count,
    cut_equal_width,
    estimate_calibration,
    reliability,
    resolution,
    tabulate_reliability,
    uncertainty,
    within_bin,
)
from fascnet.evaluation.uncertainty.bootstrap import draw_weights


@pytest.fixture
def data():
    rng = np.random.default_rng(1)
    score = rng.random(400)
    return score, rng.random(400) < score**1.5, np.arange(400) // 5


def test_brier_and_tables_equal_scikit_learn(data):
    score, truth, subject = data
    weights = draw_weights(80, 100, 0)
    figures = estimate_calibration(score, truth, subject, weights)
    assert figures["brier"].value == pytest.approx(brier_score_loss(truth, score), abs=1e-9)
    for strategy, edges in (("uniform", cut_equal_width()), ("quantile", cut_equal_count(score))):
        share, mean = calibration_curve(truth, score, n_bins=10, strategy=strategy)
        rows = [r for r in tabulate_reliability(score, truth, subject, weights, edges) if r.share_positive.n]
        assert [row.share_positive.value for row in rows] == pytest.approx(share, abs=1e-9)
        assert [row.mean_score for row in rows] == pytest.approx(mean, abs=1e-9)
        n = np.array([row.share_positive.n for row in rows])
        name = "ece_equal_width" if strategy == "uniform" else "ece_equal_count"
        assert figures[name].value == pytest.approx((n * np.abs(share - mean)).sum() / 400, abs=1e-9)
    assert set(n) == {40}, "equal counts"


@pytest.mark.parametrize("edges", [cut_equal_width(), cut_equal_width(3), np.array([0.0, 1.0])])
def test_parts_add_up_to_brier(data, edges):
    score, truth, _ = data
    rows = compute_bin_rows(score, truth, edges)
    sums = np.random.default_rng(2).integers(0, 3, (20, 400)) @ rows
    total = reliability(sums) - resolution(sums) + uncertainty(sums) + within_bin(sums)
    assert total == pytest.approx(brier(sums), abs=1e-12)


def test_murphys_two_parts_by_hand():
    # Wikipedia, "Brier score": "70 % rain" and it rains 0.09, it does not 0.49; "30 %" and it rains 0.49.
    for score, truth, value in ((1.0, True, 0), (1.0, False, 1), (0.7, True, 0.09), (0.3, True, 0.49)):
        sums = compute_bin_rows(np.array([score]), np.array([truth]), cut_equal_width())
        assert brier(sums)[0] == pytest.approx(value)
    # Said 0.8 five times, true four times; said 0.2 five times, true twice. By hand: Brier 0.22, reliability
    # (5 * 0 + 5 * 0.2²) / 10 = 0.02, resolution 0.2² = 0.04, uncertainty 0.6 * 0.4 = 0.24.
    score, truth = np.repeat([0.8, 0.2], 5), np.array([1, 1, 1, 1, 0, 1, 1, 0, 0, 0], bool)
    figures = estimate_calibration(score, truth, np.arange(10), draw_weights(10, 50, 0))
    expected = {"brier": 0.22, "reliability": 0.02, "resolution": 0.04, "uncertainty": 0.24, "within_bin": 0}
    expected |= {"ece_equal_width": 0.1}
    assert {name: figures[name].value for name in expected} == pytest.approx(expected, abs=1e-12)


def test_calibrated_scores_are_calibrated_and_certain_ones_perfect():
    rng = np.random.default_rng(3)
    score = rng.random(20_000)
    figures = estimate_calibration(
        score, rng.random(20_000) < score, np.arange(20_000) // 1000, np.zeros((0, 20))
    )
    assert figures["reliability"].value < 1e-3 and figures["ece_equal_count"].value < 0.02
    truth = rng.random(50) < 0.5
    figures = estimate_calibration(truth.astype(float), truth, np.arange(50), draw_weights(50, 20, 0))
    assert figures["brier"].value == 0 == figures["ece_equal_width"].value
    assert figures["resolution"].value == pytest.approx(figures["uncertainty"].value)


@pytest.mark.parametrize("n_clips", [60, 1000])
def test_chance_alone_gives_true_probabilities_this_error(n_clips):
    rng = np.random.default_rng(5)
    score = rng.beta(0.3, 0.3, n_clips)
    subject, no_draw = np.arange(n_clips), np.zeros((0, n_clips))
    drawn = [estimate_calibration(score, rng.random(n_clips) < score, subject, no_draw) for _ in range(300)]
    by_chance = drawn[0]["ece_by_chance"]
    assert by_chance.value == pytest.approx(np.mean([d["ece_equal_width"].value for d in drawn]), rel=0.1)
    assert by_chance.ci95 is None and by_chance.reason == "an expectation has no interval"


def test_one_clip_and_certain_clips_by_hand():
    figures = estimate_calibration(np.array([0.9]), np.array([True]), np.zeros(1, int), np.zeros((0, 1)))
    assert figures["ece_by_chance"].value == pytest.approx(0.9 * 0.1 + 0.1 * 0.9)
    figures = estimate_calibration(np.ones(3), np.ones(3, bool), np.zeros(3, int), np.zeros((0, 1)))
    assert figures["ece_by_chance"].value == 0


def test_empty_and_one_class():
    none = np.empty(0), np.empty(0, bool), np.empty(0, np.int64)
    figures = estimate_calibration(*none, draw_weights(2, 20, 0))
    assert {figure.value for figure in figures.values()} == {None}
    rows = tabulate_reliability(*none, draw_weights(2, 20, 0), cut_equal_width(2))
    assert [(row.mean_score, row.share_positive.value) for row in rows] == [(None, None)] * 2
    figures = estimate_calibration(np.full(4, 0.9), np.ones(4, bool), np.arange(4), draw_weights(4, 20, 0))
    assert figures["brier"].value == pytest.approx(0.01) and figures["uncertainty"].value == 0


def test_a_score_on_an_edge_goes_into_the_upper_bin():
    edges = cut_equal_width()
    counts = compute_bin_rows(edges, np.zeros(11, bool), edges).sum(axis=0)[:10]
    assert counts.tolist() == [1] * 9 + [2]
