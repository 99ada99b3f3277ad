from __future__ import annotations

import numpy as np
import pytest

from fascnet.evaluation.figures.events import estimate_events
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
