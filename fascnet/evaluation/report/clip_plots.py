"""Plots of clips: ROC, precision and recall, and whether scores mean what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from fascnet.evaluation.figures.calibration import ReliabilityRow
from fascnet.evaluation.figures.score_table import tabulate_scores
from fascnet.evaluation.report.canvas import (
    COLOURS,
    HUMAN,
    Plot,
    add_legend,
    complement,
    draw_mark,
    measure_arms,
    open_picture,
    pick_line,
    with_style,
    write_value,
)
from fascnet.evaluation.report.human_figures import ELSEWHERE, list_marks
from fascnet.evaluation.uncertainty.bootstrap import Figure, FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class ClipCurve:
    """A source's clips by falling score.

    Attributes:
        name: of the source.
        sensitivity: at the clip threshold; for a source without scores, from one event on.
        specificity: likewise.
        auroc: area under the ROC curve.
        average_precision: of clips.
        score: of each clip (n,); empty for a source without scores (a rater).
        truth: whether the reference calls it positive (n,).
    """

    name: str
    sensitivity: Figure
    specificity: Figure
    auroc: Figure
    average_precision: Figure
    score: FloatArray
    truth: NDArray[np.bool_]

    def trace(self) -> tuple[FloatArray, FloatArray] | None:
        """Trace true and false positive clips from none to all (u + 1,); None without both classes."""
        if len(self.score) == 0 or self.truth.all() or not self.truth.any():
            return None
        table = tabulate_scores(self.score, self.truth, np.zeros(len(self.score), dtype=np.int64), 1)
        true, false = table.pool()
        return np.concatenate([[0.0], true]), np.concatenate([[0.0], false])


@with_style
def draw_roc(curves: Sequence[ClipCurve], threshold: float) -> Plot | None:
    """Draw the ROC curve of clips, with the published point of raters; None with clips of one class only.

    Args:
        curves: the sources, the main one first.
        threshold: score from which a clip counts as positive.
    """
    usable = [
        (i, curve)
        for i, curve in enumerate(curves)
        if curve.sensitivity.value is not None and curve.specificity.value is not None
    ]
    if not usable:
        return None
    picture, axes = open_picture()
    axes.plot([0, 1], [0, 1], color="0.6", linestyle=":", linewidth=1)
    for index, curve in usable:
        traced, label = curve.trace(), curve.name
        if traced is not None:
            true, false = traced
            axes.plot(false / false[-1], true / true[-1], **pick_line(index))
            label += f", AUROC {write_value(curve.auroc)}"
        draw_mark(axes, complement(curve.specificity), curve.sensitivity, index, label)
    for (sensitivity, specificity), label in list_marks("clip_point"):
        axes.plot(1 - specificity, sensitivity, marker="*", markersize=16, markerfacecolor="none",
                  markeredgecolor=HUMAN, markeredgewidth=1.8, linestyle="none", clip_on=False, zorder=5,
                  label=label)  # fmt: skip
    axes.set(xlabel="1 - specificity", ylabel="sensitivity", xlim=(0, 1), ylim=(0, 1.02))
    add_legend(picture, axes)
    caption = (
        f"Clips, ROC. A mark with its 95 % intervals is the source at clip threshold {threshold:g}; a source "
        f"without scores (a rater) calls a clip positive from one event on. Star: {ELSEWHERE}."
    )
    alt = "; ".join(
        f"{curve.name}: sensitivity {write_value(curve.sensitivity)}, "
        f"specificity {write_value(curve.specificity)}, AUROC {write_value(curve.auroc)}"
        for _, curve in usable
    )
    return Plot("roc", caption, alt, picture)


@with_style
def draw_clip_precision_recall(curves: Sequence[ClipCurve]) -> Plot | None:
    """Draw precision against sensitivity of clips; None when no source has scores and both classes."""
    traced = [(i, curve, curve.trace()) for i, curve in enumerate(curves)]
    usable = [(i, curve, pair) for i, curve, pair in traced if pair is not None]
    if not usable:
        return None
    picture, axes = open_picture()
    for index, curve, (true, false) in usable:
        label = f"{curve.name}, average precision {write_value(curve.average_precision)}"
        precision = true[1:] / (true + false)[1:]
        axes.plot(true[1:] / true[-1], precision, **pick_line(index), label=label)
    _, first, (true, false) = usable[0]
    share = float(true[-1] / (true[-1] + false[-1]))
    axes.axhline(share, color="0.6", linestyle=":", linewidth=1.5,
                 label=f"chance: {share:.2f} of the {len(first.score)} clips are positive")  # fmt: skip
    axes.set(xlabel="sensitivity", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    add_legend(picture, axes)
    caption = (
        "Clips: precision against sensitivity as the clip score falls. It depends on how many clips are "
        "positive (dotted line): compare it only within one study."
    )
    alt = "; ".join(f"{c.name}: average precision {write_value(c.average_precision)}" for _, c, _ in usable)
    return Plot("clip_precision_recall", caption, alt, picture)


@with_style
def draw_reliability(
    rows: Sequence[ReliabilityRow],
    score: FloatArray,
    truth: NDArray[np.bool_],
    source: str,
    ece: Figure,
    by_chance: Figure,
) -> Plot | None:
    """Draw share positive against mean score of each bin, and a histogram of the scores; None without scores.

    Args:
        rows: from `tabulate_reliability`.
        score: of each clip (n,), 0-1.
        truth: whether the reference calls it positive (n,).
        source: whose.
        ece: expected calibration error of bins of equal width.
        by_chance: what it would be on average if every score were the probability that it claims to be.
    """
    used = [row for row in rows if row.mean_score is not None and row.share_positive.value is not None]
    if not used:
        return None
    picture, axes = open_picture(6.0)
    axes.remove()
    axes, below = picture.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    axes.plot([0, 1], [0, 1], color="0.6", linestyle=":", linewidth=1)
    for row in used:
        axes.errorbar(row.mean_score, row.share_positive.value, yerr=measure_arms(row.share_positive),
                      marker="o", color=COLOURS[0], markersize=8, capsize=3, clip_on=False)  # fmt: skip
    axes.plot(
        [r.mean_score for r in used], [r.share_positive.value for r in used], color=COLOURS[0], linewidth=1.5
    )
    axes.set(ylabel="share with a fasciculation", xlim=(0, 1), ylim=(-0.02, 1.02))
    edges = np.array([row.low for row in rows] + [rows[-1].high])
    below.hist([score[truth], score[~truth]], edges, stacked=True, color=[COLOURS[1], "0.7"],
               label=["with a fasciculation", "without"])  # fmt: skip
    below.yaxis.set_major_locator(MaxNLocator(integer=True))
    below.set(xlabel="clip score (dots: mean of the bin)", ylabel="clips")
    add_legend(picture, below)
    n = len(score)
    caption = (
        f"Calibration of {source}: of the clips in a bin of scores, what share has a fasciculation? With "
        f"95 % intervals; below, how many clips each bin has. ECE {write_value(ece)}, {n} clips; true "
        f"probabilities spread like these would show {write_value(by_chance)} by chance."
    )
    alt = f"{source}: " + "; ".join(
        f"mean score {row.mean_score:.2f}, share positive {write_value(row.share_positive)}, "
        f"{row.share_positive.n} clips"
        for row in used
    )
    return Plot("reliability", caption, alt, picture)
