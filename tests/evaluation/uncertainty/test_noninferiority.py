from __future__ import annotations

import numpy as np
import pytest

from fascnet.errors import SettingError
from fascnet.evaluation.uncertainty.bootstrap import Resampled, divide, draw_weights, resample_sums
from fascnet.evaluation.uncertainty.differences import subtract
from fascnet.evaluation.uncertainty.noninferiority import judge_non_inferiority


def mean(sums):
    return divide(sums[..., 0], sums[..., 1])


def make(effect, seed=0, n=40, noise=0.05):
    """The difference of two sources, `effect` in truth, with a standard error of about 0.011."""
    rng = np.random.default_rng(seed)
    subject = rng.normal(0.8, 0.1, n)
    weights = draw_weights(n, 400, 0)
    pair = [
        resample_sums(np.column_stack([subject + shift + rng.normal(0, noise, n), np.ones(n)]), mean, weights)
        for shift in (effect, 0.0)
    ]
    return subtract(*pair)


@pytest.mark.parametrize(
    ("effect", "verdict", "superior"),
    [
        (0.2, "non-inferior", True),
        (0.0, "non-inferior", False),
        (-0.1, "not shown", False),
        (-0.3, "inferior", False),
    ],
)
def test_verdicts_and_their_mirror(effect, verdict, superior):
    difference = make(effect)
    found = judge_non_inferiority(difference, margin=0.1)
    assert (found.verdict, found.superior) == (verdict, superior)
    mirror = Resampled(-difference.value, -difference.samples, -difference.jackknife, difference.subjects)
    turned = judge_non_inferiority(mirror, margin=0.1, larger_is_better=False)
    assert (turned.verdict, turned.superior) == (verdict, superior)
    assert turned.interval == pytest.approx((-found.interval[1], -found.interval[0]))


def test_wider_alpha_gives_narrower_interval():
    wide, narrow = (judge_non_inferiority(make(0), margin=0.1, alpha=a).interval for a in (0.025, 0.05))
    assert wide[0] < narrow[0] and narrow[1] < wide[1]


@pytest.mark.parametrize(
    "trials", [pytest.param(400, id="fast"), pytest.param(4000, marks=pytest.mark.slow, id="long")]
)
def test_a_source_worse_by_the_margin_passes_at_the_stated_rate(trials):
    passed = [
        judge_non_inferiority(make(-0.05, (trial, 3)), margin=0.05).verdict == "non-inferior"
        for trial in range(trials)
    ]
    assert np.mean(passed) == pytest.approx(0.025, abs=3 * np.sqrt(0.025 * 0.975 / trials) + 0.004)


def test_an_equal_source_passes_when_the_margin_is_wide_enough():
    passed = [
        judge_non_inferiority(make(0, (trial, 4)), margin=0.05).verdict == "non-inferior"
        for trial in range(100)
    ]
    assert np.mean(passed) > 0.95  # 4.5 standard errors


def test_alike_on_every_subject_is_no_proof():
    alike = Resampled(0.0, np.zeros(100), np.zeros(5), 5)
    found = judge_non_inferiority(alike, margin=0.1)
    assert found.verdict == "not shown" and not found.superior and "all resamples are equal" in found.reason


def test_not_defined_says_why():
    none = Resampled(np.nan, np.full(9, np.nan), np.zeros(5), 5)
    found = judge_non_inferiority(none, margin=0.1, undefined="no positive clip")
    assert (found.verdict, found.reason) == ("not defined", "no positive clip")
    one = judge_non_inferiority(Resampled(0.0, np.zeros(9), np.zeros(1), 1), margin=0.1)
    assert one.verdict == "not defined" and "one subject" in one.reason
    assert one.to_json()["interval"] is None and one.to_json()["reason"] == one.reason


def test_one_subject_of_ten_judges_nothing():
    alone = Resampled(1.0, np.array([1.0, np.nan, 1.0, 1.0]), np.array([np.nan] + [1.0] * 9), 10)
    found = judge_non_inferiority(alone, margin=0.1)
    assert found.verdict == "not defined" and found.interval is None and found.value == 1
    assert found.reason == "rests on one subject: no interval"


@pytest.mark.parametrize("margin", [0, -0.1, np.nan, np.inf])
def test_a_margin_must_be_one(margin):
    with pytest.raises(SettingError, match="margin"):
        judge_non_inferiority(make(0), margin=margin)


@pytest.mark.parametrize("alpha", [0, 0.5, 95])
def test_alpha_must_be_one_sided(alpha):
    with pytest.raises(SettingError, match="alpha"):
        judge_non_inferiority(make(0), margin=0.1, alpha=alpha)
