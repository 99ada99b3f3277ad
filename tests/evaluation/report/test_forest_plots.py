from __future__ import annotations

import pytest

from fascnet.evaluation.raters.interchangeability import Interchangeability
from fascnet.evaluation.report.forest_plots import (
    MAX_ROWS,
    ForestLine,
    ForestRow,
    draw_count_agreement,
    draw_event_kappa,
    draw_false_alarms_by_confounder,
    draw_forest,
    draw_interchangeability,
    draw_subgroups,
)

from .figures import NONE, figure, list_texts


def test_n_and_value_stand_beside_each_row_and_too_few_are_hollow():
    rows = [
        ForestRow("muscle", None),
        ForestRow("biceps", figure(0.8, 0.7, 0.9), "120 events, 12 subjects"),
        ForestRow("tongue", figure(0.3), "4 events, 1 subjects", weak=True),
        ForestRow("thigh", NONE, "0 events"),
    ]
    plot = draw_subgroups(rows, figure(0.7, 0.6, 0.8), "net")
    texts = list_texts(plot)
    assert "biceps\n120 events, 12\nsubjects" in texts and "0.80 (0.70 to 0.90)" in texts
    assert "not defined" in texts and "all clips: 0.70 (0.60 to 0.80)" in texts
    marks = [container[0].get_markerfacecolor() for container in plot.picture.axes[0].containers]
    assert len(marks) == 2 and marks[1] == "white" != marks[0]
    assert "Hollow" in plot.caption and "thigh: not defined, 0 events" in plot.alt


def test_rows_beyond_the_limit_are_announced():
    rows = [ForestRow(f"group {k}", figure(0.5)) for k in range(MAX_ROWS + 3)]
    assert "3 more rows are in the tables" in draw_forest("p", rows, "F1", "caption.").caption
    assert draw_forest("p", [ForestRow("a", NONE), ForestRow("b", None)], "F1", "caption.") is None


def test_lines_can_belong_to_some_rows_only():
    rows = [ForestRow(name, figure(0.5)) for name in "abcd"]
    plot = draw_forest("p", rows, "F1", "c.", [ForestLine(0.9, "there", rows=(0, 2))])
    line = next(line for line in plot.picture.axes[0].lines if line.get_label() == "there")
    top, bottom = line.get_ydata()
    assert top == 0 and bottom == pytest.approx(plot.picture.axes[0].get_ylim()[0] / 2)


def test_event_kappa_stands_beside_both_published_ones():
    plot = draw_event_kappa({("anna", "net"): figure(0.6, 0.5, 0.7), ("anna", "bert"): NONE})
    xs = {line.get_xdata()[0] for line in plot.picture.axes[0].lines}
    assert {0.94, 0.49} <= xs
    text = list_texts(plot).replace("\n", " ")
    assert "2 operators, twitch events, rare twitches (Harding 2016)" in text
    assert "none was measured here" in plot.caption
    assert draw_event_kappa({("anna", "net"): NONE}) is None


def test_the_published_spearman_does_not_run_through_the_icc():
    plot = draw_count_agreement({"net": figure(0.9)}, {"net": figure(0.8)}, "anna")
    line = next(line for line in plot.picture.axes[0].lines if line.get_label().startswith("published"))
    assert line.get_xdata()[0] == 0.985
    assert line.get_ydata()[1] <= plot.picture.axes[0].get_ylim()[0] / 2 + 1e-9


@pytest.mark.parametrize(
    ("name", "at", "side"), [("f1", -0.1, "left"), ("false_alarms_per_min", 0.1, "right")]
)
def test_the_margin_stands_where_worse_begins(name, at, side):
    found = Interchangeability(
        name,
        0.1,
        {},
        {},
        {"anna": figure(0.02, -0.05, 0.1), "bert": NONE},
        figure(0.01, -0.04, 0.06),
        "non-inferior",
        "why",
    )
    plot = draw_interchangeability(found, "net")
    line = next(line for line in plot.picture.axes[0].lines if line.get_label().startswith("margin"))
    assert line.get_xdata()[0] == pytest.approx(at) and f"to the {side}" in line.get_label()
    assert "non-inferior (why)" in plot.caption and "mean over raters: 0.01 (−0.04 to 0.06)" in plot.alt


def test_false_alarms_need_a_confounder():
    rates = {"arterial_pulsation": figure(4.0, 2, 7, 12, "false alarms"), "none": figure(0.5)}
    plot = draw_false_alarms_by_confounder(rates, "net", "a rule")
    assert "arterial pulsation\n12 false alarms" in list_texts(plot) and "a rule" in plot.caption
    assert draw_false_alarms_by_confounder({"none": figure(0.5)}, "net", "a rule") is None
