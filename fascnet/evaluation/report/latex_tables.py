r"""The benchmark's tables as LaTeX, ready to `\input`: booktabs, nothing else, escaped names.

A value stands above its interval, so that a table with eight columns fits a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fascnet.data.whole_file import write_whole
from fascnet.evaluation.benchmark import Benchmark
from fascnet.evaluation.figures.clip_scores import OWN_CALLS, count_own_calls
from fascnet.evaluation.metrics_file import describe_reference
from fascnet.evaluation.report.latex_source import Cell, Row, escape, format_table, quote, write_cell
from fascnet.evaluation.report.plots import pick_pairs
from fascnet.evaluation.report.rule_wording import word_rule
from fascnet.evaluation.uncertainty.bootstrap import Figure

MAIN_COLUMNS = (
    ("events", "recall", "Recall"),
    ("events", "precision", "Precision"),
    ("events", "f1", "F1"),
    ("events", "false_alarms_per_min", "FA/min"),
    ("event_curve", "average_precision", "Event AP"),
    ("clips", "auroc", "AUROC"),
    ("clips", "sensitivity", "Sens."),
    ("clips", "specificity", "Spec."),
    ("counts", "icc", "ICC(2,1)"),
)
"""Section, name and heading of the columns of the main table."""

AGREEMENT_COLUMNS = (
    ("event_kappa", "Event kappa"),
    ("clip_kappa", "Clip kappa"),
    ("f1", "Event F1"),
    ("count_icc", "Count ICC(2,1)"),
)

COMPARISON_COLUMNS = (
    ("f1", "Event F1"),
    ("recall", "Recall"),
    ("precision", "Precision"),
    ("false_alarms_per_min", "FA/min"),
    ("clip_auroc", "Clip AUROC"),
    ("count_icc", "Count ICC(2,1)"),
)


def write_latex_tables(benchmark: Benchmark, folder: Path) -> list[Path]:
    """Write `main.tex`, `agreement.tex`; `own_calls.tex`, `comparisons.tex`, `subgroups.tex` if not empty.

    Raises:
        OutputError: a file cannot be written.
    """
    texts = {
        "main": format_main_table(benchmark),
        "own_calls": format_own_call_table(benchmark),
        "agreement": format_agreement_table(benchmark),
        "comparisons": format_comparison_table(benchmark),
        "subgroups": format_subgroup_table(benchmark),
    }
    paths = []
    for name, text in texts.items():
        if not text:
            continue
        path = folder / f"{name}.tex"
        with write_whole(path) as beside:
            beside.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def format_main_table(benchmark: Benchmark) -> str:
    """Format each source against the reference, a source a row."""
    columns = [
        (section, name, title)
        for section, name, title in MAIN_COLUMNS
        if any(_get(result.figures, section, name) is not None for result in benchmark.results)
    ]
    rows: list[Row] = []
    for result in benchmark.results:
        role = " (rater)" if result.source.kind == "rater" else ""
        figures = [_write(_get(result.figures, section, name)) for section, name, _ in columns]
        rows.append((escape(result.source.name) + role, [str(len(result.outcomes))], figures))
    caption = (
        f"Each source against the reference {quote(benchmark.reference)}. Events match by "
        f"{escape(word_rule(benchmark.rules.matching))}. A clip is positive from a score of "
        f"{benchmark.rules.clip_threshold:g}, for a source without scores from one event on. "
        f"{_describe_study(benchmark)} FA/min: false alarms per examined minute; AP: average precision."
    )
    head = ["Source", "Clips", *(title for _, _, title in columns)]
    return format_table("main", caption, head, rows)


def format_own_call_table(benchmark: Benchmark) -> str:
    """Format the calls that sources make themselves, a source a row; empty where none makes any."""
    rows: list[Row] = []
    for result in benchmark.results:
        called, left_out = count_own_calls(result.outcomes)
        if called:
            figures = [_write(_get(result.figures, "clips", name)) for name in OWN_CALLS]
            rows.append((escape(result.source.name), [str(called), str(left_out)], figures))
    caption = (
        "Clips that a source itself calls positive, at its own operating point, against the reference "
        f"{quote(benchmark.reference)}. Left out: clips that it does not call. {_describe_study(benchmark)}"
    )
    return format_table("own-calls", caption, ["Source", "Clips", "Left out", "Sens.", "Spec."], rows)


def format_agreement_table(benchmark: Benchmark) -> str:
    """Format the agreement of every pair, a pair a row; empty with a pair of sources only."""
    names = [benchmark.reference, *(result.source.name for result in benchmark.results)]
    picked = {figure: pick_pairs(names, benchmark.agreement, figure) for figure, _ in AGREEMENT_COLUMNS}
    pairs = list(picked["event_kappa"])
    rows: list[Row] = [
        (
            f"{escape(one)} and {escape(two)}",
            [],
            [_write(picked[figure].get((one, two))) for figure, _ in AGREEMENT_COLUMNS],
        )
        for one, two in pairs
    ]
    caption = (
        "Agreement of every pair on the clips and seconds that both judged. Event kappa: Cohen's kappa on "
        "cells of 1 second; clip kappa: on clips, positive from one event on; event F1: events match by "
        f"{escape(word_rule(benchmark.rules.matching))}; ICC(2,1) of the events per clip. "
        f"{_describe_study(benchmark)}"
    )
    return format_table("agreement", caption, ["Pair", *(title for _, title in AGREEMENT_COLUMNS)], rows)


def format_comparison_table(benchmark: Benchmark) -> str:
    """Format the main source minus each other one, with adjusted p values; empty without another source."""
    rows: list[Row] = []
    family = 0
    for comparison in benchmark.comparisons:
        cells = []
        for name, _ in COMPARISON_COLUMNS:
            difference, adjusted = comparison.differences.get(name), comparison.adjusted.get(name)
            family = family if adjusted is None else adjusted.family
            p = None if adjusted is None else adjusted.holm
            cells.append(("--",) if difference is None else write_cell(difference.value, difference.ci95, p))
        rows.append((f"minus {escape(comparison.other)}", [str(comparison.n_clips)], cells))
    main = benchmark.results[0].source.name
    caption = (
        f"Paired differences: {escape(main)} minus each other source, both against the reference "
        f"{quote(benchmark.reference)} on the clips that both judged. {_describe_study(benchmark)} Last "
        f"line: two-sided $p$ of no difference, adjusted for all {family} comparisons of the benchmark "
        "(Holm)."
    )
    head = ["Difference", "Clips", *(title for _, title in COMPARISON_COLUMNS)]
    return format_table("comparisons", caption, head, rows)


def format_subgroup_table(benchmark: Benchmark) -> str:
    """Format the main source's figures in each group of clips; empty without groups."""
    rows: list[Row] = []
    weak = False
    for subgroup in benchmark.subgroups:
        for group, result in subgroup.groups.items():
            size = result.size
            mark = r"\textsuperscript{*}" if size.warning else ""
            weak = weak or bool(size.warning)
            label = f"{escape(subgroup.grouping.column)}: {escape(group)}{mark}"
            numbers = [str(size.n_clips), str(size.n_subjects), str(size.n_events)]
            figures = (result.events["f1"], result.events["recall"], result.clips["auroc"])
            rows.append((label, numbers, [_write(figure) for figure in figures]))
    if not rows:
        return ""
    main = benchmark.results[0].source.name
    caption = (
        f"{escape(main)} against the reference {quote(benchmark.reference)} in subgroups of clips. Events "
        f"match by {escape(word_rule(benchmark.rules.matching))}. {_describe_study(benchmark)}"
    )
    caption += r" \textsuperscript{*}Too few subjects or events to conclude from." if weak else ""
    head = ["Group", "Clips", "Subjects", "Events", "Event F1", "Event recall", "Clip AUROC"]
    return format_table("subgroups", caption, head, rows)


def _describe_study(benchmark: Benchmark) -> str:
    facts = describe_reference(benchmark)
    text = (
        f"{facts['clips']} clips of {facts['subjects']} subjects, {facts['events']} reference events in "
        f"{facts['examined_min']:.1f} examined minutes."
    )
    if benchmark.resamples == 0:
        return text
    return (
        f"{text} Below each value its 95\\,\\% interval by a bias-corrected and accelerated bootstrap of "
        f"subjects ({benchmark.resamples} resamples, seed {benchmark.seed}; levels widened for few "
        "subjects; percentile where that is not defined)."
    )


def _get(figures: Mapping[str, Mapping[str, Figure]], section: str, name: str) -> Figure | None:
    return figures.get(section, {}).get(name)


def _write(figure: Figure | None) -> Cell:
    return ("--",) if figure is None else write_cell(figure.value, figure.ci95)
