"""How every plot of the report looks, and how it becomes a file: same data, same bytes, on any machine."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Picture

from fascnet.data.whole_file import write_whole
from fascnet.evaluation.uncertainty.bootstrap import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
"""Okabe-Ito without its yellow, which is lost on white: told apart by colour-blind readers and in grey."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
"""Nine beside seven colours: 63 sources before two look alike."""

LINES = ("-", "--", "-.", (0, (1, 1.2)), (0, (5, 1, 1, 1, 1, 1)))

HUMAN = "#4d4d4d"
"""Published human figures: grey, to stand back behind the data."""

FONT_SIZE = 12
PUBLISHED = "published"
"""First word of the label of every human figure, so that a plot cut out of the report does not mislead."""

WIDTH_IN, HEIGHT_IN = 6.4, 4.8
DPI = 130

_LEGEND_CHARS = 62
_LEGEND_LINE_IN = 0.235

_STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": FONT_SIZE,
    "axes.labelsize": FONT_SIZE,
    "xtick.labelsize": FONT_SIZE,
    "ytick.labelsize": FONT_SIZE,
    "legend.fontsize": FONT_SIZE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "axes.axisbelow": True,
}

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, eq=False)
class Plot:
    """A plot that is drawn but not yet written.

    Attributes:
        name: stem of its file.
        caption: what it shows and how it was measured, for under the plot.
        alt: what can be read from it, for those who cannot see it.
        picture: the matplotlib figure.
    """

    name: str
    caption: str
    alt: str
    picture: Picture


@dataclass(frozen=True, slots=True)
class SavedPlot:
    """A plot as a PNG file, with its `name`, `caption` and `alt` text."""

    name: str
    caption: str
    alt: str
    path: Path


def with_style(draw: Callable[P, R]) -> Callable[P, R]:
    """Draw in the style of the report whatever the user's own matplotlib settings are."""

    @wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> R:
        with matplotlib.style.context(["default", _STYLE]):
            return draw(*args, **kwargs)

    return styled


@with_style
def save_plot(plot: Plot, folder: Path) -> SavedPlot:
    """Write `FOLDER/NAME.png`, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    path = folder / f"{plot.name}.png"
    with write_whole(path) as beside:
        # No date or version inside: the same benchmark gives the same bytes.
        plot.picture.savefig(beside, format="png", dpi=DPI, metadata={"Software": None})
    return SavedPlot(plot.name, plot.caption, plot.alt, path)


def open_picture(height_in: float = HEIGHT_IN) -> tuple[Picture, Axes]:
    """Open a picture with one pair of axes; call from a function under `with_style`."""
    picture = Picture(figsize=(WIDTH_IN, height_in), layout="constrained")
    FigureCanvasAgg(picture)
    return picture, picture.add_subplot()


def add_legend(picture: Picture, axes: Axes) -> None:
    """Put the legend under the axes, where it hides nothing, and make the picture taller by its height."""
    entries = list(zip(*axes.get_legend_handles_labels(), strict=True))
    if not entries:
        return
    # The data first: matplotlib lists lines before marks with intervals.
    entries.sort(key=lambda entry: entry[1].startswith(PUBLISHED))
    handles, labels = [handle for handle, _ in entries], [label for _, label in entries]
    columns = 2 if len(labels) > 1 and max(map(len, labels)) <= _LEGEND_CHARS // 2 - 4 else 1
    texts = [wrap_name(label, _LEGEND_CHARS) for label in labels]
    lines = sum(text.count("\n") + 1 for text in texts)
    rows = -(-lines // columns)
    width_in, height_in = picture.get_size_inches()
    picture.set_size_inches(width_in, height_in + _LEGEND_LINE_IN * rows + 0.15)
    picture.legend(handles, texts, loc="outside lower center", ncols=columns, frameon=False)


def pick_line(index: int) -> dict[str, Any]:
    """Return colour and dashes of the line of the source at an index, 0 the main one."""
    return {
        "color": COLOURS[index % len(COLOURS)],
        "linestyle": LINES[index % len(LINES)],
        "linewidth": 2.2 if index == 0 else 1.6,
    }


def pick_mark(index: int) -> dict[str, Any]:
    """Return colour and shape of the mark of the source at an index, 0 the main one."""
    return {
        "color": COLOURS[index % len(COLOURS)],
        "marker": MARKERS[index % len(MARKERS)],
        "markersize": 9 if index == 0 else 7,
        "markeredgecolor": "white",
        "linestyle": "none",
        "zorder": 4 if index == 0 else 3,
    }


def draw_mark(axes: Axes, x: Figure, y: Figure, index: int, label: str) -> None:
    """Draw a source as a mark with the intervals of both its figures; nothing where one is not defined."""
    if x.value is None or y.value is None:
        return
    axes.errorbar(
        x.value,
        y.value,
        xerr=measure_arms(x),
        yerr=measure_arms(y),
        elinewidth=1.2,
        capsize=2,
        clip_on=False,
        label=label,
        **pick_mark(index),
    )


def complement(figure: Figure) -> Figure:
    """Return 1 - figure."""
    if figure.value is None:
        return figure
    interval = None if figure.ci95 is None else (1 - figure.ci95[1], 1 - figure.ci95[0])
    return replace(figure, value=1 - figure.value, ci95=interval)


def measure_arms(figure: Figure) -> list[list[float]] | None:
    """Return how far a figure's interval reaches below and above its value, as `errorbar` takes it."""
    if figure.value is None or figure.ci95 is None:
        return None
    # BCa can leave the value outside its interval; an arm has no negative length.
    low, high = figure.ci95
    return [[max(figure.value - low, 0.0)], [max(high - figure.value, 0.0)]]


def write_value(figure: Figure, digits: int = 2) -> str:
    """Write `0.83 (0.76 to 0.89)`, the value alone where there is no interval, or `not defined`."""
    if figure.value is None:
        return "not defined"
    text = f"{figure.value:.{digits}f}"
    if figure.ci95 is not None:
        text += f" ({figure.ci95[0]:.{digits}f} to {figure.ci95[1]:.{digits}f})"
    return write_minus(text)


def write_minus(text: str) -> str:
    """Write minus signs as the axes do, and no zero with a sign."""
    return re.sub(r"-(?=0\.?0*(?![\d.]))", "", text).replace("-", "−")


def wrap_name(text: str, width: int) -> str:
    """Wrap a name to lines of at most `width` letters, after underscores too."""
    return "\n".join(line.replace("_ ", "_") for line in textwrap.wrap(text.replace("_", "_ "), width))
