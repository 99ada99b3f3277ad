from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from fascnet.evaluation.uncertainty.differences import Difference
from fascnet.evaluation.uncertainty.multiplicity import (
    adjust_benjamini_hochberg,
    adjust_differences,
    adjust_holm,
)

THROMBOLYSIS = np.array(
    [
        *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
        *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000),
    ]
)
"""Benjamini & Hochberg 1995, section 3.2: fifteen comparisons of two treatments of infarction."""


@pytest.mark.parametrize("seed", range(20))
def test_equal_statsmodels(seed):
    rng = np.random.default_rng(seed)
    p = np.round(rng.random(rng.integers(1, 30)) ** 2, 2 if seed % 2 else 6)
    assert adjust_holm(p) == pytest.approx(multipletests(p, method="holm")[1], abs=1e-12)
    assert adjust_benjamini_hochberg(p) == pytest.approx(multipletests(p, method="fdr_bh")[1], abs=1e-12)


def test_thrombolysis_example_of_benjamini_and_hochberg():
    """Their rule rejects four at 0.05; step-down rules for the family-wise error reject three."""
    assert (adjust_benjamini_hochberg(THROMBOLYSIS) <= 0.05).sum() == 4
    assert (adjust_holm(THROMBOLYSIS) <= 0.05).sum() == 3
    assert adjust_benjamini_hochberg(THROMBOLYSIS)[3] == pytest.approx(0.0095 * 15 / 4)


def test_order_does_not_matter_and_one_comparison_stays():
    order = np.random.default_rng(0).permutation(15)
    for adjust in (adjust_holm, adjust_benjamini_hochberg):
        assert adjust(THROMBOLYSIS[order]) == pytest.approx(adjust(THROMBOLYSIS)[order], abs=1e-15)
        assert adjust(np.array([0.03])) == pytest.approx([0.03])
        assert (adjust(THROMBOLYSIS) >= THROMBOLYSIS).all()
        assert len(adjust(np.empty(0))) == 0


def test_only_defined_comparisons_are_the_family():
    differences = {
        "a": Difference(0.1, (0.0, 0.2), 0.01, 20),
        "b": Difference(None, None, None, 0, "no positive clip"),
        "c": Difference(0.1, (0.0, 0.2), 0.04, 20),
    }
    adjusted = adjust_differences(differences)
    assert list(adjusted) == ["a", "c"]
    assert adjusted["a"].to_json() == {
        "p": 0.01,
        "p_holm": pytest.approx(0.02),
        "p_benjamini_hochberg": pytest.approx(0.02),
        "family": 2,
    }
    assert adjust_differences({}) == {}


@pytest.mark.parametrize("wrong", [-0.1, 1.1, np.nan])
def test_refuses_what_is_no_p(wrong):
    for adjust in (adjust_holm, adjust_benjamini_hochberg):
        with pytest.raises(ValueError, match="between 0 and 1"):
            adjust(np.array([0.5, wrong]))
