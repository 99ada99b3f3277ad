"""Pictures of the worst clips: the frame where a source erred, what moved there, the clip as a bar of time.

Each is cropped to the imaging area, so that no name on the screen gets into the report.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Picture
from matplotlib.patheffects import withStroke

from fascnet.data.labelling.regions import read_mask
from fascnet.errors import LabelError, OutputError, RecordingError
from fascnet.evaluation.cuts.worst_clips import WorstClip
from fascnet.evaluation.outcome import ClipOutcome
from fascnet.evaluation.report.canvas import with_style
from fascnet.evaluation.report.timeline import ERROR, FALSE, HIT, OTHER, draw_timeline, find_end_s
from fascnet.evaluation.report.worst_moment import (
    MISSED,
    MomentFrames,
    WorstMoment,
    choose_moment,
    read_moment,
)
from fascnet.evaluation.sources.source import Heatmap, read_heatmap
from fascnet.inference.overlay import blend_heatmap
from fascnet.types import FASCICULATION, Box, ClipSource, Event, Labels, PixelBox, Point, Polygon, Region

WIDTH_PX = 960
MAX_BYTES = 60_000
"""Of each picture: twenty of them stay well below 2 MB in the report."""

HOW_TO_READ = (
    "Left: the frame at the error, the source's heatmap laid over it; outlines are the reference (green: "
    "found, orange dashes: missed), marks are what the source found (green circle: right, pink cross: false "
    "alarm). Middle: how much each place has changed since just before the onset, or changes until the end "
    "of an event that begins with the clip. Right: M-mode along the dotted line, 1 s to either side, the "
    "event between the dashes. Bar: the whole clip, hatched where wrong, white where examined."
)
"""Stands once above the pictures."""

_DPI = 100
_QUALITIES = (85, 75, 65, 55, 45, 35, 25)
_LEAST_CHANGE = 20.0
"""Grey levels of change at full brightness, at least: noise of a still clip must not look like movement."""


@dataclass(frozen=True, slots=True)
class WorstClipPicture:
    """A picture of one clip, or why there is none.

    Attributes:
        clip_id: the clip.
        jpeg: at most about `MAX_BYTES`; None when the recording cannot be read.
        caption: what went wrong, in a line.
        alt: what the picture shows.
        reason: why there is no picture, without any folder's name; else empty.
    """

    clip_id: str
    jpeg: bytes | None
    caption: str
    alt: str
    reason: str = ""


def draw_worst_clips(
    worst: Sequence[WorstClip],
    outcomes: Sequence[ClipOutcome],
    recordings: Mapping[str, ClipSource],
    heatmaps: Mapping[str, Path],
    labels: Mapping[str, Labels],
) -> Iterator[WorstClipPicture]:
    """Draw a picture of each worst clip, one recording open at a time.

    Args:
        worst: from `rank_worst_clips`.
        outcomes: of the source they were ranked by.
        recordings: where each clip lies, by clip_id; those absent get a reason.
        heatmaps: the source's heatmap files by clip_id; a clip without one is drawn without.
        labels: the reference's labels by clip_id, for confounders.
    """
    by_clip = {outcome.clip_id: outcome for outcome in outcomes}
    for clip in worst:
        outcome = by_clip[clip.clip_id]
        caption = describe_errors(clip)
        moment = choose_moment(outcome)
        if moment is None:
            continue
        if clip.clip_id not in recordings:
            yield WorstClipPicture(clip.clip_id, None, caption, "", "its recording is not in the input")
            continue
        source = recordings[clip.clip_id]
        try:
            frames = read_moment(source, moment)
        except RecordingError as error:
            # The folder is nobody's business in a report that is passed on.
            reason = str(error).replace(f"{source.path}", source.path.name)
            yield WorstClipPicture(clip.clip_id, None, caption, "", reason)
            continue
        heatmap = _read_heatmap_at(heatmaps.get(clip.clip_id), moment.at_s, frames.box)
        others = labels[clip.clip_id].events if clip.clip_id in labels else ()
        confounders = [event for event in others if event.label != FASCICULATION]
        jpeg = draw_picture(outcome, moment, frames, heatmap, confounders)
        yield WorstClipPicture(clip.clip_id, jpeg, caption, _describe(moment, frames))


def describe_errors(clip: WorstClip) -> str:
    """Say what went wrong in a clip: `2 of 5 events missed, 1 false alarm (0.93) in 10.0 s`."""
    parts = []
    if clip.n_reference:
        n = clip.n_reference
        parts.append(f"{len(clip.missed)} of {n} event{'' if n == 1 else 's'} missed")
    sure = [score for _, _, score in clip.false_alarms if score is not None]
    surest = f" (surest {max(sure):.2f})" if sure else ""
    n = len(clip.false_alarms)
    parts.append(f"{n} false alarm{'' if n == 1 else 's'}{surest}")
    return f"{', '.join(parts)} in {60 * clip.minutes:.1f} s"


@with_style
def draw_picture(
    outcome: ClipOutcome,
    moment: WorstMoment,
    frames: MomentFrames,
    heatmap: Heatmap | None,
    confounders: Sequence[Event],
) -> bytes:
    """Draw one clip's picture as JPEG.

    Args:
        outcome: what was matched, missed and invented.
        moment: the error to show.
        frames: what the recording shows there.
        heatmap: the source's at the moment, one frame (1, h, w) over the same area; None without one.
        confounders: labelled events that are no fasciculation.
    """
    box = frames.box
    shape = (box[3] - box[1]) / (box[2] - box[0])
    n_rows = 2 + len({event.label for event in confounders})
    # Panels keep the shape of the imaging area; very wide or tall ones are bounded.
    panel_in, bar_in = 3.0 * min(max(shape, 0.45), 1.15), 0.27 * n_rows + 0.35
    height_in = panel_in + bar_in + 0.75
    picture = Picture(figsize=(WIDTH_PX / _DPI, height_in), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(picture)
    grid = picture.add_gridspec(2, 3, height_ratios=(panel_in + 0.3, bar_in))
    at, change, m_mode = (picture.add_subplot(grid[0, k]) for k in range(3))
    _draw_frame(at, outcome, moment, frames, heatmap)
    _draw_change(change, outcome, moment, frames)
    _draw_m_mode(m_mode, moment, frames)
    end_s = find_end_s(outcome, confounders, frames.duration_s)
    draw_timeline(picture.add_subplot(grid[1, :]), outcome, confounders, end_s, moment.at_s)
    raw = io.BytesIO()
    picture.savefig(raw, format="rgba", dpi=_DPI)
    rgba = np.frombuffer(raw.getvalue(), dtype=np.uint8).reshape(-1, WIDTH_PX, 4)
    return _encode(np.ascontiguousarray(rgba[:, :, 2::-1]))


def _draw_frame(
    axes: Axes, outcome: ClipOutcome, moment: WorstMoment, frames: MomentFrames, heatmap: Heatmap | None
) -> None:
    image = np.repeat(frames.at[:, :, None], 3, axis=2)
    if heatmap is not None:
        image = blend_heatmap(frames.at, np.ascontiguousarray(heatmap.values[0]))
    _show(axes, image, frames)
    _draw_regions(axes, outcome, moment)
    x = frames.place[0]
    axes.axvline(x, color="white", linewidth=1, linestyle=":", alpha=0.8)
    shown = f"{moment.kind}, {frames.shown_s[1]:.2f} s"
    axes.set_title(shown if heatmap is not None else f"{shown} (no heatmap)", loc="left", fontsize=11)


def _draw_change(axes: Axes, outcome: ClipOutcome, moment: WorstMoment, frames: MomentFrames) -> None:
    top = max(float(np.percentile(frames.change, 99.8)), _LEAST_CHANGE)
    _show(axes, frames.change, frames, cmap="inferno", vmin=0.0, vmax=top)
    _draw_regions(axes, outcome, moment)
    compared_s, at_s = frames.shown_s
    word = "since" if compared_s <= at_s else "until"
    axes.set_title(f"change {word} {compared_s:.2f} s", loc="left", fontsize=11)


def _draw_m_mode(axes: Axes, moment: WorstMoment, frames: MomentFrames) -> None:
    y0, y1 = frames.box[1], frames.box[3]
    step_s = float(np.median(np.diff(frames.times_s))) if len(frames.times_s) > 1 else 0.01
    extent = (frames.times_s[0] - step_s / 2, frames.times_s[-1] + step_s / 2, y1 - 0.5, y0 - 0.5)
    axes.imshow(frames.m_mode, cmap="gray", vmin=0, vmax=255, extent=extent, aspect="auto")
    colour = ERROR if moment.kind == MISSED else FALSE
    for edge_s in (moment.event.onset_s, moment.event.offset_s):
        if extent[0] <= edge_s <= extent[1]:
            axes.axvline(edge_s, color=colour, linewidth=1.8, linestyle="--")
    axes.set(xlim=extent[:2], yticks=[])
    # As high as the pictures beside it: a place stands at one height in all three.
    axes.set_box_aspect((y1 - y0) / (frames.box[2] - frames.box[0]))
    axes.grid(visible=False)
    axes.tick_params(labelsize=10)
    axes.set_title("M-mode, s", loc="left", fontsize=11)


def _show(axes: Axes, image: np.ndarray[Any, Any], frames: MomentFrames, **settings: Any) -> None:
    x0, y0, x1, y1 = frames.box
    extent = (x0 - 0.5, x1 - 0.5, y1 - 0.5, y0 - 0.5)
    axes.imshow(image, extent=extent, interpolation="bilinear", **settings)
    axes.set(xlim=extent[:2], ylim=extent[2:], xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def _draw_regions(axes: Axes, outcome: ClipOutcome, moment: WorstMoment) -> None:
    """Draw what the reference and the source say about this very moment."""
    rim = [withStroke(linewidth=3.5, foreground="black")]
    matching = outcome.matching
    hit = {match.reference for match in matching.matches}, {match.found for match in matching.matches}
    for i, event in enumerate(outcome.reference):
        if event.region is not None and event.onset_s <= moment.at_s < event.offset_s:
            colour = HIT if i in hit[0] else ERROR if i in matching.missed else OTHER
            dashes = "-" if i in hit[0] else (0, (4, 2))
            _draw_outline(axes, event.region, {"color": colour, "linestyle": dashes, "linewidth": 1.8})
    for j, event in enumerate(outcome.found):
        if isinstance(event.region, Point) and event.onset_s <= moment.at_s < event.offset_s:
            colour = HIT if j in hit[1] else FALSE if j in matching.false else OTHER
            axes.plot(
                event.region.x,
                event.region.y,
                "x" if j in matching.false else "o",
                markersize=11,
                markerfacecolor="none",
                markeredgecolor=colour,
                markeredgewidth=2.4,
                path_effects=rim,
            )


def _draw_outline(axes: Axes, region: Region, style: Mapping[str, Any]) -> None:
    if isinstance(region, Polygon):
        points = (*region.points, region.points[0])
    elif isinstance(region, Box):
        x0, y0, x1, y1 = region.x0, region.y0, region.x1, region.y1
        points = ((x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0))
    elif isinstance(region, Point):
        axes.plot(region.x, region.y, "+", markersize=13, markeredgewidth=2.2, color=style["color"])
        return
    else:
        try:
            mask = read_mask(region.path)
        except LabelError:
            return  # the mask is gone: the timeline still shows the event
        axes.contour(mask.astype(np.float32), [0.5], colors=[style["color"]], linewidths=style["linewidth"])
        return
    axes.plot(*zip(*points, strict=True), **style)


def _read_heatmap_at(path: Path | None, at_s: float, box: PixelBox) -> Heatmap | None:
    """Read the heatmap at a moment, one frame (1, h, w); None without one, or one of another area."""
    if path is None:
        return None
    try:
        heatmap = read_heatmap(path)
    except OutputError:
        return None
    if len(heatmap.values) == 0 or heatmap.box != box:
        return None
    tick = min(max(round(at_s * heatmap.fps), 0), len(heatmap.values) - 1)
    return Heatmap(heatmap.values[tick : tick + 1].copy(), heatmap.fps, heatmap.box)


def _describe(moment: WorstMoment, frames: MomentFrames) -> str:
    x, y = frames.place
    event = "A missed event" if moment.kind == MISSED else "A false alarm"
    return (
        f"{event} from {moment.event.onset_s:.2f} to {moment.event.offset_s:.2f} s near x {x:.0f}, "
        f"y {y:.0f}: the frame, what changed, the M-mode through it, and the timeline of the clip"
    )


def _encode(bgr: np.ndarray[Any, Any]) -> bytes:
    """Encode as JPEG at the best of `_QUALITIES` that fits `MAX_BYTES`."""
    data = b""
    for quality in _QUALITIES:
        _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
        data = encoded.tobytes()
        if len(data) <= MAX_BYTES:
            break
    return data
