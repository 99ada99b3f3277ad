"""The moment of a clip where a source erred most, and the frames around it, decoded at bounded memory."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.data.labelling.regions import find_centre
from fascnet.data.recording.recordings import open_clip
from fascnet.errors import LabelError, RecordingError
from fascnet.evaluation.outcome import ClipOutcome
from fascnet.types import ClipSource, Event, PixelBox

MISSED, FALSE_ALARM = "missed", "false alarm"

REST_S = 0.05
"""The frame to compare with lies so long before the onset: detectors and raters place it a little late."""

HALF_WINDOW_S = 1.0
"""Frames are kept this long before and after the moment: a twitch lasts 0.1-0.6 s."""

MAX_FRAMES = 400
MAX_SIDE_PX = 320
"""At most 400 frames of 320 x 320 grey values are held: 41 MB."""

_COLUMN_PX = 3
"""Columns averaged for the M-mode: one alone is all speckle."""

_SMOOTHING_PX = 2.0


@dataclass(frozen=True, slots=True)
class WorstMoment:
    """One error.

    Attributes:
        kind: `missed` or `false alarm`.
        event: the reference event that was missed, or the found event that is false.
        at_s: its peak, or its middle where no peak is known.
        compare_s: shortly before its onset, at most `HALF_WINDOW_S` earlier than `at_s`; after it, at its
            end, where the event begins with the clip.
    """

    kind: str
    event: Event
    at_s: float
    compare_s: float


@dataclass(frozen=True, slots=True, eq=False)
class MomentFrames:
    """What the recording shows there, cropped to the imaging area: no name on the screen gets in.

    Attributes:
        box: the imaging area (x0, y0, x1, y1) in stored pixels; every picture covers it.
        at: the frame at the moment, uint8 (h, w), reduced to at most `MAX_SIDE_PX`.
        compared: the frame that it is compared with, likewise.
        change: absolute difference of both, smoothed, in grey levels (h, w).
        m_mode: grey values along the vertical line through `place` over time, uint8 (h, n).
        times_s: of the columns of `m_mode` (n,).
        shown_s: times of `compared` and `at`.
        place: (x, y) in stored pixels: the event's own, or where the change is largest.
        duration_s: of the recording as announced, or None.
    """

    box: PixelBox
    at: NDArray[np.uint8]
    compared: NDArray[np.uint8]
    change: NDArray[np.float32]
    m_mode: NDArray[np.uint8]
    times_s: NDArray[np.float64]
    shown_s: tuple[float, float]
    place: tuple[float, float]
    duration_s: float | None


def choose_moment(outcome: ClipOutcome) -> WorstMoment | None:
    """Choose the error to show: the largest missed event, else the surest false alarm; None without an error.

    Equal ones: the earliest.
    """
    missed = [outcome.reference[i] for i in outcome.matching.missed]
    false = [outcome.found[j] for j in outcome.matching.false]
    if missed:
        event = min(missed, key=lambda e: (-(0.0 if e.peak_mm is None else e.peak_mm), e.onset_s))
        kind = MISSED
    elif false:
        event = min(false, key=lambda e: (-(1.0 if e.score is None else e.score), e.onset_s))
        kind = FALSE_ALARM
    else:
        return None
    at_s = (event.onset_s + event.offset_s) / 2 if event.peak_s is None else event.peak_s
    compare_s = max(event.onset_s - REST_S, at_s - HALF_WINDOW_S, 0.0)
    if at_s - compare_s < REST_S:
        compare_s = min(event.offset_s, at_s + HALF_WINDOW_S)
    return WorstMoment(kind, event, at_s, compare_s)


def read_moment(clip: ClipSource, moment: WorstMoment) -> MomentFrames:
    """Decode a recording up to a little after a moment and keep what is around it.

    Raises:
        RecordingError: it cannot be opened, or breaks off before the moment.
    """
    recording = open_clip(clip)
    info = recording.info
    x0, y0, x1, y1 = info.box
    scale = min(1.0, MAX_SIDE_PX / max(x1 - x0, y1 - y0))
    size = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
    stride = max(1, int(np.ceil(2 * HALF_WINDOW_S * info.fps / MAX_FRAMES)))
    start_s, stop_s = moment.at_s - HALF_WINDOW_S, moment.at_s + HALF_WINDOW_S
    images: list[NDArray[np.uint8]] = []
    times_s: list[float] = []
    try:
        for frame in recording.frames():
            if frame.time_s > stop_s:
                break
            if frame.time_s < start_s or frame.index % stride or len(images) >= MAX_FRAMES:
                continue
            crop = np.ascontiguousarray(frame.image[y0:y1, x0:x1])
            if scale < 1.0:
                crop = cv2.resize(crop, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
            images.append(crop)
            times_s.append(frame.time_s)
    except RecordingError:
        # What was decoded before the break is sound; whether it reaches the moment is asked below.
        if not times_s:
            raise
    slack_s = 1.5 * stride / info.fps
    if not times_s or times_s[-1] < moment.at_s - slack_s:
        raise RecordingError(f"{clip.path}: breaks off before {moment.at_s:.2f} s; export or copy it again")
    times = np.array(times_s, dtype=np.float64)
    at, compared = (int(np.argmin(np.abs(times - wanted))) for wanted in (moment.at_s, moment.compare_s))
    change = _measure_change(images[compared], images[at])
    place = _find_place(moment.event, change, info.box)
    column = int(np.clip((place[0] - x0 + 0.5) * scale, 0, size[0] - 1))
    left, right = max(0, column - _COLUMN_PX // 2), column + _COLUMN_PX // 2 + 1
    m_mode = np.stack([image[:, left:right].mean(axis=1) for image in images], axis=1)
    return MomentFrames(
        info.box,
        images[at],
        images[compared],
        change,
        np.rint(m_mode).astype(np.uint8),
        times,
        (float(times[compared]), float(times[at])),
        place,
        info.duration_s,
    )


def _measure_change(one: NDArray[np.uint8], two: NDArray[np.uint8]) -> NDArray[np.float32]:
    difference = np.abs(one.astype(np.float32) - two.astype(np.float32))
    return np.asarray(cv2.GaussianBlur(difference, (0, 0), _SMOOTHING_PX), dtype=np.float32)


def _find_place(event: Event, change: NDArray[np.float32], box: PixelBox) -> tuple[float, float]:
    if event.region is not None:
        try:
            return find_centre(event.region)
        except LabelError:
            pass  # the mask is gone or empty: the picture can do without
    row, column = np.unravel_index(int(np.argmax(change)), change.shape)
    x0, y0, x1, y1 = box
    height, width = change.shape
    x = x0 - 0.5 + (float(column) + 0.5) * (x1 - x0) / width
    return x, y0 - 0.5 + (float(row) + 0.5) * (y1 - y0) / height
