from __future__ import annotations

import numpy as np
import pytest

from fascnet.evaluation.figures.timing import estimate_timing, measure_errors_s
from fascnet.evaluation.matching.match import MatchingRule, match_events
from fascnet.evaluation.uncertainty.bootstrap import draw_weights
from fascnet.types import Event


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
