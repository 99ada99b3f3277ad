"""Several raters: Fleiss' kappa, Krippendorff's alpha, Gwet's AC1, with and without missing ratings."""

from __future__ import annotations

import krippendorff
import numpy as np
import pytest
from statsmodels.stats.inter_rater import fleiss_kappa

from fascnet.errors import SettingError
from fascnet.evaluation.raters.coefficients import (
    cohen_kappa_from_tables,
    fleiss_kappa_from_tables,
    gwet_ac_from_tables,
    krippendorff_alpha_from_tables,
    tabulate_pair,
)
from fascnet.evaluation.raters.rating_tables import (
    estimate_group_agreement,
    estimate_pair_agreement,
    tabulate_ratings,
)
from fascnet.evaluation.uncertainty.bootstrap import draw_weights

FLEISS_1971 = """00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031
00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006"""
"""Fleiss 1971, Psychol Bull 76:378, table 1: 30 patients, 5 diagnoses, 6 psychiatrists each; kappa 0.430."""

KRIPPENDORFF_2011 = (
    np.array(
        [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
            [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
        ]
    ).T
    - 1
)
"""Krippendorff 2011, Computing Krippendorff's alpha-reliability, section C: 12 units, 4 observers."""


def total(ratings: np.ndarray, k: int):
    return tabulate_ratings(ratings, np.zeros(len(ratings), dtype=int), 1, k)


def draw_ratings(seed: int, n: int = 200, raters: int = 4, k: int = 5, missing: float = 0.3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)[:, None]
    ratings = np.where(rng.random((n, raters)) < 0.6, truth, rng.integers(0, k, (n, raters)))
    return np.where(rng.random((n, raters)) < missing, -1, ratings)


def test_fleiss_1971():
    rows = [[int(digit) for digit in row] for row in FLEISS_1971.split()]
    ratings = np.array([np.repeat(np.arange(5), row) for row in rows])
    tables = total(ratings, 5)
    assert tables.shares[0] / 30 == pytest.approx([0.144, 0.144, 0.167, 0.306, 0.239], abs=0.0006)
    kappa = fleiss_kappa_from_tables(tables.units, tables.shares)[0]
    assert kappa == pytest.approx(0.430, abs=0.0005)
    assert kappa == pytest.approx(fleiss_kappa(np.array(rows)), abs=1e-12)


@pytest.mark.parametrize(("metric", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_krippendorff_2011(metric, alpha):
    tables = total(KRIPPENDORFF_2011, 5)
    found = krippendorff_alpha_from_tables(tables.coincidences, metric)[0]
    assert found == pytest.approx(alpha, abs=0.0006)
    assert tables.n_units == 11, "unit 12 has one rating and no pair"


def test_gwet_on_ratings_with_gaps():
    # R package irrCAC, data cac.raw4raters (the same 12 units): AC1 0.77544, Fleiss' kappa 0.76117.
    tables = total(KRIPPENDORFF_2011, 5)
    assert gwet_ac_from_tables(tables.units, "nominal", tables.shares)[0] == pytest.approx(0.77544, abs=5e-6)
    assert fleiss_kappa_from_tables(tables.units, tables.shares)[0] == pytest.approx(0.76117, abs=5e-6)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval"])
def test_alpha_equals_the_package(seed, metric):
    ratings = draw_ratings(seed)
    expected = krippendorff.alpha(np.where(ratings < 0, np.nan, ratings).T, level_of_measurement=metric)
    found = krippendorff_alpha_from_tables(total(ratings, 5).coincidences, metric)[0]
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_fleiss_equals_statsmodels(seed):
    ratings = draw_ratings(seed, missing=0)
    counts = np.stack([(ratings == c).sum(axis=1) for c in range(5)], axis=1)
    tables = total(ratings, 5)
    found = fleiss_kappa_from_tables(tables.units, tables.shares)[0]
    assert found == pytest.approx(fleiss_kappa(counts), abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_gwet_by_the_definition(seed):
    # Gwet 2008, Br J Math Stat Psychol 61:29, eq. for several raters, unit by unit.
    ratings = draw_ratings(seed)
    agreed, shares = [], []
    for row in ratings:
        given = row[row >= 0]
        if len(given) >= 1:
            shares.append([np.mean(given == c) for c in range(5)])
        if len(given) >= 2:
            pairs = [a == b for i, a in enumerate(given) for j, b in enumerate(given) if i != j]
            agreed.append(np.mean(pairs))
    share = np.mean(shares, axis=0)
    expected = sum(p * (1 - p) for p in share) / 4
    tables = total(ratings, 5)
    found = gwet_ac_from_tables(tables.units, "nominal", tables.shares)[0]
    assert found == pytest.approx((np.mean(agreed) - expected) / (1 - expected), abs=1e-9)


def test_order_of_raters_and_doubling_of_perfect_ones():
    ratings = draw_ratings(7)
    one, two = total(ratings, 5), total(ratings[:, ::-1], 5)
    assert one.units == pytest.approx(two.units) and one.shares == pytest.approx(two.shares)
    same = total(np.repeat(draw_ratings(8, raters=1, missing=0), 3, axis=1), 5)
    assert fleiss_kappa_from_tables(same.units, same.shares)[0] == pytest.approx(1)
    assert krippendorff_alpha_from_tables(same.coincidences)[0] == pytest.approx(1)
    assert gwet_ac_from_tables(same.units, "nominal", same.shares)[0] == pytest.approx(1)


def test_shuffled_ratings_agree_by_chance():
    ratings = np.random.default_rng(0).integers(0, 3, (20_000, 4))
    tables = total(ratings, 3)
    assert abs(fleiss_kappa_from_tables(tables.units, tables.shares)[0]) < 0.01
    assert abs(krippendorff_alpha_from_tables(tables.coincidences)[0]) < 0.01


def test_figures_carry_intervals():
    ratings, subject = draw_ratings(0), np.repeat(np.arange(20), 10)
    weights = draw_weights(20, 500, seed=0)
    figures = estimate_group_agreement(tabulate_ratings(ratings, subject, 20, 5), weights, ordered=True)
    assert set(figures) == {"fleiss_kappa", "krippendorff_alpha", "ac1", "ordinal_alpha", "ac2"}
    for figure in figures.values():
        assert figure.ci95[0] < figure.value < figure.ci95[1] and figure.subjects == 20
    assert figures["fleiss_kappa"].n == np.sum((ratings >= 0).sum(axis=1) >= 2)
    tables = tabulate_pair(ratings[:, 0], ratings[:, 1], subject, 20, 5)
    pair = estimate_pair_agreement(tables, weights, unit="muscles", ordered=True)
    assert pair["linear_kappa"].value == pytest.approx(cohen_kappa_from_tables(tables.sum(0), "linear"))
    assert pair["kappa"].unit == "muscles" and pair["kappa"].ci95 is not None


def test_one_class_and_empty_say_why():
    weights = draw_weights(4, 50, seed=0)
    ones = np.ones((8, 3), dtype=int)
    figures = estimate_group_agreement(tabulate_ratings(ones, np.arange(8) // 2, 4, 2), weights)
    assert figures["fleiss_kappa"].value is None and "same answer" in figures["fleiss_kappa"].reason
    assert figures["ac1"].value == 1
    empty = tabulate_ratings(np.full((8, 3), -1), np.arange(8) // 2, 4, 2)
    assert all(f.value is None and f.reason for f in estimate_group_agreement(empty, weights).values())
    pair = estimate_pair_agreement(np.zeros((4, 2, 2)), weights)
    assert all(f.value is None and f.reason for f in pair.values())


def test_ratings_must_be_a_table():
    with pytest.raises(SettingError, match="a column a rater"):
        tabulate_ratings(np.zeros(3, dtype=int), np.zeros(3, dtype=int), 1, 2)
    with pytest.raises(SettingError, match="0 to 1"):
        total(np.array([[0, 2]]), 2)
