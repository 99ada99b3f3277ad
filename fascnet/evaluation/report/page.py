"""The report: one HTML file with the table first, then the plots, then every rule that was used."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from fascnet import __version__
from fascnet.data.whole_file import write_whole
from fascnet.evaluation.benchmark import Benchmark, SourceResult
from fascnet.evaluation.uncertainty.bootstrap import Figure

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

HUMAN_FIGURES = (
    ("Harding 2016", "twitch events, two operators", "kappa 0.94 (frequent), 0.49 (rare)"),
    (
        "Vlazak & Kraemer-Best 2014",
        "clip: fasciculation or artefact, 11 raters",
        "sens. 90.9 %, spec. 98.5 %",
    ),
    ("Reimers 1996", "present or absent per muscle", "r = 0.84"),
    ("P31-F pilot", "counts over 90 s, two neurophysiologists", "Spearman 0.985"),
    ("Pillen 2009", "fibrillations", "kappa 0.65"),
)
"""Published human figures: (study, task, agreement). Context only, none was measured on this data."""


def write_report(benchmark: Benchmark, plots: Sequence[tuple[str, Path]], output: Path) -> Path:
    """Write `OUTPUT/report.html`: plots embedded, no script, nothing loaded from anywhere.

    Args:
        benchmark: the finished benchmark.
        plots: (caption, PNG path) of each plot.
        output: folder of the report.
    """
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page = (files("fascnet.evaluation.report") / "page.html.j2").read_text(encoding="utf-8")
    template = environment.from_string(page)
    metrics = benchmark.metrics
    text = template.render(
        version=__version__,
        main=benchmark.results[0].source.name,
        metrics=metrics,
        bar=_find_bar(metrics),
        headings=[title for _, _, title in MAIN_FIGURES],
        rows=[_build_row(result) for result in benchmark.results],
        tolerances=_build_tolerances(benchmark.results),
        agreement=[
            (pair.replace("_vs_", " vs "), [format_figure(figures[name]) for name in _AGREEMENT])
            for pair, figures in benchmark.agreement.items()
        ],
        subgroups=_build_subgroups(metrics["subgroups"]),
        plots=[(caption, base64.b64encode(path.read_bytes()).decode("ascii")) for caption, path in plots],
        rules=_flatten(metrics["rules"]),
        human=HUMAN_FIGURES,
    )
    path = output / "report.html"
    with write_whole(path) as beside:
        beside.write_text(text, encoding="utf-8")
    return path


_AGREEMENT = ("event_kappa", "clip_kappa", "f1", "count_icc")


def format_figure(figure: Figure) -> tuple[str, str]:
    """Return a figure as (value, interval or reason) for people."""
    if figure.value is None:
        return "–", figure.reason
    if figure.ci95 is None:
        return f"{figure.value:.2f}", figure.reason
    return f"{figure.value:.2f}", f"{figure.ci95[0]:.2f} to {figure.ci95[1]:.2f}"


def _build_row(result: SourceResult) -> tuple[str, str, int, list[tuple[str, str]]]:
    cells = [format_figure(result.figures[section][name]) for section, name, _ in MAIN_FIGURES]
    return result.source.name, result.source.kind, len(result.outcomes), cells


def _build_tolerances(results: Sequence[SourceResult]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    names = ("precision", "recall", "f1", "false_alarms_per_min")
    return [
        (result.source.name, rule.replace("_", " "), [format_figure(figures[name]) for name in names])
        for result in results
        for rule, figures in result.by_tolerance.items()
    ]


def _build_subgroups(subgroups: object) -> list[tuple[str, int, int, str, str]]:
    """Return (group, clips, subjects, F1, AUROC) of each subgroup."""
    rows = []
    if isinstance(subgroups, Mapping):
        for column, values in subgroups.items():
            for value, figures in values.items():
                f1, auroc = figures["events"]["f1"]["value"], figures["clips"]["auroc"]["value"]
                shown = ["–" if x is None else f"{x:.2f}" for x in (f1, auroc)]
                name = f"{column} {value}"
                rows.append((name, figures["n_clips"], figures["n_subjects"], shown[0], shown[1]))
    return rows


def _find_bar(metrics: Mapping[str, object]) -> Mapping[str, object] | None:
    pixels = metrics["pixels"]
    bar = pixels.get("farneback_bar") if isinstance(pixels, Mapping) else None
    return bar if isinstance(bar, Mapping) and bar["value"] is not None else None


def _flatten(rules: object) -> list[tuple[str, str]]:
    """Return the rules as (name, text) lines."""
    lines = []
    if isinstance(rules, Mapping):
        for name, value in rules.items():
            parts = value if isinstance(value, list) else [value]
            texts = []
            for part in parts:
                if isinstance(part, Mapping):
                    texts.append(", ".join(f"{key} {item}" for key, item in part.items() if item is not None))
                else:
                    texts.append(str(part))
            lines.append((str(name).replace("_", " "), "; ".join(texts) if texts else "none"))
    return lines
