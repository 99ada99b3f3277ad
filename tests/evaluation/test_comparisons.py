from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from statsmodels.stats.multitest import multipletests

from fascnet.evaluation.comparisons import compare_results
from fascnet.evaluation.rules import Margin
from fascnet.evaluation.scoring import SourceResult, score_events
from fascnet.evaluation.sources.source import Source
from fascnet.evaluation.uncertainty.bootstrap import draw_weights

from .outcomes import draw_outcomes

N_SUBJECTS = 12
WEIGHTS = draw_weights(N_SUBJECTS, 400, 0)


def make_result(name, seed, keep=slice(None)) -> SourceResult:
    """One source on the clips that every seed draws alike, with scores of its own."""
    truth, _ = draw_outcomes(0)
    other, _ = draw_outcomes(seed)
    rng = np.random.default_rng(seed)
    outcomes = [
        replace(mine, clip_id=one.clip_id, score=float(rng.random() * 0.6 + 0.4 * bool(mine.n_reference)))
        for one, mine in zip(truth, other, strict=True)
    ]
    return SourceResult(Source(name, "prediction", {}, {}, {}), tuple(outcomes[keep]), {}, {}, (), ())


@pytest.fixture(scope="module")
def main():
    return make_result("main", 1)


def test_a_source_against_itself_differs_in_nothing(main) -> None:
    (same,) = compare_results(main, [main], 0.5, WEIGHTS)
    assert {difference.value for difference in same.differences.values()} == {0.0}
    assert {adjusted.holm for adjusted in same.adjusted.values()} == {1.0}


def test_differences_are_those_of_the_figures(main) -> None:
    other = make_result("other", 2)
    (found,) = compare_results(main, [other], 0.5, WEIGHTS)
    ours, theirs = (score_events(result.outcomes, WEIGHTS) for result in (main, other))
    for name in ("f1", "precision", "recall", "false_alarms_per_min"):
        expected = ours[name].value - theirs[name].value
        assert found.differences[name].value == pytest.approx(expected, abs=1e-12)
    areas = []
    for result in (main, other):
        truth = [outcome.n_reference > 0 for outcome in result.outcomes]
        areas.append(roc_auc_score(truth, [outcome.score for outcome in result.outcomes]))
    assert found.differences["clip_auroc"].value == pytest.approx(areas[0] - areas[1], abs=1e-9)
    assert found.n_clips == len(main.outcomes)


def test_only_clips_that_both_judged_are_compared(main) -> None:
    fewer = make_result("fewer", 1, slice(0, 30))
    (found,) = compare_results(main, [fewer], 0.5, WEIGHTS)
    assert found.n_clips == 30
    assert found.differences["f1"].value == 0.0, "the same answers on the clips that both judged"


def test_p_is_adjusted_over_every_comparison(main) -> None:
    found = compare_results(main, [make_result("a", 2), make_result("b", 3)], 0.5, WEIGHTS)
    pairs = [(each.other, name) for each in found for name in each.adjusted]
    raw = [each.adjusted[name].p for each in found for name in each.adjusted]
    holm = [each.adjusted[name].holm for each in found for name in each.adjusted]
    hochberg = [each.adjusted[name].benjamini_hochberg for each in found for name in each.adjusted]
    assert len(pairs) == 2 * 8
    assert holm == pytest.approx(multipletests(raw, method="holm")[1], abs=1e-9)
    assert hochberg == pytest.approx(multipletests(raw, method="fdr_bh")[1], abs=1e-9)


def test_a_source_without_scores_has_no_area(main) -> None:
    rater = replace(main, outcomes=tuple(replace(outcome, score=None) for outcome in main.outcomes))
    (found,) = compare_results(main, [rater], 0.5, WEIGHTS)
    assert "clip_auroc" not in found.differences and "clip_sensitivity" in found.differences


@pytest.mark.parametrize(("figure", "named"), [("f1", "f1"), ("sensitivity", "recall")])
def test_the_margin_belongs_to_its_figure(main, figure, named) -> None:
    (found,) = compare_results(main, [make_result("a", 2)], 0.5, WEIGHTS, Margin(figure, 0.9))
    assert found.non_inferiority.verdict == "non-inferior"
    assert found.non_inferiority.value == pytest.approx(found.differences[named].value)
    assert found.to_json()["non_inferiority"]["margin"] == 0.9


def test_more_false_alarms_are_worse(main) -> None:
    noisy = replace(
        main,
        outcomes=tuple(
            replace(
                outcome,
                matching=replace(outcome.matching, false=(*outcome.matching.false, *([0] * 5))),
            )
            for outcome in main.outcomes
        ),
    )
    margin = Margin("false_alarms_per_min", 1.0)
    (worse,) = compare_results(noisy, [main], 0.5, WEIGHTS, margin)
    assert worse.non_inferiority.verdict in {"inferior", "not shown"} and not worse.non_inferiority.superior
    assert worse.differences["false_alarms_per_min"].value == pytest.approx(30.0)
