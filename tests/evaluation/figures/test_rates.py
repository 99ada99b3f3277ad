from __future__ import annotations

import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy.stats import norm

from fascnet.evaluation.figures.counts import estimate_counts
from fascnet.evaluation.figures.rates import (
    compute_limit_factor,
    compute_rating_rows,
    estimate_icc,
    estimate_rate_ratio,
    icc_agreement,
    icc_consistency,
    measure_limits,
)
from fascnet.evaluation.uncertainty.bootstrap import draw_weights

# Pingouin 0.7 calls pandas in a way that pandas 3 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")

SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)
"""Shrout & Fleiss 1979, Psychol Bull 86:420, table 2: 6 targets, 4 judges."""

PEFR_LARGE = np.array(
    [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427], float
)
PEFR_MINI = np.array(
    [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451], float
)
"""Bland & Altman 1986, Lancet i:307: first readings of peak flow (l/min) with a large and a mini meter."""


def pingouin_icc(ratings: np.ndarray) -> tuple[float, float]:
    n, k = ratings.shape
    table = pd.DataFrame(
        {"target": np.repeat(np.arange(n), k), "rater": np.tile(np.arange(k), n), "value": ratings.ravel()}
    )
    result = pingouin.intraclass_corr(table, targets="target", raters="rater", ratings="value")
    return float(result["ICC"].iloc[1]), float(result["ICC"].iloc[2])


def test_icc_of_shrout_and_fleiss():
    figures = estimate_icc(SHROUT_FLEISS, np.arange(6), draw_weights(6, 200, 0))
    assert figures["icc_2_1"].value == pytest.approx(0.29, abs=0.005)
    assert figures["icc_3_1"].value == pytest.approx(0.71, abs=0.005)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_icc_equals_pingouin(k):
    rng = np.random.default_rng(k)
    ratings = rng.poisson(5, 60)[:, None] + rng.integers(-2, 3, (60, k)) + np.arange(k)
    ratings = ratings.astype(float)
    figures = estimate_icc(ratings, np.arange(60) // 3, draw_weights(20, 100, 0))
    agreement, consistency = pingouin_icc(ratings)
    assert figures["icc_2_1"].value == pytest.approx(agreement, abs=1e-9)
    assert figures["icc_3_1"].value == pytest.approx(consistency, abs=1e-9)
    swapped = estimate_icc(ratings[:, ::-1], np.arange(60) // 3, draw_weights(20, 100, 0))
    assert swapped["icc_2_1"].value == pytest.approx(agreement, abs=1e-9)
    if k == 2:
        counts = estimate_counts(ratings[:, 0], ratings[:, 1], np.arange(60), draw_weights(60, 0, 0))
        assert counts["icc"].value == pytest.approx(agreement, abs=1e-9)


def test_weighted_icc_equals_repeated_clips():
    rng = np.random.default_rng(8)
    ratings = (rng.poisson(5, 40)[:, None] + rng.integers(-2, 3, (40, 3))).astype(float)
    repeats = rng.integers(0, 3, 40)
    sums = repeats @ compute_rating_rows(ratings)
    agreement, consistency = pingouin_icc(np.repeat(ratings, repeats, axis=0))
    assert icc_agreement(sums, 3) == pytest.approx(agreement, abs=1e-9)
    assert icc_consistency(sums, 3) == pytest.approx(consistency, abs=1e-9)


def test_icc_of_equal_shifted_and_constant_ratings():
    values = np.arange(10.0)
    weights = draw_weights(10, 20, 0)
    same = estimate_icc(np.column_stack([values, values]), np.arange(10), weights)
    assert same["icc_2_1"].value == pytest.approx(1) == same["icc_3_1"].value
    shifted = estimate_icc(np.column_stack([values, values + 5]), np.arange(10), weights)
    assert shifted["icc_3_1"].value == pytest.approx(1) and shifted["icc_2_1"].value < 0.6
    for constant in (np.full((10, 2), 3.0), np.full((1, 2), 3.0), np.empty((0, 2)), np.ones((5, 1))):
        figures = estimate_icc(constant, np.arange(len(constant)), weights)
        assert figures["icc_2_1"].value is None and figures["icc_3_1"].reason


def test_shuffled_ratings_agree_by_chance():
    rng = np.random.default_rng(4)
    values = rng.poisson(5, 4000).astype(float)
    figures = estimate_icc(
        np.column_stack([values, rng.permutation(values)]), np.arange(4000) // 200, np.zeros((0, 20))
    )
    assert figures["icc_2_1"].value == pytest.approx(0, abs=0.05)


def test_limits_of_bland_and_altman_1986():
    # The paper: mean -2.1, SD 38.8, limits -79.7 and 75.5 with two SD; 95 % intervals -22.0 to 17.8 of the
    # bias, -114.3 to -45.1 and 40.9 to 110.1 of the limits, from SE = sqrt(3 s² / n), which rounds ours down.
    limits = measure_limits(PEFR_MINI, PEFR_LARGE, method="approximate", z=2.0)
    assert (limits.bias, limits.sd) == pytest.approx((-2.1, 38.8), abs=0.05)
    assert (limits.low, limits.high) == pytest.approx((-79.7, 75.5), abs=0.1)
    assert limits.bias_ci == pytest.approx((-22.0, 17.8), abs=0.1)
    assert limits.low_ci == pytest.approx((-114.3, -45.1), abs=1)
    assert limits.high_ci == pytest.approx((40.9, 110.1), abs=1)


def test_limit_factor_of_the_nist_handbook():
    # NIST/SEMATECH e-Handbook 7.2.6.3: one-sided tolerance factor for n 43, 90 % coverage, confidence 0.99.
    assert compute_limit_factor(43, norm.ppf(0.9), 0.99) == pytest.approx(1.8740, abs=5e-5)


@pytest.mark.parametrize(("method", "tolerance"), [("exact", 0.012), ("approximate", 0.03)])
def test_intervals_of_the_limits_cover_the_truth(method, tolerance):
    rng = np.random.default_rng(5)
    covered = []
    for values in rng.normal(1.0, 2.0, (3000, 12)):
        limits = measure_limits(np.zeros(12), values, method=method)
        covered.append(limits.high_ci[0] <= 1 + 1.96 * 2 <= limits.high_ci[1])
    assert np.mean(covered) == pytest.approx(0.95, abs=tolerance)


def test_methods_meet_in_large_samples_and_swapping_mirrors():
    rng = np.random.default_rng(6)
    first, second = rng.normal(0, 1, (2, 5000))
    exact = measure_limits(first, second)
    near = measure_limits(first, second, method="approximate")
    assert exact.low_ci == pytest.approx(near.low_ci, abs=3e-3)
    back = measure_limits(second, first)
    assert back.high_ci == pytest.approx((-exact.low_ci[1], -exact.low_ci[0]), abs=1e-12)
    assert measure_limits(first[:1], second[:1]) is None


def test_rate_ratio_by_hand():
    figures = estimate_rate_ratio(
        np.array([6.0, 2, 4]), np.array([3.0, 3, 2]), np.array([1.0, 2, 1]), np.array([0, 0, 1]),
        draw_weights(2, 100, 0),
    )  # fmt: skip
    assert figures["rate_ratio"].value == pytest.approx(1.5)
    assert figures["found_per_min"].value == pytest.approx(3)
    assert figures["reference_per_min"].value == pytest.approx(2)


def test_rate_ratio_without_reference_events_is_not_defined():
    figures = estimate_rate_ratio(np.ones(2), np.zeros(2), np.ones(2), np.arange(2), draw_weights(2, 20, 0))
    assert figures["rate_ratio"].value is None and figures["rate_ratio"].reason == "no reference event"
    assert figures["found_per_min"].value == 1
