"""A clip as a bar of time: what was examined, the reference above, what a source found below."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes

from fascnet.evaluation.outcome import ClipOutcome
from fascnet.types import Event

HIT, ERROR, FALSE, OTHER = "#009E73", "#D55E00", "#CC79A7", "#8c8c8c"
"""Okabe-Ito green, vermilion and purple: found, missed, false alarm; grey: not counted."""

_UNEXAMINED = "#d9d9d9"
_CONFOUNDER = "#56B4E9"
_MIN_SHARE = 0.005
"""Of the bar: a twitch in a minute of recording would be too thin to see."""


def find_end_s(outcome: ClipOutcome, confounders: Sequence[Event], duration_s: float | None) -> float:
    """Return where the bar ends: the length of the recording, or the last thing known about the clip."""
    ends = [event.offset_s for event in (*outcome.reference, *outcome.found)]
    ends += [end_s for _, end_s in outcome.examined if math.isfinite(end_s)]
    ends += [] if duration_s is None else [duration_s]
    # Confounders may be given to the end of time; they do not make the bar longer than anything else does.
    ends = ends if ends else [event.offset_s for event in confounders]
    return max(ends, default=1.0)


def draw_timeline(
    axes: Axes, outcome: ClipOutcome, confounders: Sequence[Event], end_s: float, at_s: float | None
) -> None:
    """Draw the bar.

    Args:
        axes: to draw on; its size is the caller's.
        outcome: what was matched, missed and invented.
        confounders: labelled events that are no fasciculation, a row a kind.
        end_s: where the bar ends.
        at_s: a moment to mark, or None.
    """
    kinds = sorted({event.label for event in confounders})
    rows = [*kinds, "reference", "found"]
    axes.set_facecolor(_UNEXAMINED)
    for start_s, stop_s in outcome.examined:
        axes.axvspan(start_s, min(stop_s, end_s), color="white", linewidth=0, zorder=0)
    for event in confounders:
        _draw_bar(axes, event, rows.index(event.label), end_s, _CONFOUNDER, "")
    matching = outcome.matching
    hit = {match.reference for match in matching.matches}, {match.found for match in matching.matches}
    for i, event in enumerate(outcome.reference):
        wrong = i in matching.missed
        colour = HIT if i in hit[0] else ERROR if wrong else OTHER
        _draw_bar(axes, event, rows.index("reference"), end_s, colour, "////" if wrong else "")
    for j, event in enumerate(outcome.found):
        wrong = j in matching.false
        colour = HIT if j in hit[1] else FALSE if wrong else OTHER
        _draw_bar(axes, event, rows.index("found"), end_s, colour, "////" if wrong else "")
    if at_s is not None:
        axes.axvline(at_s, color="0.15", linewidth=1.2)
        axes.plot(at_s, -0.5, "v", color="0.15", markersize=8, clip_on=False)
    axes.set_yticks(range(len(rows)), [row.replace("_", " ") for row in rows], fontsize=11)
    axes.set(xlim=(0, end_s), ylim=(len(rows) - 0.5, -0.5))
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=10)
    axes.grid(visible=False)
    axes.set_xlabel("s", fontsize=10, loc="right", labelpad=0)


def _draw_bar(axes: Axes, event: Event, row: int, end_s: float, colour: str, hatch: str) -> None:
    length_s = max(min(event.offset_s, end_s) - event.onset_s, _MIN_SHARE * end_s)
    axes.barh(row, length_s, height=0.7, left=event.onset_s, color=colour, hatch=hatch, edgecolor="white",
              linewidth=0)  # fmt: skip
