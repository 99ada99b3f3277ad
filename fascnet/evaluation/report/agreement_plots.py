"""The heat map of agreement: every pair of sources at a glance."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np

from fascnet.evaluation.report.canvas import HUMAN, WIDTH_IN, Plot, open_picture, with_style, write_minus
from fascnet.evaluation.report.human_figures import ELSEWHERE, list_marks
from fascnet.evaluation.uncertainty.bootstrap import Figure

MAX_SOURCES = 16
"""More are not told apart; the table has all."""

MAX_NUMBERED = 10
"""Up to so many sources the cells hold numbers; beyond, they would stand on each other."""

_NAME_CHARS = 20
_SHORT_CHARS = 9
"""Names up to here can stand below the columns, of five sources; else the columns are numbered."""


@with_style
def draw_agreement(
    names: Sequence[str],
    event_kappa: Mapping[tuple[str, str], Figure],
    clip_kappa: Mapping[tuple[str, str], Figure],
) -> Plot | None:
    """Draw Cohen's kappa of all pairs, on events below the diagonal and on clips above it.

    Args:
        names: the sources in order, the reference first; beyond `MAX_SOURCES` they are left out.
        event_kappa: by pair, in either order.
        clip_kappa: likewise.

    Returns:
        None with fewer than three sources (one pair needs no map) or when no kappa is defined.
    """
    shown = list(names[:MAX_SOURCES])
    n = len(shown)
    if n < 3:
        return None
    values = np.full((n, n), np.nan)
    for i in range(n):
        for j in range(i):
            values[i, j] = _find(event_kappa, shown[i], shown[j])
            values[j, i] = _find(clip_kappa, shown[i], shown[j])
    if np.isnan(values).all():
        return None
    picture, axes = open_picture(max(4.8, 0.36 * n + 1.6))
    low = min(0.0, float(np.nanmin(values)))
    image = axes.imshow(values, cmap="cividis", vmin=low, vmax=1.0, aspect="auto")
    for i in range(n):
        for j in range(n):
            if i == j:
                continue
            known = bool(np.isfinite(values[i, j]))
            dark = known and (values[i, j] - low) / (1 - low) < 0.55
            # At most 14 columns share the width: two digits fit, a leading zero does not beyond 9.
            text = _write_cell(values[i, j], short=n > 6) if known else "–"
            if n <= MAX_NUMBERED:
                axes.text(j, i, text, ha="center", va="center", color="white" if dark else "black")
    if n <= 5 and max(map(len, shown)) <= _SHORT_CHARS:
        axes.set_xticks(range(n), shown)
        axes.set_yticks(range(n), shown)
    else:
        axes.set_xticks(range(n), [str(k + 1) for k in range(n)])
        axes.set_yticks(range(n), [f"{_shorten(name)}  {k + 1}" for k, name in enumerate(shown)])
    axes.set_xlabel("below the diagonal: events   ·   above it: clips")
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    bar = picture.colorbar(image, ax=axes, label="Cohen's kappa", fraction=0.06, pad=0.03)
    marks = list_marks("event_kappa")
    for (value,), _ in marks:
        bar.ax.plot(
            [0, 1], [value, value], color="white", linewidth=3.5, transform=bar.ax.get_yaxis_transform()
        )
        bar.ax.plot(
            [0, 1], [value, value], color=HUMAN, linewidth=1.8, transform=bar.ax.get_yaxis_transform()
        )
    texts = [f"Line on the bar, {label}" for _, label in marks]
    wrapped = "\n".join(textwrap.fill(text, 66) for text in texts)
    width_in, height_in = WIDTH_IN, picture.get_size_inches()[1]
    picture.set_size_inches(width_in, height_in + 0.22 * (wrapped.count("\n") + 1))
    picture.supxlabel(wrapped, fontsize=12, ha="left", x=0.02)
    left_out = len(names) - n
    caption = (
        "Agreement of every pair, Cohen's kappa: on seconds with an event below the diagonal, on clips above "
        f"it. Intervals stand in the table. Lines on the bar: {ELSEWHERE}."
    )
    caption += f" {left_out} more sources are in the table." if left_out else ""
    alt = "; ".join(
        f"{shown[j]} and {shown[i]}: events {_write(values[i, j])}, clips {_write(values[j, i])}"
        for i in range(n)
        for j in range(i)
    )
    return Plot("agreement", caption, alt, picture)


def _find(figures: Mapping[tuple[str, str], Figure], one: str, two: str) -> float:
    figure = figures[one, two] if (one, two) in figures else figures.get((two, one))
    return np.nan if figure is None or figure.value is None else figure.value


def _write_cell(value: float, short: bool) -> str:
    """Write two digits, without the leading zero where room is scarce."""
    text = f"{value:.2f}"
    return write_minus(("1.0" if text == "1.00" else text.replace("0.", ".")) if short else text)


def _shorten(name: str) -> str:
    return name if len(name) <= _NAME_CHARS else f"{name[: _NAME_CHARS - 4]}…{name[-3:]}"


def _write(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "not defined"
