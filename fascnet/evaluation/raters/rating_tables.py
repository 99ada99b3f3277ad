"""Ratings of several raters as tables that add up over units, and the figures of agreement that follow.

A unit is anything that raters put into a category: a second of a clip, a clip, a muscle, a patient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.errors import SettingError
from fascnet.evaluation.raters.coefficients import (
    bias_index_from_tables,
    check_categories,
    cohen_kappa_from_tables,
    fleiss_kappa_from_tables,
    gwet_ac_from_tables,
    krippendorff_alpha_from_tables,
    observe_agreement,
    pabak_from_tables,
    prevalence_index_from_tables,
    specific_agreement_from_tables,
)
from fascnet.evaluation.uncertainty.bootstrap import (
    Figure,
    FloatArray,
    estimate_from_sums,
    sum_by_subject,
)

SAME_ANSWER = "all raters always give one and the same answer, or no unit has two ratings"
NO_UNIT = "no unit has two ratings"

TablesFigure = Callable[[FloatArray], FloatArray]
"""From tables (..., k, k) to figures (...,)."""


@dataclass(frozen=True, slots=True, eq=False)
class RatingTables:
    """Sums per subject of what several raters said; all of them add up.

    Attributes:
        units: pairs of raters by their answers, each unit with two or more ratings in all 1 (S, k, k).
        coincidences: the same, each such unit in all its number of ratings m (S, k, k).
        shares: share of each category among a unit's ratings, summed over units (S, k).
        n_units: units with two or more ratings.
    """

    units: FloatArray
    coincidences: FloatArray
    shares: FloatArray
    n_units: int


def tabulate_ratings(
    ratings: NDArray[np.int64], subject: NDArray[np.int64], n_subjects: int, k: int
) -> RatingTables:
    """Count the ratings of several raters per subject.

    Args:
        ratings: categories 0 … k - 1, -1 where a rater gave none (n units, raters).
        subject: index of each unit's subject (n,).
        n_subjects: how many subjects there are.
        k: how many categories there are.

    Raises:
        SettingError: a category outside -1 … k - 1, or not a table of units and raters.
    """
    if ratings.ndim != 2:
        raise SettingError("ratings must be a table: a row a unit, a column a rater")
    check_categories(ratings, k)
    counts = np.stack([(ratings == category).sum(axis=1) for category in range(k)], axis=1).astype(np.float64)
    m = counts.sum(axis=1)
    pairs = counts[:, :, None] * counts[:, None, :]
    pairs[:, range(k), range(k)] -= counts
    # A unit with one rating has no pair: its row of `pairs` is zero, so any divisor serves.
    coincidences = pairs / np.maximum(m - 1, 1)[:, None, None]
    units = coincidences / np.maximum(m, 1)[:, None, None]
    shares = counts / np.maximum(m, 1)[:, None]

    def total(rows: FloatArray) -> FloatArray:
        return sum_by_subject(rows.reshape(len(rows), -1), subject, n_subjects)

    return RatingTables(
        total(units).reshape(n_subjects, k, k),
        total(coincidences).reshape(n_subjects, k, k),
        total(shares),
        int((m >= 2).sum()),
    )


def estimate_from_tables(
    tables: FloatArray, figure: TablesFigure, weights: FloatArray, *, n: int, unit: str, undefined: str
) -> Figure:
    """Estimate a coefficient of tables per subject (S, k, k) with bootstrap weights (B, S)."""
    k = tables.shape[-1]

    def flat(sums: FloatArray) -> FloatArray:
        return figure(sums.reshape(*sums.shape[:-1], k, k))

    return estimate_from_sums(
        tables.reshape(len(tables), k * k), flat, weights, n=n, unit=unit, undefined=undefined
    )


def estimate_pair_agreement(
    tables: FloatArray, weights: FloatArray, *, unit: str = "units", ordered: bool = False
) -> dict[str, Figure]:
    """Estimate all coefficients of two raters, side by side: kappa alone misleads where events are rare.

    Args:
        tables: confusion tables per subject (S, k, k), from `tabulate_pair`; category 1 of 2 is `yes`.
        weights: from `draw_weights` (B, S).
        unit: what was rated, in the plural.
        ordered: whether the categories are grades; adds the weighted kappas and AC2.
    """
    k = tables.shape[-1]
    wanted: dict[str, tuple[TablesFigure, str]] = {
        "kappa": (cohen_kappa_from_tables, SAME_ANSWER),
        "ac1": (gwet_ac_from_tables, NO_UNIT),
        "pabak": (pabak_from_tables, NO_UNIT),
        "observed_agreement": (observe_agreement, NO_UNIT),
    }
    if k == 2:
        wanted |= {
            "positive_agreement": (lambda t: specific_agreement_from_tables(t, 1), "neither ever said yes"),
            "negative_agreement": (lambda t: specific_agreement_from_tables(t, 0), "neither ever said no"),
            "prevalence_index": (prevalence_index_from_tables, NO_UNIT),
            "bias_index": (bias_index_from_tables, NO_UNIT),
        }
    if ordered and k > 2:
        wanted |= {
            "linear_kappa": (lambda t: cohen_kappa_from_tables(t, "linear"), SAME_ANSWER),
            "quadratic_kappa": (lambda t: cohen_kappa_from_tables(t, "quadratic"), SAME_ANSWER),
            "ac2": (lambda t: gwet_ac_from_tables(t, "quadratic"), NO_UNIT),
        }
    n = round(float(tables.sum()))
    return {
        name: estimate_from_tables(tables, figure, weights, n=n, unit=unit, undefined=reason)
        for name, (figure, reason) in wanted.items()
    }


def estimate_group_agreement(
    tables: RatingTables, weights: FloatArray, *, unit: str = "units", ordered: bool = False
) -> dict[str, Figure]:
    """Estimate Fleiss' kappa, Krippendorff's alpha and Gwet's AC1 of several raters.

    Args:
        tables: from `tabulate_ratings`.
        weights: from `draw_weights` (B, S).
        unit: what was rated, in the plural.
        ordered: whether the categories are grades; adds ordinal alpha and AC2 with quadratic weights.
    """
    n_subjects, k = tables.shares.shape
    sums = np.concatenate([tables.units.reshape(n_subjects, k * k), tables.shares], axis=1)

    def estimate(figure: Callable[[FloatArray, FloatArray], FloatArray], reason: str) -> Figure:
        def of_sums(total: FloatArray) -> FloatArray:
            return figure(total[..., : k * k].reshape(*total.shape[:-1], k, k), total[..., k * k :])

        return estimate_from_sums(sums, of_sums, weights, n=tables.n_units, unit=unit, undefined=reason)

    def alpha(metric: str) -> Figure:
        return estimate_from_tables(
            tables.coincidences,
            lambda t: krippendorff_alpha_from_tables(t, metric),
            weights,
            n=tables.n_units,
            unit=unit,
            undefined=SAME_ANSWER,
        )

    figures = {
        "fleiss_kappa": estimate(fleiss_kappa_from_tables, SAME_ANSWER),
        "krippendorff_alpha": alpha("nominal"),
        "ac1": estimate(lambda t, shares: gwet_ac_from_tables(t, "nominal", shares), NO_UNIT),
    }
    if ordered and k > 2:
        figures["ordinal_alpha"] = alpha("ordinal")
        figures["ac2"] = estimate(lambda t, shares: gwet_ac_from_tables(t, "quadratic", shares), NO_UNIT)
    return figures
