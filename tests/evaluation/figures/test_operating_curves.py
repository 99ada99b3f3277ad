from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from fascnet.evaluation.figures import operating_curves
from fascnet.evaluation.figures.operating_curves import (
    choose_threshold,
    estimate_clip_curve,
    estimate_event_curve,
)
from fascnet.evaluation.figures.score_table import (
    average_precision,
    partial_auroc,
    sensitivity_at_rate,
    tabulate_scores,
)
from fascnet.evaluation.matching.match import MatchingRule, match_events, rank_events
from fascnet.evaluation.uncertainty.bootstrap import draw_weights
from fascnet.types import Event


def draw_clips(seed: int, n: int = 300, decimals: int = 2):
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < 0.4
    score = np.round(np.clip(0.3 * truth + rng.random(n) * 0.7, 0, 1), decimals)
    return score, truth, np.arange(n) // 5


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("decimals", [1, 2, 8])
def test_clip_figures_equal_scikit_learn(seed, decimals):
    score, truth, subject = draw_clips(seed, decimals=decimals)
    figures, points = estimate_clip_curve(score, truth, subject, draw_weights(60, 100, 0), (0.9, 0.985), 0.8)
    assert figures["auroc"].value == pytest.approx(roc_auc_score(truth, score), abs=1e-9)
    assert figures["partial_auroc"].value == pytest.approx(roc_auc_score(truth, score, max_fpr=0.2), abs=1e-9)
    assert figures["average_precision"].value == pytest.approx(
        average_precision_score(truth, score), abs=1e-9
    )
    fpr, tpr, _ = roc_curve(truth, score, drop_intermediate=False)
    for point in points:
        assert point.sensitivity.value == pytest.approx(tpr[fpr <= 1 - point.wanted + 1e-12].max(), abs=1e-9)
        assert point.reached >= point.wanted
        assert (score[truth] >= point.threshold).mean() == pytest.approx(point.sensitivity.value)
        assert (score[~truth] < point.threshold).mean() == pytest.approx(point.reached)


def test_weighted_figures_equal_repeated_subjects():
    score, truth, subject = draw_clips(9)
    weights = np.random.default_rng(1).integers(0, 4, (3, 60)).astype(float)
    table = tabulate_scores(score, truth, subject, 60)
    for row in weights:
        again = np.repeat(np.arange(300), row[subject].astype(int))
        positive, negative = row @ table.positive, row @ table.negative
        assert partial_auroc(positive, negative, 0.1) == pytest.approx(
            roc_auc_score(truth[again], score[again], max_fpr=0.1), abs=1e-9
        )
        assert average_precision(positive, negative, positive.sum()) == pytest.approx(
            average_precision_score(truth[again], score[again]), abs=1e-9
        )


def test_table_gives_the_precision_recall_and_roc_curves_of_scikit_learn():
    score, truth, subject = draw_clips(11, decimals=1)
    table = tabulate_scores(score, truth, subject, 60)
    hits, false = table.pool()
    precision, recall, thresholds = precision_recall_curve(truth, score)
    assert table.thresholds[::-1] == pytest.approx(thresholds, abs=1e-12)
    assert (hits / truth.sum())[::-1] == pytest.approx(recall[:-1], abs=1e-9)
    assert (hits / (hits + false))[::-1] == pytest.approx(precision[:-1], abs=1e-9)
    fpr, tpr, _ = roc_curve(truth, score, drop_intermediate=False)
    assert false / (~truth).sum() == pytest.approx(fpr[1:], abs=1e-9)
    assert hits / truth.sum() == pytest.approx(tpr[1:], abs=1e-9)


def test_merged_thresholds_change_the_interval_little_and_the_value_not_at_all(monkeypatch):
    score, truth, subject = draw_clips(12, n=600, decimals=9)
    weights = draw_weights(120, 300, 0)
    exact, _ = estimate_clip_curve(score, truth, subject, weights)
    monkeypatch.setattr(operating_curves, "MAX_THRESHOLDS", 200)
    merged, _ = estimate_clip_curve(score, truth, subject, weights)
    for name, figure in exact.items():
        assert merged[name].value == pytest.approx(figure.value, abs=1e-12)
        assert merged[name].ci95 == pytest.approx(figure.ci95, abs=0.03)


def test_froc_by_hand():
    # Two minutes, 4 reference events; scores fall: hit, false, hit and false (equal scores), hit, false.
    score = np.array([0.9, 0.8, 0.7, 0.7, 0.5, 0.1])
    is_hit = np.array([1, 0, 1, 0, 1, 0], bool)
    table = tabulate_scores(score, is_hit, np.zeros(6, np.int64), 1)
    args = table.positive[0], table.negative[0], np.array(4.0), np.array(2.0)
    expected = {0: 0.25, 0.5: 0.25, 0.99: 0.25, 1.0: 0.75, 1.5: 0.75}
    for rate, sensitivity in expected.items():
        assert sensitivity_at_rate(*args, rate) == pytest.approx(sensitivity), rate
    # Recall rises by 1/4 at precisions 1, 2/4 and 3/5; the fourth event is never found.
    assert average_precision(*args[:3]) == pytest.approx((1 + 2 / 4 + 3 / 5) / 4)


def test_event_average_precision_is_scikit_learns_times_the_share_ever_found():
    score, hit, subject = draw_clips(13)
    n_reference = np.full(60, 3.0)
    figures = estimate_event_curve(score, hit, subject, n_reference, np.ones(60), draw_weights(60, 100, 0))
    expected = average_precision_score(hit, score) * hit.sum() / 180
    assert figures["average_precision"].value == pytest.approx(expected, abs=1e-9)
    low, high = figures["froc_score"].ci95
    assert low < figures["froc_score"].value < high
    rates = [figures[f"sensitivity_at_{rate}_per_min"].value for rate in ("0.5", "1", "2", "4")]
    assert rates == sorted(rates) and figures["froc_score"].value == pytest.approx(np.mean(rates))


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("in_space", [False, True])
def test_ranked_hits_equal_a_matching_at_every_threshold(seed, in_space):
    rng = np.random.default_rng(seed)

    def draw(n: int, scored: bool) -> list[Event]:
        onset = rng.integers(0, 25, n) / 10
        length = rng.integers(1, 8, n) / 10
        score = rng.integers(1, 6, n) / 5
        pairs = zip(onset, length, score, strict=True)
        return [Event(a, a + b, a + b / 2, score=s if scored else None) for a, b, s in pairs]

    reference, found = draw(rng.integers(0, 7), False), draw(rng.integers(0, 9), True)
    rule = MatchingRule("r", "tolerance", tolerance_s=0.3) if in_space else MatchingRule("r")
    ranked = rank_events(reference, found, rule)
    assert ranked.n_reference == len(reference)
    for threshold in np.unique([event.score for event in found]):
        admitted = [event for event in found if event.score >= threshold]
        matching = match_events(reference, admitted, rule)
        above = ranked.score >= threshold
        assert int(ranked.is_hit[above].sum()) == len(matching.matches)
        assert int((~ranked.is_hit[above]).sum()) == len(matching.false)


def test_a_weak_duplicate_does_not_take_the_match_of_a_strong_event():
    reference = [Event(1.0, 1.4, 1.2)]
    found = [Event(1.1, 1.6, 1.3, score=0.9), Event(1.0, 1.4, 1.2, score=0.2)]
    ranked = rank_events(reference, found, MatchingRule("r"))
    assert dict(zip(ranked.score, ranked.is_hit, strict=True)) == {0.9: True, 0.2: False}


def test_found_event_on_a_possible_one_is_not_on_the_curve():
    reference = [Event(0, 1, certainty="possible"), Event(5, 6)]
    found = [Event(0, 1, score=0.9), Event(5, 6, score=0.5), Event(8, 9, score=0.3)]
    ranked = rank_events(reference, found, MatchingRule("r"), ignored_certainty=frozenset({"possible"}))
    assert ranked.n_reference == 1
    assert list(zip(ranked.score, ranked.is_hit, strict=True)) == [(0.5, True), (0.3, False)]


def test_threshold_is_chosen_on_negatives_and_may_not_exist():
    negative = np.array([0.1, 0.2, 0.3, 0.9])
    scores = np.array([0.1, 0.2, 0.3, 0.4, 0.9])
    assert choose_threshold(negative, scores, 0.75) == (0.4, 0.75)
    assert choose_threshold(negative, scores, 0.9) == (None, 1.0), "the highest score belongs to a negative"
    assert choose_threshold(np.empty(0), scores, 0.9) == (None, None)


def test_shuffled_truth_is_chance_and_perfect_scores_are_perfect():
    score, truth, subject = draw_clips(14, n=3000)
    shuffled = np.random.default_rng(0).permutation(truth)
    figures, _ = estimate_clip_curve(score, shuffled, subject, draw_weights(600, 0, 0))
    assert figures["auroc"].value == pytest.approx(0.5, abs=0.03)
    assert figures["partial_auroc"].value == pytest.approx(0.5, abs=0.03)
    assert figures["average_precision"].value == pytest.approx(truth.mean(), abs=0.03)
    figures, _ = estimate_clip_curve(truth.astype(float), truth, subject, draw_weights(600, 0, 0))
    assert {round(figure.value, 12) for figure in figures.values()} == {1.0}


@pytest.mark.parametrize("truth", [[True, True], [False, False], []])
def test_one_class_is_not_defined(truth):
    truth = np.array(truth, bool)
    n = len(truth)
    figures, points = estimate_clip_curve(
        np.linspace(0.2, 0.8, n), truth, np.arange(n), draw_weights(max(n, 1), 20, 0)
    )
    for name in ("auroc", "partial_auroc", "sensitivity_at_specificity_0.9"):
        assert figures[name].value is None and figures[name].reason
    assert all(point.sensitivity.value is None for point in points)


def test_no_event_found_is_zero_and_no_reference_event_is_not_defined():
    nothing = np.empty(0), np.empty(0, bool), np.empty(0, np.int64)
    figures = estimate_event_curve(*nothing, np.array([2.0, 3]), np.ones(2), draw_weights(2, 20, 0))
    assert {figure.value for figure in figures.values()} == {0.0}
    figures = estimate_event_curve(*nothing, np.zeros(2), np.ones(2), draw_weights(2, 20, 0))
    assert {figure.value for figure in figures.values()} == {None}
    assert figures["froc_score"].reason == "no reference event"
