"""What a planned study rests on: assumptions, or the subjects of a pilot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fascnet.errors import SettingError
from fascnet.evaluation.planning.draws import UnitCounts
from fascnet.evaluation.planning.models import (
    AurocModel,
    F1Model,
    KappaModel,
    PilotModel,
    RateModel,
    ShareModel,
    StudyModel,
)
from fascnet.evaluation.planning.pairs import F1Pair, PilotPair, RatePair, SharePair
from fascnet.evaluation.planning.pilot import PilotClips, estimate_icc, read_pilot, share_clips
from fascnet.evaluation.planning.question import SHARES, StudyQuestion

FEW_PILOT_SUBJECTS = 20
"""A variance of fewer subjects is known to a factor of two at best (chi square of 19: 0.58 to 2.1), and the
number of subjects goes with it."""

_SHARE_COLUMNS: Mapping[str, tuple[int, tuple[int, ...]]] = {
    "sensitivity": (0, (0, 2)),
    "specificity": (3, (3, 1)),
    "recall": (0, (0, 2)),
    "precision": (0, (0, 1)),
}
"""Columns of successes and of units in the sums of a pilot."""


@dataclass(frozen=True, slots=True)
class StudyBasis:
    """What is simulated.

    Attributes:
        model: of the figure.
        pair: of the difference of two sources; None where it is not asked for.
        facts: what both rest on, by name, for tables.
        warnings: lines to be read first.
    """

    model: StudyModel
    pair: StudyModel | None
    facts: Mapping[str, float | str | None]
    warnings: tuple[str, ...] = ()


def build_basis(question: StudyQuestion) -> StudyBasis:
    """Build the models of a question.

    Raises:
        SettingError: a value that is needed is missing or out of range, or the pilot cannot be read.
    """
    wanted = question.non_inferiority
    if wanted.margin is not None and wanted.difference is not None:
        # How much better than the margin the new source truly is.
        room = wanted.margin + wanted.difference * (1 if question.larger_is_better else -1)
        if not room > 0:
            raise SettingError(
                f"non_inferiority.difference={wanted.difference:g} is worse than the margin: no number of "
                "subjects shows what is not so"
            )
    return _build_from_values(question) if question.pilot is None else _build_from_pilot(question)


def _build_from_values(question: StudyQuestion) -> StudyBasis:
    value, per_subject = _need(question, "value"), _need(question, "per_subject")
    facts: dict[str, float | str | None] = {"value": value, "per_subject": per_subject}
    if question.figure == "false_alarms_per_min":
        facts["between_cv"] = question.between_cv
        model: StudyModel = RateModel(value, per_subject, question.between_cv)
        return StudyBasis(model, _pair_values(question, value, per_subject), facts)
    units, icc = UnitCounts(per_subject, question.cv), _need(question, "icc")
    facts |= {"cv": question.cv, "icc": icc}
    if question.figure in SHARES:
        model = ShareModel(value, units, icc)
    elif question.figure == "f1":
        model = F1Model(value, units, icc)
    else:
        prevalence = _need(question, "prevalence")
        facts["prevalence"] = prevalence
        build = KappaModel if question.figure == "kappa" else AurocModel
        model = build(value, prevalence, units, icc)
    return StudyBasis(model, _pair_values(question, value, per_subject), facts)


def _pair_values(question: StudyQuestion, value: float, per_subject: float) -> StudyModel | None:
    wanted = question.non_inferiority
    if wanted.margin is None:
        return None
    difference = 0.0 if wanted.difference is None else wanted.difference
    if question.figure == "false_alarms_per_min":
        return RatePair(value, difference, per_subject, question.between_cv, wanted.pair_correlation)
    if question.figure not in {"sensitivity", "specificity", "recall", "f1"}:
        # Two sources do not find the same events, and scores of two sources need a joint distribution.
        raise SettingError(
            f"non_inferiority: for {question.figure} give pilot=…; without one it takes sensitivity, "
            "specificity, recall, f1 or false_alarms_per_min"
        )
    units = UnitCounts(per_subject, question.cv)
    pair = SharePair(value, difference, units, _need(question, "icc"), wanted.pair_correlation)
    return F1Pair(pair) if question.figure == "f1" else pair


def _build_from_pilot(question: StudyQuestion) -> StudyBasis:
    if question.pilot is None:
        raise SettingError("pilot: give the folder of a finished benchmark")
    pilot = read_pilot(question.pilot)
    clips = _choose(pilot, "source", next(iter(pilot)) if question.source is None else question.source)
    sums, figure = clips.sum_for(question.figure)
    value = float(figure(sums.sum(axis=0)[None])[0])
    if not np.isfinite(value):
        raise SettingError(f"pilot: {question.figure} of '{clips.source}' is not defined there")
    facts: dict[str, float | str | None] = {
        "pilot_source": clips.source,
        "pilot_subjects": float(len(sums)),
        "pilot_clips": float(len(clips.clip_ids)),
        "value": value,
    }
    if question.figure in SHARES:
        hit, all_of = _SHARE_COLUMNS[question.figure]
        units = sums[:, all_of].sum(axis=1)
        facts |= {
            "per_subject": float(units.mean()),
            "cv": float(units.std(ddof=1) / units.mean()) if len(units) > 1 else None,
            "icc": estimate_icc(sums[:, hit], units),
        }
    warnings = []
    if len(sums) < FEW_PILOT_SUBJECTS:
        warnings.append(
            f"{len(sums)} subjects in the pilot: below {FEW_PILOT_SUBJECTS} the number of subjects found "
            "here may be off by a factor of two"
        )
    pair = None if question.non_inferiority.margin is None else _pair_pilot(question, pilot, clips, facts)
    return StudyBasis(PilotModel(sums, figure), pair, facts, tuple(warnings))


def _pair_pilot(
    question: StudyQuestion,
    pilot: Mapping[str, PilotClips],
    clips: PilotClips,
    facts: dict[str, float | str | None],
) -> StudyModel:
    wanted = question.non_inferiority
    if wanted.standard is None:
        raise SettingError(
            f"non_inferiority.standard: with a pilot, name the source to compare with: {', '.join(pilot)}"
        )
    standard = _choose(pilot, "non_inferiority.standard", wanted.standard)
    new, old = (side.sum_for(question.figure) for side in share_clips(clips, standard))
    observed = float(new[1](new[0].sum(axis=0)[None])[0] - old[1](old[0].sum(axis=0)[None])[0])
    if not np.isfinite(observed):
        raise SettingError(f"pilot: {question.figure} of '{standard.source}' is not defined there")
    facts |= {"standard": standard.source, "observed_difference": observed}
    shift = 0.0 if wanted.difference is None else wanted.difference - observed
    return PilotPair(new[0], old[0], new[1], shift)


def _choose(pilot: Mapping[str, PilotClips], key: str, name: str) -> PilotClips:
    if name not in pilot:
        raise SettingError(f"{key}: the pilot has no source '{name}'; choose one of {', '.join(pilot)}")
    return pilot[name]


def _need(question: StudyQuestion, key: str) -> float:
    value: float | None = getattr(question, key)
    if value is None:
        raise SettingError(f"{key}: give what you expect ({question.figure}), or pilot=…")
    return value
