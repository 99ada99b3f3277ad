"""The benchmark's plots: which there are, what each needs, in the order of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from fascnet.evaluation.benchmark import Benchmark
from fascnet.evaluation.cuts.event_subgroups import ATTRIBUTION_RULE, score_recall_by_amplitude
from fascnet.evaluation.figures.clip_scores import list_clip_scores
from fascnet.evaluation.figures.event_scores import measure_timing, rank_outcomes
from fascnet.evaluation.report.agreement_plots import draw_agreement
from fascnet.evaluation.report.canvas import Plot, SavedPlot, save_plot
from fascnet.evaluation.report.clip_plots import (
    ClipCurve,
    draw_clip_precision_recall,
    draw_reliability,
    draw_roc,
)
from fascnet.evaluation.report.count_plots import draw_counts, draw_differences
from fascnet.evaluation.report.event_detail_plots import draw_recall_by_amplitude, draw_timing
from fascnet.evaluation.report.event_plots import EventCurve, draw_froc, draw_precision_recall, join_ranked
from fascnet.evaluation.report.forest_plots import (
    ForestRow,
    draw_count_agreement,
    draw_event_kappa,
    draw_false_alarms_by_confounder,
    draw_interchangeability,
    draw_subgroups,
)
from fascnet.evaluation.report.rule_wording import word_rule
from fascnet.evaluation.uncertainty.bootstrap import Figure

MAX_CURVES = 12
"""Sources in one plot, the main one first; the tables have all."""

MAX_SIZED = 5
"""Sources whose recall is drawn by size: more would stand on each other."""

SAME_FRAME_RATE = 0.02
"""Relative spread of frame rates up to which a frame has one length."""


def draw_plots(benchmark: Benchmark, folder: Path) -> list[SavedPlot]:
    """Draw the plots that the data allow and write each as `FOLDER/NAME.png`, in the order of the report.

    Raises:
        OutputError: a file cannot be written.
    """
    plots = [*_draw_events(benchmark), *_draw_clips(benchmark), *_draw_counts(benchmark)]
    plots += [*_draw_agreement(benchmark), *_draw_cuts(benchmark)]
    return [save_plot(plot, folder) for plot in plots if plot is not None]


def _draw_events(benchmark: Benchmark) -> list[Plot | None]:
    rule, main = word_rule(benchmark.rules.matching), benchmark.results[0]
    curves = []
    for result in benchmark.results[:MAX_CURVES]:
        events = result.figures["events"]
        ranked = rank_outcomes(result.outcomes, benchmark.rules, benchmark.study.facts)
        score, is_hit, n_reference = (None, None, 0) if ranked is None else join_ranked(ranked)
        minutes = sum(outcome.minutes for outcome in result.outcomes)
        curves.append(
            EventCurve(
                result.source.name,
                events["recall"],
                events["precision"],
                events["false_alarms_per_min"],
                score,
                is_hit,
                n_reference,
                minutes,
            )
        )
    errors_s, fps, _ = measure_timing(main.outcomes, benchmark.study.facts)
    known = fps[np.isfinite(fps)]
    alike = len(known) > 0 and float(np.ptp(known)) <= SAME_FRAME_RATE * float(known.mean())
    return [
        draw_froc(curves, rule),
        draw_precision_recall(curves, rule),
        draw_timing(
            errors_s[:, 0],
            main.figures["timing"]["onset_median_s"],
            main.source.name,
            1 / float(known.mean()) if alike else None,
        ),
    ]


def _draw_clips(benchmark: Benchmark) -> list[Plot | None]:
    curves = []
    for result in benchmark.results[:MAX_CURVES]:
        clips = result.figures["clips"]
        score, truth, _ = list_clip_scores(result.outcomes)
        curves.append(
            ClipCurve(
                result.source.name,
                clips["sensitivity"],
                clips["specificity"],
                clips["auroc"],
                clips["average_precision"],
                score,
                truth,
            )
        )
    main, first = benchmark.results[0], curves[0]
    return [
        draw_roc(curves, benchmark.rules.clip_threshold),
        draw_clip_precision_recall(curves),
        draw_reliability(
            main.reliability,
            first.score,
            first.truth,
            main.source.name,
            main.figures["clips"]["ece"],
            main.figures["calibration"]["ece_by_chance"],
        ),
    ]


def _draw_counts(benchmark: Benchmark) -> list[Plot | None]:
    main, sources = benchmark.results[0], benchmark.results[:MAX_CURVES]
    name, figures = main.source.name, main.figures["counts"]
    reference = np.array([outcome.n_reference for outcome in main.outcomes], dtype=np.float64)
    found = np.array([outcome.n_found for outcome in main.outcomes], dtype=np.float64)
    independent = len({outcome.subject for outcome in main.outcomes}) == len(main.outcomes)
    return [
        draw_differences(reference, found, figures, name, independent=independent),
        draw_counts(reference, found, figures["icc"], figures["spearman"], name),
        draw_count_agreement(
            {result.source.name: result.figures["counts"]["spearman"] for result in sources},
            {result.source.name: result.figures["counts"]["icc"] for result in sources},
            benchmark.reference,
        ),
    ]


def _draw_agreement(benchmark: Benchmark) -> list[Plot | None]:
    names = [benchmark.reference, *(result.source.name for result in benchmark.results)]
    kappas = {kind: pick_pairs(names, benchmark.agreement, f"{kind}_kappa") for kind in ("event", "clip")}
    model = benchmark.results[0].source.name
    return [
        draw_agreement(names, kappas["event"], kappas["clip"]),
        draw_event_kappa(kappas["event"]),
        None
        if benchmark.interchangeability is None
        else draw_interchangeability(benchmark.interchangeability, model),
    ]


def _draw_cuts(benchmark: Benchmark) -> list[Plot | None]:
    main = benchmark.results[0]
    name, weights = main.source.name, benchmark.study.weights
    recalls = {name: benchmark.by_amplitude} if benchmark.by_amplitude else {}
    if recalls:
        recalls |= {
            result.source.name: score_recall_by_amplitude(result.outcomes, weights)
            for result in benchmark.results[1:MAX_SIZED]
        }
    rates = {kind: figures["per_min"] for kind, figures in benchmark.by_confounder.items()}
    rows: list[ForestRow] = []
    for subgroup in benchmark.subgroups:
        rows.append(ForestRow(subgroup.grouping.column, None))
        for group, result in subgroup.groups.items():
            size = result.size
            n = f"{size.n_events} events, {size.n_subjects} subjects"
            rows.append(ForestRow(group, result.events["f1"], n, weak=bool(size.warning)))
    return [
        draw_subgroups(rows, main.figures["events"]["f1"], name),
        draw_recall_by_amplitude(recalls),
        draw_false_alarms_by_confounder(rates, name, ATTRIBUTION_RULE),
    ]


def pick_pairs(
    names: Sequence[str], agreement: Mapping[str, Mapping[str, Figure]], figure: str
) -> dict[tuple[str, str], Figure]:
    """Pick one figure of every pair of sources, from keys `first_vs_second` in either order."""
    found = {}
    for i, one in enumerate(names):
        for two in names[i + 1 :]:
            for key in (f"{one}_vs_{two}", f"{two}_vs_{one}"):
                if key in agreement and figure in agreement[key]:
                    found[one, two] = agreement[key][figure]
                    break
    return found
