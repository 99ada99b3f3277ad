from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from fascnet.errors import SettingError
from fascnet.evaluation.figures.events import recall
from fascnet.evaluation.planning.draws import UnitCounts
from fascnet.evaluation.planning.models import ShareModel
from fascnet.evaluation.planning.pairs import F1Pair, PilotPair, RatePair, SharePair
from fascnet.evaluation.planning.simulation import Margin, Simulation

UNITS = UnitCounts(6, cv=0.5)
NONE = np.zeros((0, 300))


def average_difference(pair, studies=150):
    return np.mean([pair.resample(300, np.random.default_rng(k), NONE).value for k in range(studies)])


@pytest.mark.parametrize(
    ("pair", "difference"),
    [
        (SharePair(0.85, -0.1, UNITS, 0.2, 0.5), -0.1),
        (F1Pair(SharePair(0.8, 0.05, UNITS, 0.2, 0.5)), 0.05),
        (RatePair(1.0, 0.4, 3.0, 1.0, 0.5), 0.4),
    ],
    ids=["share", "f1", "rate"],
)
def test_the_difference_is_the_one_that_was_assumed(pair, difference):
    assert average_difference(pair) == pytest.approx(difference, abs=0.02)


@pytest.mark.parametrize("correlation", [0.0, 0.6, 1.0])
def test_each_source_of_a_pair_is_the_source_alone(correlation):
    pair = SharePair(0.8, -0.2, UnitCounts(6), 0.25, correlation)
    new, standard, units = pair.draw(20_000, np.random.default_rng(0)).T
    for hits, share in ((new, 0.6), (standard, 0.8)):
        alone = ShareModel(share, UnitCounts(6), 0.25).draw(20_000, np.random.default_rng(1))
        assert (hits / units).mean() == pytest.approx(share, abs=0.01)
        assert (hits / units).var() == pytest.approx((alone[:, 0] / 6).var(), rel=0.05)


def test_what_both_find_hard_cancels():
    widths = [
        np.std(
            [
                SharePair(0.8, 0.0, UNITS, 0.2, correlation)
                .resample(60, np.random.default_rng(k), np.zeros((0, 60)))
                .value
                for k in range(200)
            ]
        )
        for correlation in (0.0, 0.5, 1.0)
    ]
    assert widths[0] > 1.1 * widths[1] and widths[2] == 0


@pytest.mark.parametrize(
    ("pair", "margin", "larger"),
    [
        (SharePair(0.9, -0.1, UNITS, 0.2, 0.5), 0.1, True),
        (F1Pair(SharePair(0.85, -0.08, UNITS, 0.2, 0.5)), 0.08, True),
        (RatePair(1.0, 0.5, 5.0, 0.8, 0.5), 0.5, False),
    ],
    ids=["share", "f1", "rate"],
)
def test_a_source_worse_by_the_margin_is_accepted_at_alpha(pair, margin, larger):
    row = Simulation(0, studies=600, resamples=300).plan_power(
        pair, 60, Margin(margin, larger_is_better=larger)
    )
    # Three standard errors of 600 studies, and 0.01 for what intervals of 60 subjects are off by.
    assert row.power == pytest.approx(0.025, abs=0.029)


def test_power_is_that_of_a_normal_difference():
    pair = SharePair(0.85, 0.0, UNITS, 0.2, 0.5)
    values = [pair.resample(60, np.random.default_rng((9, k)), np.zeros((0, 60))).value for k in range(600)]
    expected = norm.cdf(0.1 / np.std(values) - 1.96)
    row = Simulation(1, studies=500, resamples=300).plan_power(pair, 60, Margin(0.1))
    assert row.power == pytest.approx(expected, abs=0.06)


def test_a_pilot_pair_keeps_both_sources_of_a_subject_together_and_can_be_shifted():
    rng = np.random.default_rng(4)
    standard = np.column_stack([rng.integers(3, 9, 30), np.zeros(30), np.ones(30), np.ones(30)]).astype(float)
    same = PilotPair(standard, standard, recall)
    study = same.resample(40, np.random.default_rng(0), np.ones((5, 40)))
    assert study.value == 0 and not study.samples.any() and not study.jackknife.any()
    moved = PilotPair(standard, standard, recall, shift=-0.03)
    study = moved.resample(40, np.random.default_rng(0), np.ones((5, 40)))
    assert study.value == -0.03 and set(study.samples) == {-0.03} == set(study.jackknife)


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (lambda: SharePair(0.95, 0.1, UNITS, 0.2, 0.5), "value [+] difference"),
        (lambda: SharePair(0.9, 0.0, UNITS, 0.2, 1.5), "pair_correlation"),
        (lambda: RatePair(1.0, -1.0, 3.0, 1.0, 0.5), "rates must be above 0"),
        (lambda: RatePair(1.0, 0.0, 0.0, 1.0, 0.5), "per_subject"),
        (lambda: PilotPair(np.ones((1, 4)), np.ones((1, 4)), recall), "pilot"),
    ],
)
def test_refuses_impossible_pairs(build, named):
    with pytest.raises(SettingError, match=named):
        build()
