from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from fascnet.evaluation.figures.counts import build_spearman, compute_moment_rows, estimate_counts, icc
from fascnet.evaluation.uncertainty.bootstrap import draw_weights


def anova_icc(table: np.ndarray) -> float:
    """ICC(2,1) from the textbook's two-way table, independent of the sums used in the package."""
    n, k = table.shape
    grand = table.mean()
    ms_rows = k * ((table.mean(axis=1) - grand) ** 2).sum() / (n - 1)
    ms_columns = n * ((table.mean(axis=0) - grand) ** 2).sum() / (k - 1)
    residual = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0, keepdims=True) + grand
    ms_error = (residual**2).sum() / ((n - 1) * (k - 1))
    return (ms_rows - ms_error) / (ms_rows + (k - 1) * ms_error + k * (ms_columns - ms_error) / n)


@pytest.fixture
def counts():
    rng = np.random.default_rng(3)
    first = rng.poisson(4, 120).astype(float)
    return first, np.maximum(first + rng.integers(-2, 4, 120), 0).astype(float)


def test_icc_equals_the_anova_table(counts):
    value = icc(compute_moment_rows(*counts).sum(axis=0)[None])[0]
    assert value == pytest.approx(anova_icc(np.column_stack(counts)), abs=1e-9)


def test_icc_is_symmetric_and_one_for_equal_counts(counts):
    first, second = counts
    there, back = (
        icc(compute_moment_rows(a, b).sum(axis=0)[None])[0] for a, b in ((first, second), (second, first))
    )
    assert there == pytest.approx(back, abs=1e-12)
    assert icc(compute_moment_rows(first, first).sum(axis=0)[None])[0] == pytest.approx(1, abs=1e-12)


def test_icc_punishes_a_constant_offset_but_spearman_does_not(counts):
    first, _ = counts
    figures = estimate_counts(first, first + 3, np.arange(120), draw_weights(120, 100, 0))
    assert figures["spearman"].value == pytest.approx(1)
    assert figures["icc"].value < 0.7
    assert figures["bias"].value == pytest.approx(3)
    assert figures["loa_low"].value == pytest.approx(3) == figures["loa_high"].value


def test_spearman_equals_scipy_with_ties_and_weights(counts):
    first, second = counts
    spearman = build_spearman(first, second)
    assert spearman(np.ones((1, 120)))[0] == pytest.approx(spearmanr(first, second).statistic, abs=1e-9)
    repeats = np.random.default_rng(4).integers(0, 3, 120)
    expected = spearmanr(np.repeat(first, repeats), np.repeat(second, repeats)).statistic
    assert spearman(repeats[None].astype(float))[0] == pytest.approx(expected, abs=1e-9)


def test_limits_of_agreement_equal_the_definition(counts):
    first, second = counts
    figures = estimate_counts(first, second, np.arange(120) // 4, draw_weights(30, 100, 0))
    difference = second - first
    assert figures["bias"].value == pytest.approx(difference.mean(), abs=1e-9)
    spread = 1.96 * difference.std(ddof=1)
    assert figures["loa_low"].value == pytest.approx(difference.mean() - spread, abs=1e-9)
    assert figures["loa_high"].value == pytest.approx(difference.mean() + spread, abs=1e-9)


@pytest.mark.parametrize("n", [0, 1, 5])
def test_nothing_to_compare_is_not_defined(n):
    figures = estimate_counts(np.zeros(n), np.zeros(n), np.arange(n), draw_weights(n, 20, 0))
    assert figures["icc"].value is None and figures["spearman"].value is None
    assert (figures["bias"].value is None) == (n == 0)
