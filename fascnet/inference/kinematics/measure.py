"""Measures one event: tracks a window of frames around it and reads off how the tissue moved."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.inference.kinematics.background import remove_background_motion
from fascnet.inference.kinematics.field_shape import FieldShape, measure_field
from fascnet.inference.kinematics.separation import SeparatedTwitch, separate_twitch
from fascnet.inference.kinematics.tracking import DisplacementTracker, track_displacement
from fascnet.inference.kinematics.waveform import WaveformTimes, measure_waveform
from fascnet.inference.kinematics.working_picture import WorkingPicture
from fascnet.inference.movement.watcher import STILL_LEVELS
from fascnet.types import Event, Kinematics, Point

PAD_S = 0.3
"""Seconds before onset and after offset that belong to an event's window."""

LONGEST_S = 2.0
"""Of an event that lasts longer, the first seconds are looked at: a fasciculation is shorter than that."""

NEAR_MM = 8.0
"""The event's largest movement is sought within this distance: half of a core's largest length."""

ELSEWHERE_MM = 11.0
"""What lies further away shows the movement of the whole picture: beyond core and most of the halo."""

SURROUNDINGS_MM = 20.0
"""Tissue further away is not tracked."""

MIN_CORE_MM2 = 10.0
"""A smaller core is a slip of the tracker: motor units have 26.7 ± 11.2 mm² (Birkbeck 2020)."""

_MIN_PICTURE_MM = 3.0
"""In a smaller picture no such core has room: its spacing is wrong."""

QUIET_S = 0.1
"""Displacement is measured from the mean of this long before the onset, at least three frames. Of 0.1, 0.2
and 0.4 s the shortest erred least on phantom twitches: tissue never rests."""

MIN_QUALITY = 0.6
"""Below this nothing is reported; docs/kinematics.md has the errors by quality."""

MIN_RISE_FRAMES = 2.5
"""Fewer frames than this from onset to peak say neither how long the rise took nor how fast it was."""

_MIN_FRAMES = 6
_MIN_QUIET_FRAMES = 3
_MIN_FAR_SHARE = 0.15
_MIN_TEXTURE = 0.15
"""Cells with less than this share of the median texture show no tissue."""

_ONSET_SLACK_S = 0.25
_SEARCH_S = 0.1


def measure_event(
    frames: Sequence[NDArray[np.uint8]],
    times_s: NDArray[np.float64],
    event: Event,
    picture: WorkingPicture,
) -> Kinematics:
    """Measure the kinematics of an event.

    Args:
        frames: working frames uint8 (H, W) of `picture`, from `PAD_S` before the onset to `PAD_S` after the
            offset as far as the recording goes; any frame rate.
        times_s: (T,) their times, increasing.
        event: onset, offset, and a `Point` near its middle; a peak helps.
        picture: where the working frames lie in the recording, and their spacing.

    Returns:
        The kinematics; what cannot be measured is None in them. The quality is 0 when nothing at all can be:
        no place, too small a picture, too few frames, no quiet frame before it, no peak from which it falls
        to half, no core.
    """
    if not isinstance(event.region, Point):
        return Kinematics(quality=0.0)
    kept = _drop_repeats(frames)
    times_s = times_s[kept]
    before = np.flatnonzero(times_s < event.onset_s)
    picture_mm = min(picture.size) * picture.working_mm_per_px
    if len(kept) < _MIN_FRAMES or before.size < 2 or picture_mm < _MIN_PICTURE_MM:
        return Kinematics(quality=0.0)
    x, y = picture.to_working(event.region.x, event.region.y)
    left, top, window = _cut(frames, kept, (x, y), picture)
    displacement, tracker = track_displacement(window, int(before[-1]), picture.working_mm_per_px)
    near, elsewhere, seen = _find_places(tracker, x - left, y - top)
    moved = remove_background_motion(displacement, elsewhere)
    found = _settle(moved, times_s, event, near, elsewhere)
    if found is None:
        return Kinematics(quality=0.0)
    twitch, times, quiet = found
    shape = measure_field(twitch, seen, tracker.cell_mm)
    if times.half_s is None or shape.pointed_cells * tracker.cell_mm**2 < MIN_CORE_MM2:
        # Without a fall to half there is no peak: a contraction, a jolt, or the end of the clip.
        return Kinematics(quality=0.0)
    quality = _judge(twitch, times, quiet)
    if quality < MIN_QUALITY:
        return Kinematics(quality=quality)
    middle = (tracker.cell_px - 1) / 2
    stored = picture.to_stored(
        left + shape.column * tracker.cell_px + middle, top + shape.row * tracker.cell_px + middle
    )
    return _report(quality, times, shape, times_s, tracker.cell_mm, picture.mm_per_px is not None, stored)


def _settle(
    moved: NDArray[np.float64],
    times_s: NDArray[np.float64],
    event: Event,
    near: NDArray[np.bool_],
    elsewhere: NDArray[np.bool_],
) -> tuple[SeparatedTwitch, WaveformTimes, NDArray[np.bool_]] | None:
    """Separate the twitch twice: the onset that the first round finds says which frames are quiet."""
    onset_s = event.onset_s
    start_s = 0.5 * (event.onset_s + event.offset_s) if event.peak_s is None else event.peak_s
    found = None
    for _ in range(2):
        quiet = _find_quiet(times_s, onset_s)
        span_s = (onset_s - 0.03, event.offset_s + 0.05)
        twitch = separate_twitch(
            moved,
            times_s,
            quiet=quiet,
            span_s=span_s,
            start_s=start_s,
            near=near,
            elsewhere=elsewhere,
        )
        if twitch is None:
            return None
        times = measure_waveform(times_s, twitch.waveform, (onset_s - _SEARCH_S, event.offset_s + 0.05))
        if times is None:
            return found
        found = twitch, times, quiet
        earliest = max(event.onset_s - _ONSET_SLACK_S, float(times_s[2]))
        onset_s = min(max(times.onset_s, earliest), times.peak_s)
        start_s = times.peak_s
    return found


def _find_quiet(times_s: NDArray[np.float64], onset_s: float) -> NDArray[np.bool_]:
    quiet = (times_s < onset_s) & (times_s >= onset_s - QUIET_S)
    if np.count_nonzero(quiet) < _MIN_QUIET_FRAMES:
        last = max(int(np.searchsorted(times_s, onset_s)), 1)
        quiet = np.zeros(len(times_s), dtype=bool)
        quiet[max(last - _MIN_QUIET_FRAMES, 0) : last] = True
    return quiet


def _drop_repeats(frames: Sequence[NDArray[np.uint8]]) -> NDArray[np.int64]:
    """Return which frames are not the frame before once more: a repeat says when nothing was scanned.

    A codec leaves a repeat nearly, not exactly, as it was.
    """
    new: list[int] = []
    for index, frame in enumerate(frames):
        if not new or float(cv2.absdiff(frame, frames[new[-1]]).mean()) > STILL_LEVELS:
            new.append(index)
    return np.array(new, dtype=np.int64)


def _cut(
    frames: Sequence[NDArray[np.uint8]],
    kept: NDArray[np.int64],
    place: tuple[float, float],
    picture: WorkingPicture,
) -> tuple[int, int, list[NDArray[np.uint8]]]:
    reach = SURROUNDINGS_MM / picture.working_mm_per_px
    height, width = picture.size
    left, top = (max(0, int(at - reach)) for at in place)
    right, bottom = (min(side, int(at + reach) + 1) for at, side in zip(place, (width, height), strict=True))
    return left, top, [frames[index][top:bottom, left:right] for index in kept]


def _find_places(
    tracker: DisplacementTracker, x_px: float, y_px: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return cells near the event, cells elsewhere, and cells that show tissue."""
    rows, columns = np.mgrid[: tracker.shape[0], : tracker.shape[1]]
    cell = tracker.cell_px
    distance_mm = (
        np.hypot((columns + 0.5) * cell - x_px - 0.5, (rows + 0.5) * cell - y_px - 0.5)
        / cell
        * tracker.cell_mm
    )
    seen = tracker.texture >= _MIN_TEXTURE * np.median(tracker.texture)
    near = seen & (distance_mm <= NEAR_MM)
    elsewhere = seen & (distance_mm > ELSEWHERE_MM)
    if np.count_nonzero(elsewhere) < _MIN_FAR_SHARE * seen.size:
        elsewhere = seen & (distance_mm > np.percentile(distance_mm, 70))
    return near, elsewhere, seen


def _judge(twitch: SeparatedTwitch, times: WaveformTimes, quiet: NDArray[np.bool_]) -> float:
    """Return the quality 0-1: what is one pattern, times what is not movement elsewhere or before."""
    noise = float(np.std(twitch.waveform[quiet])) / times.peak
    parts = (twitch.explained, 1 - twitch.elsewhere_ratio, 1 - noise)
    return float(np.prod([min(max(part, 0.0), 1.0) for part in parts]))


def _report(
    quality: float,
    times: WaveformTimes,
    shape: FieldShape,
    times_s: NDArray[np.float64],
    cell_mm: float,
    knows_mm: bool,
    epicentre_px: tuple[float, float],
) -> Kinematics:
    contraction_s = times.peak_s - times.onset_s
    interval_s = float(np.median(np.diff(times_s)))
    sampled = contraction_s >= MIN_RISE_FRAMES * interval_s
    return Kinematics(
        quality=quality,
        onset_s=times.onset_s,
        peak_s=times.peak_s,
        contraction_s=contraction_s if sampled else None,
        half_relaxation_s=None if times.half_s is None else times.half_s - times.peak_s,
        relaxation_s=None if times.offset_s is None else times.offset_s - times.peak_s,
        peak_mm=shape.peak_mm * times.peak if knows_mm else None,
        peak_velocity_mm_per_s=shape.peak_mm * times.peak_slope if knows_mm and sampled else None,
        anisotropy=shape.anisotropy,
        active_area_mm2=shape.core_cells * cell_mm**2 if knows_mm else None,
        moving_area_mm2=shape.moving_cells * cell_mm**2 if knows_mm else None,
        epicentre=Point(*epicentre_px),
    )
