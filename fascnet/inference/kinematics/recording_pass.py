"""Measures all events of a recording in one more pass over its frames, at constant memory."""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fascnet.errors import RecordingError
from fascnet.inference.kinematics.measure import LONGEST_S, PAD_S, measure_event
from fascnet.inference.kinematics.working_picture import WorkingPicture
from fascnet.types import Event, Kinematics, Point, Recording

HIGHEST_FPS = 120.0
"""Of faster recordings every second, third, ... frame is taken: a rise of 50 ms still has three or more, and
a window holds few enough frames."""


def measure_events(
    recording: Recording, events: Sequence[Event], picture: WorkingPicture
) -> tuple[Event, ...]:
    """Add kinematics to events.

    Frames are decoded up to the end of the last event and none at all when no event has a place. Windows that
    overlap share their frames; never more than one window's length (2.6 s at most 120 frames/s) is held.

    Args:
        recording: the clip; if it breaks off, the events whose window it cuts are measured as far as it goes.
        events: in any order.
        picture: where the imaging area lies, and the spacing.

    Returns:
        The same events in the same order, each with `kinematics`; `peak_s` is that of the movement where it
        was measured.
    """
    measured = [dataclasses.replace(event, kinematics=Kinematics(quality=0.0)) for event in events]
    waiting = deque(
        sorted(
            (index for index, event in enumerate(events) if isinstance(event.region, Point)),
            key=lambda index: _find_window(events[index]),
        )
    )
    if not waiting:
        return tuple(measured)
    every = max(1, math.ceil(recording.info.fps / HIGHEST_FPS))
    held: deque[tuple[float, NDArray[np.uint8]]] = deque()
    frames = recording.frames()
    while waiting:
        try:
            frame = next(frames, None)
        except RecordingError:
            # What broke off is already the clip's reason; its sound frames are measured.
            frame = None
        while waiting and (frame is None or frame.time_s > _find_window(events[waiting[0]])[1]):
            index = waiting.popleft()
            measured[index] = _measure(events[index], held, picture)
        if frame is None or not waiting:
            break
        first_s = min(_find_window(events[index])[0] for index in waiting)
        while held and held[0][0] < first_s:
            held.popleft()
        if frame.index % every == 0 and frame.time_s >= first_s:
            held.append((frame.time_s, picture.shrink(frame.image)))
    return tuple(measured)


def _find_window(event: Event) -> tuple[float, float]:
    """Return the first and last second that an event's measurement looks at."""
    return event.onset_s - PAD_S, min(event.offset_s, event.onset_s + LONGEST_S) + PAD_S


def _measure(event: Event, held: deque[tuple[float, NDArray[np.uint8]]], picture: WorkingPicture) -> Event:
    first_s, last_s = _find_window(event)
    chosen = [(time_s, image) for time_s, image in held if first_s <= time_s <= last_s]
    times_s = np.array([time_s for time_s, _ in chosen], dtype=np.float64)
    shorter = dataclasses.replace(event, offset_s=min(event.offset_s, event.onset_s + LONGEST_S))
    kinematics = measure_event([image for _, image in chosen], times_s, shorter, picture)
    # The tissue's own peak, where it was measured, is nearer the truth than the heatmap's.
    peak_s = event.peak_s if kinematics.peak_s is None else kinematics.peak_s
    if peak_s is not None:
        peak_s = min(max(peak_s, event.onset_s), event.offset_s)
    return dataclasses.replace(event, kinematics=kinematics, peak_s=peak_s)
