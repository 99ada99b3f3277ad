from __future__ import annotations

from pathlib import Path

import pytest

from fascnet.errors import SettingError
from fascnet.evaluation.planning.basis import build_basis
from fascnet.evaluation.planning.models import (
    AurocModel,
    F1Model,
    KappaModel,
    PilotModel,
    RateModel,
    ShareModel,
)
from fascnet.evaluation.planning.pairs import F1Pair, PilotPair, RatePair, SharePair
from fascnet.evaluation.planning.question import NonInferiorityQuestion, StudyQuestion

from .pilots import write_pilot

VALUES = {"value": 0.8, "per_subject": 5.0, "icc": 0.1, "prevalence": 0.3}
MARGIN = NonInferiorityQuestion(margin=0.1)


@pytest.mark.parametrize(
    ("figure", "model", "pair"),
    [
        ("sensitivity", ShareModel, SharePair),
        ("specificity", ShareModel, SharePair),
        ("recall", ShareModel, SharePair),
        ("f1", F1Model, F1Pair),
        ("false_alarms_per_min", RateModel, RatePair),
    ],
)
def test_figures_and_their_models(figure, model, pair):
    basis = build_basis(StudyQuestion(figure, **VALUES, non_inferiority=MARGIN))
    assert isinstance(basis.model, model) and isinstance(basis.pair, pair)
    assert build_basis(StudyQuestion(figure, **VALUES)).pair is None


@pytest.mark.parametrize(
    ("figure", "model"), [("precision", ShareModel), ("kappa", KappaModel), ("auroc", AurocModel)]
)
def test_figures_whose_pairs_need_a_pilot(figure, model):
    assert isinstance(build_basis(StudyQuestion(figure, **VALUES)).model, model)
    with pytest.raises(SettingError, match=f"for {figure} give pilot="):
        build_basis(StudyQuestion(figure, **VALUES, non_inferiority=MARGIN))


@pytest.mark.parametrize(
    ("figure", "missing"),
    [("recall", "value"), ("recall", "per_subject"), ("recall", "icc"), ("kappa", "prevalence")],
)
def test_what_is_needed_is_asked_for(figure, missing):
    with pytest.raises(SettingError, match=f"^{missing}: give what you expect"):
        build_basis(StudyQuestion(figure, **(VALUES | {missing: None})))


def test_false_alarms_need_no_icc():
    question = StudyQuestion("false_alarms_per_min", value=2.0, per_subject=3.0)
    assert build_basis(question).facts == {"value": 2.0, "per_subject": 3.0, "between_cv": 1.0}


@pytest.mark.parametrize(("figure", "difference"), [("recall", -0.1), ("false_alarms_per_min", 0.1)])
def test_what_is_not_so_cannot_be_shown(figure, difference):
    wanted = NonInferiorityQuestion(margin=0.1, difference=difference)
    with pytest.raises(SettingError, match="worse than the margin"):
        build_basis(StudyQuestion(figure, **VALUES, non_inferiority=wanted))
    better = NonInferiorityQuestion(margin=0.1, difference=-difference)
    assert build_basis(StudyQuestion(figure, **VALUES, non_inferiority=better)).pair is not None


def test_a_pilot_says_what_it_knows(tmp_path: Path) -> None:
    write_pilot(tmp_path)
    wanted = NonInferiorityQuestion(margin=0.1, standard="rater", difference=0.02)
    basis = build_basis(StudyQuestion("recall", pilot=tmp_path, non_inferiority=wanted))
    assert isinstance(basis.model, PilotModel) and isinstance(basis.pair, PilotPair)
    facts = basis.facts
    assert (facts["pilot_source"], facts["pilot_subjects"], facts["standard"]) == ("model", 12, "rater")
    assert 0.8 < facts["value"] < 1 and facts["per_subject"] > 3 and facts["cv"] > 0
    assert facts["observed_difference"] + basis.pair.shift == pytest.approx(0.02)
    assert "12 subjects in the pilot" in basis.warnings[0]
    write_pilot(tmp_path, n_subjects=20)
    assert build_basis(StudyQuestion("auroc", pilot=tmp_path)).warnings == ()


def test_pilots_that_do_not_answer_say_why(tmp_path: Path) -> None:
    write_pilot(tmp_path)
    with pytest.raises(SettingError, match="no source 'nobody'; choose one of model, rater"):
        build_basis(StudyQuestion("recall", pilot=tmp_path, source="nobody"))
    with pytest.raises(SettingError, match=r"non_inferiority\.standard: with a pilot"):
        build_basis(StudyQuestion("recall", pilot=tmp_path, non_inferiority=MARGIN))
    wanted = NonInferiorityQuestion(margin=0.1, standard="x")
    with pytest.raises(SettingError, match=r"non_inferiority\.standard: the pilot has no source 'x'"):
        build_basis(StudyQuestion("recall", pilot=tmp_path, non_inferiority=wanted))
