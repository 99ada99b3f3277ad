"""Forest plots: a row a figure, with its interval and n beside it, and lines to compare with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fascnet.evaluation.raters.interchangeability import FIGURES, Interchangeability
from fascnet.evaluation.report.canvas import (
    COLOURS,
    HUMAN,
    LINES,
    Plot,
    add_legend,
    measure_arms,
    open_picture,
    with_style,
    wrap_name,
    write_value,
)
from fascnet.evaluation.report.human_figures import ELSEWHERE, list_marks
from fascnet.evaluation.uncertainty.bootstrap import Figure

MAX_ROWS = 40
"""More cannot be read at once; the tables have all."""

_TITLES = {
    "f1": "event F1",
    "sensitivity": "event recall",
    "precision": "event precision",
    "false_alarms_per_min": "false alarms / min",
    "event_kappa": "event kappa",
}

_LABEL_CHARS = 22
_LINE_IN = 0.21
_ROW_IN = 0.17


@dataclass(frozen=True, slots=True)
class ForestRow:
    """A row of a forest plot.

    Attributes:
        label: what it is; `n` stands below it.
        figure: None for a heading.
        n: how much stands behind it, such as `120 events, 12 subjects`; empty for nothing.
        weak: too little to conclude from: drawn hollow.
        strong: drawn as a diamond (a mean, the whole).
    """

    label: str
    figure: Figure | None
    n: str = ""
    weak: bool = False
    strong: bool = False


@dataclass(frozen=True, slots=True)
class ForestLine:
    """A vertical line to compare with.

    Attributes:
        value: where it stands.
        label: what it is.
        colour: of the line.
        rows: the rows that it belongs to, (first, one past the last); None for all.
    """

    value: float
    label: str
    colour: str = COLOURS[1]
    rows: tuple[int, int] | None = None


def draw_forest(
    name: str,
    rows: Sequence[ForestRow],
    quantity: str,
    caption: str,
    lines: Sequence[ForestLine] = (),
    limits: tuple[float, float] | None = None,
) -> Plot | None:
    """Draw a forest plot; None when no row has a value.

    Args:
        name: stem of its file.
        rows: from top to bottom; beyond `MAX_ROWS` they are left out, and the caption says so.
        quantity: label of the axis.
        caption: of the plot; what the lines and hollow marks are is added.
        lines: to compare with.
        limits: of the axis; None: what the data need.
    """
    if not any(row.figure is not None and row.figure.value is not None for row in rows):
        return None
    shown = rows[:MAX_ROWS]
    texts = [_write_label(row) for row in shown]
    # Rows are as high as their labels.
    heights_in = [_LINE_IN * (text.count("\n") + 1) + _ROW_IN for text in texts]
    middles = [sum(heights_in[:k]) + heights_in[k] / 2 for k in range(len(shown))]
    picture, axes = open_picture(max(sum(heights_in) + 0.9, 2.4))
    right = axes.secondary_yaxis("right")
    values = []
    for row, middle in zip(shown, middles, strict=True):
        values.append("" if row.figure is None else write_value(row.figure))
        if row.figure is None or row.figure.value is None:
            continue
        axes.errorbar(
            row.figure.value,
            middle,
            xerr=measure_arms(row.figure),
            color=COLOURS[0],
            marker="D" if row.strong else "o",
            markersize=9 if row.strong else 7,
            markerfacecolor="white" if row.weak else COLOURS[0],
            linewidth=1.6,
            capsize=3,
        )
    edges = [*np.cumsum([0.0, *heights_in]).tolist()]
    for index, line in enumerate(lines):
        first, stop = (0, len(shown)) if line.rows is None else line.rows
        axes.plot(
            [line.value, line.value],
            [edges[min(first, len(shown))], edges[min(stop, len(shown))]],
            color=line.colour,
            linestyle=LINES[(index + 1) % len(LINES)],
            linewidth=1.6,
            label=line.label,
            zorder=1,
        )
    axes.set_yticks(middles, texts)
    right.set_yticks(middles, values)
    for text, row in zip(axes.get_yticklabels(), shown, strict=True):
        text.set_fontweight("bold" if row.figure is None or row.strong else "normal")
    axes.set_ylim(sum(heights_in), 0)
    axes.tick_params(axis="y", length=0)
    right.tick_params(axis="y", length=0)
    right.spines["right"].set_visible(False)
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(quantity)
    if limits is not None:
        axes.set_xlim(limits)
    add_legend(picture, axes)
    caption += " Bars: 95 % intervals."
    caption += " Hollow: too few to conclude from." if any(row.weak for row in shown) else ""
    caption += f" Grey lines: {ELSEWHERE}." if any(line.colour == HUMAN for line in lines) else ""
    left_out = len(rows) - len(shown)
    caption += f" {left_out} more rows are in the tables." if left_out else ""
    alt = "; ".join(
        f"{row.label}: {write_value(row.figure)}{f', {row.n}' if row.n else ''}"
        for row in shown
        if row.figure is not None
    )
    return Plot(name, caption, f"{quantity}. {alt}", picture)


@with_style
def draw_event_kappa(kappas: Mapping[tuple[str, str], Figure]) -> Plot | None:
    """Draw the event kappa of pairs beside what two operators reached; None when none is defined."""
    rows = [
        ForestRow(f"{one} and {two}", figure, f"{figure.n} {figure.unit}")
        for (one, two), figure in kappas.items()
    ]
    lines = [ForestLine(values[0], label, HUMAN) for values, label in list_marks("event_kappa")]
    caption = (
        "Agreement on events: Cohen's kappa of each pair on cells of 1 second. Kappa falls where events are "
        "rare, whatever the raters do."
    )
    low = min(
        [0.0, *(f.ci95[0] if f.ci95 is not None else f.value for f in kappas.values() if f.value is not None)]
    )
    return draw_forest("event_kappa", rows, "event kappa", caption, lines, (low - 0.02, 1.02))


@with_style
def draw_count_agreement(
    spearmans: Mapping[str, Figure], iccs: Mapping[str, Figure], reference: str
) -> Plot | None:
    """Draw Spearman's rho and ICC(2,1) of the counts of each source; None where none is defined."""
    rows = [ForestRow("Spearman's rho", None)]
    rows += [ForestRow(name, figure, f"{figure.n} {figure.unit}") for name, figure in spearmans.items()]
    rows += [ForestRow("ICC(2,1)", None)]
    rows += [ForestRow(name, figure, f"{figure.n} {figure.unit}") for name, figure in iccs.items()]
    of_spearman = (0, len(spearmans) + 1)
    lines = [
        ForestLine(values[0], label, HUMAN, of_spearman) for values, label in list_marks("count_spearman")
    ]
    caption = f"Counts of events per clip: agreement of each source with {reference}."
    known = [f for f in (*spearmans.values(), *iccs.values()) if f.value is not None]
    low = min([0.0, *(f.ci95[0] if f.ci95 is not None else f.value for f in known if f.value is not None)])
    return draw_forest("count_agreement", rows, "agreement of counts", caption, lines, (low - 0.02, 1.02))


@with_style
def draw_interchangeability(found: Interchangeability, model: str) -> Plot | None:
    """Draw model minus rater for each rater left out, their mean, and the margin; None when not defined."""
    sign = FIGURES[found.figure][1]
    rows = [
        ForestRow(f"minus {rater}", figure, f"{figure.n} {figure.unit}")
        for rater, figure in found.difference.items()
    ]
    rows.append(ForestRow("mean over raters", found.mean_difference, strong=True))
    worse = "left" if sign > 0 else "right"
    lines = [
        ForestLine(0.0, "no difference", "0.6"),
        ForestLine(
            -sign * found.margin, f"margin {found.margin:g}: to the {worse} the model is worse than allowed"
        ),
    ]
    quantity = f"{_TITLES[found.figure]}: {model} minus rater"
    caption = (
        f"Can {model} stand in for a rater? For each rater left out, {model} minus that rater, both against "
        f"the consensus of the others. Statement: {found.statement} ({found.reason})."
    )
    return draw_forest(f"interchangeability_{found.figure}", rows, quantity, caption, lines)


@with_style
def draw_subgroups(rows: Sequence[ForestRow], overall: Figure, source: str) -> Plot | None:
    """Draw the event F1 of each subgroup beside that of all clips; None without a subgroup.

    Args:
        rows: a heading a column, then its groups with n.
        overall: F1 of all clips.
        source: whose.
    """
    lines = [] if overall.value is None else [ForestLine(overall.value, f"all clips: {write_value(overall)}")]
    caption = f"Where does {source} fail? Event F1 in subgroups of clips."
    return draw_forest("subgroups", rows, "event F1", caption, lines, (-0.02, 1.02))


@with_style
def draw_false_alarms_by_confounder(rates: Mapping[str, Figure], source: str, rule: str) -> Plot | None:
    """Draw false alarms per minute of each labelled confounder; None when nothing is labelled but events.

    Args:
        rates: confounder -> false alarms per minute of it, `none` last.
        source: whose.
        rule: how an alarm is given to a confounder.
    """
    if len(rates) < 2:
        return None
    rows = [
        ForestRow(kind.replace("_", " "), figure, f"{figure.n} {figure.unit}")
        for kind, figure in rates.items()
    ]
    caption = f"False alarms of {source} by what moved meanwhile: {rule}"
    return draw_forest("false_alarms_by_confounder", rows, "false alarms per minute of it", caption)


def _write_label(row: ForestRow) -> str:
    label = wrap_name(row.label, _LABEL_CHARS)
    return f"{label}\n{wrap_name(row.n, _LABEL_CHARS)}" if row.n else label
