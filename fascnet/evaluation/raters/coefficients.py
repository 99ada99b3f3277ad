"""Coefficients of agreement beyond chance, from tables that add up over units.

Every coefficient is a function of tables (..., k, k) alone. Tables of subjects are summed with the weights of
the bootstrap (`weights @ tables`), so thousands of resamples are one matrix product and one call.

Two raters give a confusion table (`tabulate_pair`). Several raters, some of whom may be missing, give pair
tables (`rating_tables.py`). A figure that is not defined is NaN here and a reason in a `Figure`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fascnet.errors import SettingError
from fascnet.evaluation.uncertainty.bootstrap import FloatArray, divide

WEIGHTINGS = ("nominal", "linear", "quadratic")
METRICS = ("nominal", "ordinal", "interval")

_SMALLEST_ROOM = 1e-12
"""Room left by chance agreement below which a coefficient is not defined: rounding would decide it."""


def weigh_agreement(k: int, weighting: str = "nominal") -> FloatArray:
    """Return how much credit each pair of categories gets, 1 on the diagonal: (k, k).

    `linear` is Cicchetti & Allison 1971, 1 - |i - j| / (k - 1); `quadratic` is Fleiss & Cohen 1973,
    1 - (i - j)² / (k - 1)²; `nominal` gives credit to equal answers only.

    Raises:
        SettingError: unknown weighting, or fewer than two categories.
    """
    if k < 2:
        raise SettingError(f"agreement needs two categories or more, not {k}")
    if weighting not in WEIGHTINGS:
        raise SettingError(f"weighting is '{weighting}'; choose {', '.join(WEIGHTINGS)}")
    if weighting == "nominal":
        return np.eye(k)
    place = np.arange(k, dtype=np.float64)
    apart = np.abs(place[:, None] - place[None, :]) / (k - 1)
    return np.asarray(1 - apart ** (1 if weighting == "linear" else 2), dtype=np.float64)


def tabulate_pair(
    first: NDArray[np.int64], second: NDArray[np.int64], subject: NDArray[np.int64], n_subjects: int, k: int
) -> FloatArray:
    """Count the answers of two raters per subject: (n_subjects, k, k), first in rows, second in columns.

    Args:
        first: categories 0 … k - 1 of the units, -1 where this rater gave none (n,).
        second: the same of the other rater; units that lack either are left out.
        subject: index of each unit's subject (n,).
        n_subjects: how many subjects there are.
        k: how many categories there are.

    Raises:
        SettingError: a category outside -1 … k - 1.
    """
    check_categories(first, k)
    check_categories(second, k)
    tables = np.zeros((n_subjects, k, k))
    both = (first >= 0) & (second >= 0)
    np.add.at(tables, (subject[both], first[both], second[both]), 1.0)
    return tables


def check_categories(ratings: NDArray[np.int64], k: int) -> None:
    """Refuse categories outside -1 (none given) … k - 1.

    Raises:
        SettingError: there is one.
    """
    if ratings.size and (ratings.min() < -1 or ratings.max() >= k):
        raise SettingError(f"ratings must be 0 to {k - 1}, or -1 where none was given")


def cohen_kappa_from_tables(tables: FloatArray, weighting: str | FloatArray = "nominal") -> FloatArray:
    """Cohen's kappa of confusion tables (..., k, k): (Po - Pe) / (1 - Pe), chance from each rater's shares.

    Cohen 1960 (nominal), Cohen 1968 (weighted). `weighting` is a name of `WEIGHTINGS` or credits (k, k).
    Range -1 to 1. NaN where both raters give one and the same answer throughout, or no unit was rated.
    """
    credit = _choose_credit(tables, weighting)
    n = tables.sum(axis=(-2, -1))
    observed = divide((tables * credit).sum(axis=(-2, -1)), n)
    rows, columns = tables.sum(axis=-1), tables.sum(axis=-2)
    expected = divide(np.einsum("...i,ij,...j->...", rows, credit, columns), n**2)
    return correct_for_chance(observed, expected)


def fleiss_kappa_from_tables(tables: FloatArray, shares: FloatArray | None = None) -> FloatArray:
    """Fleiss' kappa (1971) of unit tables (..., k, k): chance from the pooled shares of the categories.

    With two raters this is Scott's pi (1955). Raters may differ from unit to unit and may be missing; units
    with one rating then count for the shares only (Gwet 2014, Handbook of Inter-Rater Reliability, ch. 2).

    Args:
        tables: `RatingTables.units`, or a confusion table of two raters.
        shares: `RatingTables.shares` (..., k); None: the margins of `tables`.
    """
    share = _pool_shares(tables, shares)
    observed = observe_agreement(tables)
    return correct_for_chance(observed, np.sum(share**2, axis=-1))


def gwet_ac_from_tables(
    tables: FloatArray, weighting: str | FloatArray = "nominal", shares: FloatArray | None = None
) -> FloatArray:
    """Gwet's AC1 (nominal, 2008) or AC2 (weighted, 2014) of tables (..., k, k).

    Pe = sum(w) / (k (k - 1)) · Σ p (1 - p), with p the pooled share of a category. It stays near the observed
    agreement where twitches are very rare or very common, where kappa collapses. Arguments as for Fleiss.
    """
    credit = _choose_credit(tables, weighting)
    k = tables.shape[-1]
    share = _pool_shares(tables, shares)
    observed = observe_agreement(tables, credit)
    expected = credit.sum() / (k * (k - 1)) * np.sum(share * (1 - share), axis=-1)
    return correct_for_chance(observed, expected)


def krippendorff_alpha_from_tables(
    tables: FloatArray, metric: str = "nominal", values: FloatArray | None = None
) -> FloatArray:
    """Krippendorff's alpha of coincidence tables (..., k, k): 1 - observed / expected disagreement.

    Krippendorff 2011, Computing Krippendorff's alpha-reliability. Any number of raters, missing ratings.

    Args:
        tables: `RatingTables.coincidences`; for two raters the confusion table plus its transpose.
        metric: `nominal`, `ordinal` (differences of mean ranks) or `interval` (squared differences).
        values: what the categories stand for, for `interval` (k,); None: 0, 1, 2, ….

    Raises:
        SettingError: unknown metric.
    """
    counts = tables.sum(axis=-1)
    if metric == "nominal":
        apart = 1 - np.eye(tables.shape[-1])
    elif metric == "ordinal":
        # The sum of the counts between two categories, ends by half, is the difference of their mean ranks.
        middle = np.cumsum(counts, axis=-1) - counts / 2
        apart = (middle[..., :, None] - middle[..., None, :]) ** 2
    elif metric == "interval":
        value = np.arange(tables.shape[-1], dtype=np.float64) if values is None else values
        apart = (value[:, None] - value[None, :]) ** 2
    else:
        raise SettingError(f"metric is '{metric}'; choose {', '.join(METRICS)}")
    observed = (tables * apart).sum(axis=(-2, -1))
    expected = (counts[..., :, None] * counts[..., None, :] * apart).sum(axis=(-2, -1))
    return 1 - divide((counts.sum(axis=-1) - 1) * observed, expected)


def specific_agreement_from_tables(tables: FloatArray, category: int) -> FloatArray:
    """Share of one category's answers that the other rater shares: 2 t[c, c] / (row c + column c).

    Positive (category 1) and negative (category 0) agreement of Cicchetti & Feinstein 1990, J Clin Epidemiol
    43:551. Positive agreement of a 2 × 2 table is F1. NaN where neither rater ever gave that answer.
    """
    both = tables[..., category, category]
    return divide(2 * both, tables[..., category, :].sum(axis=-1) + tables[..., :, category].sum(axis=-1))


def pabak_from_tables(tables: FloatArray) -> FloatArray:
    """Prevalence- and bias-adjusted kappa of tables (..., k, k): (k Po - 1) / (k - 1); 2 Po - 1 for k = 2.

    Byrt, Bishop & Carlin 1993, J Clin Epidemiol 46:423; for k > 2 Brennan & Prediger 1981.
    """
    k = tables.shape[-1]
    return np.asarray((k * observe_agreement(tables) - 1) / (k - 1), dtype=np.float64)


def prevalence_index_from_tables(tables: FloatArray) -> FloatArray:
    """|both yes - both no| / n of 2 × 2 tables, 0-1: how far rarity alone pulls kappa down (Byrt 1993)."""
    return divide(np.abs(tables[..., 1, 1] - tables[..., 0, 0]), tables.sum(axis=(-2, -1)))


def bias_index_from_tables(tables: FloatArray) -> FloatArray:
    """|only first yes - only second yes| / n of 2 × 2 tables, 0-1: how unequal the raters are (Byrt 1993)."""
    return divide(np.abs(tables[..., 1, 0] - tables[..., 0, 1]), tables.sum(axis=(-2, -1)))


def observe_agreement(tables: FloatArray, credit: FloatArray | None = None) -> FloatArray:
    """Share of agreement in tables (..., k, k), with credits (k, k); None: equal answers only."""
    weight = np.eye(tables.shape[-1]) if credit is None else credit
    return divide((tables * weight).sum(axis=(-2, -1)), tables.sum(axis=(-2, -1)))


def correct_for_chance(observed: FloatArray, expected: FloatArray) -> FloatArray:
    """(observed - expected) / (1 - expected); NaN where chance leaves no room."""
    room = np.asarray(1 - expected, dtype=np.float64)
    return divide(observed - expected, np.where(room < _SMALLEST_ROOM, 0.0, room))


def _choose_credit(tables: FloatArray, weighting: str | FloatArray) -> FloatArray:
    k = tables.shape[-1]
    if isinstance(weighting, str):
        return weigh_agreement(k, weighting)
    if weighting.shape != (k, k) or not np.allclose(np.diag(weighting), 1):
        raise SettingError(f"credits of agreement must be {k} × {k} with 1 on the diagonal")
    return weighting


def _pool_shares(tables: FloatArray, shares: FloatArray | None) -> FloatArray:
    counts = (tables.sum(axis=-1) + tables.sum(axis=-2)) if shares is None else shares
    return divide(counts, counts.sum(axis=-1, keepdims=True))
