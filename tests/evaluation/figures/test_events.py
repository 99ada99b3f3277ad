from __future__ import annotations

import numpy as np
import pytest

from fascnet.evaluation.figures.events import estimate_events, trace_froc
from fascnet.evaluation.uncertainty.bootstrap import draw_weights


def test_figures_by_hand():
    # Subjects' hits, false alarms, misses, minutes.
    sums = np.array([[3.0, 1, 0, 1.0], [1, 1, 2, 3.0]])
    figures = estimate_events(sums, draw_weights(2, 100, 0))
    assert figures["precision"].value == pytest.approx(4 / 6)
    assert figures["recall"].value == pytest.approx(4 / 6)
    assert figures["f1"].value == pytest.approx(8 / 12)
    assert figures["false_alarms_per_min"].value == pytest.approx(0.5)
    assert (figures["precision"].n, figures["recall"].n, figures["false_alarms_per_min"].n) == (6, 6, 4)


def test_no_event_on_either_side():
    figures = estimate_events(np.array([[0.0, 0, 0, 2], [0, 0, 0, 2]]), draw_weights(2, 100, 0))
    assert [figures[name].value for name in ("precision", "recall", "f1")] == [None, None, None]
    assert figures["false_alarms_per_min"].value == 0


def test_froc_admits_events_from_high_to_low_score():
    rate, recall = trace_froc(np.array([0.2, 0.9, 0.6]), np.array([1.0, 1, 0]), n_reference=4, minutes=2)
    assert rate.tolist() == [0, 0, 0.5, 0.5]
    assert recall.tolist() == [0, 0.25, 0.25, 0.5]
