from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from fascnet.phantom.card.auroc import compute_auroc, estimate_auroc, split_groups


@given(st.integers(0, 10_000))
@settings(max_examples=40)
def test_the_area_is_scikit_learns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    score = np.round(rng.normal(size=40), 1)
    positive = np.arange(40) < rng.integers(1, 39)
    weight = rng.random(40) + 0.1
    expected = roc_auc_score(positive, score, sample_weight=weight)
    assert compute_auroc(score, positive, weight) == pytest.approx(expected, abs=1e-9)


def test_one_side_alone_has_no_area() -> None:
    assert np.isnan(compute_auroc(np.arange(4.0), np.ones(4, bool), np.ones(4)))


def test_a_subject_with_many_patches_weighs_as_much_as_one_with_few() -> None:
    score = np.concatenate([np.full(90, 1.0), np.full(10, -1.0), np.zeros(50), np.zeros(50)])
    group = np.array(["r1"] * 90 + ["r2"] * 10 + ["p1"] * 50 + ["p2"] * 50)
    found = estimate_auroc(score, np.arange(200) < 100, group, np.random.default_rng(0))
    assert found.value == pytest.approx(0.5)
    assert found.low == 0 and found.high == 1


def test_two_subjects_a_side_are_needed_for_an_interval() -> None:
    found = estimate_auroc(
        np.arange(4.0),
        np.array([False, False, False, True]),
        np.array(["a", "b", "c", "d"]),
        np.random.default_rng(0),
    )
    assert found.value == 1 and np.isnan(found.low) and np.isnan(found.high)


def test_folds_never_split_a_subject_and_hold_both_sides() -> None:
    rng = np.random.default_rng(5)
    group = np.array([f"g{i}" for i in rng.integers(0, 14, 300)])
    positive = np.array([int(name[1:]) < 6 for name in group])
    fold = split_groups(group, positive, 5, seed=3)
    assert set(fold) == set(range(5))
    for name in np.unique(group):
        assert len(set(fold[group == name])) == 1
    for k in range(5):
        assert positive[fold == k].any() and (~positive[fold == k]).any()


def test_few_subjects_give_few_folds() -> None:
    group = np.array(["a", "b", "c", "d", "e"])
    assert set(split_groups(group, np.array([True, True, False, False, False]), 5, 0)) == {0, 1}
