"""How many subjects? The answer to a `StudyQuestion`, from assumptions or from a pilot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
from scipy.special import ndtri

from fascnet.evaluation.planning.basis import StudyBasis, build_basis
from fascnet.evaluation.planning.models import ShareModel
from fascnet.evaluation.planning.question import StudyQuestion
from fascnet.evaluation.planning.simulation import (
    LEAST_SUBJECTS,
    Margin,
    PlannedPower,
    PlannedWidth,
    Simulation,
    find_subjects,
    guess_for_width,
    start_workers,
)
from fascnet.evaluation.uncertainty.small_samples import FEW_SUBJECTS

FORMAT = "fascnet-study-design/1"

_FIRST_TRY = 50
"""Subjects of the first simulation, where no closed form says where to begin."""

OnSize = Callable[[int], None]
"""Told the number of subjects before each simulation."""


@dataclass(frozen=True, slots=True)
class WidthAnswer:
    """Subjects for a width: on average, and so that 90 % of studies stay within; None: more than searched."""

    width: float
    expected: int | None
    assured: int | None


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """The answer.

    Attributes:
        question: as it was asked.
        basis: what the simulation rests on, by name; from the pilot, where there is one.
        widths: subjects for each width; empty where sizes were given.
        tried_widths: every size that was simulated for widths, rising.
        power_subjects: subjects that show non-inferiority with the wanted power; None where more are needed
            than were searched, or it was not asked.
        tried_powers: every size that was simulated for power, rising; empty where it was not asked.
        closed_form: width in closed form by size, where there is one.
        warnings: lines to be read first.
    """

    question: StudyQuestion
    basis: Mapping[str, float | str | None]
    widths: tuple[WidthAnswer, ...]
    tried_widths: tuple[PlannedWidth, ...]
    power_subjects: int | None
    tried_powers: tuple[PlannedPower, ...]
    closed_form: Mapping[int, float]
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return the form of `study_design.json`."""
        plain = asdict(self.question)
        plain["pilot"] = None if self.question.pilot is None else str(self.question.pilot)
        plain["widths"] = list(self.question.widths)
        plain["subjects"] = None if self.question.subjects is None else list(self.question.subjects)
        # How many processes shared the work changes nothing.
        plain.pop("workers")
        recruit = self.question.recruit
        return {
            "format": FORMAT,
            "question": plain,
            "unit": self.question.unit,
            "basis": dict(self.basis),
            "warnings": list(self.warnings),
            "widths": [
                {
                    "width": answer.width,
                    "subjects": answer.expected,
                    "recruit": None if answer.expected is None else recruit(answer.expected),
                    "subjects_90": answer.assured,
                    "recruit_90": None if answer.assured is None else recruit(answer.assured),
                }
                for answer in self.widths
            ],
            "tried_widths": [
                {**row.to_json(), "closed_form_width": self.closed_form.get(row.subjects)}
                for row in self.tried_widths
            ],
            "non_inferiority": None
            if self.question.non_inferiority.margin is None
            else {
                "subjects": self.power_subjects,
                "recruit": None if self.power_subjects is None else recruit(self.power_subjects),
                "tried": [row.to_json() for row in self.tried_powers],
            },
        }


def make_plan(question: StudyQuestion, on_size: OnSize = lambda _: None) -> StudyPlan:
    """Simulate until the question is answered.

    Args:
        question: what is believed and wanted.
        on_size: told the number of subjects before each simulation.

    Raises:
        SettingError: the question lacks a value, or the pilot cannot be read.
    """
    basis = build_basis(question)
    with start_workers(question.workers) as spread:
        simulation = Simulation(question.seed, question.studies, question.resamples, spread)
        widths, tried_widths = _answer_widths(question, basis, simulation, on_size)
        power_subjects, tried_powers = _answer_power(question, basis, simulation, on_size)
    model = basis.model
    closed_form = (
        {row.subjects: model.expect_width(row.subjects) for row in tried_widths}
        if isinstance(model, ShareModel)
        else {}
    )
    named = [n for answer in widths for n in (answer.expected, answer.assured)] + [power_subjects]
    few = [n for n in named if n is not None and n < FEW_SUBJECTS]
    warnings = list(basis.warnings)
    if few:
        warnings.append(
            f"{min(few)} subjects: below {FEW_SUBJECTS} an interval may cover less often than 95 %"
        )
    if any(row.defined_share < 1 for row in tried_widths):
        warnings.append("some simulated studies had no interval; their share is in the table")
    return StudyPlan(
        question,
        basis.facts,
        widths,
        tried_widths,
        power_subjects,
        tried_powers,
        closed_form,
        tuple(warnings),
    )


def _answer_widths(
    question: StudyQuestion, basis: StudyBasis, simulation: Simulation, on_size: OnSize
) -> tuple[tuple[WidthAnswer, ...], tuple[PlannedWidth, ...]]:
    rows: dict[int, PlannedWidth] = {}

    def plan(n: int) -> PlannedWidth:
        if n not in rows:
            on_size(n)
            rows[n] = simulation.plan_width(basis.model, n)
        return rows[n]

    def find(width: float, assured: bool) -> int | None:
        if question.subjects is not None:
            fitting = (n for n in sorted(question.subjects) if plan(n).is_within(width, assured=assured))
            return next(fitting, None)
        start = _guess(basis, width, question.most_subjects, plan)
        return find_subjects(
            lambda n: plan(n).is_within(width, assured=assured), start, question.most_subjects
        )

    for n in () if question.subjects is None else question.subjects:
        plan(n)
    answers = tuple(WidthAnswer(w, find(w, assured=False), find(w, assured=True)) for w in question.widths)
    return answers, tuple(rows[n] for n in sorted(rows))


def _guess(basis: StudyBasis, width: float, most: int, plan: Callable[[int], PlannedWidth]) -> int:
    """Guess where to begin: by the closed form, or by one simulated size."""
    if not isinstance(basis.model, ShareModel):
        return guess_for_width(plan(min(_FIRST_TRY, most)), width)
    sizes = np.unique(np.geomspace(LEAST_SUBJECTS, most, 400).astype(int)).tolist()
    return next((n for n in sizes if basis.model.expect_width(n) <= width), most)


def _answer_power(
    question: StudyQuestion, basis: StudyBasis, simulation: Simulation, on_size: OnSize
) -> tuple[int | None, tuple[PlannedPower, ...]]:
    wanted = question.non_inferiority
    pair = basis.pair
    if wanted.margin is None or pair is None:
        return None, ()
    aim = Margin(wanted.margin, wanted.alpha, question.larger_is_better)
    rows: dict[int, PlannedPower] = {}

    def plan(n: int) -> PlannedPower:
        if n not in rows:
            on_size(n)
            rows[n] = simulation.plan_power(pair, n, aim)
        return rows[n]

    if question.subjects is not None:
        found = next((n for n in sorted(question.subjects) if plan(n).power >= wanted.power), None)
        for n in question.subjects:
            plan(n)
    else:
        first = plan(min(_FIRST_TRY, question.most_subjects))
        # Power is that of a normal difference whose standard error falls with the root of the subjects.
        reach = -ndtri(wanted.alpha)
        shown = reach + ndtri(np.clip(first.power, 0.03, 0.97))
        ratio = max(float((reach + ndtri(wanted.power)) / shown), 0.0) ** 2
        start = max(round(first.subjects * ratio), LEAST_SUBJECTS)
        found = find_subjects(lambda n: plan(n).power >= wanted.power, start, question.most_subjects)
    return found, tuple(rows[n] for n in sorted(rows))
