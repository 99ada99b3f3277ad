"""Plots of what was found and missed: recall by the size of the twitch, errors of the onset."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.ticker import MaxNLocator

from fascnet.evaluation.cuts.event_subgroups import UNKNOWN
from fascnet.evaluation.figures.timing import WITHIN_S
from fascnet.evaluation.report.canvas import (
    COLOURS,
    Plot,
    add_legend,
    measure_arms,
    open_picture,
    pick_mark,
    with_style,
    write_value,
)
from fascnet.evaluation.uncertainty.bootstrap import Figure, FloatArray

LONGEST_ERROR_S = 0.5
"""Errors beyond are counted in the outermost bars: one stray match must not flatten the rest."""


@with_style
def draw_recall_by_amplitude(recalls: Mapping[str, Mapping[str, Figure]]) -> Plot | None:
    """Draw recall by the size of the twitch; None when no event has a known size.

    Args:
        recalls: source -> bin of `peak_mm` -> recall, from small to large, `unknown` last.
    """
    every = next(iter(recalls.values()), {})
    counts = {name: max(figures[name].n for figures in recalls.values()) for name in every}
    bins = [name for name, n in counts.items() if n]
    if set(bins) <= {UNKNOWN}:
        return None
    picture, axes = open_picture()
    width = 0.0 if len(recalls) == 1 else 0.5
    for index, (source, figures) in enumerate(recalls.items()):
        shift = width * (index / max(len(recalls) - 1, 1) - 0.5)
        known = [(k + shift, figures[name]) for k, name in enumerate(bins) if figures[name].value is not None]
        for place, figure in known:
            axes.errorbar(
                place,
                np.nan if figure.value is None else figure.value,
                yerr=measure_arms(figure),
                capsize=3,
                clip_on=False,
                label=source if place == known[0][0] else None,
                **pick_mark(index),
            )
    texts = [f"{name}\n{counts[name]} events" for name in bins]
    axes.set_xticks(range(len(bins)), texts)
    axes.set(xlabel="largest displacement of the twitch, mm", ylabel="recall", ylim=(-0.02, 1.02))
    axes.set_xlim(-0.5, len(bins) - 0.5)
    axes.grid(visible=False, axis="x")
    add_legend(picture, axes)
    caption = "Recall by the size of the twitch, the largest displacement of tissue, with 95 % intervals."
    alt = "; ".join(
        f"{source}: " + ", ".join(f"{name} {write_value(figures[name])}" for name in bins)
        for source, figures in recalls.items()
    )
    return Plot("recall_by_amplitude", caption, alt, picture)


@with_style
def draw_timing(errors_s: FloatArray, median: Figure, source: str, frame_s: float | None) -> Plot | None:
    """Draw how early or late onsets are found; None without a matched event.

    Args:
        errors_s: onset found minus onset of the reference, of each match (n,).
        median: of these.
        source: whose.
        frame_s: length of a frame, where all clips have about the same; else None.
    """
    if len(errors_s) == 0:
        return None
    longest_s = min(max(float(np.abs(errors_s).max()), 0.1), LONGEST_ERROR_S)
    width_s = frame_s if frame_s is not None else longest_s / 12
    # Bars are a frame wide and centred on whole frames: an error cannot be told finer.
    half = int(np.ceil(longest_s / width_s - 0.5))
    edges = (np.arange(-half, half + 2) - 0.5) * width_s
    beyond = int(np.count_nonzero((errors_s < edges[0]) | (errors_s >= edges[-1])))
    picture, axes = open_picture()
    inside = np.clip(errors_s, edges[0], np.nextafter(edges[-1], 0))
    axes.hist(1000 * inside, (1000 * edges).tolist(), color=COLOURS[0], alpha=0.75)
    axes.axvline(0, color="0.3", linewidth=1)
    if edges[-1] > WITHIN_S:
        for limit_ms in (-1000 * WITHIN_S, 1000 * WITHIN_S):
            axes.axvline(limit_ms, color=COLOURS[5], linestyle="--", linewidth=1.8,
                         label="±167 ms, the published tolerance" if limit_ms > 0 else None)  # fmt: skip
    if frame_s is not None:
        axes.axvspan(-1000 * frame_s, 1000 * frame_s, color="0.85", zorder=0, label="±1 frame")
    if median.value is not None:
        low_high = (
            "" if median.ci95 is None else f" ({1000 * median.ci95[0]:.0f} to {1000 * median.ci95[1]:.0f})"
        )
        axes.axvline(1000 * median.value, color=COLOURS[1], linewidth=2,
                     label=f"median {1000 * median.value:+.0f} ms{low_high}")  # fmt: skip
    axes.set(xlabel="onset found minus onset of the reference, ms (right: too late)", ylabel="matched events")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    add_legend(picture, axes)
    caption = (
        f"Timing of {source}: error of the onset of {len(errors_s)} events matched under any overlap, "
        "whatever the main rule is (one that asks for nearness would hide the large errors). Missed events "
        "have no error: read it beside recall."
    )
    caption += f" {beyond} errors beyond the axis are in the outermost bars." if beyond else ""
    within = float((np.abs(errors_s) <= WITHIN_S).mean())
    middle = "not defined" if median.value is None else f"{1000 * median.value:+.0f} ms"
    alt = f"{source}: median onset error {middle}; {100 * within:.0f} % of {len(errors_s)} within 167 ms"
    return Plot("timing", caption, alt, picture)
