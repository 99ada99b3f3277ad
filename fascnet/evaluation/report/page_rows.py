"""Rows of the report's tables: figures as people read them."""

from __future__ import annotations

from collections.abc import Sequence

from fascnet.evaluation.benchmark import Benchmark
from fascnet.evaluation.clip_statements import StatementResult
from fascnet.evaluation.figures.clip_scores import OWN_CALLS, count_own_calls
from fascnet.evaluation.raters.interchangeability import Interchangeability
from fascnet.evaluation.scoring import SourceResult
from fascnet.evaluation.uncertainty.bootstrap import Figure
from fascnet.evaluation.uncertainty.differences import Difference

MAIN_FIGURES = (
    ("events", "precision", "Precision"),
    ("events", "recall", "Recall"),
    ("events", "f1", "F1"),
    ("events", "false_alarms_per_min", "False alarms / min"),
    ("clips", "auroc", "Clip AUROC"),
    ("clips", "sensitivity", "Sensitivity"),
    ("clips", "specificity", "Specificity"),
    ("counts", "icc", "Count ICC(2,1)"),
    ("pixels", "average_precision", "Pixel AP"),
    ("pixels", "dice", "Dice"),
)

_TOLERANCE_FIGURES = ("precision", "recall", "f1", "false_alarms_per_min")
_PAIR_FIGURES = ("event_kappa", "event_alpha", "event_ac1", "clip_kappa", "clip_ac1", "f1", "count_icc")
_GROUP_FIGURES = ("fleiss_kappa", "krippendorff_alpha", "ac1")
_QUALITY_FIGURES = ("sensitivity", "false_alarms_per_min")
_COMPARED = ("f1", "recall", "precision", "false_alarms_per_min", "clip_auroc", "count_icc")
_SMALLEST_P = 0.001

Cell = tuple[str, str]
"""A value, and its interval or why there is none."""


def format_figure(figure: Figure) -> Cell:
    """Return a figure as (value, interval or reason) for people."""
    if figure.value is None:
        return "–", figure.reason
    value = _write(figure.value)
    if figure.ci95 is None:
        return value, figure.reason
    low, high = figure.ci95
    note = f"{_write(low)} to {_write(high)}"
    # Why stands in tables/summary.csv; a cell has no room for it.
    if low == high:
        return value, f"{note} (no width: {figure.subjects} subjects alike)"
    return value, f"{note} (percentile)" if figure.method == "percentile" else note


def build_statements(
    statements: Sequence[StatementResult],
) -> list[tuple[str, str, int, list[tuple[str, Cell]]]]:
    """Return (rater, source, clips, [(figure, cell)]) of statements about whole clips."""
    return [
        (
            one.rater,
            one.source,
            one.n_clips,
            [
                (f"{section}: {name.replace('_', ' ')}", format_figure(figure))
                for section, figures in one.figures.items()
                for name, figure in figures.items()
            ],
        )
        for one in statements
    ]


def format_difference(difference: Difference, p_adjusted: float | None) -> Cell:
    """Return a difference as (value, interval and p) for people."""
    if difference.value is None:
        return "–", difference.reason
    value = f"{difference.value:+.2f}"
    if difference.ci95 is None:
        return value, difference.reason
    low, high = difference.ci95
    p = "" if p_adjusted is None else f"; p {format_p(p_adjusted)}"
    return value, f"{low:+.2f} to {high:+.2f}{p}"


def format_p(p: float) -> str:
    """Return a p value as papers print it."""
    return f"< {_SMALLEST_P:g}" if p < _SMALLEST_P else f"{p:.3f}"


def build_main(results: Sequence[SourceResult]) -> list[tuple[str, str, int, list[Cell]]]:
    """Build (source, kind, clips, cells) of each source."""
    return [
        (
            result.source.name,
            result.source.kind,
            len(result.outcomes),
            [format_figure(result.figures[section][name]) for section, name, _ in MAIN_FIGURES],
        )
        for result in results
    ]


def build_comparisons(benchmark: Benchmark) -> tuple[list[str], list[tuple[str, int, list[Cell], str]]]:
    """Build the headings, and (other source, clips, cells, verdict) of each comparison."""
    names = [n for n in _COMPARED if any(n in each.differences for each in benchmark.comparisons)]
    rows = []
    for each in benchmark.comparisons:
        cells = [
            format_difference(
                each.differences[name], each.adjusted[name].holm if name in each.adjusted else None
            )
            if name in each.differences
            else ("–", "no score")
            for name in names
        ]
        judged = each.non_inferiority
        verdict = ""
        if judged is not None:
            verdict = (
                f"{judged.verdict}{', and superior' if judged.superior else ''} (margin {judged.margin:g})"
            )
        rows.append((each.other, each.n_clips, cells, verdict))
    return [name.replace("_", " ") for name in names], rows


def build_interchangeability(
    found: Interchangeability | None,
) -> tuple[Interchangeability, list[tuple[str, list[Cell]]]] | None:
    """Build (rater left out, [model, rater, difference]) rows, the mean last; None without a statement."""
    if found is None:
        return None
    rows = [
        (rater, [format_figure(side[rater]) for side in (found.model, found.rater, found.difference)])
        for rater in found.model
    ]
    rows.append(("mean", [("", ""), ("", ""), format_figure(found.mean_difference)]))
    return found, rows


def build_agreement(benchmark: Benchmark) -> tuple[list[str], list[tuple[str, list[Cell]]]]:
    """Build the headings, and (pair, cells) of each pair."""
    rows = [
        (pair.replace("_vs_", " vs "), [format_figure(figures[name]) for name in _PAIR_FIGURES])
        for pair, figures in benchmark.agreement.items()
    ]
    return [name.replace("_", " ") for name in _PAIR_FIGURES], rows


def build_group_agreement(benchmark: Benchmark) -> list[tuple[str, list[Cell]]]:
    """Build (unit, cells) of the agreement of all raters."""
    return [
        (unit, [format_figure(figures[name]) for name in _GROUP_FIGURES])
        for unit, figures in benchmark.group_agreement.items()
    ]


def build_rater_quality(benchmark: Benchmark) -> list[tuple[str, list[Cell]]]:
    """Build (rater, cells) of what STAPLE makes of each rater."""
    return [
        (rater, [format_figure(figures[name]) for name in _QUALITY_FIGURES])
        for rater, figures in benchmark.rater_quality.items()
    ]


def build_tolerances(results: Sequence[SourceResult]) -> list[tuple[str, str, list[Cell]]]:
    """Build (source, rule, cells) of each source and reported rule."""
    return [
        (result.source.name, rule.replace("_", " "), [format_figure(figures[n]) for n in _TOLERANCE_FIGURES])
        for result in results
        for rule, figures in result.by_tolerance.items()
    ]


def build_operating_points(results: Sequence[SourceResult]) -> list[tuple[str, str, str, str, Cell]]:
    """Build (source, wanted specificity, threshold, reached specificity, sensitivity)."""
    return [
        (
            result.source.name,
            f"{point.wanted:g}",
            "none holds it" if point.threshold is None else f"{point.threshold:.3f}",
            "–" if point.reached is None else f"{point.reached:.3f}",
            format_figure(point.sensitivity),
        )
        for result in results
        for point in result.operating_points
    ]


def build_own_calls(results: Sequence[SourceResult]) -> list[tuple[str, int, int, list[Cell]]]:
    """Build (source, clips called, clips left out, cells) of each source that calls clips positive itself."""
    rows = []
    for result in results:
        called, left_out = count_own_calls(result.outcomes)
        if called:
            cells = [format_figure(result.figures["clips"][name]) for name in OWN_CALLS]
            rows.append((result.source.name, called, left_out, cells))
    return rows


def build_details(result: SourceResult) -> list[tuple[str, list[tuple[str, Cell, int, str]]]]:
    """Build (section, [(figure, cell, n, unit)]) of everything else that was measured of a source."""
    shown = {(section, name) for section, name, _ in MAIN_FIGURES}
    return [
        (
            section.replace("_", " "),
            [
                (name.replace("_", " "), format_figure(figure), figure.n, figure.unit)
                for name, figure in figures.items()
                if (section, name) not in shown
            ],
        )
        for section, figures in result.figures.items()
        if any((section, name) not in shown for name in figures)
    ]


def build_subgroups(benchmark: Benchmark) -> list[tuple[str, int, int, int, list[Cell], str]]:
    """Build (group, clips, subjects, events, [F1, recall, false alarms, AUROC], warning) of each subgroup."""
    rows = []
    for result in benchmark.subgroups:
        for name, group in result.groups.items():
            size = group.size
            figures = [group.events[key] for key in ("f1", "recall", "false_alarms_per_min")]
            cells = [format_figure(figure) for figure in (*figures, group.clips["auroc"])]
            label = f"{result.grouping.column}: {name}"
            rows.append((label, size.n_clips, size.n_subjects, size.n_events, cells, size.warning))
    return rows


def build_thresholds(benchmark: Benchmark) -> list[tuple[str, str, str, str, str]]:
    """Build (source, threshold, value, chosen on, why) of each threshold."""
    words = {
        "other_subjects": "other subjects",
        "test_subjects": "these subjects",
        "not_known": "not known",
    }
    return [
        (source, each.name, f"{each.value:g}", words.get(each.verdict, each.verdict), each.reason)
        for source, traced in benchmark.thresholds.items()
        for each in traced
    ]


def _write(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"
