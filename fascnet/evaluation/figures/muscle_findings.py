"""Muscle and patient figures of a source's outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fascnet.evaluation.figures.muscles import MuscleFinding, judge_muscle
from fascnet.evaluation.figures.patients import MuscleKey, estimate_muscles, estimate_patients
from fascnet.evaluation.outcome import ClipOutcome
from fascnet.evaluation.raters.coefficients import cohen_kappa_from_tables
from fascnet.evaluation.rules import ScoringRules
from fascnet.evaluation.sources.source import ClipFacts
from fascnet.evaluation.uncertainty.bootstrap import Figure, FloatArray, not_defined
from fascnet.types import Event, Interval

Findings = dict[MuscleKey, MuscleFinding]


def score_muscles(
    outcomes: Sequence[ClipOutcome],
    facts: Mapping[str, ClipFacts],
    rules: ScoringRules,
    weights: FloatArray,
) -> dict[str, dict[str, Figure]]:
    """Estimate sections `muscles` and `patients`; clips whose muscle nobody names are left out."""
    reference, found = judge_muscles(outcomes, facts, rules)
    if not reference:
        why = not_defined("no clip names its muscle; give the manifest's column muscle", "muscles")
        return {"muscles": {"sensitivity": why, "specificity": why, "presence_kappa": why}, "patients": {}}
    muscles = estimate_muscles(
        reference,
        found,
        rules.scales,
        weights,
        kappa=cohen_kappa_from_tables,
        weighted_kappa=lambda tables: cohen_kappa_from_tables(tables, "quadratic"),
    )
    patients = estimate_patients(reference, found, rules.scales, weights)
    flat = {f"{what}_{name}": one for what, each in patients.items() for name, one in each.items()}
    return {"muscles": muscles, "patients": flat}


def judge_muscles(
    outcomes: Sequence[ClipOutcome], facts: Mapping[str, ClipFacts], rules: ScoringRules
) -> tuple[Findings, Findings]:
    """Judge every muscle of every subject, by the reference and by the source, on the same seconds."""
    clips: dict[MuscleKey, list[ClipOutcome]] = {}
    for outcome in outcomes:
        fact = facts[outcome.clip_id]
        if fact.muscle:
            clips.setdefault((outcome.subject, f"{fact.muscle} {fact.side}".strip()), []).append(outcome)
    reference: Findings = {}
    found: Findings = {}
    for key, members in clips.items():
        sides: tuple[list[tuple[Sequence[Event], Sequence[Interval]]], ...] = ([], [])
        for outcome in members:
            matching = outcome.matching
            counted = [*(match.reference for match in matching.matches), *matching.missed]
            mine = [*(match.found for match in matching.matches), *matching.false]
            sides[0].append(([outcome.reference[i] for i in counted], outcome.examined))
            sides[1].append(([outcome.found[j] for j in mine], outcome.examined))
        for findings, side in ((reference, sides[0]), (found, sides[1])):
            finding = judge_muscle(side, rules.presence, rules.scales)
            if finding is not None:
                findings[key] = finding
    return reference, found
