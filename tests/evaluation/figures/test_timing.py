from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import median_abs_deviation

from fascnet.evaluation.figures.timing import build_mad, build_median, estimate_timing, measure_errors_s
from fascnet.evaluation.matching.match import MatchingRule, match_events
from fascnet.evaluation.uncertainty.bootstrap import draw_weights
from fascnet.types import Event


@pytest.mark.parametrize("n", [1, 2, 7, 50, 401])
@pytest.mark.parametrize("decimals", [1, 12])
def test_median_and_mad_equal_scipy_and_repeated_values(n, decimals):
    rng = np.random.default_rng(n)
    values = np.round(rng.normal(0.02, 0.1, n), decimals)
    weights = rng.integers(0, 4, (40, n)).astype(float)
    weights[0] = 1
    for figure, expected in ((build_median(values), np.median), (build_mad(values), median_abs_deviation)):
        for row, value in zip(weights, figure(weights), strict=True):
            again = np.repeat(values, row.astype(int))
            if len(again):
                assert value == pytest.approx(expected(again), abs=1e-9)
            else:
                assert np.isnan(value)


def test_mad_of_the_textbook_example():
    # Wikipedia, "Median absolute deviation": 1, 1, 2, 2, 4, 6, 9 has median 2 and MAD 1.
    values = np.array([1.0, 1, 2, 2, 4, 6, 9])
    assert build_median(values)(np.ones((1, 7)))[0] == 2
    assert build_mad(values)(np.ones((1, 7)))[0] == pytest.approx(1, abs=1e-12)


def test_errors_by_hand():
    reference = [Event(1.0, 1.5, 1.2), Event(3.0, 3.4, 3.1), Event(6, 7)]
    found = [Event(3.1, 3.7), Event(1.02, 1.4, 1.21)]
    matching = match_events(reference, found, MatchingRule("r"))
    errors = measure_errors_s(reference, found, matching.matches)
    order = np.argsort([match.reference for match in matching.matches])
    assert errors[order] == pytest.approx(
        np.array([[0.02, 0.01, -0.1], [0.1, np.nan, 0.3]]), abs=1e-12, nan_ok=True
    )


def test_figures_by_hand():
    errors = np.array([[0.01, 0.0, 0.2], [0.03, np.nan, -0.1], [-0.3, np.nan, 0.0], [0.05, 0.02, 0.0]])
    figures = estimate_timing(
        errors, np.array([30.0, 30, np.nan, 60]), np.array([0, 0, 1, 2]), draw_weights(3, 200, 0)
    )
    assert figures["onset_median_s"].value == pytest.approx(0.02)
    assert figures["onset_mad_s"].value == pytest.approx(0.02)
    # 1/30 s holds 0.01 and 0.03, 1/60 s does not hold 0.05; the clip without a frame rate is left out.
    assert figures["onset_within_1_frame"].value == pytest.approx(2 / 3)
    assert figures["onset_within_1_frame"].n == 3
    assert figures["onset_within_167_ms"].value == pytest.approx(3 / 4)
    assert figures["offset_within_167_ms"].value == pytest.approx(3 / 4)
    assert figures["peak_median_s"].n == 2


def test_no_match_is_not_defined():
    none = measure_errors_s([], [], [])
    figures = estimate_timing(none, np.empty(0), np.empty(0, np.int64), draw_weights(2, 20, 0))
    assert len(figures) == 12
    assert all(figure.value is None and figure.reason for figure in figures.values())


def test_equal_times_are_perfect():
    figures = estimate_timing(np.zeros((20, 3)), np.full(20, 50.0), np.arange(20), draw_weights(20, 50, 0))
    assert figures["peak_mad_s"].value == 0 == figures["onset_median_s"].value
    assert figures["offset_within_1_frame"].value == 1
