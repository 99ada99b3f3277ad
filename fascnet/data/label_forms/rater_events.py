"""What a label form says, in its own frames and names, before a recording gives it times and a clip_id."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fascnet.types import FASCICULATION, Box, Point, Polygon


@dataclass(frozen=True, slots=True)
class FrameSpan:
    """Half-open span of frames of the recording, counted from 0; fractions lie between two frames."""

    start: float
    stop: float


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """Half-open span in seconds from the first frame."""

    start_s: float
    stop_s: float


@dataclass(frozen=True, slots=True)
class ShownSpan:
    """The times that a player showed at an event's first and last frame; the last frame belongs to it."""

    first_s: float
    last_s: float


@dataclass(frozen=True, slots=True)
class Moment:
    """One frame (from 0) at which a rater saw an event; when it began and ended was not said."""

    frame: float


Span = FrameSpan | TimeSpan | ShownSpan | Moment


@dataclass(frozen=True, slots=True, eq=False)
class MaskPixels:
    """A drawn area as pixels.

    Attributes:
        x0: column of the recording at which `inside` begins.
        y0: row of the recording at which `inside` begins.
        inside: bool (h, w).
    """

    x0: int
    y0: int
    inside: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PercentBox:
    """A rectangle in percent of the image, turned clockwise about its top left corner.

    Attributes:
        x: left edge, 0-100 % of the width, counted from the left edge of the first pixel.
        y: upper edge, 0-100 % of the height.
        width: 0-100 % of the width.
        height: 0-100 % of the height.
        turned_deg: degrees, clockwise on the screen.
    """

    x: float
    y: float
    width: float
    height: float
    turned_deg: float = 0.0


FormRegion = Polygon | Box | Point | MaskPixels | PercentBox


@dataclass(frozen=True, slots=True, eq=False)
class FormEvent:
    """One event of a form.

    Attributes:
        span: when.
        where: file and row or track, for messages.
        region: which pixels; None when only the time is known.
        label: what it is, as the form calls it.
        certainty: `definite`, `probable`, `possible`, or None.
        peak: moment of the largest displacement, if the form says it: a frame when `span` is in frames, else
            seconds.
        peak_mm: largest displacement, if known.
    """

    span: Span
    where: str
    region: FormRegion | None = None
    label: str = FASCICULATION
    certainty: str | None = None
    peak: float | None = None
    peak_mm: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class RaterEvents:
    """What one rater said about one recording.

    Attributes:
        names: what the form calls the recording, the surest name first.
        where: the file, for messages.
        events: the events.
        rater: the form's own name for the rater, if it has one.
        examined: what the rater looked at, as far as the form says it.
        whole: without `examined`: whether the form means the whole recording (a task in a labelling tool), or
            lists events and is silent about the rest.
        size: (width, height) of the images as the form knows them.
        n_frames: how many frames the form believes the recording has; where that differs from the recording,
            frames are counted at the form's own rate.
    """

    names: tuple[str, ...]
    where: str
    events: tuple[FormEvent, ...]
    rater: str | None = None
    examined: tuple[Span, ...] | None = None
    whole: bool = True
    size: tuple[int, int] | None = None
    n_frames: int | None = None


@dataclass(frozen=True, slots=True)
class ClipStatement:
    """What one rater said about a whole recording, without times.

    Attributes:
        name: what the form calls the recording.
        where: file and row.
        rater: the form's own name for the rater, if it has one.
        count: fasciculations counted, 0 or more.
        grade: ordinal grade as written; scales differ, so that no meaning is put into it.
        present: whether any was seen.
        examined_s: seconds that were looked at, from the start, if said.
    """

    name: str
    where: str
    rater: str | None = None
    count: int | None = None
    grade: str | None = None
    present: bool | None = None
    examined_s: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FormContents:
    """All that a file of labels says, and what of it was left out (a line each)."""

    ratings: tuple[RaterEvents, ...] = ()
    statements: tuple[ClipStatement, ...] = ()
    notes: tuple[str, ...] = field(default=())
