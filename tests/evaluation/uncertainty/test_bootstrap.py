from __future__ import annotations

import numpy as np
import pytest

from fascnet.evaluation.figures.events import estimate_events, recall
from fascnet.evaluation.uncertainty.bootstrap import (
    count_subjects,
    draw_weights,
    estimate_from_sums,
    estimate_from_weights,
    resample_sums,
    resample_weights,
)
from fascnet.evaluation.uncertainty.intervals import estimate_interval


def mean(sums):
    return sums[..., 0] / np.where(sums[..., 1] == 0, np.nan, sums[..., 1])


def test_weights_are_seeded_and_keep_the_number_of_subjects():
    weights = draw_weights(7, 50, seed=0)
    assert weights.shape == (50, 7) and (weights.sum(axis=1) == 7).all()
    assert (weights == draw_weights(7, 50, seed=0)).all()
    assert (weights != draw_weights(7, 50, seed=1)).any()


def test_interval_covers_the_truth_at_about_the_stated_rate():
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(300):
        subject_mean = rng.normal(0, 1, 40)
        rows = np.column_stack([3 * subject_mean + rng.normal(0, 1, 40), np.full(40, 3.0)])
        figure = estimate_from_sums(
            rows, mean, draw_weights(40, 400, trial), n=120, unit="clips", undefined=""
        )
        covered += figure.ci95[0] <= 0 <= figure.ci95[1]
    assert 0.90 <= covered / 300 <= 0.98


def test_clustering_widens_the_interval():
    rng = np.random.default_rng(1)
    value = np.repeat(rng.normal(0, 1, 20), 10)
    subject = np.repeat(np.arange(20), 10)

    def average(weights):
        return (weights * value).sum(axis=1) / weights.sum(axis=1)

    def width(groups, n):
        figure = estimate_from_weights(average, groups, draw_weights(n, 500, 0), unit="clips", undefined="")
        return figure.ci95[1] - figure.ci95[0]

    assert width(subject, 20) > 2 * width(np.arange(200), 200)


def test_sums_and_weights_agree():
    rng = np.random.default_rng(2)
    value, subject = rng.random(60), np.arange(60) // 3
    weights = draw_weights(20, 300, 5)
    sums = np.column_stack([np.bincount(subject, value), np.bincount(subject)]).astype(float)
    by_sums = estimate_from_sums(sums, mean, weights, n=60, unit="clips", undefined="")
    by_weights = estimate_from_weights(
        lambda w: (w * value).sum(axis=1) / w.sum(axis=1), subject, weights, unit="clips", undefined=""
    )
    assert by_sums.value == pytest.approx(by_weights.value)
    assert by_sums.ci95 == pytest.approx(by_weights.ci95)


def test_one_subject_has_a_value_but_no_interval():
    figure = estimate_from_sums(
        np.array([[3.0, 0, 1, 1]]), recall, draw_weights(1, 50, 0), n=4, unit="e", undefined="x"
    )
    assert figure.value == 0.75 and figure.ci95 is None and "one subject" in figure.reason


def test_a_figure_that_rests_on_one_of_ten_subjects_has_no_interval():
    sums = np.zeros((10, 4))
    sums[:, 3] = 1.0
    sums[0, [0, 2]] = 4, 1
    weights = draw_weights(10, 500, 0)
    figure = estimate_from_sums(sums, recall, weights, n=5, unit="e", undefined="x")
    assert figure.value == 0.8 and figure.ci95 is None and figure.method == ""
    assert figure.reason == "rests on one subject: no interval"
    sums[1, [0, 2]] = 4, 1
    alike = estimate_from_sums(sums, recall, weights, n=10, unit="e", undefined="x")
    assert alike.ci95 == (0.8, 0.8) and "all resamples are equal" in alike.reason


def test_a_figure_counts_the_subjects_that_it_rests_on():
    """Ten subjects, of whom four have events, one more a false alarm, and five nothing but minutes."""
    sums = np.zeros((10, 4))
    sums[:, 3] = 1.0
    sums[:4, 0], sums[:4, 2], sums[4, 1] = (4, 1, 3, 5), (1, 2, 0, 1), 1
    weights = draw_weights(10, 500, 0)
    figures = estimate_events(sums, weights)
    subjects = {name: figure.subjects for name, figure in figures.items()}
    assert subjects == {"precision": 5, "recall": 4, "f1": 5, "false_alarms_per_min": 10}
    # The interval is that of four subjects.
    resampled = resample_sums(sums, recall, weights)
    samples = resampled.samples[np.isfinite(resampled.samples)]
    low, high = (
        (found.low, found.high)
        for found in (
            estimate_interval(resampled.value, samples, resampled.jackknife, subjects=n) for n in (4, 10)
        )
    )
    assert figures["recall"].ci95 == low != high
    assert resample_sums(sums, recall, weights, [3]).subjects == 10
    assert count_subjects(sums) == 10 and count_subjects(sums, [1]) == 1


def test_who_has_no_event_is_not_alike_in_recall():
    sums = np.array([[2.0, 0, 0, 1], [3, 0, 0, 1], *([[0, 0, 0, 1.0]] * 8)])
    figure = estimate_from_sums(sums, recall, draw_weights(10, 500, 0), n=5, unit="e", undefined="x")
    assert figure.ci95 == (1, 1) and "from these 2 (rule of three)" in figure.reason


def test_not_defined_says_why():
    figure = estimate_from_sums(
        np.zeros((3, 4)), recall, draw_weights(3, 50, 0), n=0, unit="e", undefined="no event"
    )
    assert figure.to_json() == {
        "value": None,
        "ci95": None,
        "n": 0,
        "unit": "e",
        "subjects": 0,
        "reason": "no event",
    }


def test_mostly_undefined_resamples_give_no_interval():
    sums = np.zeros((40, 4))
    sums[0, 0] = sums[1, 0] = 1
    weights = np.zeros((100, 40))
    weights[:, 5] = 40
    assert estimate_from_sums(sums, recall, weights, n=2, unit="e", undefined="").ci95 is None


def test_no_resamples_give_no_interval():
    figure = estimate_from_sums(np.ones((3, 4)), recall, draw_weights(3, 0, 0), n=3, unit="e", undefined="")
    assert figure.value == 0.5 and figure.ci95 is None


def test_jackknife_leaves_each_subject_out():
    rng = np.random.default_rng(3)
    value, subject = rng.random(30), np.arange(30) // 3
    sums = np.column_stack([np.bincount(subject, value), np.bincount(subject)]).astype(float)
    expected = [value[subject != s].mean() for s in range(10)]
    weights = draw_weights(10, 20, 0)
    by_weights = resample_weights(lambda w: (w * value).sum(axis=1) / w.sum(axis=1), subject, weights)
    assert resample_sums(sums, mean, weights).jackknife == pytest.approx(expected, abs=1e-12)
    assert by_weights.jackknife == pytest.approx(expected, abs=1e-12)


def test_a_left_out_only_subject_leaves_exactly_nothing():
    sums = np.zeros((3, 2))
    sums[1] = [0.1, 0.3]
    assert np.isnan(resample_sums(sums, mean, draw_weights(3, 5, 0)).jackknife[1])


def test_interval_names_its_method():
    sums = np.column_stack([np.random.default_rng(4).random(30), np.ones(30)])
    figure = estimate_from_sums(sums, mean, draw_weights(30, 200, 0), n=30, unit="clips", undefined="")
    assert figure.method == "BCa" and figure.reason == "" and figure.to_json()["ci95_method"] == "BCa"
