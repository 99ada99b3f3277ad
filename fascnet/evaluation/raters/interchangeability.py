"""Can the model stand in for a rater? Leave one rater out, and ask the others about both.

For every rater, the consensus of the *other* raters is the reference; the model and the rater left out are
both scored against it on the same clips and seconds. The difference (model minus rater) is averaged over
raters. A rater is never compared with a consensus that holds his own answers, nor the model with another
reference than the rater beside it. The figures of a subject stay together in the bootstrap, so the interval
is paired.

The margin must be set before the data are seen: how much worse than a rater is still a rater. The statement
is that of a non-inferiority trial (Piaggio et al. 2012, JAMA 308:2594): the interval of the difference
against the margin; a difference that is not significant is no proof of anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fascnet.errors import SettingError
from fascnet.evaluation.figures import events
from fascnet.evaluation.matching.match import MatchingRule, match_events
from fascnet.evaluation.raters import staple
from fascnet.evaluation.raters.agreement import cohen_kappa, count_cells, intersect
from fascnet.evaluation.raters.consensus import UNSURE, ClipLabels, build_consensus
from fascnet.evaluation.sources.source import NO_FACTS, NOTHING_KNOWN, ClipFacts
from fascnet.evaluation.uncertainty.bootstrap import (
    Figure,
    FloatArray,
    Resampled,
    SumsFigure,
    find_columns,
    not_defined,
    resample_sums,
    summarise,
)
from fascnet.evaluation.uncertainty.noninferiority import NonInferiority, judge_non_inferiority
from fascnet.types import Interval, Labels

MIN_RATERS = 3
"""With two, the "consensus of the others" is one person."""

N_COLUMNS = 8
"""Hits, false alarms, misses, minutes; seconds that both, only first, only second, neither call positive."""

_EVENTS, _SECONDS = slice(0, 4), slice(4, N_COLUMNS)

FIGURES: Mapping[str, tuple[SumsFigure, int, slice]] = {
    "f1": (events.f1, 1, _EVENTS),
    "sensitivity": (events.recall, 1, _EVENTS),
    "precision": (events.precision, 1, _EVENTS),
    "false_alarms_per_min": (events.false_alarms_per_min, -1, _EVENTS),
    "event_kappa": (cohen_kappa, 1, _SECONDS),
}
"""Each figure, +1 where more is better, -1 where less is, and the columns that it is computed of."""


_NOTHING = "no event or no clip to compare"


@dataclass(frozen=True, slots=True, eq=False)
class LeaveOneOut:
    """The sums from which every figure follows.

    Attributes:
        raters: who was left out, in order.
        sums: per subject and rater left out, of the model (0) and the rater (1): (S, R, 2, N_COLUMNS).
        clips: how many clips each comparison rests on (R,).
    """

    raters: tuple[str, ...]
    sums: FloatArray
    clips: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Interchangeability:
    """The model beside the raters.

    Attributes:
        figure: which one, a key of `FIGURES`.
        margin: how much worse is still as good, as set beforehand.
        model: the model against the consensus of the others, by rater left out.
        rater: that rater against the same.
        difference: model minus rater, by rater left out.
        mean_difference: the mean of `difference` over raters.
        statement: `non-inferior`, `inferior`, `not shown` or `not defined`.
        reason: the statement in a sentence.
    """

    figure: str
    margin: float
    model: Mapping[str, Figure]
    rater: Mapping[str, Figure]
    difference: Mapping[str, Figure]
    mean_difference: Figure
    statement: str
    reason: str


def leave_one_out(
    clips: ClipLabels,
    model: Mapping[str, Labels],
    raters: Sequence[str],
    rule: MatchingRule,
    subjects: Mapping[str, int],
    n_subjects: int,
    *,
    method: str = "majority",
    min_raters: int = 2,
    ignored_certainty: frozenset[str] = frozenset({UNSURE}),
    facts: Mapping[str, ClipFacts] = NO_FACTS,
) -> LeaveOneOut:
    """Score the model and each rater against the consensus of the other raters.

    Args:
        clips: labels of the raters by clip and rater.
        model: what the model says, in the form of labels, by clip. A clip that is not here counts as no event
            only if the caller says so by passing empty `Labels`; otherwise it is left out for both.
        raters: who takes part, three or more.
        rule: when two events are one, within the consensus and against it.
        subjects: index of each clip's subject.
        n_subjects: how many there are.
        method: of the consensus; see `consensus.METHODS`.
        min_raters: how many of the others must have looked at a second, as for a reference that is a
            consensus.
        ignored_certainty: words that are neither hit nor miss against the consensus. With two others, an
            event that one of them names is `possible`.
        facts: what is known of each clip, where the rule counts frames or mm.

    Raises:
        SettingError: fewer than three raters, or too few without one for this consensus.
    """
    who = sorted(set(raters))
    if len(who) < MIN_RATERS:
        raise SettingError(f"leave one rater out needs {MIN_RATERS} raters or more, not {len(who)}")
    if reason := explain_no_consensus(len(who), method, min_raters):
        raise SettingError(f"leave one rater out: {reason}")
    sums, n_clips = np.zeros((n_subjects, len(who), 2, N_COLUMNS)), []
    for r, left_out in enumerate(who):
        others = [rater for rater in who if rater != left_out]
        shared = {c: by for c, by in clips.items() if left_out in by and c in model}
        consensus = build_consensus(
            shared,
            others,
            rule,
            method=method,
            min_raters=min_raters,
            facts=facts,
        )
        used = 0
        for clip_id, reference in consensus.items():
            both = (model[clip_id], shared[clip_id][left_out])
            seen = intersect(intersect(reference.examined, both[0].examined), both[1].examined)
            if not seen:
                continue
            used += 1
            known = facts.get(clip_id, NOTHING_KNOWN)
            for side, labels in enumerate(both):
                row = _score(reference, labels, rule, seen, ignored_certainty, known)
                sums[subjects[clip_id], r, side] += row
        n_clips.append(used)
    return LeaveOneOut(tuple(who), sums, tuple(n_clips))


def explain_no_consensus(n_raters: int, method: str, min_raters: int) -> str:
    """Say why the others can form no consensus under the reference's rules; empty when they can."""
    others = n_raters - 1
    if min_raters > others:
        return f"consensus.min_raters={min_raters}, and without one rater there are {others}; set it lower"
    if method == "staple" and not staple.MIN_RATERS <= others <= staple.MAX_RATERS:
        return (
            f"STAPLE takes {staple.MIN_RATERS} to {staple.MAX_RATERS} raters, and without one there are "
            f"{others}; set consensus.method=majority"
        )
    return ""


def leave_unjudged(figure: str, margin: float, reason: str) -> Interchangeability:
    """Make a statement that says only why there is none."""
    return Interchangeability(figure, margin, {}, {}, {}, not_defined(reason), "not defined", reason)


def judge_interchangeability(
    scored: LeaveOneOut, weights: FloatArray, *, margin: float, figure: str = "f1"
) -> Interchangeability:
    """State whether the model is non-inferior to the raters by the margin.

    The interval is the two-sided 95 % one of `estimate_from_sums`: one-sided alpha 0.025. A rater whose
    figure or the model's beside it is not defined is left out of the mean.

    Args:
        scored: from `leave_one_out`.
        weights: from `draw_weights` (B, S).
        margin: in units of the figure, above 0.
        figure: a key of `FIGURES`.

    Raises:
        SettingError: unknown figure, or a margin that is not above 0.
    """
    if figure not in FIGURES:
        raise SettingError(f"figure is '{figure}'; choose {', '.join(FIGURES)}")
    compute, sign, part = FIGURES[figure]
    shape = scored.sums.shape[1:]
    flat = scored.sums.reshape(len(scored.sums), -1)
    places = np.arange(flat.shape[1]).reshape(shape)[..., part]
    if (columns := find_columns(compute)) is not None:
        places = places[..., columns]

    def resample(of: SumsFigure, raters: Sequence[int], sides: Sequence[int] = (0, 1)) -> Resampled:
        def of_sums(sums: FloatArray) -> FloatArray:
            return of(compute(sums.reshape(*sums.shape[:-1], *shape)[..., part]))

        return resample_sums(flat, of_sums, weights, places[np.ix_(raters, sides)].ravel().tolist())

    def estimate(of: SumsFigure, r: int, *sides: int) -> Figure:
        return summarise(resample(of, [r], sides), n=scored.clips[r], unit="clips", undefined=_NOTHING)

    model, rater, difference = {}, {}, {}
    for r, name in enumerate(scored.raters):
        model[name] = estimate(lambda value, r=r: value[..., r, 0], r, 0)  # type: ignore[misc]
        rater[name] = estimate(lambda value, r=r: value[..., r, 1], r, 1)  # type: ignore[misc]
        difference[name] = estimate(lambda value, r=r: value[..., r, 0] - value[..., r, 1], r, 0, 1)  # type: ignore[misc]
    used = [r for r, name in enumerate(scored.raters) if difference[name].value is not None]
    if not used:
        mean = not_defined("no rater can be compared with the model")
        return Interchangeability(figure, margin, model, rater, difference, mean, "not defined", mean.reason)
    average = resample(lambda value: (value[..., used, 0] - value[..., used, 1]).mean(axis=-1), used)
    mean = summarise(average, n=sum(scored.clips[r] for r in used), unit="clips", undefined=_NOTHING)
    judged = judge_non_inferiority(
        average, margin=margin, larger_is_better=sign > 0, undefined="no rater can be compared"
    )
    return Interchangeability(
        figure, margin, model, rater, difference, mean, judged.verdict, explain_verdict(judged)
    )


def explain_verdict(judged: NonInferiority) -> str:
    """Say in a sentence what an interval of a difference (model minus rater) says at a margin."""
    if judged.interval is None:
        return judged.reason if judged.reason else "no interval"
    low, high = judged.interval
    shown = f"the 95 % interval of the difference is {low:.3g} to {high:.3g}, the margin {judged.margin:g}"
    if judged.verdict == "non-inferior":
        better = "better than the raters" if judged.superior else "worse by less than the margin"
        return f"{shown}: {better}"
    if judged.verdict == "inferior":
        return f"{shown}: worse by more than the margin"
    return f"{shown}: the data do not tell"


def _score(
    reference: Labels,
    found: Labels,
    rule: MatchingRule,
    examined: Sequence[Interval],
    ignored_certainty: frozenset[str],
    known: ClipFacts,
) -> FloatArray:
    ours, theirs = reference.fasciculations(), found.fasciculations()
    matching = match_events(
        ours,
        theirs,
        rule,
        examined=examined,
        ignored_certainty=ignored_certainty,
        fps=known.fps,
        mm_per_px=known.mm_per_px,
        pixel_aspect=known.aspect,
    )
    minutes = sum(end_s - start_s for start_s, end_s in examined) / 60
    counts = [len(matching.matches), len(matching.false), len(matching.missed), minutes]
    return np.concatenate([counts, count_cells(ours, theirs, examined, ignored_certainty)])
