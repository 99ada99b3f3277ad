from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fascnet.evaluation.figures.events import recall
from fascnet.evaluation.uncertainty.bootstrap import Resampled, divide, draw_weights, resample_sums
from fascnet.evaluation.uncertainty.differences import compute_p, estimate_difference, subtract
from fascnet.evaluation.uncertainty.intervals import Correction, estimate_interval
from fascnet.evaluation.uncertainty.multiplicity import adjust_differences

NONE = Correction(0.0, 0.0)


def mean(sums):
    return divide(sums[..., 0], sums[..., 1])


def make_pair(seed, n=40, effect=0.0, noise=0.3):
    """Two sources on the same subjects, who differ much from each other."""
    rng = np.random.default_rng(seed)
    subject = rng.normal(5, 1, n)
    first, second = (subject + shift + rng.normal(0, noise, n) for shift in (effect, 0.0))
    return np.column_stack([first, np.ones(n)]), np.column_stack([second, np.ones(n)])


def compare(first, second, resamples=1000, seed=0):
    weights = draw_weights(len(first), resamples, seed)
    pair = [resample_sums(sums, mean, weights) for sums in (first, second)]
    return estimate_difference(subtract(*pair), undefined="nothing to compare")


def test_swapping_the_sources_turns_the_sign_and_nothing_else():
    first, second = make_pair(0, effect=0.1)
    one, two = compare(first, second), compare(second, first)
    assert one.value == pytest.approx(-two.value) and one.p == pytest.approx(two.p, abs=1e-12)
    assert one.ci95 == pytest.approx((-two.ci95[1], -two.ci95[0]), abs=1e-9)


def test_a_source_does_not_differ_from_itself():
    first, _ = make_pair(1)
    same = compare(first, first)
    assert same.value == 0 and same.ci95 == (0, 0) and same.p == 1
    assert same.method == "percentile" and "all resamples are equal" in same.reason


def test_pairing_narrows_the_interval():
    first, second = make_pair(2, effect=0.2)
    paired = compare(first, second)
    apart = subtract(
        resample_sums(first, mean, draw_weights(40, 1000, 0)),
        resample_sums(second, mean, draw_weights(40, 1000, 1)),
    )
    unpaired = estimate_difference(apart, undefined="")
    assert paired.ci95[1] - paired.ci95[0] < 0.6 * (unpaired.ci95[1] - unpaired.ci95[0])


@pytest.mark.parametrize("effect", [0.0, 0.06, 0.12])
def test_p_and_interval_are_those_of_the_paired_t_test(effect):
    first, second = make_pair(3, effect=effect)
    found = compare(first, second, resamples=5000)
    test = stats.ttest_rel(first[:, 0], second[:, 0])
    assert found.value == pytest.approx(np.mean(first[:, 0] - second[:, 0]), abs=1e-12)
    assert found.p == pytest.approx(test.pvalue, abs=0.05)  # BCa heeds what skew there is
    interval = test.confidence_interval(0.95)
    assert found.ci95 == pytest.approx((interval.low, interval.high), abs=0.02)


def test_sleep_data_of_student():
    """Student 1908, Biometrika 6:1-25: extra hours of sleep, ten patients; t = 4.06, p = 0.0028."""
    one = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
    two = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
    unit = np.ones(10)
    found = compare(np.column_stack([two, unit]), np.column_stack([one, unit]), resamples=5000)
    assert found.value == pytest.approx(1.58)
    assert found.p < 0.01 and found.ci95[0] > 0.7  # the t interval is 0.70 to 2.46; BCa knows the skew
    assert found.ci95[1] > 2.46


@pytest.mark.parametrize("seed", range(6))
def test_p_is_the_interval_turned_round(seed):
    """At a confidence of 1 - p the interval ends at 0, but for the rule of one and interpolation."""
    rng = np.random.default_rng(seed)
    value = rng.gamma(1.0, 1.0, 25)
    value -= rng.uniform(0.6, 0.9) * value.mean()
    r = resample_sums(np.column_stack([value, np.ones(25)]), mean, draw_weights(25, 5000, seed))
    interval = estimate_interval(r.value, r.samples, r.jackknife, subjects=25)
    p = compute_p(r.samples, interval.correction, 25)
    assert 2 / 5001 < p < 1
    ends = estimate_interval(r.value, r.samples, r.jackknife, confidence=1 - p, subjects=25)
    assert min(abs(ends.low), abs(ends.high)) < 0.01 * np.std(r.samples) + 0.003


def test_p_by_hand():
    # 1 of 99 at or below 0: (1 + 1) / 100 on that side, twice.
    samples = np.concatenate([[-1.0], np.linspace(0.1, 1, 98)])
    assert compute_p(samples, NONE) == pytest.approx(0.04, abs=1e-12)
    assert compute_p(-samples, NONE) == pytest.approx(0.04, abs=1e-12)
    assert compute_p(np.linspace(-1, 1, 100), NONE) == 1


@pytest.mark.parametrize("correction", [NONE, Correction(0.8, 0.1), Correction(-0.8, 0.1)])
def test_p_is_never_zero_and_never_above_one(correction):
    for samples in (np.full(99, 5.0), np.full(99, -5.0), np.zeros(99), np.linspace(-1, 1, 99)):
        assert 0.02 <= compute_p(samples, correction) <= 1
        assert 0.02 <= compute_p(samples, correction, 10) <= 1


@pytest.mark.parametrize(
    "trials", [pytest.param(300, id="fast"), pytest.param(4000, marks=pytest.mark.slow, id="long")]
)
def test_no_difference_is_found_at_the_stated_rate(trials):
    found = [compare(*make_pair((trial, 9), n=25), resamples=400, seed=trial).p for trial in range(trials)]
    tolerance = 3 * np.sqrt(0.05 * 0.95 / trials)
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=tolerance + 0.005)


def test_what_cannot_be_compared_says_why():
    first, second = make_pair(5)
    none = compare(first, np.zeros_like(second))
    assert none.value is None and none.p is None and none.reason == "nothing to compare"
    assert none.to_json() == {
        "value": None,
        "ci95": None,
        "p": None,
        "subjects": 0,
        "reason": "nothing to compare",
    }
    first[1:] = 0
    one = compare(first, second)
    assert one.value is not None and one.p is None and "one subject" in one.reason
    r = Resampled(0.0, np.zeros(5), np.zeros(3), 3)
    with pytest.raises(ValueError, match="same weights"):
        subtract(r, Resampled(0.0, np.zeros(6), np.zeros(3), 3))


def test_a_difference_that_rests_on_one_subject_has_no_p():
    """Nine controls have no event to find; one source finds all five of the patient, the other none."""
    all_found, none_found = np.zeros((2, 10, 4))
    all_found[:, 3] = none_found[:, 3] = 1.0
    all_found[0, 0] = none_found[0, 2] = 5
    weights = draw_weights(10, 500, 0)
    pair = [resample_sums(sums, recall, weights) for sums in (all_found, none_found)]
    found = estimate_difference(subtract(*pair), undefined="")
    assert found.value == 1 and found.ci95 is None and found.p is None
    assert found.reason == "rests on one subject: no interval"
    assert adjust_differences({"recall": found}) == {}


def test_json_names_the_method():
    plain = compare(*make_pair(6)).to_json()
    assert plain["ci95_method"] == "BCa" and "reason" not in plain and len(plain["ci95"]) == 2
