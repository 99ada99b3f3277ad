"""The benchmark's tables as CSV, for a spreadsheet or a paper's supplement."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from fascnet.data.whole_file import write_whole
from fascnet.evaluation.benchmark import Benchmark, SourceResult
from fascnet.evaluation.uncertainty.bootstrap import Figure

FIGURE_COLUMNS = ("value", "ci95_low", "ci95_high", "n", "unit", "subjects", "reason")


def write_tables(benchmark: Benchmark, folder: Path) -> list[Path]:
    """Write `summary.csv`, `agreement.csv`, `events.csv` and `clips.csv`; returns their paths."""
    summary = [
        [result.source.name, section, name, *_cells(figure)]
        for result in benchmark.results
        for section, figures in _sections(result)
        for name, figure in figures.items()
    ]
    agreement = [
        [pair, name, *_cells(figure)]
        for pair, figures in benchmark.agreement.items()
        for name, figure in figures.items()
    ]
    events = [row for result in benchmark.results for row in _list_events(result)]
    clips = [row for result in benchmark.results for row in _list_clips(result)]
    event_columns = ["source", "clip_id", "outcome", "reference_onset_s", "reference_offset_s"]
    event_columns += ["found_onset_s", "found_offset_s", "found_score", "difference_s", "distance_px"]
    clip_columns = ("source", "clip_id", "examined_min", "reference_events", "found_events", "hits", "score")
    return [
        _write(folder / "summary.csv", ("source", "section", "figure", *FIGURE_COLUMNS), summary),
        _write(folder / "agreement.csv", ("pair", "figure", *FIGURE_COLUMNS), agreement),
        _write(folder / "events.csv", event_columns, events),
        _write(folder / "clips.csv", clip_columns, clips),
    ]


def _sections(result: SourceResult) -> Iterable[tuple[str, dict[str, Figure]]]:
    for section, figures in result.figures.items():
        yield section, dict(figures)
    for rule, figures in result.by_tolerance.items():
        yield f"events.by_tolerance.{rule}", dict(figures)


def _cells(figure: Figure) -> list[object]:
    low, high = ("", "") if figure.ci95 is None else figure.ci95
    value = "" if figure.value is None else figure.value
    return [value, low, high, figure.n, figure.unit, figure.subjects, figure.reason]


def _list_events(result: SourceResult) -> Iterable[list[object]]:
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


def _list_clips(result: SourceResult) -> Iterable[list[object]]:
    for o in result.outcomes:
        counts: list[object] = [o.n_reference, o.n_found, len(o.matching.matches), _optional(o.score)]
        yield [result.source.name, o.clip_id, round(o.minutes, 5), *counts]


def _optional(value: float | None) -> object:
    return "" if value is None else round(value, 4)


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    with write_whole(path) as beside, beside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    return path
