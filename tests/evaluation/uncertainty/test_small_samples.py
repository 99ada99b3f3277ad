from __future__ import annotations

from math import comb

import numpy as np
import pytest
from scipy import stats

from fascnet.evaluation.uncertainty.small_samples import (
    FEW_OF_A_KIND,
    FEWEST_SUBJECTS,
    warn_of_dominance,
    warn_of_kinds,
    warn_of_subjects,
)


def test_enough_gives_no_warning():
    assert warn_of_kinds("sensitivity", {"missed clips": 20}) == []
    assert warn_of_dominance("sensitivity", np.full(30, 4.0), "clips") == []


@pytest.mark.parametrize(
    ("subjects", "words"), [(1, "no interval"), (4, "no more than a hint"), (12, "may cover less often")]
)
def test_few_subjects(subjects, words):
    (warning,) = warn_of_subjects("f1", subjects)
    assert warning.startswith(f"f1: {subjects} subject") and words in warning


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
