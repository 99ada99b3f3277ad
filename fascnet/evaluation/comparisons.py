"""Is the main source better than each other one? Paired differences on the clips that both judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fascnet.evaluation.figures import clips, counts, events
from fascnet.evaluation.figures.clip_scores import list_clip_scores
from fascnet.evaluation.figures.operating_curves import MAX_THRESHOLDS
from fascnet.evaluation.figures.score_table import auroc, tabulate_scores
from fascnet.evaluation.outcome import ClipOutcome, index_subjects
from fascnet.evaluation.rules import Margin
from fascnet.evaluation.scoring import SourceResult, sum_events
from fascnet.evaluation.uncertainty.bootstrap import (
    FloatArray,
    Resampled,
    SumsFigure,
    resample_sums,
    sum_by_subject,
)
from fascnet.evaluation.uncertainty.differences import Difference, estimate_difference, subtract
from fascnet.evaluation.uncertainty.multiplicity import AdjustedP, adjust_differences
from fascnet.evaluation.uncertainty.noninferiority import NonInferiority, judge_non_inferiority

_EVENT_FIGURES: Mapping[str, SumsFigure] = {
    "f1": events.f1,
    "precision": events.precision,
    "recall": events.recall,
    "false_alarms_per_min": events.false_alarms_per_min,
}
_SMALLER_IS_BETTER = frozenset({"false_alarms_per_min"})
_MARGIN_FIGURES = {"sensitivity": "recall"}
"""Names of `interchangeability.FIGURES` that this module knows by another."""


@dataclass(frozen=True, slots=True)
class SourceComparison:
    """The main source against another one.

    Attributes:
        other: its name.
        n_clips: clips that both judged.
        differences: main minus other, by figure.
        adjusted: their p values, adjusted for every comparison of the benchmark.
        non_inferiority: of the main source, at the margin; None where no margin was set.
    """

    other: str
    n_clips: int
    differences: Mapping[str, Difference]
    adjusted: Mapping[str, AdjustedP]
    non_inferiority: NonInferiority | None

    def to_json(self) -> dict[str, object]:
        """Return the form of `metrics.json`."""
        plain: dict[str, object] = {"clips": self.n_clips}
        for name, difference in self.differences.items():
            adjusted = self.adjusted[name].to_json() if name in self.adjusted else {}
            plain[name] = {**difference.to_json(), **adjusted}
        if self.non_inferiority is not None:
            plain["non_inferiority"] = self.non_inferiority.to_json()
        return plain


def compare_results(
    main: SourceResult,
    others: Sequence[SourceResult],
    clip_threshold: float,
    weights: FloatArray,
    margin: Margin | None = None,
) -> list[SourceComparison]:
    """Compare the main source with each other one; p values are adjusted over all of them together."""
    found = []
    for other in others:
        pair = _share(main.outcomes, other.outcomes)
        found.append((other.source.name, len(pair[0]), *_subtract_all(pair, clip_threshold, weights)))
    family = adjust_differences(
        {f"{name} {figure}": d for name, _, by_figure, _ in found for figure, d in by_figure.items()}
    )
    compared = []
    for name, n_clips, differences, resampled in found:
        adjusted = {
            figure: family[f"{name} {figure}"] for figure in differences if f"{name} {figure}" in family
        }
        wanted = "" if margin is None else _MARGIN_FIGURES.get(margin.figure, margin.figure)
        verdict = None
        if margin is not None and wanted in resampled:
            verdict = judge_non_inferiority(
                resampled[wanted],
                margin=margin.value,
                larger_is_better=wanted not in _SMALLER_IS_BETTER,
            )
        compared.append(SourceComparison(name, n_clips, differences, adjusted, verdict))
    return compared


def _share(
    first: Sequence[ClipOutcome], second: Sequence[ClipOutcome]
) -> tuple[list[ClipOutcome], list[ClipOutcome]]:
    """Return the outcomes of clips that both judged, in one order."""
    theirs = {outcome.clip_id: outcome for outcome in second}
    ours = [outcome for outcome in first if outcome.clip_id in theirs]
    return ours, [theirs[outcome.clip_id] for outcome in ours]


def _subtract_all(
    pair: tuple[list[ClipOutcome], list[ClipOutcome]], clip_threshold: float, weights: FloatArray
) -> tuple[dict[str, Difference], dict[str, Resampled]]:
    sums: dict[str, tuple[tuple[FloatArray, FloatArray], SumsFigure, str]] = {}
    n_subjects = weights.shape[1]
    of_events = tuple(sum_events(side, n_subjects) for side in pair)
    for name, figure in _EVENT_FIGURES.items():
        sums[name] = ((of_events[0], of_events[1]), figure, "not defined for both")
    decisions = tuple(_sum_decisions(side, clip_threshold, n_subjects) for side in pair)
    for name, figure in (("clip_sensitivity", clips.sensitivity), ("clip_specificity", clips.specificity)):
        sums[name] = ((decisions[0], decisions[1]), figure, "clips of one class only")
    of_counts = tuple(_sum_counts(side, n_subjects) for side in pair)
    sums["count_icc"] = ((of_counts[0], of_counts[1]), counts.icc, "the counts do not vary")
    resampled = {
        name: subtract(*(resample_sums(each, figure, weights) for each in sides))
        for name, (sides, figure, _) in sums.items()
    }
    differences = {
        name: estimate_difference(resampled[name], undefined=undefined)
        for name, (_, _, undefined) in sums.items()
    }
    areas = _resample_areas(pair, weights)
    if areas is not None:
        resampled["clip_auroc"] = subtract(*areas)
        differences["clip_auroc"] = estimate_difference(
            resampled["clip_auroc"], undefined="clips of one class only"
        )
    return differences, resampled


def _sum_decisions(outcomes: Sequence[ClipOutcome], clip_threshold: float, n_subjects: int) -> FloatArray:
    used = [outcome for outcome in outcomes if outcome.truth() is not None]
    says = [o.presence() if o.score is None else o.score >= clip_threshold for o in used]
    truth = np.array([outcome.truth() is True for outcome in used], dtype=bool)
    rows = clips.count_outcomes(np.array(says, dtype=bool), truth)
    return sum_by_subject(rows, index_subjects(used), n_subjects)


def _sum_counts(outcomes: Sequence[ClipOutcome], n_subjects: int) -> FloatArray:
    pairs = np.array([[o.n_reference, o.n_found] for o in outcomes], dtype=np.float64).reshape(-1, 2)
    rows = counts.compute_moment_rows(pairs[:, 0], pairs[:, 1])
    return sum_by_subject(rows, index_subjects(outcomes), n_subjects)


def _resample_areas(
    pair: tuple[list[ClipOutcome], list[ClipOutcome]], weights: FloatArray
) -> tuple[Resampled, Resampled] | None:
    """Resample the AUROC of both; None where one gives no scores."""
    areas = []
    for side in pair:
        score, truth, subject = list_clip_scores(side)
        if len(score) == 0:
            return None
        table = tabulate_scores(score, truth, subject, weights.shape[1], MAX_THRESHOLDS)
        sums = np.concatenate([table.positive, table.negative], axis=1)
        areas.append(resample_sums(sums, auroc, weights))
    return areas[0], areas[1]
