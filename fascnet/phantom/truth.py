"""The exact labels of a clip whose movements are known: when, where, how far and what.

A twitch's onset is the moment at which its displacement first passes 5 % of its peak, its offset the moment
at which it falls below 10 % for good. Its region is where it reaches 50 % of its peak; between 15 % and 50 %
lies the ring that is neither positive nor negative. Everything that is not a twitch is an event with the
name of the confounder. Times are the file's; a movement that no stored frame shows is no event.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.movement.motion import Motion, Positions, Twitch, find_peaks_mm
from fascnet.phantom.outline import PictureFrame, map_sizes, outline
from fascnet.phantom.script import Script
from fascnet.types import Event, Labels

ONSET_LEVEL = 0.05
OFFSET_LEVEL = 0.10
CORE_LEVEL = 0.5
RING_LEVEL = 0.15
HIDDEN_SHARE = 0.7
"""A twitch under a probe that has lost this share of its contact there is not labelled."""

RATER = "truth"
GAIN_STEP = "gain_step"
CODEC_KEYFRAME = "codec_keyframe"

_TIME_STEP_S = 0.0005


def make_truth(script: Script, frame: PictureFrame, clip_id: str) -> Labels:
    """Return the labels of a clip; the whole clip is examined.

    Args:
        script: what happens in it.
        frame: where the picture lies in the stored frame.
        clip_id: its name.
    """
    peaks_mm = find_peaks_mm(script.twitches)
    events = [
        make_twitch_event(script, frame, twitch, peak_mm)
        for twitch, peak_mm in zip(script.twitches, peaks_mm, strict=True)
    ]
    for motion in script.confounders:
        events += _make_confounder_events(script, frame, motion)
    frame_s = 1 / script.timeline.fps
    events += [_time_event(script, loss.label, *loss.active_s) for loss in script.contact_losses]
    events += [
        _time_event(script, GAIN_STEP, step_s, step_s + 2 * frame_s) for step_s, _ in script.gain_steps
    ]
    events += [
        Event(onset_s=onset_s, offset_s=offset_s, label=label)
        for label, onset_s, offset_s in script.timeline.events()
    ]
    codec = script.make_codec()
    if codec is not None:
        # A repeated frame is not coded again.
        coded = np.flatnonzero(~script.timeline.repeats)
        jumps = [int(coded[index]) for index in codec.find_keyframes(len(coded))]
        events += [
            Event(onset_s=jump * frame_s, offset_s=(jump + 1) * frame_s, label=CODEC_KEYFRAME)
            for jump in jumps
        ]
    shown = [event for event in events if event is not None and event.offset_s > event.onset_s]
    ordered = sorted(shown, key=lambda event: (event.onset_s, event.offset_s, event.label))
    return Labels(clip_id, RATER, ((0.0, script.duration_s),), tuple(ordered))


def make_twitch_event(script: Script, frame: PictureFrame, twitch: Twitch, peak_mm: float) -> Event | None:
    """Return one twitch with core and ring, where the tissue is at its peak; None if no frame shows it.

    Args:
        script: what happens in the clip.
        frame: where the picture lies in the stored frame.
        twitch: one of the script's.
        peak_mm: how far it moves tissue; less than its own peak where it meets another.
    """
    onset_s, peak_s, offset_s = find_times(twitch)
    if script.timeline.count_shown(onset_s, offset_s) == 0 or _is_off_skin(script, frame, twitch, peak_s):
        return None
    timed = _time_event(script, twitch.label, onset_s, offset_s)
    if timed is None:
        return None

    def shift(places: Positions) -> NDArray[np.float32]:
        moved = np.zeros_like(places)
        for motion in (*script.background, *script.confounders):
            moved += motion.displacement(places, peak_s)
        return moved

    stored_peak_s = script.timeline.to_stored_s(peak_s)
    sizes = map_sizes(frame, twitch.modes)[0]
    return replace(
        timed,
        peak_s=stored_peak_s if timed.onset_s <= stored_peak_s <= timed.offset_s else None,
        region=outline(sizes, CORE_LEVEL, frame, shift),
        ignore_region=outline(sizes, RING_LEVEL, frame, shift),
        peak_mm=peak_mm,
    )


def find_times(twitch: Twitch) -> tuple[float, float, float]:
    """Return (onset_s, peak_s, offset_s) of a twitch in scan time, to within 0.5 ms."""
    times = np.arange(twitch.active_s[0], twitch.active_s[1] + _TIME_STEP_S, _TIME_STEP_S)
    course = twitch.course(times)
    onset = int(np.flatnonzero(course >= ONSET_LEVEL)[0])
    offset = int(np.flatnonzero(course >= OFFSET_LEVEL)[-1]) + 1
    return float(times[onset]), float(times[int(np.argmax(course))]), float(times[offset])


def _is_off_skin(script: Script, frame: PictureFrame, twitch: Twitch, peak_s: float) -> bool:
    """Whether the probe has lost contact over the twitch: then nobody can see it."""
    column = round(twitch.centre_mm[0] / frame.mm_per_px)
    column = min(max(column, 0), frame.width_px - 1)
    return any(
        loss.active_s[0] <= peak_s < loss.active_s[1]
        and loss.measure_loss(peak_s, frame.width_px)[column] > HIDDEN_SHARE
        for loss in script.contact_losses
    )


def _make_confounder_events(script: Script, frame: PictureFrame, motion: Motion) -> list[Event | None]:
    """Return one event for a movement of the whole picture, or one for each place of a local one."""
    whole = _time_event(script, motion.label, *motion.active_s)
    if whole is None or not motion.is_local:
        return [whole]
    regions = (outline(sizes, CORE_LEVEL, frame) for sizes in map_sizes(frame, motion.modes))
    return [replace(whole, region=region) for region in regions]


def _time_event(script: Script, label: str, start_s: float, end_s: float) -> Event | None:
    """Return an event of an interval of scan time, in the file's; None when nothing of it is in the file."""
    onset_s = min(max(script.timeline.to_stored_s(start_s), 0.0), script.duration_s)
    offset_s = min(script.timeline.to_stored_s(end_s), script.duration_s)
    return Event(onset_s=onset_s, offset_s=offset_s, label=label) if offset_s > onset_s else None
