"""From what a form says to labels: frames become seconds, shapes become regions of stored pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fascnet.data.label_forms.frame_clock import FrameClock
from fascnet.data.label_forms.label_words import LabelWords
from fascnet.data.label_forms.rater_events import (
    FormEvent,
    FormRegion,
    FrameSpan,
    MaskPixels,
    Moment,
    PercentBox,
    RaterEvents,
    ShownSpan,
    Span,
)
from fascnet.data.label_forms.shapes import fill_mask
from fascnet.data.labelling.labels import SPACE_SLACK_PX, TIME_SLACK_S
from fascnet.data.labelling.seconds import merge_intervals
from fascnet.errors import LabelError, SettingError
from fascnet.types import Box, Event, Interval, Labels, MaskFile, Point, Polygon, Region

EXAMINED = ("form", "whole", "listed")

_RATE_TOLERANCE = 0.02
"""As in `check`: frame counts that differ by more than this share belong to different rates."""

_OVERHANG_FRAMES = 2
"""Players count a frame or two more or less at the end of a recording than decoding gives."""

_DIGITS = 4
"""Pixels are kept to 0.0001, so that percentages come back to the pixels they were made of."""


@dataclass(frozen=True, slots=True)
class SettleSettings:
    """What a form leaves open.

    Attributes:
        examined: `form`: as the form means it; `whole`: the rater looked at all of each recording; `listed`:
            only at the events.
        before_s: where a form has only a moment, the event begins so long before it, 0-10. The default, and
            that of `after_s`, fit a moment in the contraction phase of the fasciculations of the Kobe
            phantom (contraction 160-195 ms, total 490-580 ms).
        after_s: ... and ends so long after it, above 0-10.
        words: what the form's words mean.
    """

    examined: str
    before_s: float
    after_s: float
    words: LabelWords

    def __post_init__(self) -> None:
        if self.examined not in EXAMINED:
            raise SettingError(f"examined={self.examined} must be one of {', '.join(EXAMINED)}")
        if not 0 <= self.before_s <= 10 or not 0 < self.after_s <= 10:
            raise SettingError(
                f"moment: before_s={self.before_s} must be 0-10, after_s={self.after_s} above 0 to 10"
            )


@dataclass(frozen=True, slots=True, eq=False)
class SettledLabels:
    """Labels, and the mask pictures that they name."""

    labels: Labels
    masks: tuple[tuple[Path, NDArray[np.bool_]], ...]


def settle(
    ratings: Sequence[RaterEvents],
    clock: FrameClock,
    clip_id: str,
    rater: str,
    folder: Path,
    settings: SettleSettings,
) -> SettledLabels:
    """Turn what a rater said about a clip, in one or several files, into its labels.

    Args:
        ratings: at least one.
        clock: of the recording.
        clip_id: of the recording.
        rater: who said it.
        folder: where the label file will lie, for the paths of masks.
        settings: what the form leaves open.

    Raises:
        LabelError: something lies outside the recording, or means nothing; one line with file and row.
    """
    found: list[tuple[Event, NDArray[np.bool_] | None]] = []
    examined: list[Interval] = []
    for rating in ratings:
        _check_size(rating, clock)
        scale = _find_frame_scale(rating, clock)
        events = [_settle_event(event, clock, scale, settings) for event in rating.events]
        kept = [one for one in events if one is not None]
        found += kept
        examined += _settle_examined(rating, [event for event, _ in kept], clock, scale, settings)
    found.sort(key=lambda one: (one[0].onset_s, one[0].offset_s))
    masks: list[tuple[Path, NDArray[np.bool_]]] = []
    placed: list[Event] = []
    for event, mask in found:
        if mask is None:
            placed.append(event)
            continue
        path = folder / f"{clip_id}.{rater}.mask{len(masks) + 1}.png"
        masks.append((path, mask))
        placed.append(replace(event, region=MaskFile(path)))
    return SettledLabels(Labels(clip_id, rater, merge_intervals(examined), tuple(placed)), tuple(masks))


def _check_size(rating: RaterEvents, clock: FrameClock) -> None:
    if rating.size is not None and clock.width is not None and rating.size != (clock.width, clock.height):
        raise LabelError(
            f"{rating.where}: was labelled on images of {rating.size[0]}x{rating.size[1]}, the recording has "
            f"{clock.width}x{clock.height}; label the recording itself or name the one that was labelled"
        )


def _find_frame_scale(rating: RaterEvents, clock: FrameClock) -> float:
    """Return the recording's frames per frame of the form: not 1 where a tool counts at a rate of its own."""
    if rating.n_frames is None or not clock.known_end:
        return 1.0
    ratio = clock.n_frames / rating.n_frames
    same = abs(ratio - 1) <= _RATE_TOLERANCE or abs(clock.n_frames - rating.n_frames) <= _OVERHANG_FRAMES
    return 1.0 if same else ratio


def _settle_event(
    event: FormEvent, clock: FrameClock, scale: float, settings: SettleSettings
) -> tuple[Event, NDArray[np.bool_] | None] | None:
    label = settings.words.translate(event.label, event.where)
    if label is None:
        return None
    onset_s, offset_s = _settle_span(event.span, clock, event.where, scale, settings)
    peak_s = event.peak
    if peak_s is not None and isinstance(event.span, FrameSpan | Moment):
        peak_s = _time_of(peak_s * scale, clock, event.where)
    if peak_s is not None and not onset_s <= peak_s <= offset_s:
        raise LabelError(
            f"{event.where}: the peak at {peak_s:.3f} s lies outside {onset_s:.3f}-{offset_s:.3f} s; mend it"
        )
    region, mask = _settle_region(event.region, clock, event.where)
    settled = Event(onset_s, offset_s, peak_s, label, event.certainty, region, peak_mm=event.peak_mm)
    return settled, mask


def _settle_span(
    span: Span, clock: FrameClock, where: str, scale: float, settings: SettleSettings
) -> Interval:
    if isinstance(span, FrameSpan):
        stop = span.stop * scale
        if span.start * scale < clock.n_frames < stop <= clock.n_frames + _OVERHANG_FRAMES * max(1.0, scale):
            stop = clock.n_frames
        start_s, stop_s = _time_of(span.start * scale, clock, where), _time_of(stop, clock, where)
    elif isinstance(span, Moment):
        moment_s = _time_of(span.frame * scale, clock, where)
        start_s = round(max(0.0, moment_s - settings.before_s), 6)
        stop_s = round(min(clock.end_s, moment_s + settings.after_s), 6)
    elif isinstance(span, ShownSpan):
        _check_within(span.last_s, clock, where)
        start_s = clock.time_of(clock.nearest_frame(span.first_s))
        stop_s = clock.time_of(clock.nearest_frame(span.last_s) + 1)
    else:
        start_s, stop_s = span.start_s, span.stop_s
        _check_within(stop_s, clock, where)
    if not 0 <= start_s < stop_s:
        raise LabelError(f"{where}: begins at {start_s:.3f} s and ends at {stop_s:.3f} s; mend one of them")
    return start_s, stop_s


def _time_of(frame: float, clock: FrameClock, where: str) -> float:
    if not (math.isfinite(frame) and 0 <= frame <= clock.n_frames):
        raise LabelError(
            f"{where}: frame {frame:g} lies outside the recording's {clock.n_frames} frames (0 to "
            f"{clock.n_frames - 1}); check that it is the recording that was labelled"
        )
    return clock.time_of(frame)


def _check_within(stop_s: float, clock: FrameClock, where: str) -> None:
    if stop_s > clock.end_s + TIME_SLACK_S:
        raise LabelError(
            f"{where}: ends at {stop_s:.3f} s, the recording at {clock.end_s:.3f} s; check that it is the "
            "recording that was labelled"
        )


def _settle_examined(
    rating: RaterEvents,
    events: Sequence[Event],
    clock: FrameClock,
    scale: float,
    settings: SettleSettings,
) -> list[Interval]:
    mode = settings.examined
    if mode == "form":
        mode = "said" if rating.examined is not None else "whole" if rating.whole else "listed"
    if mode == "listed":
        return [(event.onset_s, event.offset_s) for event in events]
    if mode == "said" and rating.examined is not None:
        return [_settle_span(span, clock, rating.where, scale, settings) for span in rating.examined]
    if not clock.known_end:
        raise LabelError(
            f"{rating.where}: the recording '{rating.names[0]}' is not there, so its length is not known; "
            "connect its disk, or import with examined=listed"
        )
    return [(0.0, round(clock.end_s, 6))]


def _settle_region(
    region: FormRegion | None, clock: FrameClock, where: str
) -> tuple[Region | None, NDArray[np.bool_] | None]:
    if region is None:
        return None, None
    if clock.width is None or clock.height is None:
        if isinstance(region, MaskPixels | PercentBox):
            raise LabelError(f"{where}: its place needs the recording, which is not there; connect its disk")
        return _round(region), None
    if isinstance(region, MaskPixels):
        return None, fill_mask(region, clock.width, clock.height, where)
    plain = _scale_percent(region, clock.width, clock.height) if isinstance(region, PercentBox) else region
    settled = _round(plain)
    past = SPACE_SLACK_PX - 0.5
    for x, y in _list_corners(settled):
        if not (-1 - past <= x <= clock.width + past and -1 - past <= y <= clock.height + past):
            raise LabelError(
                f"{where}: reaches ({x:g}, {y:g}), outside the image of {clock.width}x{clock.height}; check "
                "that it is the recording that was labelled"
            )
    return settled, None


def _scale_percent(region: PercentBox, width: int, height: int) -> Box | Polygon:
    x0, y0 = region.x / 100 * width - 0.5, region.y / 100 * height - 0.5
    across, down = region.width / 100 * width, region.height / 100 * height
    if region.turned_deg == 0:
        return Box(x0, y0, x0 + across, y0 + down)
    cos, sin = math.cos(math.radians(region.turned_deg)), math.sin(math.radians(region.turned_deg))
    corners = ((0.0, 0.0), (across, 0.0), (across, down), (0.0, down))
    return Polygon(tuple((x0 + x * cos - y * sin, y0 + x * sin + y * cos) for x, y in corners))


def _round(region: Polygon | Box | Point | MaskPixels | PercentBox) -> Polygon | Box | Point:
    if isinstance(region, Polygon):
        return Polygon(tuple((round(x, _DIGITS), round(y, _DIGITS)) for x, y in region.points))
    if isinstance(region, Box):
        return Box(*(round(v, _DIGITS) for v in (region.x0, region.y0, region.x1, region.y1)))
    if isinstance(region, Point):
        return Point(round(region.x, _DIGITS), round(region.y, _DIGITS))
    raise TypeError(f"{type(region).__name__} has no corners")


def _list_corners(region: Polygon | Box | Point) -> tuple[tuple[float, float], ...]:
    if isinstance(region, Polygon):
        return region.points
    if isinstance(region, Box):
        return (region.x0, region.y0), (region.x1, region.y1)
    return ((region.x, region.y),)
