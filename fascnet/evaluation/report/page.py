"""The report: one HTML file; the table first, then plots, worst clips, and the methods ready to paste."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from fascnet import __version__
from fascnet.data.whole_file import write_whole
from fascnet.evaluation.benchmark import Benchmark
from fascnet.evaluation.metrics_file import describe_reference, describe_rules
from fascnet.evaluation.report.canvas import SavedPlot
from fascnet.evaluation.report.human_figures import HUMAN_FIGURES
from fascnet.evaluation.report.methods_text import write_methods
from fascnet.evaluation.report.page_rows import (
    MAIN_FIGURES,
    build_agreement,
    build_comparisons,
    build_details,
    build_group_agreement,
    build_interchangeability,
    build_main,
    build_operating_points,
    build_own_calls,
    build_rater_quality,
    build_statements,
    build_subgroups,
    build_thresholds,
    build_tolerances,
)
from fascnet.evaluation.report.worst_clip_pictures import HOW_TO_READ, WorstClipPicture


def write_report(
    benchmark: Benchmark,
    output: Path,
    plots: Sequence[SavedPlot] = (),
    pictures: Sequence[WorstClipPicture] = (),
    bar: Mapping[str, object] | None = None,
) -> Path:
    """Write `OUTPUT/report.html`: pictures embedded, no script, nothing loaded from anywhere.

    Args:
        benchmark: the finished benchmark.
        output: folder of the report.
        plots: to embed.
        pictures: of worst clips.
        bar: the Farneback bar, as `farneback_bar.describe_bar` gives it; None when it was not measured.
    """
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page = (files("fascnet.evaluation.report") / "page.html.j2").read_text(encoding="utf-8")
    shown = {picture.clip_id: picture for picture in pictures}
    text = environment.from_string(page).render(
        version=__version__,
        main=benchmark.results[0].source.name,
        reference=describe_reference(benchmark),
        warnings=benchmark.warnings,
        headings=[title for _, _, title in MAIN_FIGURES],
        rows=build_main(benchmark.results),
        bar=bar if bar is not None and bar["value"] is not None else None,
        comparisons=build_comparisons(benchmark),
        interchangeability=build_interchangeability(benchmark.interchangeability),
        plots=[(plot.caption, plot.alt, _embed(plot.path.read_bytes())) for plot in plots],
        worst=[(clip, shown.get(clip.clip_id)) for clip in benchmark.worst_clips],
        embed=_embed,
        how_to_read=HOW_TO_READ,
        agreement=build_agreement(benchmark),
        group_agreement=build_group_agreement(benchmark),
        rater_quality=build_rater_quality(benchmark),
        tolerances=build_tolerances(benchmark.results),
        operating_points=build_operating_points(benchmark.results),
        own_calls=build_own_calls(benchmark.results),
        details=build_details(benchmark.results[0]),
        subgroups=build_subgroups(benchmark),
        statements=build_statements(benchmark.statements),
        missing=benchmark.missing,
        seen=benchmark.seen,
        thresholds=build_thresholds(benchmark),
        methods=write_methods(benchmark),
        rules=_flatten(describe_rules(benchmark)),
        human=HUMAN_FIGURES,
    )
    path = output / "report.html"
    with write_whole(path) as beside:
        beside.write_text(text, encoding="utf-8")
    return path


def _embed(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _flatten(rules: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return the rules as (name, text) lines."""
    lines = []
    for name, value in rules.items():
        parts = value if isinstance(value, list) else [value]
        texts = [_word(part) for part in parts]
        lines.append((name.replace("_", " "), "; ".join(texts) if texts else "none"))
    return lines


def _word(part: object) -> str:
    if isinstance(part, Mapping):
        return ", ".join(f"{key} {item}" for key, item in part.items() if item is not None)
    return "none" if part is None else str(part)
