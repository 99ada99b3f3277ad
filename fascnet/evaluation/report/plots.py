"""The benchmark's plots: FROC, ROC, reliability, Bland-Altman."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Picture

from fascnet.data.whole_file import write_whole
from fascnet.evaluation.benchmark import Benchmark, SourceResult
from fascnet.evaluation.figures.clips import ECE_BINS
from fascnet.evaluation.figures.events import trace_froc
from fascnet.evaluation.uncertainty.bootstrap import FloatArray

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
"""Okabe-Ito: told apart by colour-blind readers and in grey print."""

FONT_SIZE = 12


def draw_plots(benchmark: Benchmark, folder: Path) -> list[tuple[str, Path]]:
    """Draw the plots that the data allow; returns (caption, PNG path) of each."""
    main = benchmark.results[0].source.name
    differences = f"Counts: {main} against the reference, with 95 % limits of agreement"
    plots: list[tuple[str, str, Callable[[Axes, Benchmark], bool]]] = [
        ("froc", "Events: recall against false alarms per minute as the event score falls", _draw_froc),
        ("roc", "Clips: ROC curve; a rater, who gives no score, is a point", _draw_roc),
        ("reliability", f"Clips: does {main}'s score mean what it says? With n clips", _draw_reliability),
        ("bland_altman", differences, _draw_differences),
    ]
    drawn = []
    for name, caption, draw in plots:
        picture = Picture(figsize=(6.4, 4.8), dpi=130, layout="constrained")
        FigureCanvasAgg(picture)
        axes = picture.add_subplot()
        if not draw(axes, benchmark):
            continue
        axes.tick_params(labelsize=FONT_SIZE - 1)
        axes.grid(alpha=0.25)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        path = folder / f"{name}.png"
        with write_whole(path) as beside:
            # No date or version inside: the same benchmark gives the same bytes.
            picture.savefig(beside, format="png", metadata={"Software": None})
        drawn.append((caption, path))
    return drawn


def _draw_froc(axes: Axes, benchmark: Benchmark) -> bool:
    anything = False
    for result, colour in zip(benchmark.results, _cycle(len(benchmark.results)), strict=True):
        minutes = sum(outcome.minutes for outcome in result.outcomes)
        n_reference = sum(outcome.n_reference for outcome in result.outcomes)
        scores, hits = _list_scores(result)
        if n_reference == 0 or minutes == 0:
            continue
        anything = True
        style: dict[str, Any] = {"color": colour, "label": result.source.name}
        n_hits = sum(len(outcome.matching.matches) for outcome in result.outcomes)
        n_false = sum(len(outcome.matching.false) for outcome in result.outcomes)
        if len(scores):
            rate, recall = trace_froc(scores, hits, n_reference, minutes)
            axes.plot(rate, recall, linewidth=2, drawstyle="steps-post", **style)
            style = {"color": colour}
        axes.plot(n_false / minutes, n_hits / n_reference, "o", markersize=8, clip_on=False, **style)
    _label(axes, "false alarms per minute", "recall")
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlim(left=0)
    if anything:
        axes.legend(fontsize=FONT_SIZE - 1, frameon=False, loc="lower right")
    return anything


def _draw_roc(axes: Axes, benchmark: Benchmark) -> bool:
    anything = False
    for result, colour in zip(benchmark.results, _cycle(len(benchmark.results)), strict=True):
        score, truth = _list_clip_scores(result)
        figures = result.figures["clips"]
        found, specific = figures["sensitivity"].value, figures["specificity"].value
        if found is None or specific is None:
            continue
        anything = True
        style: dict[str, Any] = {"color": colour, "label": result.source.name}
        if len(score) and figures["auroc"].value is not None:
            order = np.argsort(-score, kind="stable")
            last = np.flatnonzero(np.concatenate([np.diff(score[order]) != 0, [True]]))
            true = np.concatenate([[0], np.cumsum(truth[order])[last]]) / truth.sum()
            false = np.concatenate([[0], np.cumsum(~truth[order])[last]]) / (~truth).sum()
            style["label"] = f"{result.source.name}, AUROC {figures['auroc'].value:.2f}"
            axes.plot(false, true, linewidth=2, **style)
            style = {"color": colour}
        axes.plot(1 - specific, found, "o", markersize=8, clip_on=False, **style)
    axes.plot([0, 1], [0, 1], color="0.6", linestyle=":", linewidth=1)
    _label(axes, "1 - specificity", "sensitivity")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    if anything:
        axes.legend(fontsize=FONT_SIZE - 1, frameon=False, loc="lower right")
    return anything


def _draw_reliability(axes: Axes, benchmark: Benchmark) -> bool:
    score, truth = _list_clip_scores(benchmark.results[0])
    if len(score) == 0:
        return False
    index = np.minimum((score * ECE_BINS).astype(int), ECE_BINS - 1)
    axes.plot([0, 1], [0, 1], color="0.6", linestyle=":", linewidth=1)
    used = np.unique(index)
    points = [(score[index == b].mean(), truth[index == b].mean()) for b in used]
    axes.plot(*zip(*points, strict=True), "o-", color=COLOURS[0], linewidth=2, markersize=8, clip_on=False)
    for b, (x, y) in zip(used, points, strict=True):
        above = y < 0.9
        axes.annotate(
            str(np.count_nonzero(index == b)),
            (x, y),
            xytext=(0, 9 if above else -18),
            textcoords="offset points",
            fontsize=FONT_SIZE - 2,
            ha="center",
        )
    _label(axes, "mean score of the clips in a tenth", "share of them with a fasciculation")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    return True


def _draw_differences(axes: Axes, benchmark: Benchmark) -> bool:
    main = benchmark.results[0]
    counts = np.array([[o.n_reference, o.n_found] for o in main.outcomes], dtype=float).reshape(-1, 2)
    if len(counts) < 2:
        return False
    figures = main.figures["counts"]
    # Counts are whole numbers: equal points would hide each other, so their size shows how many there are.
    places = np.column_stack([counts.mean(axis=1), counts[:, 1] - counts[:, 0]])
    unique, n = np.unique(places, axis=0, return_counts=True)
    axes.scatter(unique[:, 0], unique[:, 1], s=28 * n**0.7 + 12, color=COLOURS[0], alpha=0.6, linewidth=0)
    for name, text in (("bias", "bias"), ("loa_low", "lower limit"), ("loa_high", "upper limit")):
        value = figures[name].value
        if value is None:
            continue
        axes.axhline(value, color=COLOURS[1], linestyle="-" if name == "bias" else "--", linewidth=1.5)
        axes.annotate(
            f"{text} {value:+.2f}",
            (1, value),
            xycoords=("axes fraction", "data"),
            xytext=(-4, 3),
            textcoords="offset points",
            ha="right",
            fontsize=FONT_SIZE - 2,
        )
    _label(axes, "mean of both counts, events per clip", f"{main.source.name} minus reference")
    axes.margins(y=0.15)
    return True


def _list_scores(result: SourceResult) -> tuple[FloatArray, FloatArray]:
    """List the score of each counted found event and whether it was matched; empty if a score is missing."""
    scores: list[float | None] = []
    hits: list[float] = []
    for outcome in result.outcomes:
        for indices, hit in (
            ([m.found for m in outcome.matching.matches], 1.0),
            (outcome.matching.false, 0.0),
        ):
            scores += [outcome.found[j].score for j in indices]
            hits += [hit] * len(indices)
    known = [score for score in scores if score is not None]
    if len(known) < len(scores):
        return np.empty(0), np.empty(0)
    return np.array(known, dtype=np.float64), np.array(hits, dtype=np.float64)


def _list_clip_scores(result: SourceResult) -> tuple[FloatArray, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    pairs = [(outcome.score, outcome.truth()) for outcome in result.outcomes]
    used = [(score, truth) for score, truth in pairs if score is not None and truth is not None]
    score = np.array([score for score, _ in used], dtype=np.float64)
    return score, np.array([truth for _, truth in used], dtype=bool)


def _cycle(n: int) -> Sequence[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(n)]


def _label(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x, fontsize=FONT_SIZE)
    axes.set_ylabel(y, fontsize=FONT_SIZE)
