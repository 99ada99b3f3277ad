"""Figures for tests, without a study behind them."""

from __future__ import annotations

from matplotlib.text import Text

from fascnet.evaluation.uncertainty.bootstrap import Figure, not_defined

NONE = not_defined("no event")


def figure(value, low=None, high=None, n=20, unit="clips"):
    return Figure(value, None if low is None else (low, high), n, unit, 5)


def list_texts(plot) -> str:
    """Everything that is written in a plot."""
    plot.picture.draw_without_rendering()
    return "\n".join(text.get_text() for text in plot.picture.findobj(Text))
