"""`summary.png`: one clip at a glance. Where it twitched, when it twitched, and how sure the network is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from fascnet.data.whole_file import write_whole
from fascnet.inference.overlay import blend_heatmap
from fascnet.types import FASCICULATION, Event, PixelBox, Point, Prediction

SUMMARY_FILE = "summary.png"

_SPAN = "#e8702a"
_OTHER = "#6a7f96"
_NOT_SCORED = "#9a9a9a"
_CURVE = "#1f4e79"
_INK = "#222222"
_MAX_SHOWN_PX = 900
_MAX_NUMBERS = 20
"""Only the events of the highest scores are numbered: more cannot be told apart. The table has all."""


def write_summary(
    path: Path,
    prediction: Prediction,
    *,
    mean_frame: NDArray[np.floating],
    highest: NDArray[np.uint8],
    course: tuple[NDArray[np.float64], NDArray[np.float64]],
    threshold: float,
) -> None:
    """Draw and write the picture, whole or not at all. Needs no display.

    Args:
        path: the png.
        prediction: the clip's result; its `box` says what the pictures cover.
        mean_frame: mean over time of the recording, 0-255, (H, W) in stored pixels.
        highest: largest heatmap value over time, uint8 (h, w).
        course: (times_s, probability) of the pooled probability over time.
        threshold: the event definition's onset threshold, drawn as a line for orientation.

    Raises:
        OutputError: it cannot be written.
    """
    box = prediction.box
    if box is None:
        raise ValueError("a prediction without a box has no picture")
    figure = Figure(figsize=(12.0, 4.8), dpi=120, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": 10.0, "axes.edgecolor": "#888888"}):
        shape = (box[3] - box[1]) / (box[2] - box[0])
        left, right = figure.subplots(1, 2, width_ratios=(min(1.35, max(0.7, 1.0 / shape)), 1.25))
        _draw_place(left, figure, mean_frame, highest, box, prediction.events)
        _draw_time(right, course, prediction, threshold)
        figure.suptitle(_title(prediction), x=0.012, ha="left", fontsize=13, fontweight="bold", color=_INK)
        figure.supxlabel(
            "fascnet, research use, not a medical device", x=0.988, ha="right", fontsize=7.5, color="#777777"
        )
        with write_whole(path) as beside:
            figure.savefig(beside, format="png")


def _title(prediction: Prediction) -> str:
    score = "not scored" if prediction.score is None else f"score {prediction.score:.2f}"
    score += f" ({prediction.verdict})" if prediction.verdict else ""
    n = len(prediction.fasciculations())
    name = prediction.clip_id if len(prediction.clip_id) <= 60 else f"{prediction.clip_id[:57]}…"
    parts = [name, score, f"{n} event{'' if n == 1 else 's'} in {prediction.scored_s:.1f} s"]
    if prediction.not_scored:
        parts.append(f"{prediction.not_scored_s:.1f} s not scored")
    if prediction.status == "partial":
        parts.append("partial")
    return "   ·   ".join(parts)


def _draw_place(
    axes: Axes,
    figure: Figure,
    mean_frame: NDArray[np.floating],
    highest: NDArray[np.uint8],
    box: PixelBox,
    events: Sequence[Event],
) -> None:
    x0, y0, x1, y1 = box
    crop = np.clip(np.rint(mean_frame[y0:y1, x0:x1]), 0, 255).astype(np.uint8)
    scale = min(1.0, _MAX_SHOWN_PX / max(crop.shape))
    if scale < 1.0:
        size = (max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale)))
        crop = cv2.resize(crop, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    extent = (x0 - 0.5, x1 - 0.5, y1 - 0.5, y0 - 0.5)
    axes.imshow(blend_heatmap(np.ascontiguousarray(crop), highest), extent=extent, interpolation="bilinear")
    rim = [withStroke(linewidth=3.0, foreground="black")]
    for number, event in _pick_numbered(events):
        if not isinstance(event.region, Point):
            continue
        x, y = event.region.x, event.region.y
        axes.plot(x, y, "o", mfc="none", mec=_colour(event), mew=1.8, ms=13, path_effects=rim)
        axes.annotate(
            str(number),
            (x, y),
            # To the left of a circle near the right edge, where the number would run into the colour bar.
            xytext=(9, 6) if x < x1 - 0.08 * (x1 - x0) else (-9, 6),
            ha="left" if x < x1 - 0.08 * (x1 - x0) else "right",
            textcoords="offset points",
            color="white",
            fontsize=10,
            fontweight="bold",
            path_effects=rim,
            annotation_clip=True,
        )
    axes.set(xlim=extent[:2], ylim=extent[2:], xticks=[], yticks=[])
    axes.set_title(
        "largest probability at each place, over the mean frame", fontsize=9.5, loc="left", color=_INK
    )
    scale_of = mpl.cm.ScalarMappable(norm=mpl.colors.Normalize(0.0, 1.0), cmap="inferno")
    bar = figure.colorbar(scale_of, ax=axes, fraction=0.04, pad=0.02, ticks=[0, 0.5, 1])
    bar.ax.tick_params(labelsize=8, length=2)
    bar.outline.set_edgecolor("#888888")


def _pick_numbered(events: Sequence[Event]) -> list[tuple[int, Event]]:
    """Pick the events to number, in order of onset; numbers are those of `events.csv`."""
    numbered = list(enumerate(events, 1))
    strongest = sorted(numbered, key=lambda item: 0.0 if item[1].score is None else -item[1].score)
    return sorted(strongest[:_MAX_NUMBERS], key=lambda item: item[0])


def _draw_time(
    axes: Axes,
    course: tuple[NDArray[np.float64], NDArray[np.float64]],
    prediction: Prediction,
    threshold: float,
) -> None:
    times, values = course
    end = max(prediction.scored_s + prediction.not_scored_s, 1e-3)
    for part in prediction.not_scored:
        axes.axvspan(part.start_s, part.end_s, fc="#f0f0f0", ec=_NOT_SCORED, hatch="//", lw=0)
    for event in prediction.events:
        axes.axvspan(event.onset_s, event.offset_s, color=_colour(event), alpha=0.28, lw=0)
    free_from = {1.035: -end, 1.085: -end}
    for number, event in _pick_numbered(prediction.events):
        middle = (event.onset_s + event.offset_s) / 2
        # Two rows; a number that fits in neither is left out rather than printed over another.
        height = next((row for row, free in free_from.items() if middle >= free), None)
        if height is not None:
            axes.text(middle, height, str(number), ha="center", va="center", fontsize=8.5, color="#b3490a")
            free_from[height] = middle + 0.035 * end
    axes.plot(times, values, color=_CURVE, lw=1.4)
    axes.fill_between(times, values, color=_CURVE, alpha=0.12, lw=0)
    axes.axhline(threshold, color="#999999", lw=0.8, ls=(0, (4, 4)))
    axes.set(xlim=(0.0, end), ylim=(0.0, 1.12), yticks=[0, 0.25, 0.5, 0.75, 1.0], xlabel="time (s)")
    axes.set_ylabel("probability of a fasciculation")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=3, labelsize=9)
    axes.grid(axis="y", color="#dddddd", lw=0.6)
    axes.set_axisbelow(True)
    shown = "shaded: events"
    if any(event.label != FASCICULATION for event in prediction.events):
        shown += " (grey-blue: periodic, not counted)"
    if prediction.not_scored:
        shown += "; hatched: not scored"
    axes.set_title(shown, fontsize=9.5, loc="left", color=_INK)


def _colour(event: Event) -> str:
    return _SPAN if event.label == FASCICULATION else _OTHER
