"""Plots of counts: does a source count the same number of events per clip as the reference?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from fascnet.evaluation.figures.rates import measure_limits
from fascnet.evaluation.report.canvas import (
    COLOURS,
    Plot,
    add_legend,
    open_picture,
    with_style,
    write_minus,
    write_value,
)
from fascnet.evaluation.uncertainty.bootstrap import Figure, FloatArray

MAX_NUMBERED = 60
"""Places up to which a dot tells how many clips it stands for."""

_LIMITS = (("loa_high", "upper limit", "--"), ("bias", "bias", "-"), ("loa_low", "lower limit", "-."))


@with_style
def draw_differences(
    reference: FloatArray,
    found: FloatArray,
    figures: Mapping[str, Figure],
    source: str,
    *,
    independent: bool,
) -> Plot | None:
    """Draw differences of counts against their means with limits of agreement; None below two clips.

    Args:
        reference: events that the reference counts in each clip (n,).
        found: events that the source counts (n,).
        figures: `bias`, `loa_low` and `loa_high` with bootstrap intervals.
        source: its name.
        independent: one clip a subject: the exact intervals of the limits hold, and are taken.
    """
    if len(reference) < 2:
        return None
    marks = {name: (figures[name].value, figures[name].ci95) for name, _, _ in _LIMITS if name in figures}
    exact = measure_limits(reference, found) if independent else None
    if exact is not None and exact.sd > 0:
        marks = {
            "bias": (exact.bias, exact.bias_ci),
            "loa_low": (exact.low, exact.low_ci),
            "loa_high": (exact.high, exact.high_ci),
        }
    picture, axes = open_picture()
    _draw_places(axes, (reference + found) / 2, found - reference)
    told = []
    for name, text, dashes in _LIMITS:
        value, interval = marks.get(name, (None, None))
        if value is None:
            continue
        label = f"{text} {_sign(value)}"
        if interval is not None:
            axes.axhspan(*interval, color=COLOURS[1], alpha=0.13, linewidth=0)
            label += f" ({_sign(interval[0])} to {_sign(interval[1])})"
        axes.axhline(value, color=COLOURS[1], linestyle=dashes, linewidth=1.6, label=label)
        told.append(label)
    axes.axhline(0, color="0.4", linewidth=0.8, zorder=1)
    axes.set(xlabel="mean of both counts, events per clip", ylabel=f"{source} minus reference")
    axes.margins(x=0.06, y=0.12)
    add_legend(picture, axes)
    how = (
        "exact intervals (Carkeet 2015), a clip a subject"
        if exact is not None and exact.sd > 0
        else "intervals by resampling subjects"
    )
    caption = (
        f"Counts of {source} against the reference (Bland-Altman): difference against mean of both, "
        f"{len(reference)} clips, with 95 % limits of agreement; {how}. "
        "Large dots: several clips at one place."
    )
    return Plot("bland_altman", caption, f"{source} minus reference: " + "; ".join(told), picture)


@with_style
def draw_counts(
    reference: FloatArray, found: FloatArray, icc: Figure, spearman: Figure, source: str
) -> Plot | None:
    """Draw the counts of a source against those of the reference; None without a clip.

    Args:
        reference: events that the reference counts in each clip (n,).
        found: events that the source counts (n,).
        icc: ICC(2,1) of the counts.
        spearman: rank correlation.
        source: its name.
    """
    if len(reference) == 0:
        return None
    picture, axes = open_picture()
    most = float(max(reference.max(), found.max(), 1))
    axes.plot([0, most], [0, most], color="0.5", linestyle=":", linewidth=1.5, label="equal counts")
    _draw_places(axes, reference, found)
    axes.set(xlabel="events per clip, reference", ylabel=f"events per clip, {source}")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(0.06)
    add_legend(picture, axes)
    shown = f"ICC(2,1) {write_value(icc)}, Spearman {write_value(spearman)}"
    caption = (
        f"Counts of {source} against the reference, {len(reference)} clips: {shown}. "
        "Large dots: several clips at one place."
    )
    return Plot("counts", caption, f"{source} against reference: {shown}", picture)


def _sign(value: float) -> str:
    return write_minus(f"{value:+.2f}")


def _draw_places(axes: Axes, x: FloatArray, y: FloatArray) -> None:
    """Draw a dot a place: counts are whole numbers, and equal points would hide each other."""
    unique, n = np.unique(np.column_stack([x, y]), axis=0, return_counts=True)
    # Area by number up to a bound: one common place must not cover its neighbours.
    size = np.where(n == 1, 36.0, 170 + 300 * np.sqrt(n / n.max()))
    axes.scatter(unique[:, 0], unique[:, 1], s=size, color=COLOURS[0], alpha=0.6, linewidth=0, zorder=3)
    if len(unique) <= MAX_NUMBERED and n.max() < 100:
        for place, count in zip(unique, n, strict=True):
            if count > 1:
                axes.annotate(str(count), place, ha="center", va="center", color="white", zorder=4,
                              fontweight="bold")  # fmt: skip
