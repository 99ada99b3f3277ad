from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fascnet.evaluation.planning.plan import make_plan
from fascnet.evaluation.planning.question import NonInferiorityQuestion, StudyQuestion

from .pilots import write_pilot

SMALL = {"studies": 60, "resamples": 200}
QUESTION = StudyQuestion("recall", 0.85, 6.0, 0.5, 0.2, widths=(0.2,), **SMALL)


def test_the_search_finds_what_the_closed_form_says():
    plan = make_plan(QUESTION)
    (answer,) = plan.widths
    by_formula = min(n for n, width in plan.closed_form.items() if width <= 0.2)
    assert answer.expected == pytest.approx(by_formula, abs=3)
    assert answer.assured > answer.expected
    sizes = [row.subjects for row in plan.tried_widths]
    assert sizes == sorted(set(sizes)) and answer.expected in sizes and answer.expected - 1 in sizes
    assert plan.tried_powers == () and plan.power_subjects is None


def test_half_the_width_takes_four_times_the_subjects():
    wide, narrow = make_plan(replace(QUESTION, figure="f1", widths=(0.16, 0.08))).widths
    assert narrow.expected == pytest.approx(4 * wide.expected, rel=0.15)


def test_given_sizes_are_tried_and_no_others():
    asked = []
    question = replace(QUESTION, subjects=(40, 10, 20), widths=(0.25, 0.01))
    plan = make_plan(question, asked.append)
    assert sorted(asked) == [10, 20, 40] == [row.subjects for row in plan.tried_widths]
    assert plan.widths[0].expected == 20 and plan.widths[1].expected is None


def test_power_rises_with_subjects_and_falls_with_the_margin():
    wanted = NonInferiorityQuestion(margin=0.15)
    plan = make_plan(replace(QUESTION, widths=(), non_inferiority=wanted, studies=150))
    easy = make_plan(replace(QUESTION, widths=(), non_inferiority=replace(wanted, margin=0.3), studies=150))
    assert easy.power_subjects < plan.power_subjects < 100
    best = next(row for row in plan.tried_powers if row.subjects == plan.power_subjects)
    assert best.power >= 0.8 > plan.tried_powers[0].power
    fixed = replace(QUESTION, widths=(), non_inferiority=wanted, subjects=(5, 200))
    assert make_plan(fixed).power_subjects == 200


def test_more_than_searched_is_none_and_few_are_warned_of():
    plan = make_plan(replace(QUESTION, most_subjects=20, widths=(0.05, 0.5)))
    assert plan.widths[0].expected is None and plan.widths[1].expected < 20
    assert any("below 20 an interval" in warning for warning in plan.warnings)
    assert max(row.subjects for row in plan.tried_widths) <= 20


def test_same_seed_same_plan_and_json_says_all(tmp_path: Path):
    question = replace(
        QUESTION, dropout=0.2, subjects=(20,), non_inferiority=NonInferiorityQuestion(margin=0.2)
    )
    plan = make_plan(question)
    assert make_plan(question) == plan
    assert make_plan(replace(question, seed=1)).tried_widths != plan.tried_widths
    plain = plan.to_json()
    assert plain["format"] == "fascnet-study-design/1" and plain["unit"] == "reference events"
    assert plain["question"]["seed"] == 0 and "workers" not in plain["question"]
    assert plain["tried_widths"][0]["closed_form_width"] == pytest.approx(0.207, abs=0.005)
    assert plain["widths"][0]["subjects"] in {None, 20}
    assert plain["widths"][0]["recruit"] in {None, 25}
    assert plain["non_inferiority"]["tried"][0]["subjects"] == 20


def test_a_pilot_plans_too(tmp_path: Path):
    write_pilot(tmp_path, n_subjects=24)
    wanted = NonInferiorityQuestion(margin=0.1, standard="rater")
    question = StudyQuestion("f1", pilot=tmp_path, widths=(0.1,), non_inferiority=wanted, **SMALL)
    plan = make_plan(question)
    assert plan.widths[0].expected > 5 and plan.power_subjects is not None
    assert plan.closed_form == {} and plan.to_json()["question"]["pilot"] == str(tmp_path)
