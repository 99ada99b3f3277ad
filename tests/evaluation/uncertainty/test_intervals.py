from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fascnet.evaluation.uncertainty.bootstrap import divide, draw_weights, resample_sums
from fascnet.evaluation.uncertainty.intervals import (
    correct_levels,
    describe_no_spread,
    estimate_interval,
    find_reach,
    find_tail,
)


def ratio(sums):
    return divide(sums[..., 0], sums[..., 1])


def draw_as_scipy(n, resamples, seed):
    """The weights of the very resamples that scipy.stats.bootstrap draws."""
    index = np.random.default_rng(seed).integers(0, n, (resamples, n))
    return np.stack([np.bincount(row, minlength=n) for row in index]).astype(float)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
@pytest.mark.parametrize("seed", range(4))
def test_equals_scipy_on_the_mean(seed, confidence):
    value = np.random.default_rng((seed, 1)).gamma(1.5, 2.0, 25)
    expected = stats.bootstrap(
        (value,),
        np.mean,
        n_resamples=999,
        confidence_level=confidence,
        method="BCa",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    sums = np.column_stack([value, np.ones(25)])
    r = resample_sums(sums, ratio, draw_as_scipy(25, 999, seed))
    found = estimate_interval(r.value, r.samples, r.jackknife, confidence=confidence)
    assert found.method == "BCa"
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_equals_scipy_on_a_ratio_with_ties(seed):
    rng = np.random.default_rng((seed, 2))
    units = rng.integers(1, 6, 30)
    hits = rng.binomial(units, 0.8)

    def share(a, b, axis=-1):
        return a.sum(axis=axis) / b.sum(axis=axis)

    expected = stats.bootstrap(
        (hits, units), share, n_resamples=999, paired=True, method="BCa", rng=np.random.default_rng(seed)
    ).confidence_interval
    r = resample_sums(np.column_stack([hits, units]).astype(float), ratio, draw_as_scipy(30, 999, seed))
    found = estimate_interval(r.value, r.samples, r.jackknife)
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=1e-9)


def test_spatial_test_data_of_efron_and_tibshirani():
    """Efron & Tibshirani 1993, ch. 14: variance of A, tables 14.1 and 14.2, 90 % intervals."""
    a = [48, 36, 20, 29, 42, 42, 20, 42, 22, 41, 45, 14, 6, 0, 33, 28, 34, 4, 32, 24, 47, 41, 24, 26, 30, 41]
    a = np.array(a, float)

    def variance(sums):
        return sums[..., 2] / sums[..., 0] - (sums[..., 1] / sums[..., 0]) ** 2

    sums = np.column_stack([np.ones(26), a, a**2])
    r = resample_sums(sums, variance, draw_weights(26, 20_000, 0))
    correction = correct_levels(r.value, r.samples, r.jackknife)
    assert r.value == pytest.approx(171.5, abs=0.05)
    assert correction.acceleration == pytest.approx(0.061, abs=5e-4)
    assert correction.bias == pytest.approx(0.146, abs=0.05)
    bca = estimate_interval(r.value, r.samples, r.jackknife, confidence=0.9)
    assert (bca.low, bca.high) == pytest.approx((115.8, 259.6), abs=6)
    assert np.quantile(r.samples, [0.05, 0.95]) == pytest.approx((100.8, 233.9), abs=4)


def test_symmetric_data_need_no_correction():
    rng = np.random.default_rng(0)
    half = rng.normal(0, 1, 20)
    sums = np.column_stack([np.concatenate([half, -half]), np.ones(40)])
    r = resample_sums(sums, ratio, draw_weights(40, 20_000, 0))
    correction = correct_levels(r.value, r.samples, r.jackknife)
    assert correction.acceleration == pytest.approx(0, abs=1e-12)
    assert correction.bias == pytest.approx(0, abs=0.03)


def test_rounding_does_not_break_ties():
    samples = np.array([0.3, 0.1 + 0.2, 0.2, 0.4])
    jackknife = np.array([0.2, 0.3, 0.4])
    assert correct_levels(0.3, samples, jackknife).bias == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("value", "samples", "jackknife", "reason"),
    [
        (1.0, np.ones(50), np.ones(9), "all resamples are equal"),
        (0.5, np.linspace(0, 1, 50), np.array([0.4, np.nan]), "rests on one subject"),
        (0.5, np.linspace(0.6, 1, 50), np.array([0.4, 0.6]), "one side"),
        (0.5, np.linspace(0, 1, 50), np.full(9, 0.5), "changes nothing"),
    ],
)
def test_falls_back_to_percentile_and_says_why(value, samples, jackknife, reason):
    found = estimate_interval(value, samples, jackknife)
    assert found.method == "percentile" and reason in found.correction.reason
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(samples, [0.025, 0.975])), abs=1e-9)


def test_an_acceleration_that_crosses_the_limits_falls_back():
    # One subject decides: a is nearly 1 / 6, the largest there is; two subjects reach 18 standard errors.
    jackknife = np.concatenate([[-100.0], np.zeros(999)])
    assert estimate_interval(0.5, np.linspace(0, 1, 500), jackknife).method == "BCa"
    found = estimate_interval(0.5, np.linspace(0, 1, 500), jackknife, subjects=2)
    assert found.method == "percentile" and "acceleration" in found.correction.reason


def test_no_spread_states_the_rule_of_three():
    assert "up to 10 %" in describe_no_spread(30)  # Hanley & Lippman-Hand 1983: 3 / 30


def test_few_subjects_reach_further():
    assert find_reach(0.025, None) == pytest.approx(1.959964, abs=1e-6)
    assert find_reach(0.025, 20) == pytest.approx(2.093024 * np.sqrt(20 / 19), abs=1e-6)  # t table, 19 df
    assert find_reach(0.025, 10**6) == pytest.approx(1.959964, abs=1e-4)
    for n in (None, 2, 20):
        assert find_tail(find_reach(0.013, n), n) == pytest.approx(0.013, abs=1e-12)
    samples, jackknife = np.linspace(0, 1, 999), np.linspace(0.4, 0.6, 10)
    few = estimate_interval(0.5, samples, jackknife, subjects=5)
    many = estimate_interval(0.5, samples, jackknife, subjects=500)
    assert few.low < many.low and few.high > many.high


def test_widened_interval_of_a_mean_is_the_t_interval():
    value = np.random.default_rng(3).normal(0, 1, 15)
    value = np.concatenate([value, -value])
    sums = np.column_stack([value, np.ones(30)])
    r = resample_sums(sums, ratio, draw_weights(30, 40_000, 0))
    found = estimate_interval(r.value, r.samples, r.jackknife, subjects=30)
    half = stats.t.ppf(0.975, 29) * value.std(ddof=1) / np.sqrt(30)
    assert (found.low, found.high) == pytest.approx((-half, half), rel=0.03)


def test_reads_only_what_can_be():
    with pytest.raises(ValueError, match="confidence"):
        estimate_interval(0.5, np.ones(3), np.ones(3), confidence=95)
    with pytest.raises(ValueError, match="no resample"):
        estimate_interval(0.5, np.ones(0), np.ones(3))
    with pytest.raises(ValueError, match="tail"):
        find_reach(0.6, None)
    for find in (find_reach, find_tail):
        with pytest.raises(ValueError, match="two"):
            find(0.1, 1)
