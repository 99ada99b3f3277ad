"""Makes one implanted clip: draws what happens, moves the background's frames, labels what was moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.chance import draw, draw_log, make_rng
from fascnet.phantom.implant.background import MIN_FRAMES, MIN_SIDE_PX, Background
from fascnet.phantom.implant.implant_plan import ImplantPlan, ImplantSettings
from fascnet.phantom.implant.implantation import FADE_RATIO, Implanter, find_reach_px
from fascnet.phantom.implant.still_noise import StillNoise, roughen_still
from fascnet.phantom.movement.motion import Motion, Twitch
from fascnet.phantom.outline import PictureFrame
from fascnet.phantom.scan.acquisition import ScanSettings
from fascnet.phantom.script import Script, draw_script
from fascnet.phantom.settings import RecordingRanges
from fascnet.phantom.truth import make_truth
from fascnet.types import Event, Labels, PixelBox, Polygon, Region

LEAST_FADE_MM = 1.0
"""Width at least of the border in which movement fades where the screen around stays. Model choice."""

_CLIP_STREAM = 6
_NOTHING: dict[str, Any] = {s.name: 0.0 for s in fields(RecordingRanges) if s.name.endswith("_share")}
_AS_RECORDED = RecordingRanges(**_NOTHING)
"""A real recording has its own gain, codec and screen."""


@dataclass(frozen=True, eq=False)
class Implant:
    """One clip, drawn and ready to be made.

    Attributes:
        background: what is moved.
        script: what happens.
        first: first frame of the background that is used.
        n_frames: how many are.
        box: part of the stored frame that is written, (x0, y0, x1, y1).
        hold_px: width of the border in which movement fades out; 0 where the border moves.
        noise_level: of a still, mean absolute difference of two frames in grey levels.
        noise_seed: seed of a still's noise.
        forth_and_back: whether a short recording is played back.
    """

    background: Background
    script: Script
    first: int
    n_frames: int
    box: PixelBox
    hold_px: float
    noise_level: float
    noise_seed: int
    forth_and_back: bool

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the clip."""
        return self.box[3] - self.box[1], self.box[2] - self.box[0]

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the clip's frames, uint8 (H, W); the same implant gives the same bits.

        Raises:
            RecordingError: the background cannot be decoded.
        """
        background = self.background
        x0, y0, x1, y1 = background.box
        implanter = Implanter(self.script, background.area_shape, background.mm_per_px, self.hold_px)
        rng = np.random.default_rng(self.noise_seed)
        still: NDArray[np.float32] | None = None
        noise: StillNoise | None = None
        stored = background.frames(self.first, self.n_frames, self.forth_and_back)
        for index, whole in enumerate(stored):
            if background.source.is_still and still is None:
                still = roughen_still(whole[y0:y1, x0:x1], rng)
                noise = StillNoise(still, self.noise_level, rng)
            picture = whole[y0:y1, x0:x1].astype(np.float32) if still is None else still
            moved = implanter.move(picture, index / background.fps)
            if noise is not None:
                # Noise is the scanner's and not the tissue's: it does not move.
                moved = moved + noise.draw()
            frame = whole.copy()
            frame[y0:y1, x0:x1] = np.rint(np.clip(moved, 0, 255))
            yield np.ascontiguousarray(frame[self.box[1] : self.box[3], self.box[0] : self.box[2]])

    def make_labels(self, clip_id: str) -> Labels:
        """Return the truth about what was implanted, in pixels of the clip; the whole clip is examined."""
        background = self.background
        height, width = background.area_shape
        offset = (background.box[0] - self.box[0], background.box[1] - self.box[1])
        frame = PictureFrame(height, width, background.mm_per_px, offset)
        labels = make_truth(self.script, frame, clip_id)
        return replace(labels, events=tuple(_cut_event(event, self.shape) for event in labels.events))


def draw_implant(background: Background, plan: ImplantPlan, seed: int, settings: ImplantSettings) -> Implant:
    """Draw one clip; depends on nothing but its arguments."""
    rng = make_rng(_CLIP_STREAM, seed, plan.background, plan.variant)
    first, n_frames = _draw_window(background, settings, rng)
    height, width = background.area_shape
    anatomy = background.make_anatomy()
    script = draw_script(
        settings.twitches,
        settings.confounders,
        _AS_RECORDED,
        ScanSettings(height, width, background.mm_per_px),
        anatomy,
        n_frames,
        background.fps,
        plan.has_twitches,
        rng,
    )
    script = replace(
        script,
        twitches=_follow_fibres(script.twitches, background),
        confounders=tuple(motion for motion in script.confounders if _moves(motion, background)),
        contact_losses=(),
    )
    times_s = [index / background.fps for index in range(n_frames)]
    reach = find_reach_px(script, background.area_shape, background.mm_per_px, times_s)
    box, hold_px = (0, 0, background.shape[1], background.shape[0]), 0.0
    if settings.crop:
        box = _cut_box(background, reach)
    elif script.twitches or script.confounders:
        hold_px = max(LEAST_FADE_MM / background.mm_per_px, FADE_RATIO * max(reach))
    return Implant(
        background=background,
        script=script,
        first=first,
        n_frames=n_frames,
        box=box,
        hold_px=hold_px,
        noise_level=draw(settings.still_noise, rng),
        noise_seed=int(rng.integers(2**32)),
        forth_and_back=settings.forth_and_back,
    )


def _draw_window(
    background: Background, settings: ImplantSettings, rng: np.random.Generator
) -> tuple[int, int]:
    """Return the first frame and the number of frames."""
    wanted = max(round(draw_log(settings.duration_s, rng) * background.fps), MIN_FRAMES)
    if background.source.is_still:
        return 0, wanted
    if settings.whole_recordings or (wanted > background.n_frames and not settings.forth_and_back):
        return 0, background.n_frames
    return int(rng.integers(0, max(background.n_frames - wanted, 0), endpoint=True)), wanted


def _follow_fibres(twitches: tuple[Twitch, ...], background: Background) -> tuple[Twitch, ...]:
    """Turn each focus from the muscle's overall direction to that of the fibres around it."""
    if background.transverse:
        return twitches
    turns: dict[int, float] = {}
    for twitch in twitches:
        x_px, y_px = (place / background.mm_per_px for place in twitch.centre_mm)
        local = background.fibres.find_direction(x_px, y_px)
        turns.setdefault(twitch.focus, local - background.fibres.overall_rad)
    return tuple(replace(twitch, axis_rad=twitch.axis_rad + turns[twitch.focus]) for twitch in twitches)


def _moves(motion: Motion, background: Background) -> bool:
    """Whether a movement moves anything in the plane; the others would be labels without a sight."""
    height, width = background.area_shape
    rows, columns = np.mgrid[0 : height : height / 24, 0 : width : width / 24]
    places = np.stack([columns.ravel(), rows.ravel()], axis=-1) * background.mm_per_px
    return bool(np.any(motion.modes(places.astype(np.float32))))


def _cut_box(background: Background, reach: tuple[int, int, int, int]) -> PixelBox:
    """Cut off the border into which tissue from outside the imaging area would move."""
    x0, y0, x1, y1 = background.box
    height, width = background.area_shape
    most_x, most_y = max(width - MIN_SIDE_PX, 0) // 2, max(height - MIN_SIDE_PX, 0) // 2
    left, top, right, bottom = reach
    return (
        x0 + min(left, most_x),
        y0 + min(top, most_y),
        x1 - min(right, most_x),
        y1 - min(bottom, most_y),
    )


def _cut_event(event: Event, shape: tuple[int, int]) -> Event:
    return replace(
        event,
        region=_cut_region(event.region, shape),
        ignore_region=_cut_region(event.ignore_region, shape),
    )


def _cut_region(region: Region | None, shape: tuple[int, int]) -> Region | None:
    """Cut an outline at the clip's edges; None when nothing is left."""
    if not isinstance(region, Polygon):
        return region
    points = np.clip(np.array(region.points), 0, [shape[1] - 1, shape[0] - 1]).astype(np.float32)
    if cv2.contourArea(points) < 1.0:
        return None
    return Polygon(tuple((round(float(x), 2), round(float(y), 2)) for x, y in points))
