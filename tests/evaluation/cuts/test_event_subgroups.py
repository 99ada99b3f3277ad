from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import recall_score

from fascnet.data.labelling.seconds import merge_intervals
from fascnet.evaluation.cuts.event_subgroups import (
    AMPLITUDE_CUTS_MM,
    NEAR_S,
    UNKNOWN,
    score_false_alarms_by_confounder,
    score_recall_by_amplitude,
)
from fascnet.evaluation.figures.events import estimate_events
from fascnet.evaluation.uncertainty.bootstrap import draw_weights, estimate_from_sums
from fascnet.phantom.data_set.difficulty import LARGE_MM, SMALL_MM
from fascnet.types import FASCICULATION, Event, Labels

from ..outcomes import KINDS, draw_outcomes, make_outcome

MS = 1000


def list_reference(outcomes):
    """A row a counted reference event: (subject, peak_mm, found)."""
    rows = [(o.subject, o.reference[m.reference].peak_mm, 1) for o in outcomes for m in o.matching.matches]
    rows += [(o.subject, o.reference[i].peak_mm, 0) for o in outcomes for i in o.matching.missed]
    return pd.DataFrame(rows, columns=["subject", "peak_mm", "found"])


def test_cuts_are_the_phantoms():
    assert AMPLITUDE_CUTS_MM == (SMALL_MM, LARGE_MM)


@pytest.mark.parametrize("seed", range(5))
def test_recall_by_amplitude_is_scikit_learns_on_pandas_bins(seed):
    outcomes, _ = draw_outcomes(seed)
    figures = score_recall_by_amplitude(outcomes, draw_weights(12, 0, 0))
    table = list_reference(outcomes)
    table["bin"] = pd.cut(table.peak_mm, [-np.inf, 0.15, 0.3, np.inf], right=False, labels=list(figures)[:3])
    groups = {name: table[table.bin == name] for name in list(figures)[:3]}
    groups[UNKNOWN] = table[table.peak_mm.isna()]
    for name, rows in groups.items():
        assert figures[name].n == len(rows)
        if len(rows):
            assert figures[name].value == pytest.approx(recall_score([1] * len(rows), rows.found), abs=1e-9)
        else:
            assert figures[name].value is None and figures[name].reason
    assert sum(figure.n for figure in figures.values()) == len(table)


def test_recall_interval_is_that_of_sums_made_by_pandas():
    outcomes, _ = draw_outcomes(7)
    weights = draw_weights(12, 200, 3)
    figure = score_recall_by_amplitude(outcomes, weights, (0.3,))["0.3 and more"]
    table = list_reference(outcomes)
    table = table[table.peak_mm >= 0.3]
    sums = np.array([[g.found.sum(), (1 - g.found).sum()] for _, g in table.groupby("subject")], dtype=float)
    assert len(sums) == 12
    again = estimate_from_sums(
        sums,
        lambda k: k[..., 0] / k.sum(axis=-1),
        weights,
        n=len(table),
        unit="reference events",
        undefined="",
    )
    assert figure.value == pytest.approx(table.found.mean(), abs=1e-9)
    assert figure.ci95 == pytest.approx(again.ci95, abs=1e-9)


def test_a_bin_holds_its_lower_edge():
    truth = [Event(1, 1.3, peak_mm=0.15), Event(2, 2.3, peak_mm=0.1499), Event(3, 3.3, peak_mm=0.3)]
    figures = score_recall_by_amplitude([make_outcome("a", 0, truth, [Event(1, 1.3)])], draw_weights(1, 0, 0))
    assert [(name, figure.n, figure.value) for name, figure in figures.items()] == [
        ("below 0.15", 1, 0.0),
        ("0.15 to 0.3", 1, 1.0),
        ("0.3 and more", 1, 0.0),
        ("unknown", 0, None),
    ]


def count_on_a_grid(outcomes, labels):
    """Count again, millisecond by millisecond: kind -> (false alarms, minutes), and all false alarms."""
    alarms, seconds, n_false = dict.fromkeys((*KINDS, "none"), 0), dict.fromkeys((*KINDS, "none"), 0.0), 0
    for outcome in outcomes:
        length = round(outcome.examined[0][1] * MS)
        marks = {kind: np.zeros(length, dtype=bool) for kind in KINDS}
        for event in labels[outcome.clip_id].events:
            if event.label != FASCICULATION:
                marks[event.label][round(event.onset_s * MS) : round(event.offset_s * MS)] = True
        any_of_them = np.logical_or.reduce(list(marks.values()))
        for kind in KINDS:
            seconds[kind] += marks[kind].sum() / MS
        seconds["none"] += (~any_of_them).sum() / MS
        for j in outcome.matching.false:
            event, n_false = outcome.found[j], n_false + 1
            span = slice(round(event.onset_s * MS), round(event.offset_s * MS))
            for kind in KINDS:
                alarms[kind] += bool(marks[kind][span].any())
            alarms["none"] += not any_of_them[span].any()
    return alarms, seconds, n_false


@pytest.mark.parametrize("seed", range(5))
def test_false_alarms_by_confounder_are_those_of_a_count_on_milliseconds(seed):
    outcomes, labels = draw_outcomes(seed)
    figures = score_false_alarms_by_confounder(outcomes, labels, draw_weights(12, 0, 0))
    alarms, seconds, n_false = count_on_a_grid(outcomes, labels)
    assert list(figures) == [*KINDS, "none"]
    for kind, both in figures.items():
        assert both["per_min"].n == alarms[kind]
        assert both["per_min"].value == pytest.approx(alarms[kind] / (seconds[kind] / 60), abs=1e-9)
        assert both["share"].value == pytest.approx(alarms[kind] / n_false, abs=1e-9)
        assert both["share"].n == n_false


def test_without_confounders_none_is_the_plain_rate():
    outcomes, labels = draw_outcomes(3)
    bare = {clip_id: Labels(clip_id, "anna", ((0, 10),), ()) for clip_id in labels}
    weights = draw_weights(12, 100, 1)
    rows = np.zeros((12, 4))
    for outcome in outcomes:
        rows[outcome.subject] += outcome.event_row()
    plain = estimate_events(rows, weights)["false_alarms_per_min"]
    figures = score_false_alarms_by_confounder(outcomes, bare, weights)
    assert list(figures) == ["none"]
    assert figures["none"]["per_min"].value == pytest.approx(plain.value, abs=1e-9)
    assert figures["none"]["per_min"].ci95 == pytest.approx(plain.ci95, abs=1e-9)
    assert figures["none"]["share"].value == 1


def test_seconds_count_once_and_only_where_examined():
    kind = "probe_motion"
    overlapping = (Event(1, 3, label=kind), Event(2, 4, label=kind), Event(9, 30, label=kind))
    labels = {"a": Labels("a", "anna", ((0, 10),), overlapping)}
    found = [Event(2.5, 2.8), Event(4.0, 4.5), Event(6, 6.5)]
    figures = score_false_alarms_by_confounder(
        [make_outcome("a", 0, [], found)], labels, draw_weights(1, 0, 0)
    )
    assert figures[kind]["per_min"].value == pytest.approx(1 / (4 / 60)), (
        "1-4 s and 9-10 s; 4.0 s only touches"
    )
    assert figures["none"]["per_min"].value == pytest.approx(2 / (6 / 60))


def test_not_defined_has_a_reason():
    whole = {"a": Labels("a", "anna", ((0, 10),), (Event(0, 20, label="pseudotremor"),))}
    figures = score_false_alarms_by_confounder([make_outcome("a", 0, [], [])], whole, draw_weights(1, 0, 0))
    assert figures["none"]["per_min"].value is None and figures["none"]["per_min"].reason
    assert figures["pseudotremor"]["per_min"].value == 0
    assert figures["pseudotremor"]["share"].value is None
    for both in score_false_alarms_by_confounder([], {}, draw_weights(0, 0, 0)).values():
        assert both["per_min"].value is None and both["share"].value is None
    assert all(f.value is None for f in score_recall_by_amplitude([], draw_weights(0, 0, 0)).values())


def test_merged_intervals():
    assert merge_intervals([(3, 4), (1, 2), (2, 2.5), (3.2, 3.4)]) == ((1, 2.5), (3, 4))
    assert merge_intervals([]) == ()


@pytest.mark.parametrize("seed", range(3))
def test_near_confounders_random_alarms_have_one_rate(seed):
    """By overlap a brief confounder looks worse than a long one; by the middle of the alarm it does not."""
    rng = np.random.default_rng(seed)
    brief = tuple(Event(t, t + 0.05, label="gain_step") for t in np.arange(5.0, 2000.0, 10.0).tolist())
    long = (Event(500.0, 1500.0, label="pseudotremor"),)
    labels = {"a": Labels("a", "anna", ((0, 2000),), brief + long)}
    found = [Event(t, t + 0.3) for t in np.sort(rng.uniform(0, 1999, 4000)).tolist()]
    outcomes, weights = [make_outcome("a", 0, [], found, length_s=2000)], draw_weights(1, 0, 0)
    near = score_false_alarms_by_confounder(outcomes, labels, weights, NEAR_S)
    for kind in ("gain_step", "pseudotremor", "none"):
        assert near[kind]["per_min"].value == pytest.approx(120, rel=0.2)
    middles = np.array([event.onset_s + 0.15 for event in found])
    # Every ten seconds from 5 to 1995: 25 ms to its middle, and the reach.
    away = np.abs((middles - 5.025 + 5) % 10 - 5)
    assert near["gain_step"]["per_min"].n == np.count_nonzero(away < 0.275)
    overlap = score_false_alarms_by_confounder(outcomes, labels, weights)
    assert overlap["gain_step"]["per_min"].value > 500


def test_near_reaches_both_ways_but_not_out_of_what_was_examined():
    labels = {"a": Labels("a", "anna", ((0, 10),), (Event(0.1, 0.2, label="freeze"),))}
    found = [Event(0.2, 0.4), Event(0.5, 0.7)]
    near = score_false_alarms_by_confounder(
        [make_outcome("a", 0, [], found)], labels, draw_weights(1, 0, 0), 0.25
    )
    assert near["freeze"]["per_min"].value == pytest.approx(1 / (0.45 / 60))
    assert near["none"]["per_min"].value == pytest.approx(1 / (9.55 / 60))
