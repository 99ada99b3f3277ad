from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import median_abs_deviation

from fascnet.evaluation.figures.medians import build_mad, build_median
from fascnet.evaluation.uncertainty.bootstrap import draw_weights, resample_subjects

BOTH = ((build_median, np.median), (build_mad, median_abs_deviation))


def check(values, subject, weights):
    """Compare with the values repeated as often as their subject was drawn."""
    for build, expected in BOTH:
        for row, found in zip(weights, build(values, subject, weights.shape[1])(weights), strict=True):
            again = np.repeat(values, row[subject].astype(int))
            if len(again):
                assert found == pytest.approx(expected(again), abs=1e-9)
            else:
                assert np.isnan(found)


@pytest.mark.parametrize("n", [1, 2, 7, 50, 401])
@pytest.mark.parametrize("decimals", [1, 12])
def test_equal_scipy_and_repeated_values(n, decimals):
    rng = np.random.default_rng(n)
    weights = rng.integers(0, 4, (40, n)).astype(float)
    weights[0] = 1
    check(np.round(rng.normal(0.02, 0.1, n), decimals), np.arange(n), weights)


@pytest.mark.parametrize(("n", "n_subjects"), [(3000, 3), (3000, 40), (700, 300)])
@pytest.mark.parametrize("decimals", [1, 2, 12])
def test_many_values_a_bin_and_subjects_that_differ(n, n_subjects, decimals):
    rng = np.random.default_rng((n, decimals))
    subject = rng.integers(0, n_subjects, n)
    shift = rng.normal(0, 0.1, n_subjects)[subject]
    check(
        np.round(rng.normal(shift, 0.05), decimals),
        subject,
        draw_weights(n_subjects, 60, 0),
    )


def test_half_of_the_weight_at_the_edge_of_a_bin():
    # 512 values in 256 bins: the two middle ones lie in two bins.
    values = np.arange(512.0)
    check(values, np.zeros(512, dtype=np.int64), np.ones((1, 1)))
    assert build_median(values, np.zeros(512, dtype=np.int64), 1)(np.ones((1, 1)))[0] == 255.5


def test_memory_is_cut_into_blocks_without_a_trace(monkeypatch):
    rng = np.random.default_rng(2)
    values, subject = rng.normal(0, 1, 900), rng.integers(0, 20, 900)
    weights = draw_weights(20, 50, 1)
    whole = [build(values, subject, 20)(weights) for build, _ in BOTH]
    monkeypatch.setattr("fascnet.evaluation.figures.medians._BLOCK_ELEMENTS", 1)
    cut = [build(values, subject, 20)(weights) for build, _ in BOTH]
    assert np.array_equal(whole, cut)


def test_mad_of_the_textbook_example():
    # Wikipedia, "Median absolute deviation": 1, 1, 2, 2, 4, 6, 9 has median 2 and MAD 1.
    values, subject = np.array([1.0, 1, 2, 2, 4, 6, 9]), np.arange(7)
    assert build_median(values, subject, 7)(np.ones((1, 7)))[0] == 2
    assert build_mad(values, subject, 7)(np.ones((1, 7)))[0] == pytest.approx(1, abs=1e-12)


def test_equal_values_do_not_deviate():
    mad = build_mad(np.full(600, 0.3), np.arange(600) % 5, 5)(draw_weights(5, 30, 0))
    assert np.array_equal(mad, np.zeros(30))


def test_order_of_the_values_changes_nothing():
    rng = np.random.default_rng(3)
    values, subject, weights = rng.normal(0, 1, 800), rng.integers(0, 30, 800), draw_weights(30, 40, 0)
    turned = rng.permutation(800)
    for build, _ in BOTH:
        plain = resample_subjects(build(values, subject, 30), subject, weights)
        other = resample_subjects(build(values[turned], subject[turned], 30), subject[turned], weights)
        assert plain.value == other.value and np.array_equal(plain.samples, other.samples)
        assert np.array_equal(plain.jackknife, other.jackknife)
