from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from fascnet.errors import SettingError
from fascnet.evaluation.figures.muscles import FIVE_LEVELS, GRADES_0_3, GradeScale, PresenceRule, judge_muscle
from fascnet.evaluation.figures.patients import (
    estimate_muscles,
    estimate_patients,
    score_patients,
    tabulate_grades,
)
from fascnet.evaluation.uncertainty.bootstrap import draw_weights
from fascnet.types import Event

TWICE_A_MINUTE = PresenceRule()
ANY = PresenceRule(1, math.inf)


def place(*middles_s: float) -> list[Event]:
    return [Event(middle - 0.2, middle + 0.2) for middle in middles_s]


@pytest.mark.parametrize(
    ("times_s", "rule", "positive"),
    [
        ((), ANY, False),
        ((5,), ANY, True),
        ((5,), TWICE_A_MINUTE, False),
        ((5, 64.9), TWICE_A_MINUTE, True),
        ((5, 65.1), TWICE_A_MINUTE, False),
        ((5, 65.1, 100), TWICE_A_MINUTE, True),
        ((5, 20, 40), PresenceRule(3, 30), False),
    ],
)
def test_presence(times_s, rule, positive):
    assert judge_muscle([(place(*times_s), [(0, 120)])], rule).positive is positive


def test_clips_are_laid_end_to_end_and_only_examined_seconds_count():
    # 10 s + 20 s examined; the event at 15 s lies between the intervals and does not count.
    clips = [(place(9, 15, 21), [(0, 10), (20, 30)]), (place(1), [(0, 30)])]
    finding = judge_muscle(clips, PresenceRule(3, 12.1))
    assert (finding.n_events, finding.examined_s) == (3, 50)
    # On the joined axis the events lie at 9, 11 and 21 s.
    assert finding.positive and not judge_muscle(clips, PresenceRule(3, 11.9)).positive
    assert judge_muscle([(place(1), [])], ANY) is None


def test_a_muscle_examined_too_briefly_is_not_rated_unless_positive():
    rule = PresenceRule(2, 60, min_examined_s=30)
    assert judge_muscle([(place(5), [(0, 10)])], rule).positive is None
    assert judge_muscle([(place(5), [(0, 10)])], rule).grades == {}
    assert judge_muscle([(place(5, 7), [(0, 10)])], rule).positive is True


def test_grades_of_a_table_of_cutoffs():
    scale = GradeScale("own", (1, 5, 20))
    assert [scale.grade(rate) for rate in (0, 0.9, 1, 4.9, 5, 19.9, 20, 500)] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert (GRADES_0_3.levels, FIVE_LEVELS.levels) == (4, 5)
    finding = judge_muscle([(place(1, 2, 3), [(0, 30)])], ANY)
    assert finding.rate_per_min == pytest.approx(6)
    assert finding.grades == {"grade_0_3": 2, "five_levels": 2}


@pytest.mark.parametrize("cutoffs", [(), (0, 1), (2, 1), (1, 1), (1, math.inf)])
def test_refuses_a_wrong_scale(cutoffs):
    with pytest.raises(SettingError):
        GradeScale("own", cutoffs)


@pytest.mark.parametrize("rule", [{"min_events": 0}, {"window_s": 0}, {"min_examined_s": -1}])
def test_refuses_a_wrong_presence_rule(rule):
    with pytest.raises(SettingError):
        PresenceRule(**rule)


def draw_muscles(seed: int, subjects: int = 12, muscles: int = 6):
    rng = np.random.default_rng(seed)
    keys = [(s, f"m{m}") for s in range(subjects) for m in range(muscles)]
    return {
        key: judge_muscle([(place(*rng.uniform(0.2, 59.8, rng.poisson(3))), [(0, 60)])], TWICE_A_MINUTE)
        for key in keys
    }


def quadratic_kappa(tables: np.ndarray) -> np.ndarray:
    """Quadratic weighted kappa (Cohen 1968) straight from its definition."""
    k = tables.shape[-1]
    cost = (np.arange(k)[:, None] - np.arange(k)) ** 2
    n = tables.sum(axis=(-2, -1))
    chance = tables.sum(axis=-1)[..., :, None] * tables.sum(axis=-2)[..., None, :]
    chance = chance / np.maximum(n, 1)[..., None, None]
    with np.errstate(invalid="ignore"):
        return 1 - (cost * tables).sum(axis=(-2, -1)) / (cost * chance).sum(axis=(-2, -1))


def test_muscle_figures_equal_scikit_learn():
    one, two = draw_muscles(1), draw_muscles(2)
    scales = (GRADES_0_3, FIVE_LEVELS)
    figures = estimate_muscles(
        one, two, scales, draw_weights(12, 200, 0), kappa=quadratic_kappa, weighted_kappa=quadratic_kappa
    )
    truth, says = ([f.positive for f in side.values()] for side in (one, two))
    assert figures["presence_kappa"].value == pytest.approx(cohen_kappa_score(truth, says), abs=1e-9)
    for scale in scales:
        first, second = ([f.grades[scale.name] for f in side.values()] for side in (one, two))
        kappa = cohen_kappa_score(first, second, weights="quadratic")
        assert figures[f"{scale.name}_weighted_kappa"].value == pytest.approx(kappa, abs=1e-9)
        assert figures[f"{scale.name}_same"].value == pytest.approx(np.mean(np.equal(first, second)))
    assert figures["sensitivity"].n + figures["specificity"].n == 72
    assert figures["presence_kappa"].ci95 is not None


def test_self_agreement_is_perfect_and_no_coefficient_is_not_defined():
    one = draw_muscles(3)
    figures = estimate_muscles(
        one, one, [GRADES_0_3], draw_weights(12, 50, 0), weighted_kappa=quadratic_kappa
    )
    assert figures["grade_0_3_weighted_kappa"].value == pytest.approx(1)
    assert figures["sensitivity"].value == figures["specificity"].value == 1
    assert figures["presence_kappa"].value is None and "coefficient" in figures["presence_kappa"].reason
    patients = estimate_patients(one, one, [GRADES_0_3], draw_weights(12, 50, 0))
    assert patients["n_positive"]["icc"].value == pytest.approx(1)
    assert patients["grade_0_3_sum"]["bias"].value == 0 and patients["n_events"]["bias"].unit == "patients"


def test_patient_sums_by_hand_and_only_shared_muscles_count():
    full, none = place(1, 2, 3, 4, 5, 6), place()
    judged = {
        (0, "biceps L"): judge_muscle([(full, [(0, 60)])], TWICE_A_MINUTE),
        (0, "biceps R"): judge_muscle([(none, [(0, 60)])], TWICE_A_MINUTE),
        (1, "biceps L"): judge_muscle([(place(3), [(0, 60)])], TWICE_A_MINUTE),
    }
    scores = score_patients(judged)
    assert (scores[0].n_muscles, scores[0].n_positive, scores[0].n_events) == (2, 1, 6)
    assert scores[0].sums == {"grade_0_3": 2, "five_levels": 2}
    assert (scores[1].n_positive, scores[1].sums["grade_0_3"]) == (0, 1)
    other = {key: judged[key] for key in judged if key != (0, "biceps L")}
    patients = estimate_patients(judged, other, [GRADES_0_3], draw_weights(2, 50, 0))
    assert patients["n_positive"]["bias"].value == 0, "the muscle that one did not see is in neither sum"


def test_tables_hold_the_first_source_in_rows():
    tables = tabulate_grades(np.array([2, 0]), np.array([1, 0]), np.array([0, 1]), 2, 3)
    assert tables.shape == (2, 3, 3) and tables[0, 2, 1] == 1 == tables[1, 0, 0]


def test_nothing_shared_is_not_defined():
    figures = estimate_muscles({}, {}, [GRADES_0_3], draw_weights(2, 20, 0), weighted_kappa=quadratic_kappa)
    assert all(figure.value is None and figure.reason for figure in figures.values())
    patients = estimate_patients({}, {}, [GRADES_0_3], draw_weights(2, 20, 0))
    assert patients["n_positive"]["icc"].value is None
