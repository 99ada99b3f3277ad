"""Two raters: each coefficient against scikit-learn or a plain formula, and against its paper."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, f1_score
from statsmodels.stats.inter_rater import cohens_kappa

from fascnet.errors import SettingError
from fascnet.evaluation.raters.coefficients import (
    bias_index_from_tables,
    cohen_kappa_from_tables,
    fleiss_kappa_from_tables,
    gwet_ac_from_tables,
    krippendorff_alpha_from_tables,
    pabak_from_tables,
    prevalence_index_from_tables,
    specific_agreement_from_tables,
    tabulate_pair,
    weigh_agreement,
)
from fascnet.evaluation.uncertainty.bootstrap import draw_weights

COHEN_1960 = np.array([[88.0, 14, 18], [10, 40, 10], [2, 6, 12]])
"""Cohen 1960, Educ Psychol Meas 20:37, frequencies of three diagnoses: kappa .492."""

FLEISS_1981 = np.array([[75.0, 1, 4], [5, 4, 1], [0, 0, 10]])
"""Fleiss 1981, Statistical Methods for Rates and Proportions, table 13.1: kappa 0.68 (0.23 / 0.34)."""

COEFFICIENTS = [
    cohen_kappa_from_tables,
    lambda t: cohen_kappa_from_tables(t, "linear"),
    lambda t: cohen_kappa_from_tables(t, "quadratic"),
    fleiss_kappa_from_tables,
    gwet_ac_from_tables,
    lambda t: gwet_ac_from_tables(t, "quadratic"),
    pabak_from_tables,
    lambda t: krippendorff_alpha_from_tables(t + np.swapaxes(t, -1, -2)),
    lambda t: krippendorff_alpha_from_tables(t + np.swapaxes(t, -1, -2), "ordinal"),
    lambda t: krippendorff_alpha_from_tables(t + np.swapaxes(t, -1, -2), "interval"),
]


def draw_pair(seed: int, n: int = 400, k: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    first = rng.integers(0, k, n)
    return first, np.where(rng.random(n) < 0.5, first, rng.integers(0, k, n))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("ours", "theirs"), [("nominal", None), ("linear", "linear"), ("quadratic", "quadratic")]
)
def test_kappa_equals_scikit_learn(seed, ours, theirs):
    first, second = draw_pair(seed)
    table = tabulate_pair(first, second, np.zeros(400, dtype=int), 1, 4)
    expected = cohen_kappa_score(first, second, weights=theirs, labels=range(4))
    assert cohen_kappa_from_tables(table, ours)[0] == pytest.approx(expected, abs=1e-9)


def test_kappa_with_own_credits_equals_statsmodels():
    cost = np.array([[0.0, 1, 3], [1, 0, 6], [3, 6, 0]])
    expected = cohens_kappa(COHEN_1960, weights=cost).kappa
    assert cohen_kappa_from_tables(COHEN_1960, 1 - cost / 6) == pytest.approx(expected, abs=1e-9)
    # Cohen 1968, Psychol Bull 70:213: the table of 1960 with these disagreement weights, .348.
    assert expected == pytest.approx(0.348, abs=0.001)


def test_worked_examples_of_kappa():
    assert cohen_kappa_from_tables(COHEN_1960) == pytest.approx(0.492, abs=0.0005)
    assert cohen_kappa_from_tables(FLEISS_1981) == pytest.approx(0.23 / 0.34, abs=1e-12)


def test_high_agreement_but_low_kappa():
    # Feinstein & Cicchetti 1990, J Clin Epidemiol 43:543: both agree on 85 %, kappa .70 and .32; Cicchetti &
    # Feinstein 1990, 43:551: positive and negative agreement tell them apart; Byrt 1993: PABAK .70 in both.
    tables = np.array([[[45.0, 6], [9, 40]], [[5, 5], [10, 80]]])
    assert cohen_kappa_from_tables(tables) == pytest.approx([0.70, 0.32], abs=0.005)
    assert specific_agreement_from_tables(tables, 1) == pytest.approx([80 / 95, 160 / 175])
    assert specific_agreement_from_tables(tables, 0) == pytest.approx([90 / 105, 10 / 25])
    assert pabak_from_tables(tables) == pytest.approx([0.70, 0.70])
    assert prevalence_index_from_tables(tables) == pytest.approx([0.05, 0.75])
    assert bias_index_from_tables(tables) == pytest.approx([0.03, 0.05])


def test_byrt_1993_decomposes_kappa():
    # Byrt, Bishop & Carlin 1993: kappa = (PABAK - PI² + BI²) / (1 - PI² + BI²), for any 2 × 2 table.
    tables = np.random.default_rng(0).integers(1, 50, (200, 2, 2)).astype(float)
    pi, bi = prevalence_index_from_tables(tables), bias_index_from_tables(tables)
    expected = (pabak_from_tables(tables) - pi**2 + bi**2) / (1 - pi**2 + bi**2)
    assert cohen_kappa_from_tables(tables) == pytest.approx(expected, abs=1e-9)


def test_gwet_ac1_where_kappa_collapses():
    # Gwet 2002, Kappa statistic is not satisfactory for assessing the extent of agreement between raters:
    # 118 both yes, 5 and 2 split, 0 both no: kappa -0.0234, AC1 0.9408.
    table = np.array([[0.0, 2], [5, 118]])
    assert cohen_kappa_from_tables(table) == pytest.approx(-0.0234, abs=5e-5)
    assert gwet_ac_from_tables(table) == pytest.approx(0.9408, abs=5e-5)


def test_gwet_ac2_by_hand():
    first, second = draw_pair(3)
    credit = weigh_agreement(4, "quadratic")
    share = (np.bincount(first, minlength=4) + np.bincount(second, minlength=4)) / 800
    observed = np.mean([credit[a, b] for a, b in zip(first, second, strict=True)])
    expected = credit.sum() / 12 * sum(p * (1 - p) for p in share)
    table = tabulate_pair(first, second, np.zeros(400, dtype=int), 1, 4)
    ours = gwet_ac_from_tables(table, "quadratic")[0]
    assert ours == pytest.approx((observed - expected) / (1 - expected), abs=1e-9)


def test_positive_agreement_is_f1():
    first, second = draw_pair(1, k=2)
    table = tabulate_pair(first, second, np.zeros(400, dtype=int), 1, 2)
    assert specific_agreement_from_tables(table, 1)[0] == pytest.approx(f1_score(first, second), abs=1e-12)


def test_pi_of_two_raters_is_scotts():
    share = (COHEN_1960.sum(0) + COHEN_1960.sum(1)) / 400
    expected = (0.70 - (share**2).sum()) / (1 - (share**2).sum())
    assert fleiss_kappa_from_tables(COHEN_1960) == pytest.approx(expected)


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_swapping_raters_changes_nothing_and_self_agreement_is_perfect(coefficient):
    tables = np.random.default_rng(1).integers(0, 30, (50, 3, 3)).astype(float)
    assert coefficient(tables) == pytest.approx(coefficient(np.swapaxes(tables, -1, -2)), abs=1e-12)
    assert coefficient(np.diag([5.0, 3, 2])) == pytest.approx(1)


@pytest.mark.parametrize("coefficient", [c for c in COEFFICIENTS if c is not pabak_from_tables])
def test_shuffled_labels_agree_by_chance(coefficient):
    # Equal shares, or AC1 and AC2 would rightly differ from 0: their chance is not that of the margins.
    rng = np.random.default_rng(2)
    first = rng.integers(0, 3, 60_000)
    table = tabulate_pair(first, rng.permutation(first), np.zeros(60_000, dtype=int), 1, 3)
    assert abs(coefficient(table)[0]) < 0.02


def test_not_defined_is_nan_and_never_zero():
    for table in (np.zeros((2, 2)), np.diag([9.0, 0])):
        assert np.isnan(cohen_kappa_from_tables(table))
        assert np.isnan(fleiss_kappa_from_tables(table))
        assert np.isnan(krippendorff_alpha_from_tables(2 * table))
        assert np.isnan(specific_agreement_from_tables(table, 1))
    assert np.isnan(gwet_ac_from_tables(np.zeros((2, 2))))
    assert gwet_ac_from_tables(np.diag([9.0, 0])) == 1, "AC1 is defined where all say the same"


def test_coefficients_of_resamples_are_those_of_the_repeated_units():
    rng = np.random.default_rng(4)
    first, second = draw_pair(4)
    subject = rng.integers(0, 10, 400)
    weights = draw_weights(10, 20, seed=0)
    tables = np.einsum("bs,sij->bij", weights, tabulate_pair(first, second, subject, 10, 4))
    kappas = cohen_kappa_from_tables(tables, "linear")
    for row, kappa in zip(weights, kappas, strict=True):
        again = np.repeat(np.arange(400), row[subject].astype(int))
        expected = cohen_kappa_score(first[again], second[again], weights="linear", labels=range(4))
        assert kappa == pytest.approx(expected, abs=1e-9)


def test_missing_ratings_are_left_out():
    first, second = np.array([0, 1, -1, 1]), np.array([0, 1, 1, -1])
    assert tabulate_pair(first, second, np.zeros(4, dtype=int), 1, 2)[0].tolist() == [[1, 0], [0, 1]]


def test_wrong_settings_are_refused():
    with pytest.raises(SettingError, match="0 to 1"):
        tabulate_pair(np.array([2]), np.array([0]), np.array([0]), 1, 2)
    with pytest.raises(SettingError, match="choose nominal"):
        weigh_agreement(3, "cubic")
    with pytest.raises(SettingError, match="two categories"):
        weigh_agreement(1)
    with pytest.raises(SettingError, match="diagonal"):
        cohen_kappa_from_tables(COHEN_1960, np.zeros((3, 3)))
    with pytest.raises(SettingError, match="metric"):
        krippendorff_alpha_from_tables(COHEN_1960, "ratio")
