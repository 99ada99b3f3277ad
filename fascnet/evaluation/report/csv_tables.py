"""The benchmark's tables as CSV, for a spreadsheet or a paper's supplement."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from fascnet.data.whole_file import write_whole
from fascnet.evaluation.benchmark import Benchmark
from fascnet.evaluation.clip_statements import StatementResult
from fascnet.evaluation.scoring import SourceResult
from fascnet.evaluation.uncertainty.bootstrap import Figure

FIGURE_COLUMNS = ("value", "ci95_low", "ci95_high", "n", "unit", "subjects", "reason", "ci95_method")
EVENT_COLUMNS = (
    "source",
    "clip_id",
    "outcome",
    "reference_onset_s",
    "reference_offset_s",
    "found_onset_s",
    "found_offset_s",
    "found_score",
    "difference_s",
    "distance_px",
)
CLIP_COLUMNS = (
    "source",
    "clip_id",
    "examined_min",
    "reference_events",
    "found_events",
    "hits",
    "score",
    "subject",
    "truth",
    "own_call",
)

FIGURE_TABLE = ("source", "section", "figure", *FIGURE_COLUMNS)

Row = Sequence[object]


def write_tables(benchmark: Benchmark, folder: Path) -> list[Path]:
    """Write every table of a benchmark; returns their paths.

    `summary.csv` (every figure of every source), `agreement.csv` (every pair, and all raters at once),
    `comparisons.csv` (main source minus each other one), `subgroups.csv`, `interchangeability.csv`,
    `events.csv` (each event and what became of it), `clips.csv` (counts of each clip), `clip_labels.csv`
    (against counts, presence and grades of whole clips).
    """
    results = benchmark.results
    differences = ("value", "ci95_low", "ci95_high", "p", "p_holm", "p_benjamini_hochberg")
    return [
        _write(folder / "summary.csv", FIGURE_TABLE, _list_figures(results)),
        _write(folder / "agreement.csv", ("pair", "figure", *FIGURE_COLUMNS), _list_agreement(benchmark)),
        _write(
            folder / "comparisons.csv",
            ("main", "other", "figure", *differences, "subjects", "clips", "reason"),
            _list_comparisons(benchmark),
        ),
        _write(
            folder / "subgroups.csv",
            ("column", "group", "clips", "subjects_in_group", "events", "warning", "section", "figure",
             *FIGURE_COLUMNS),
            _list_subgroups(benchmark),
        ),
        _write(
            folder / "interchangeability.csv",
            ("rater", "what", "figure", *FIGURE_COLUMNS),
            _list_interchangeability(benchmark),
        ),
        _write(folder / "events.csv", EVENT_COLUMNS, (row for r in results for row in _list_events(r))),
        _write(folder / "clips.csv", CLIP_COLUMNS, (row for r in results for row in _list_clips(r))),
        write_statement_table(benchmark.statements, folder),
    ]  # fmt: skip


def write_statement_table(statements: Sequence[StatementResult], folder: Path) -> Path:
    """Write `clip_labels.csv`, a row a figure."""
    columns = ("rater", "source", "section", "figure", *FIGURE_COLUMNS, "clips", "clips_missing")
    return _write(
        folder / "clip_labels.csv",
        columns,
        (
            [*row, one.n_clips, one.n_missing]
            for one in statements
            for section, figures in one.figures.items()
            for row in _list_section([one.rater, one.source, section], figures)
        ),
    )


def _list_figures(results: Sequence[SourceResult]) -> Iterable[Row]:
    for result in results:
        sections = dict(result.figures)
        sections |= {f"events.by_tolerance.{rule}": f for rule, f in result.by_tolerance.items()}
        for section, figures in sections.items():
            yield from _list_section((result.source.name, section), figures)


def _list_agreement(benchmark: Benchmark) -> Iterable[Row]:
    for pair, figures in benchmark.agreement.items():
        yield from _list_section((pair,), figures)
    for unit, figures in benchmark.group_agreement.items():
        yield from _list_section((f"all raters, {unit}",), figures)
    for rater, figures in benchmark.rater_quality.items():
        yield from _list_section((f"{rater}, by STAPLE",), figures)


def _list_comparisons(benchmark: Benchmark) -> Iterable[Row]:
    main = benchmark.results[0].source.name
    for each in benchmark.comparisons:
        for name, difference in each.differences.items():
            low, high = ("", "") if difference.ci95 is None else difference.ci95
            adjusted = each.adjusted.get(name)
            p: list[object] = ["", "", ""]
            if adjusted is not None:
                p = [adjusted.p, adjusted.holm, adjusted.benjamini_hochberg]
            value = "" if difference.value is None else difference.value
            yield [main, each.other, name, value, low, high, *p, difference.subjects, each.n_clips,
                   difference.reason]  # fmt: skip


def _list_subgroups(benchmark: Benchmark) -> Iterable[Row]:
    for result in benchmark.subgroups:
        for name, group in result.groups.items():
            size = group.size
            start = (result.grouping.column, name, size.n_clips, size.n_subjects, size.n_events, size.warning)
            yield from _list_section((*start, "events"), group.events)
            yield from _list_section((*start, "clips"), group.clips)


def _list_interchangeability(benchmark: Benchmark) -> Iterable[Row]:
    found = benchmark.interchangeability
    if found is None:
        return
    for rater in found.model:
        parts = (("model", found.model), ("rater", found.rater), ("difference", found.difference))
        for what, figures in parts:
            yield [rater, what, found.figure, *_cells(figures[rater])]
    yield ["mean", "difference", found.figure, *_cells(found.mean_difference)]


def _list_section(start: Row, figures: Mapping[str, Figure]) -> Iterable[Row]:
    for name, figure in figures.items():
        yield [*start, name, *_cells(figure)]


def _cells(figure: Figure) -> list[object]:
    low, high = ("", "") if figure.ci95 is None else figure.ci95
    value = "" if figure.value is None else figure.value
    return [value, low, high, figure.n, figure.unit, figure.subjects, figure.reason, figure.method]


def _list_events(result: SourceResult) -> Iterable[Row]:
    """List each event once, with what became of it."""
    for outcome in result.outcomes:
        matching = outcome.matching
        pairs: list[tuple[str, int | None, int | None, object, object]] = [
            ("matched", m.reference, m.found, round(m.difference_s, 4), _optional(m.distance_px))
            for m in matching.matches
        ]
        pairs += [("missed", i, None, "", "") for i in matching.missed]
        pairs += [("false_alarm", None, j, "", "") for j in matching.false]
        pairs += [("left_out", i, None, "", "") for i in matching.left_out_reference]
        pairs += [("left_out", None, j, "", "") for j in matching.left_out_found]
        for what, i, j, difference_s, distance_px in pairs:
            row: list[object] = [result.source.name, outcome.clip_id, what]
            row += ["", ""] if i is None else [outcome.reference[i].onset_s, outcome.reference[i].offset_s]
            if j is None:
                row += ["", "", ""]
            else:
                event = outcome.found[j]
                row += [event.onset_s, event.offset_s, _optional(event.score)]
            yield [*row, difference_s, distance_px]


def _list_clips(result: SourceResult) -> Iterable[Row]:
    for o in result.outcomes:
        counts: list[object] = [o.n_reference, o.n_found, len(o.matching.matches), _optional(o.score)]
        says = ["" if said is None else int(said) for said in (o.truth(), o.called)]
        yield [result.source.name, o.clip_id, round(o.minutes, 5), *counts, o.subject, *says]


def _optional(value: float | None) -> object:
    return "" if value is None else round(value, 4)


def _write(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> Path:
    with write_whole(path) as beside, beside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    return path
