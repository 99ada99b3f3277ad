"""The card's plots and pictures, as PNG bytes: real in blue, phantom in orange, published ranges shaded."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fascnet.phantom.card.discriminator import PatchJudge
from fascnet.phantom.card.measured import Held, Values
from fascnet.phantom.card.movement import measure_differences, trace_correlation
from fascnet.phantom.card.published import TWITCH
from fascnet.phantom.card.ranking import Comparison
from fascnet.phantom.card.sources import Source
from fascnet.phantom.card.statistics import SHORTEST_CLIP_FRAMES

REAL, PHANTOM, PUBLISHED_RANGE = "#0072B2", "#D55E00", "#009E73"
"""Okabe-Ito: told apart by colour-blind readers and in grey print."""

_FONT_SIZE = 11
_MARKS_BEYOND = 1.5


def draw_histogram(sources: Sequence[Source]) -> bytes:
    """Draw the grey histogram of every source, and the mean of each side."""

    def draw(axes: Axes) -> None:
        edges = np.linspace(0, 256, 65)
        middles = (edges[:-1] + edges[1:]) / 2
        for is_real, colour, name in _sides(sources):
            shares = []
            for source in sources:
                if source.is_real == is_real:
                    chosen = source.frames[:: max(len(source.frames) // 4, 1)]
                    shares.append(np.histogram(chosen, edges)[0] / chosen.size / (edges[1] - edges[0]))
                    axes.plot(middles, shares[-1], color=colour, alpha=0.25, linewidth=0.8)
            axes.plot(middles, np.mean(shares, axis=0), color=colour, linewidth=2.5, label=name)
        axes.set_ylim(0, 0.04)
        _label(axes, "grey level", "share of pixels per level")

    return _render(draw)


def draw_grain(sources: Sequence[Source], values: Sequence[dict[str, float]]) -> bytes:
    """Draw the size of the grain, along against across the beam, a point a source."""

    def draw(axes: Axes) -> None:
        for is_real, colour, name in _sides(sources):
            points = np.array(
                [
                    (measured["grain_lateral_mm"], measured["grain_axial_mm"])
                    for source, measured in zip(sources, values, strict=True)
                    if source.is_real == is_real
                ]
            )
            marker = "o" if is_real else "^"
            axes.scatter(
                points[:, 0], points[:, 1], s=44, color=colour, alpha=0.75, marker=marker, label=name
            )
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        _label(axes, "across the beam, FWHM in mm", "along the beam, FWHM in mm")

    return _render(draw)


def draw_correlation(sources: Sequence[Source]) -> bytes | None:
    """Draw how the picture decorrelates with time, a line a clip; None without clips."""
    clips = _list_clips(sources)
    if not clips:
        return None
    lags_s = np.concatenate([[0.0], np.geomspace(0.02, 2.0, 16)])

    def draw(axes: Axes) -> None:
        for is_real, colour, name in _sides(clips):
            for index, (source, fps) in enumerate(_with_rates(clips, is_real)):
                curve = trace_correlation(source.frames, fps, lags_s)
                axes.plot(
                    lags_s,
                    curve,
                    color=colour,
                    alpha=0.9 if is_real else 0.5,
                    linewidth=1.8 if is_real else 1.0,
                    label=name if index == 0 else None,
                )
        axes.set_xlim(0, 2)
        axes.set_ylim(top=1.01)
        _label(axes, "lag in s", "correlation of pixels")

    return _render(draw)


def draw_differences(sources: Sequence[Source]) -> bytes | None:
    """Draw the distribution of the frame difference, a line a clip; None without clips."""
    clips = _list_clips(sources)
    if not clips:
        return None

    def draw(axes: Axes) -> None:
        for is_real, colour, name in _sides(clips):
            for index, (source, _) in enumerate(_with_rates(clips, is_real)):
                ordered = np.sort(np.maximum(measure_differences(source.frames), 0.02))
                axes.plot(
                    ordered,
                    (np.arange(len(ordered)) + 0.5) / len(ordered),
                    color=colour,
                    alpha=0.9 if is_real else 0.5,
                    linewidth=1.8 if is_real else 1.0,
                    label=name if index == 0 else None,
                )
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        _label(axes, "mean absolute frame difference in grey levels", "share of frames below")

    return _render(draw)


def draw_spans(comparisons: Sequence[Comparison]) -> bytes:
    """Draw every statistic on the scale of its real span: 0 is the smallest real value, 1 the largest."""
    shown = [
        each for each in comparisons if np.isfinite(each.phantom_median) and each.real_high > each.real_low
    ]

    def draw(axes: Axes) -> None:
        axes.axvspan(0, 1, color=REAL, alpha=0.15, label="span of the real subjects")
        for row, each in enumerate(reversed(shown)):
            low, high = each.real_low, each.real_high
            scaled = [
                float(np.clip((value - low) / (high - low), -_MARKS_BEYOND, 1 + _MARKS_BEYOND))
                for value in (each.phantom_low, each.phantom_median, each.phantom_high, each.real_median)
            ]
            axes.plot(scaled[:2] + scaled[2:3], [row] * 3, color=PHANTOM, linewidth=2.5, alpha=0.6)
            axes.plot(
                scaled[1],
                row,
                "^",
                color=PHANTOM,
                markersize=8,
                label="phantom, 10-90 %" if row == 0 else None,
            )
            axes.plot(
                scaled[3], row, "o", color=REAL, markersize=6, label="real, median" if row == 0 else None
            )
        axes.set_yticks(range(len(shown)), [each.statistic.title for each in reversed(shown)], fontsize=9)
        axes.set_xlim(-_MARKS_BEYOND - 0.1, 1 + _MARKS_BEYOND + 0.1)
        axes.set_ylim(-0.8, len(shown) - 0.2)
        axes.set_xlabel(
            "0 = smallest, 1 = largest real value; marks at the border lie further out", fontsize=_FONT_SIZE
        )
        axes.legend(loc="upper center", bbox_to_anchor=(0.4, 1.06), ncol=3, frameon=False, fontsize=9)

    return _render(draw, size=(9.0, 0.27 * len(shown) + 1.6), legend=False)


def draw_values(held: Sequence[Held], values: Values, kind: str = TWITCH) -> bytes | None:
    """Draw the distribution of each measured quantity over its published range; None when there is none."""
    # Yes or no for each event or window: the table's share says it all.
    plain = {name for name, data in values.items() if set(data) <= {0.0, 1.0}}
    shown = [each for each in held if each.published.kind == kind and each.published.name not in plain]
    if not shown:
        return None
    columns = 4
    rows = math.ceil(len(shown) / columns)
    picture = Figure(figsize=(3.1 * columns, 2.3 * rows), dpi=110, layout="constrained")
    FigureCanvasAgg(picture)
    for index, each in enumerate(shown):
        axes = picture.add_subplot(rows, columns, index + 1)
        data = np.array(values[each.published.name])
        low, high = float(data.min()), float(np.percentile(data, 99.5))
        ends = [end for end in (each.published.low, each.published.high) if math.isfinite(end)]
        left, right = min([low, *ends]), max([high, *ends])
        axes.axvspan(
            each.published.low, min(each.published.high, right * 1.05), color=PUBLISHED_RANGE, alpha=0.2
        )
        axes.hist(
            data, bins=np.linspace(left, max(right, left + 1e-6), 25).tolist(), color=PHANTOM, alpha=0.8
        )
        unit = f", {each.published.unit}" if each.published.unit else ""
        axes.set_title(f"{each.published.title}{unit}", fontsize=9)
        axes.tick_params(labelsize=8)
        axes.set_yticks([])
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
    return _save(picture)


def draw_scores(judge: PatchJudge, real: NDArray[np.bool_]) -> bytes:
    """Draw the classifier's scores of held-out patches."""

    def draw(axes: Axes) -> None:
        bounds = np.percentile(judge.score, [0.5, 99.5])
        bins = np.linspace(bounds[0], max(bounds[1], bounds[0] + 1e-3), 40).tolist()
        for side, colour, name in ((real, REAL, "real"), (~real, PHANTOM, "phantom")):
            axes.hist(judge.score[side], bins=bins, color=colour, alpha=0.55, density=True, label=name)
        _label(axes, "score of a held-out patch (log odds of real)", "density")

    return _render(draw)


def _sides(sources: Sequence[Source]) -> list[tuple[bool, str, str]]:
    sides = [(True, REAL, "real"), (False, PHANTOM, "phantom")]
    return [side for side in sides if any(source.is_real == side[0] for source in sources)]


def _list_clips(sources: Sequence[Source]) -> list[Source]:
    return [source for source in sources if source.is_clip and len(source.frames) >= SHORTEST_CLIP_FRAMES]


def _with_rates(clips: Sequence[Source], is_real: bool) -> list[tuple[Source, float]]:
    return [(clip, clip.fps) for clip in clips if clip.is_real == is_real and clip.fps is not None]


def _render(
    draw: Callable[[Axes], None], size: tuple[float, float] = (6.2, 4.3), *, legend: bool = True
) -> bytes:
    picture = Figure(figsize=size, dpi=120, layout="constrained")
    FigureCanvasAgg(picture)
    axes = picture.add_subplot()
    draw(axes)
    axes.grid(alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if legend:
        axes.legend(frameon=False, fontsize=_FONT_SIZE - 1)
    return _save(picture)


def _save(picture: Figure) -> bytes:
    beside = io.BytesIO()
    # No date or version inside: the same card gives the same bytes.
    picture.savefig(beside, format="png", metadata={"Software": None})
    return beside.getvalue()


def _label(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x, fontsize=_FONT_SIZE)
    axes.set_ylabel(y, fontsize=_FONT_SIZE)
