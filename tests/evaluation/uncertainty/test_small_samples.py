from __future__ import annotations

from math import comb

import numpy as np
import pytest
from scipy import stats

from fascnet.evaluation.figures.events import recall
from fascnet.evaluation.uncertainty.bootstrap import Figure, draw_weights, estimate_from_sums, not_defined
from fascnet.evaluation.uncertainty.small_samples import (
    FEW_OF_A_KIND,
    FEWEST_SUBJECTS,
    warn_of_dominance,
    warn_of_figure,
    warn_of_kinds,
    warn_of_subjects,
)


def make(subjects=30, n=100):
    return Figure(0.8, (0.7, 0.9), n, "positive clips", subjects, method="BCa")


def test_enough_gives_no_warning():
    assert warn_of_figure("sensitivity", make()) == []
    assert warn_of_kinds("sensitivity", {"missed clips": 20}) == []
    assert warn_of_dominance("sensitivity", np.full(30, 4.0), "clips") == []


@pytest.mark.parametrize(
    ("subjects", "words"), [(1, "no interval"), (4, "no more than a hint"), (12, "may cover less often")]
)
def test_few_subjects(subjects, words):
    (warning,) = warn_of_subjects("f1", subjects)
    assert warning.startswith(f"f1: {subjects} subject") and words in warning


def test_few_units_say_how_wide():
    (warning,) = warn_of_figure("sensitivity", make(n=25))
    assert "25 positive clips" in warning and "± 0.20" in warning  # 1.96 sqrt(0.25 / 25)


def test_an_interval_without_width_is_named():
    sums = np.tile([[4.0, 0, 0, 1]], (25, 1))
    perfect = estimate_from_sums(sums, recall, draw_weights(25, 100, 0), n=100, unit="events", undefined="")
    assert perfect.ci95 == (1, 1) and perfect.method == "percentile"
    (warning,) = warn_of_figure("recall", perfect)
    assert "no certainty" in warning and "rule of three" in warning


def test_a_figure_without_value_needs_no_warning():
    assert warn_of_figure("recall", not_defined("no event")) == []


def test_rare_kinds():
    few, none = warn_of_kinds("recall", {"missed events": 3, "hits": 0, "false alarms": 50})
    assert "3 missed events" in few and "no hits" in none
    # The limits that FEW_OF_A_KIND quotes.
    low, high = stats.chi2.ppf(0.025, 2 * FEW_OF_A_KIND) / 2, stats.chi2.ppf(0.975, 2 * FEW_OF_A_KIND + 2) / 2
    assert (low, high) == pytest.approx((4.8, 18.4), abs=0.05)


def test_one_subject_that_is_the_figure():
    (warning,) = warn_of_dominance("recall", np.array([60.0, 10, 10, 10]), "events")
    assert "one of 4 subjects brings 67 %" in warning
    (warning,) = warn_of_dominance("recall", np.concatenate([[40.0, 40, 40], np.ones(27)]), "events")
    assert "count as" in warning
    assert warn_of_dominance("recall", np.zeros(4), "events") == []
    assert warn_of_dominance("recall", np.array([5.0, 0]), "events") == []


def test_a_tail_of_the_fewest_subjects_holds_a_resample():
    """Hall 1992, appendix I: C(2n - 1, n) distinct resamples."""
    n = FEWEST_SUBJECTS
    assert 0.025 * comb(2 * n - 1, n) > 1 > 0.025 * comb(2 * (n - 1) - 1, n - 1)
