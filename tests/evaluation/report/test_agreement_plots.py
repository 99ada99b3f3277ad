from __future__ import annotations

import numpy as np

from fascnet.evaluation.report.agreement_plots import MAX_NUMBERED, MAX_SOURCES, draw_agreement

from .figures import NONE, figure, list_texts


def test_events_stand_below_the_diagonal_and_clips_above():
    events = {("anna", "net"): figure(0.1), ("bert", "anna"): figure(0.2), ("net", "bert"): figure(0.3)}
    clips = {("anna", "net"): figure(0.7), ("anna", "bert"): figure(0.8), ("net", "bert"): NONE}
    plot = draw_agreement(["anna", "net", "bert"], events, clips)
    drawn = np.ma.filled(plot.picture.axes[0].images[0].get_array(), np.nan)
    expected = np.array([[np.nan, 0.7, 0.8], [0.1, np.nan, np.nan], [0.2, 0.3, np.nan]])
    assert np.array_equal(drawn, expected, equal_nan=True)
    assert "net and bert: events 0.30, clips not defined" in plot.alt
    assert "rare twitches (Harding 2016)" in list_texts(plot).replace("\n", " ")


def test_many_sources_with_long_names_are_numbered_and_still_all_told():
    names = [f"neurologist_{k}_of_a_university_hospital" for k in range(MAX_SOURCES + 2)]
    pairs = {(a, b): figure(0.5) for i, a in enumerate(names) for b in names[i + 1 :]}
    plot = draw_agreement(names, pairs, pairs)
    assert "2 more sources are in the table" in plot.caption
    cells = [text.get_text() for text in plot.picture.axes[0].texts]
    assert cells == [] and MAX_SOURCES > MAX_NUMBERED
    assert plot.picture.axes[0].get_yticklabels()[3].get_text().endswith("  4")
    numbered = draw_agreement(names[:7], pairs, pairs)
    assert {text.get_text() for text in numbered.picture.axes[0].texts} == {".50"}


def test_one_pair_or_nothing_defined_is_no_map():
    assert draw_agreement(["anna", "net"], {("anna", "net"): figure(0.5)}, {}) is None
    assert draw_agreement(["anna", "net", "bert"], {}, {}) is None
