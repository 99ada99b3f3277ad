from __future__ import annotations

import numpy as np
from sklearn.metrics import precision_recall_curve

from fascnet.evaluation.matching.match import MatchingRule, match_events, rank_events
from fascnet.evaluation.report.event_plots import (
    EventCurve,
    draw_froc,
    draw_precision_recall,
    join_ranked,
)
from fascnet.types import Event

from .figures import NONE, figure, list_texts

RULE = MatchingRule("any_overlap")


def make_curve(name="net", score=(0.9, 0.8, 0.8, 0.3), hit=(True, False, True, True), n_reference=5):
    return EventCurve(
        name,
        figure(0.6, 0.4, 0.8),
        figure(0.75, 0.5, 0.9),
        figure(0.5, 0.2, 1.0),
        np.array(score),
        np.array(hit),
        n_reference,
        2.0,
    )


def test_events_of_equal_score_are_admitted_together():
    hits, false = make_curve().trace()
    assert hits.tolist() == [0, 1, 2, 3] and false.tolist() == [0, 0, 1, 1]


def test_the_curve_matches_anew_at_every_score():
    """A weak duplicate that fits better in time must not take the match of the strong one."""
    reference = [Event(1.0, 1.4, 1.2)]
    found = [Event(1.1, 1.5, 1.3, score=0.9), Event(1.0, 1.4, 1.2, score=0.2)]
    once = match_events(reference, found, RULE)
    assert [match.found for match in once.matches] == [1]
    score, is_hit, n_reference = join_ranked([rank_events(reference, found, RULE)])
    curve = EventCurve("net", figure(1.0), figure(0.5), figure(1.0), score, is_hit, n_reference, 1.0)
    hits, false = curve.trace()
    assert hits.tolist() == [0, 1, 1] and false.tolist() == [0, 0, 1]


def test_the_line_drawn_is_the_curve():
    plot = draw_froc([make_curve()], "any overlap")
    lines = [line for line in plot.picture.axes[0].lines if len(line.get_xdata()) == 4]
    assert np.allclose(lines[0].get_xdata(), [0, 0, 0.5, 0.5])
    assert np.allclose(lines[0].get_ydata(), [0, 0.2, 0.4, 0.6])
    assert "any overlap" in plot.caption and "0.60 (0.40 to 0.80)" in plot.alt


def test_precision_and_recall_against_scikit_learn():
    rng = np.random.default_rng(2)
    score, hit = np.round(rng.random(80), 2), rng.random(80) < 0.6
    plot = draw_precision_recall([make_curve(score=score, hit=hit, n_reference=int(hit.sum()))], "rule")
    precision, recall, _ = precision_recall_curve(hit, score)
    drawn = max(plot.picture.axes[0].lines[4:], key=lambda line: len(line.get_xdata()))
    assert np.allclose(drawn.get_xdata()[::-1], recall[:-1])
    assert np.allclose(drawn.get_ydata()[::-1], precision[:-1])


def test_a_rater_without_scores_is_a_mark_and_nothing_undefined_is_drawn():
    rater = EventCurve("anna", figure(0.8), figure(0.9), figure(0.2))
    assert rater.trace() is None
    plot = draw_froc([make_curve(), rater], "rule")
    assert {"net", "anna"} <= set(list_texts(plot).splitlines())
    blind = EventCurve("blind", NONE, NONE, NONE)
    assert draw_froc([blind], "rule") is None and draw_precision_recall([blind], "rule") is None
    assert "blind" not in list_texts(draw_froc([make_curve(), blind], "rule"))


def test_no_event_found_at_all_is_no_error():
    none = EventCurve("quiet", figure(0.0), NONE, figure(0.0), np.empty(0), np.empty(0, dtype=bool), 5, 2.0)
    assert draw_froc([none], "rule") is not None and draw_precision_recall([none], "rule") is None
