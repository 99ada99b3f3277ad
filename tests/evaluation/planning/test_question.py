from __future__ import annotations

import pytest

from fascnet.errors import SettingError
from fascnet.evaluation.planning.question import UNITS, NonInferiorityQuestion, StudyQuestion


def test_recruits_for_those_who_are_lost():
    question = StudyQuestion("recall", dropout=0.1)
    assert [question.recruit(n) for n in (90, 91, 9)] == [100, 102, 10]
    assert StudyQuestion("recall").recruit(7) == 7


def test_every_figure_has_a_unit_and_a_direction():
    for figure in UNITS:
        question = StudyQuestion(figure)
        assert question.unit and question.larger_is_better == (figure != "false_alarms_per_min")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"figure": "dice"}, "choose sensitivity"),
        ({"widths": [0.1, 0]}, "widths"),
        ({"widths": [float("nan")]}, "widths"),
        ({"subjects": []}, "subjects"),
        ({"subjects": [20, 1]}, "subjects"),
        ({"most_subjects": 4}, "most_subjects"),
        ({"dropout": 1.0}, "dropout"),
        ({"studies": 0}, "studies"),
        ({"resamples": 200_000}, "resamples"),
        ({"seed": -1}, "seed"),
        ({"workers": 0}, "workers"),
        ({"widths": []}, "nothing is asked"),
    ],
)
def test_refuses_impossible_questions(wrong, named):
    with pytest.raises(SettingError, match=named):
        StudyQuestion(**({"figure": "recall"} | wrong))


@pytest.mark.parametrize(("key", "value"), [("power", 1.0), ("margin", 0.0), ("alpha", 0.5)])
def test_refuses_impossible_margins(key, value):
    with pytest.raises(SettingError, match=rf"non_inferiority\.{key}"):
        NonInferiorityQuestion(**{key: value})
