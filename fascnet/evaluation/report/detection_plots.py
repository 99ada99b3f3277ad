"""The limit of detection as a picture: recall against amplitude, and the limit against noise and theory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Picture
from matplotlib.ticker import FuncFormatter, NullFormatter

from fascnet.evaluation.cuts.detection_limit import LEVELS, DetectionLimit
from fascnet.evaluation.cuts.event_subgroups import UNKNOWN
from fascnet.evaluation.report.canvas import (
    COLOURS,
    LINES,
    MARKERS,
    Plot,
    add_legend,
    measure_arms,
    pick_line,
    pick_mark,
    with_style,
    write_minus,
    write_value,
)
from fascnet.evaluation.uncertainty.bootstrap import FloatArray

SIDES_IN = (6.4, 8.6)
TICKS_UM = (10, 20, 50, 75, 100, 150, 200, 300, 500, 750, 1000, 2000)


@dataclass(frozen=True, slots=True, eq=False)
class NoiseGroup:
    """Clips of about the same noise.

    Attributes:
        name: of the bin.
        noise_db: median noise of its clips.
        limit: what was measured on them.
        picture_bound_um: median bound of their pictures, None where it was not measured.
    """

    name: str
    noise_db: float
    limit: DetectionLimit
    picture_bound_um: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """Theory to set beside it.

    Attributes:
        noise_db: (k,).
        echo_um: bound of radio-frequency echoes there, by the correlation of the echoes, each (k,).
        clip_noise_db: noise of each clip whose pictures were measured (c,).
        clip_um: the bound of its pictures (c,).
        kernel_mm: side of the kernel of both.
    """

    noise_db: FloatArray
    echo_um: Mapping[float, FloatArray]
    clip_noise_db: FloatArray
    clip_um: FloatArray
    kernel_mm: float


@with_style
def draw_detection_limit(
    every: DetectionLimit, groups: Sequence[NoiseGroup], cuts_um: Sequence[float], bounds: Bounds
) -> Plot | None:
    """Draw recall against amplitude above, limits and bounds against noise below; None without sized events.

    Args:
        every: all clips.
        groups: by noise, from quiet to noisy.
        cuts_um: inner edges of the bins of amplitude.
        bounds: theory.
    """
    if len(every.events.amplitude_um) == 0:
        return None
    picture = Picture(figsize=SIDES_IN, layout="constrained")
    FigureCanvasAgg(picture)
    above, below = picture.subplots(2, 1)
    _draw_recall(above, every, groups, cuts_um)
    _draw_noise(below, every, groups, bounds)
    add_legend(picture, above)
    caption = (
        "Above: recall against the largest displacement of the twitch. Marks: bins with 95 % intervals "
        "(subjects resampled); lines: the fit that nowhere falls. Below: the amplitude at which recall "
        "reaches 0.5 (filled) and 0.9 (hollow) by electronic noise, beside the Cramér-Rao bounds of one "
        f"pair of frames in a kernel of {bounds.kernel_mm:g} mm: radio-frequency echoes of correlation ρ "
        "(Walker & Trahey 1995) and the recorded pictures (gradient energy and noise measured in each "
        "clip). A detector may integrate over more frames and more tissue."
    )
    alt = "; ".join(
        f"recall {level:g} from {write_value(figure, 0)} µm" for level, figure in every.limits_um.items()
    )
    return Plot("detection_limit", caption, alt, picture)


def _draw_recall(
    axes: Axes, every: DetectionLimit, groups: Sequence[NoiseGroup], cuts_um: Sequence[float]
) -> None:
    """Draw all clips as marks and a line, and each noise group as a line."""
    amplitude_um = every.events.amplitude_um
    which = np.searchsorted(cuts_um, amplitude_um, side="right")
    label: str | None = f"all clips, {len(amplitude_um)} twitches"
    for index, name in enumerate(name for name in every.recall if name != UNKNOWN):
        figure = every.recall[name]
        if figure.value is None:
            continue
        middle_um = float(np.exp(np.mean(np.log(amplitude_um[which == index]))))
        arms = measure_arms(figure)
        look = pick_mark(0) | {"label": label, "clip_on": False}
        axes.errorbar(middle_um, figure.value, yerr=arms, capsize=3, **look)
        label = None
    axes.step(*every.curve, where="post", **pick_line(0))
    for index, group in enumerate(groups, 1):
        n = len(group.limit.events.amplitude_um)
        if n:
            text = f"noise {write_minus(group.name)} dB, {n} twitches"
            axes.step(*group.limit.curve, where="post", label=text, **pick_line(index))
    for level in LEVELS:
        axes.axhline(level, color="0.75", linewidth=1, zorder=0)
    axes.set(xlabel="largest displacement of the twitch, µm", ylabel="recall", ylim=(-0.02, 1.02))
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xticks([tick for tick in TICKS_UM if low <= tick <= high])
    _write_plainly(axes.xaxis)


def _draw_noise(axes: Axes, every: DetectionLimit, groups: Sequence[NoiseGroup], bounds: Bounds) -> None:
    """Draw limits by noise over the bounds."""
    for index, group in enumerate(groups, 1):
        colour = COLOURS[index % len(COLOURS)]
        for place, (level, fill) in enumerate(zip(LEVELS, (colour, "white"), strict=True)):
            figure = group.limit.limits_um[level]
            if figure.value is not None:
                look = pick_mark(index) | {"markerfacecolor": fill, "markeredgecolor": colour}
                # Two marks of one group side by side.
                x = group.noise_db + 0.4 * (place - 0.5)
                axes.errorbar(x, figure.value, yerr=measure_arms(figure), capsize=3, **look)
    for level, line in zip(LEVELS, LINES, strict=False):
        figure = every.limits_um[level]
        if figure.value is not None:
            axes.axhline(figure.value, color=COLOURS[0], linestyle=line, linewidth=1)
            _annotate(axes, f"all clips, recall {level:g}", figure.value, COLOURS[0])
    for index, (correlation, echo_um) in enumerate(bounds.echo_um.items()):
        axes.plot(bounds.noise_db, echo_um, color="0.35", linestyle=LINES[index % len(LINES)])
        end = (bounds.noise_db[-1], echo_um[-1])
        place_pt: dict[str, Any] = {
            "xytext": (0, 4),
            "textcoords": "offset points",
            "ha": "right",
            "va": "bottom",
        }
        axes.annotate(f"echoes, ρ = {correlation:g}", end, fontsize=9, color="0.35", **place_pt)
    if len(bounds.clip_um):
        look = {"color": "0.6", "marker": MARKERS[2], "linestyle": "none", "markersize": 5}
        axes.plot(bounds.clip_noise_db, bounds.clip_um, **look)
        _annotate(axes, "▲ pictures, a clip each", float(np.max(bounds.clip_um)), "0.4")
    axes.set(xlabel="electronic noise against the echo, dB", ylabel="displacement, µm", yscale="log")
    _write_plainly(axes.yaxis)


def _annotate(axes: Axes, text: str, height: float, colour: str) -> None:
    """Write a line above a height, at the left edge."""
    place: dict[str, Any] = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points"}
    axes.annotate(text, (0.01, height), (0, 4), va="bottom", fontsize=9, color=colour, **place)


def _write_plainly(axis: Axis) -> None:
    """Write plain numbers beside a logarithmic axis."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
