from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from fascnet.errors import SettingError
from fascnet.evaluation.raters.agreement import cohen_kappa, count_cells, intersect, rate_cells
from fascnet.types import Event


def test_kappa_equals_scikit_learn():
    rng = np.random.default_rng(0)
    one, two = rng.random(500) < 0.3, rng.random(500) < 0.4
    sums = np.array([[(one & two).sum(), (one & ~two).sum(), (~one & two).sum(), (~one & ~two).sum()]], float)
    assert cohen_kappa(sums)[0] == pytest.approx(cohen_kappa_score(one, two), abs=1e-9)
    assert abs(cohen_kappa(sums)[0]) < 0.1, "independent answers agree by chance only"


def test_kappa_of_a_textbook_table():
    # 20 both yes, 5 and 10 split, 15 both no: observed 0.70, by chance 0.50.
    assert cohen_kappa(np.array([[20.0, 5, 10, 15]]))[0] == pytest.approx(0.4)


def test_kappa_edges():
    assert cohen_kappa(np.array([[5.0, 0, 0, 5]]))[0] == 1
    assert np.isnan(cohen_kappa(np.array([[0.0, 0, 0, 9]]))[0])
    assert np.isnan(cohen_kappa(np.zeros((1, 4)))[0])


def test_cells_by_hand():
    one = [Event(0.2, 0.5), Event(2.9, 3.1)]
    two = [Event(0.4, 0.9), Event(5.1, 5.3)]
    # Seconds of `one`: 0, 2, 3; of `two`: 0, 5; of six.
    assert count_cells(one, two, [(0, 6)]).tolist() == [1, 2, 1, 2]
    assert count_cells(two, one, [(0, 6)]).tolist() == [1, 1, 2, 2]


def test_cells_end_with_their_event():
    assert count_cells([Event(1.0, 2.0)], [], [(0, 4)]).tolist() == [0, 1, 0, 3]


@pytest.mark.parametrize(("end_s", "cells"), [(3.0, 3), (3.4, 3), (3.5, 4), (0.3, 0)])
def test_short_rest_is_no_cell(end_s, cells):
    assert count_cells([], [], [(0, end_s)]).sum() == cells


def test_unexamined_seconds_do_not_count():
    cells = count_cells([Event(0.5, 0.8), Event(12.1, 12.2)], [Event(12.1, 12.2)], [(10, 14)])
    assert cells.tolist() == [1, 0, 0, 3]


def test_cells_of_ignored_events_are_left_out():
    one = [Event(0.2, 0.5, certainty="possible"), Event(2.2, 2.5)]
    assert count_cells(one, [], [(0, 4)], frozenset({"possible"})).tolist() == [0, 1, 0, 2]
    assert count_cells(one, [], [(0, 4)]).tolist() == [0, 2, 0, 2]


def test_intersect():
    assert intersect([(0, 5), (8, 10)], [(3, 9)]) == ((3, 5), (8, 9))
    assert intersect([(0, 5)], [(5, 9)]) == ()


def test_seconds_of_several_raters_by_hand():
    one, two = [Event(0.2, 0.5), Event(2.9, 3.1)], [Event(0.4, 0.9), Event(3.3, 3.4, certainty="possible")]
    rated = rate_cells([one, two, []], [[(0, 4)], [(0, 4)], [(0.4, 2.5)]], frozenset({"possible"}))
    assert rated.tolist() == [[1, 1, 0], [0, 0, 0], [1, 0, 0], [1, -1, -1]]


@pytest.mark.parametrize("seed", range(5))
def test_seconds_of_two_raters_are_those_of_the_kappa(seed):
    rng = np.random.default_rng(seed)
    one, two = ([Event(t, t + 0.3) for t in rng.uniform(0, 19.5, 8)] for _ in range(2))
    rated = rate_cells([one, two], [[(0, 20)], [(0, 20)]])
    counted = [int(np.sum((rated == pair).all(axis=1))) for pair in ((1, 1), (1, 0), (0, 1), (0, 0))]
    assert counted == count_cells(one, two, [(0, 20)]).tolist()


def test_seconds_need_an_end_and_a_rater_each():
    with pytest.raises(SettingError, match="no end"):
        rate_cells([[]], [[(0, np.inf)]])
    with pytest.raises(SettingError, match="1 raters"):
        rate_cells([[]], [])
    assert rate_cells([[], []], [[], []]).shape == (0, 2)
