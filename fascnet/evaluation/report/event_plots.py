"""Plots of events as their score falls: free-response ROC, precision and recall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.evaluation.figures.operating_curves import FROC_RATES_PER_MIN
from fascnet.evaluation.figures.score_table import tabulate_scores
from fascnet.evaluation.matching.match import RankedEvents
from fascnet.evaluation.report.canvas import (
    Plot,
    add_legend,
    draw_mark,
    open_picture,
    pick_line,
    with_style,
    write_value,
)
from fascnet.evaluation.uncertainty.bootstrap import Figure, FloatArray

F1_LEVELS = (0.2, 0.4, 0.6, 0.8)
"""Drawn as grey lines behind precision and recall."""


@dataclass(frozen=True, slots=True, eq=False)
class EventCurve:
    """A source's found events by falling score, all clips together.

    Attributes:
        name: of the source.
        recall: at its own operating point, all its events admitted; with precision and false alarms / min.
        precision: likewise.
        false_alarms_per_min: likewise.
        score: confidence of each counted found event (n,); None for a source without scores (a rater).
        is_hit: whether it has a reference event of its own (n,).
        n_reference: reference events that count.
        minutes: examined.
    """

    name: str
    recall: Figure
    precision: Figure
    false_alarms_per_min: Figure
    score: FloatArray | None = None
    is_hit: NDArray[np.bool_] | None = None
    n_reference: int = 0
    minutes: float = 0.0

    def trace(self) -> tuple[FloatArray, FloatArray] | None:
        """Trace hits and false alarms from no event admitted to all (u + 1,); None without scores."""
        if self.score is None or self.is_hit is None or len(self.score) == 0:
            return None
        table = tabulate_scores(self.score, self.is_hit, np.zeros(len(self.score), dtype=np.int64), 1)
        hits, false = table.pool()
        return np.concatenate([[0.0], hits]), np.concatenate([[0.0], false])


def join_ranked(ranked: Sequence[RankedEvents]) -> tuple[FloatArray, NDArray[np.bool_], int]:
    """Join clips that `rank_events` matched: scores, hits, and how many reference events there are."""
    score = np.concatenate([np.empty(0), *(each.score for each in ranked)])
    is_hit = np.concatenate([np.empty(0, dtype=np.bool_), *(each.is_hit for each in ranked)])
    return score, is_hit, sum(each.n_reference for each in ranked)


@with_style
def draw_froc(curves: Sequence[EventCurve], rule: str) -> Plot | None:
    """Draw recall against false alarms per minute as the event score falls; None without reference events.

    Args:
        curves: the sources, the main one first.
        rule: the matching rule in words.
    """
    usable = [
        (i, curve) for i, curve in enumerate(curves) if _is_defined(curve.recall, curve.false_alarms_per_min)
    ]
    if not usable:
        return None
    picture, axes = open_picture()
    for rate in FROC_RATES_PER_MIN:
        axes.axvline(rate, color="0.85", linewidth=1, zorder=0)
    for index, curve in usable:
        traced = curve.trace()
        if traced is not None and curve.n_reference and curve.minutes:
            hits, false = traced
            axes.plot(false / curve.minutes, hits / curve.n_reference, **pick_line(index))
        draw_mark(axes, curve.false_alarms_per_min, curve.recall, index, curve.name)
    axes.set(xlabel="false alarms per minute", ylabel="recall", ylim=(-0.02, 1.02))
    # A little room on the left: raters without a false alarm stand on the axis.
    axes.set_xlim(left=-0.02 * axes.get_xlim()[1])
    add_legend(picture, axes)
    caption = (
        "Events, free-response ROC: recall against false alarms per examined minute as the event score "
        f"falls; events are matched anew at every score. Rule: {rule}. A mark with its 95 % intervals is the "
        "source as it stands; a source without scores (a rater) is only a mark. Grey lines: the false alarm "
        "rates of the table."
    )
    alt = "; ".join(
        f"{curve.name} finds {write_value(curve.recall)} of the events at "
        f"{write_value(curve.false_alarms_per_min)} false alarms per minute"
        for _, curve in usable
    )
    return Plot("froc", caption, alt, picture)


@with_style
def draw_precision_recall(curves: Sequence[EventCurve], rule: str) -> Plot | None:
    """Draw precision against recall as the event score falls; None where no source has both.

    Args:
        curves: the sources, the main one first.
        rule: the matching rule in words.
    """
    usable = [(i, curve) for i, curve in enumerate(curves) if _is_defined(curve.recall, curve.precision)]
    if not usable:
        return None
    picture, axes = open_picture()
    recall = np.linspace(0.001, 1, 400)
    for level in F1_LEVELS:
        # F1 = 2 p r / (p + r), solved for p.
        precision = level * recall / np.where(2 * recall > level, 2 * recall - level, np.nan)
        axes.plot(recall[precision <= 1], precision[precision <= 1], color="0.85", linewidth=1, zorder=0)
        axes.annotate(f"F1 {level:g}", (1.0, level / (2 - level)), xytext=(4, 0), textcoords="offset points",
                      va="center", color="0.45", annotation_clip=False)  # fmt: skip
    for index, curve in usable:
        traced = curve.trace()
        if traced is not None and curve.n_reference:
            hits, false = traced[0][1:], traced[1][1:]
            axes.plot(hits / curve.n_reference, hits / (hits + false), **pick_line(index))
        draw_mark(axes, curve.recall, curve.precision, index, curve.name)
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    add_legend(picture, axes)
    caption = (
        "Events: precision against recall as the event score falls, matched anew at every score. "
        f"Rule: {rule}. A mark with its 95 % intervals is the source as it stands. Grey lines: equal F1."
    )
    alt = "; ".join(
        f"{curve.name}: precision {write_value(curve.precision)} at recall {write_value(curve.recall)}"
        for _, curve in usable
    )
    return Plot("event_precision_recall", caption, alt, picture)


def _is_defined(*figures: Figure) -> bool:
    return all(figure.value is not None for figure in figures)
