from __future__ import annotations

import pytest

from fascnet.evaluation.report.human_figures import ELSEWHERE, HUMAN_FIGURES, QUANTITIES, list_marks


def test_every_figure_is_drawn_or_says_why_not():
    for human in HUMAN_FIGURES:
        assert bool(human.marks) == bool(human.quantity) != bool(human.why_not), human.study
        assert human.quantity == "" or human.quantity in QUANTITIES


def test_values_as_published():
    published = {human.study: human.agreement for human in HUMAN_FIGURES}
    assert "0.94 (frequent), 0.49 (rare)" in published["Harding 2016"]
    assert "90.9 % (70/77), specificity 98.5 %" in published["Vlazak & Kraemer-Best 2014"]
    assert pytest.approx(0.909, abs=5e-4) == 70 / 77
    assert "0.985" in published["P31-F pilot"] and "0.84" in published["Reimers 1996"]
    assert sorted(values for values, _ in list_marks("event_kappa")) == [(0.49,), (0.94,)]
    assert list_marks("clip_point")[0][0] == (0.909, 0.985)
    assert list_marks("count_spearman")[0][0] == (0.985,)


def test_labels_say_that_it_was_published_on_what_and_by_whom():
    for quantity in QUANTITIES:
        for values, label in list_marks(quantity):
            assert label.startswith("published") and str(values[0]) in label
            assert any(f"({human.study})" in label for human in HUMAN_FIGURES)
    assert "11 raters, clip: fasciculation or artefact" in list_marks("clip_point")[0][1]
    assert "none was measured here" in ELSEWHERE


def test_unknown_quantities_are_refused():
    with pytest.raises(ValueError, match="event_kappa"):
        list_marks("icc")
