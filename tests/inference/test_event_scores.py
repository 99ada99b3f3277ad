from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fascnet.errors import SettingError
from fascnet.inference.event_scores import Evidence, score_evidence, weigh_evidence
from fascnet.inference.events import EventFinder
from fascnet.types import EventDefinition


@pytest.mark.parametrize("p", [0.1, 0.5, 0.97])
def test_without_weights_the_strongest_cells_are_the_score(p: float) -> None:
    assert score_evidence(weigh_evidence(p, 0.2), EventDefinition()) == pytest.approx(p)


def test_certainty_stays_finite() -> None:
    assert all(np.isfinite(weigh_evidence(p, 0.03)).all() for p in (0.0, 1.0))
    rule = EventDefinition(score_strength=1e6)
    assert score_evidence(Evidence(-6.0, 0), rule) == pytest.approx(0.0, abs=1e-9)
    assert score_evidence(Evidence(6.0, 0), rule) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("name", Evidence._fields)
def test_each_weight_counts_its_own_evidence(name: str) -> None:
    evidence = Evidence(strength=0.5, duration=-1.0, unrest=-5.0, recurrence=-4.0)
    rule = EventDefinition(score_intercept=0.25, **{"score_strength": 0.0, f"score_{name}": 2.0})
    z = 0.25 + 2.0 * getattr(evidence, name)
    assert score_evidence(evidence, rule) == pytest.approx(1 / (1 + np.exp(-z)))


def find(definition: EventDefinition) -> list:
    finder = EventFinder(definition, 30.0, (8, 8), (0, 0, 32, 32))
    heatmaps = np.zeros((20, 8, 8), np.float32)
    heatmaps[3:9, 1:4, 1:4] = 0.8
    heatmaps[12:14, 5:7, 5:7] = 0.8
    return [event for heatmap in heatmaps for event in finder.push(heatmap)] + finder.finish()


def test_events_below_the_least_score_are_dropped() -> None:
    rule = EventDefinition(0.5, 0.5, min_on_s=0.034, min_off_s=0.034, score_duration=3.0, score_intercept=4.0)
    long, short = find(rule)
    assert long.score is not None and short.score is not None
    assert long.score > short.score
    (only,) = find(dataclasses.replace(rule, min_score=(long.score + short.score) / 2))
    assert only == long


def test_without_weights_the_surest_events_keep_their_order() -> None:
    finder = EventFinder(EventDefinition(), 30.0, (8, 8), (0, 0, 32, 32))
    heatmaps = np.zeros((20, 8, 8), np.float32)
    heatmaps[3:9, 1:4, 1:4] = 0.999
    heatmaps[12:18, 5:7, 5:7] = 0.9999
    first, second = [event for heatmap in heatmaps for event in finder.push(heatmap)] + finder.finish()
    assert (first.score, second.score) == pytest.approx((0.999, 0.9999), abs=1e-6)


@pytest.mark.parametrize(
    ("name", "value"), [("min_score", 1.2), ("min_score", float("nan")), ("score_duration", float("inf"))]
)
def test_numbers_outside_their_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(SettingError, match=name):
        find(EventDefinition(**{name: value}))
