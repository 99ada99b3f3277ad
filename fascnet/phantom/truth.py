"""The exact labels of a phantom clip: when, where and what, from the movements themselves.

A twitch's onset is the moment at which its displacement first passes 5 % of its peak, its offset the moment
at which it falls below 10 % for good. Its region is where it reaches 50 % of its peak; between 15 % and 50 %
lies the ring that is neither positive nor negative. Everything that is not a twitch is an event with the
name of the confounder.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.motion import Motion, Positions, Twitch
from fascnet.phantom.scene import Scene
from fascnet.phantom.tissue import MARGIN_MM
from fascnet.types import Event, Labels, Polygon

ONSET_LEVEL = 0.05
OFFSET_LEVEL = 0.10
CORE_LEVEL = 0.5
RING_LEVEL = 0.15
RATER = "truth"
GAIN_STEP = "gain_step"
FREEZE = "freeze"

MAX_CORNERS = 40
_TIME_STEP_S = 0.0005
_GRID_STEP_PX = 0.5


def make_truth(scene: Scene, clip_id: str) -> Labels:
    """Return the labels of a clip; the whole clip is examined."""
    events = [make_twitch_event(scene, twitch) for twitch in scene.twitches]
    for motion in scene.confounders:
        events += _make_confounder_events(scene, motion)
    frame_s = 1 / scene.subject.fps
    for step_s, _ in scene.gain_steps:
        events.append(_make_interval_event(GAIN_STEP, step_s, step_s + 2 * frame_s, scene.duration_s))
    if scene.lost_frames:
        first, last = min(scene.lost_frames), max(scene.lost_frames)
        events.append(_make_interval_event(FREEZE, first * frame_s, (last + 1) * frame_s, scene.duration_s))
    ordered = sorted(events, key=lambda event: (event.onset_s, event.offset_s, event.label))
    return Labels(clip_id, RATER, ((0.0, scene.duration_s),), tuple(ordered))


def make_twitch_event(scene: Scene, twitch: Twitch) -> Event:
    """Return one twitch as an event with core and ring, where the tissue is at its peak."""
    onset_s, peak_s, offset_s = find_times(twitch)
    sizes = _map_sizes(scene, twitch.modes)[0]
    return Event(
        onset_s=onset_s,
        offset_s=min(offset_s, scene.duration_s),
        peak_s=peak_s,
        region=_outline(sizes, CORE_LEVEL, scene, peak_s),
        ignore_region=_outline(sizes, RING_LEVEL, scene, peak_s),
    )


def find_times(twitch: Twitch) -> tuple[float, float, float]:
    """Return (onset_s, peak_s, offset_s) of a twitch, to within 0.5 ms."""
    times = np.arange(twitch.active_s[0], twitch.active_s[1] + _TIME_STEP_S, _TIME_STEP_S)
    course = twitch.course(times)
    onset = int(np.flatnonzero(course >= ONSET_LEVEL)[0])
    offset = int(np.flatnonzero(course >= OFFSET_LEVEL)[-1]) + 1
    return float(times[onset]), float(times[int(np.argmax(course))]), float(times[offset])


def _make_confounder_events(scene: Scene, motion: Motion) -> list[Event]:
    """Return one event for a movement of the whole picture, or one for each place of a local one."""
    start_s, end_s = motion.active_s
    whole = _make_interval_event(motion.label, start_s, end_s, scene.duration_s)
    if not motion.is_local:
        return [whole]
    regions = (_outline(sizes, CORE_LEVEL, scene, None) for sizes in _map_sizes(scene, motion.modes))
    return [replace(whole, region=region) for region in regions]


def _make_interval_event(label: str, start_s: float, end_s: float, duration_s: float) -> Event:
    return Event(onset_s=max(start_s, 0.0), offset_s=min(end_s, duration_s), label=label)


def _map_sizes(scene: Scene, find_modes: Callable[[Positions], NDArray[np.float32]]) -> NDArray[np.float32]:
    """Length (K, rows, columns) of each mode on a grid of half pixels over picture and margin, at rest."""
    scan = scene.subject.scan
    margin = _find_margin_px(scene)
    x = np.arange(-margin, scan.width_px + margin, _GRID_STEP_PX)
    y = np.arange(-margin, scan.height_px + margin, _GRID_STEP_PX)
    columns, rows = np.meshgrid(x, y)
    places = (np.stack([columns.ravel(), rows.ravel()], axis=-1) * scan.mm_per_px).astype(np.float32)
    modes = find_modes(places)
    return np.hypot(modes[..., 0], modes[..., 1]).reshape(len(modes), len(y), len(x))


def _find_margin_px(scene: Scene) -> int:
    return math.ceil(MARGIN_MM / scene.subject.scan.mm_per_px)


def _outline(
    sizes: NDArray[np.float32], level: float, scene: Scene, moment_s: float | None
) -> Polygon | None:
    """Outline the largest area above a level, moved with the tissue at a moment; None if out of view."""
    contours, _ = cv2.findContours(
        (sizes >= level).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    if not contours:
        return None
    scan = scene.subject.scan
    contour = max(contours, key=cv2.contourArea)
    points = contour[:, 0, :].astype(np.float64) * _GRID_STEP_PX - _find_margin_px(scene)
    if moment_s is not None:
        places = (points * scan.mm_per_px).astype(np.float32)
        for motion in scene.confounders:
            points = points + motion.displacement(places, moment_s) / scan.mm_per_px
    points = np.clip(points, 0, [scan.width_px - 1, scan.height_px - 1]).astype(np.float32)
    if cv2.contourArea(points) < 1.0:
        return None
    tolerance_px = 0.25
    corners = cv2.approxPolyDP(points, tolerance_px, True)
    while len(corners) > MAX_CORNERS:
        tolerance_px *= 1.3
        corners = cv2.approxPolyDP(points, tolerance_px, True)
    return Polygon(tuple((round(float(x), 2), round(float(y), 2)) for x, y in corners[:, 0, :]))
