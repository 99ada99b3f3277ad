"""A real recording or still as a background: frames, scale, muscle, and how much it moves by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.data.recording.recordings import open_clip
from fascnet.data.screen.imaging_area import find_imaging_area
from fascnet.errors import RecordingError, SettingError
from fascnet.phantom.body.anatomy import Anatomy
from fascnet.phantom.implant.background_sources import BackgroundSource
from fascnet.phantom.implant.muscle_region import FibreMap, find_muscle, map_fibres
from fascnet.phantom.ranges import check_ranges
from fascnet.types import PixelBox

MIN_FRAMES = 8
MIN_DURATION_S = 1.0
"""Shorter recordings, which `fascnet check` refuses too, have no room for a twitch."""

MIN_SIDE_PX = 48
MAX_ASPECT = 1.1
"""Pixels further from squares make a twitch wider or higher than its truth says (choice of this project)."""

MOVING_MM_PER_S = 5.0
"""Tissue this fast (95th percentile) is reported: single units twitch at 5.5 ± 2.6 mm/s (Heskamp 2021)."""

_FLOW_WIDTH_PX = 160
_MAX_FLOWS = 150


@dataclass(frozen=True, slots=True)
class BackgroundSettings:
    """What is known about the backgrounds and cannot be read from them.

    Attributes:
        mm_per_px: pixel spacing of all of them, replaces the files'; None reads it from manifest or DICOM.
        assumed_depth_mm: depth of the imaging area where no spacing is known, 10-150 mm. Twitches have their
            size in mm, so a wrong guess makes all of them too large or too small.
        still_fps: frames per second of clips made from stills, 5-200.
        muscle_box: (x0, y0, x1, y1) in pixels of the stored frame, replaces the rule of `find_muscle`.
        transverse: the pictures cross the fibres.
    """

    mm_per_px: float | None = None
    assumed_depth_mm: float = 40.0
    still_fps: float = 30.0
    muscle_box: tuple[int, int, int, int] | None = None
    transverse: bool = False

    def __post_init__(self) -> None:
        if self.mm_per_px is not None and not (
            isinstance(self.mm_per_px, int | float) and 0.005 <= self.mm_per_px <= 1.0
        ):
            raise SettingError(f"mm_per_px={self.mm_per_px}: give a number between 0.005 and 1, or null")
        check_ranges(self, {"assumed_depth_mm": (10.0, 150.0), "still_fps": (5.0, 200.0)})
        if self.muscle_box is not None:
            box = self.muscle_box
            sound = isinstance(box, list | tuple) and len(box) == 4 and all(isinstance(e, int) for e in box)
            if not sound or box[0] >= box[2] or box[1] >= box[3]:
                raise SettingError(f"muscle_box={box}: give [x0, y0, x1, y1] in whole pixels, or null")
            # YAML gives a list; a tuple keeps the settings hashable and comparable.
            object.__setattr__(self, "muscle_box", tuple(box))
        if not isinstance(self.transverse, bool):
            raise SettingError(f"transverse={self.transverse}: give true or false")


@dataclass(frozen=True, eq=False)
class Background:
    """What twitches are implanted in.

    Attributes:
        source: where it comes from.
        shape: (H, W) of the stored frame.
        box: imaging area (x0, y0, x1, y1) in stored pixels.
        n_frames: decoded frames; 1 for a still.
        fps: frames per second.
        mm_per_px: pixel spacing.
        mm_per_px_from: `setting`, as in `RecordingInfo`, or `assumed_depth`.
        muscle: muscle box in pixels of the imaging area.
        fibres: directions of the fibres in the imaging area.
        transverse: the picture crosses the fibres.
        speed_mm_per_s: 95th percentile over muscle and time of the speed at which it moves by itself.
    """

    source: BackgroundSource
    shape: tuple[int, int]
    box: PixelBox
    n_frames: int
    fps: float
    mm_per_px: float
    mm_per_px_from: str
    muscle: PixelBox
    fibres: FibreMap
    transverse: bool
    speed_mm_per_s: float

    @property
    def area_shape(self) -> tuple[int, int]:
        """(H, W) of the imaging area."""
        return self.box[3] - self.box[1], self.box[2] - self.box[0]

    def frames(self, first: int, count: int, forth_and_back: bool = False) -> Iterator[NDArray[np.uint8]]:
        """Yield `count` whole stored frames (H, W) from frame `first` on.

        Args:
            first: index of the first frame.
            count: how many; a still is repeated.
            forth_and_back: play a recording that is too short back from its end, and forth again.

        Raises:
            RecordingError: the recording cannot be decoded, or is too short and not played back.
        """
        if self.source.is_still:
            still = read_still(self.source)
            yield from (still for _ in range(count))
            return
        clip = self.source.clip
        wanted = [fold_index(first + k, self.n_frames) for k in range(count)]
        if first + count <= self.n_frames:
            recording = open_clip(clip)
            yield from (frame.image for frame in islice(recording.frames(), first, first + count))
            return
        if not forth_and_back:
            raise RecordingError(f"{clip.path}: has {self.n_frames} frames, fewer than {first + count}")
        # Only clips shorter than their window come here: they are kept in memory.
        recording = open_clip(clip)
        kept = [frame.image for frame in recording.frames()]
        yield from (kept[min(index, len(kept) - 1)] for index in wanted)

    def make_anatomy(self) -> Anatomy:
        """Describe where the muscle lies, as far as drawing of twitches and confounders asks."""
        top_mm, bottom_mm = self.muscle[1] * self.mm_per_px, self.muscle[3] * self.mm_per_px
        return Anatomy(
            transverse=self.transverse,
            skin_mm=top_mm - 0.5,
            fat_mm=0.5,
            thickness_mm=bottom_mm - top_mm,
            slope=0.0,
            deep_slope=0.0,
            curvature_per_mm=0.0,
            fibre_rad=self.fibres.overall_rad,
            bone_mm=None,
            muscle_echo=0.1,
            streak=1.0,
        )


def open_background(source: BackgroundSource, settings: BackgroundSettings) -> Background:
    """Decode a recording or still once and find out what implanting needs.

    Raises:
        RecordingError: it cannot be decoded, is too short, or smaller than `MIN_SIDE_PX`, or
            the muscle box lies outside.
    """
    clip = source.clip
    if source.is_still:
        first = read_still(source)
        box = find_imaging_area(first[None])
        n_frames, fps, pitch, pitch_from = 1, settings.still_fps, clip.mm_per_px, "manifest"
        images: Iterator[NDArray[np.uint8]] = iter(())
    else:
        recording = open_clip(clip)
        info = recording.info
        box, n_frames, fps = info.box, 0, info.fps
        pitch, pitch_from = info.mm_per_px, info.mm_per_px_from
        if not 1 / MAX_ASPECT <= info.pixel_aspect <= MAX_ASPECT:
            raise RecordingError(
                f"{clip.path}: its pixels are {info.pixel_aspect:.2f} times as wide as high; resample it "
                "to square ones"
            )
        images = (frame.image for frame in recording.frames())
        first = next(images)
    if settings.mm_per_px is not None:
        pitch, pitch_from = float(settings.mm_per_px), "setting"
    height, width = box[3] - box[1], box[2] - box[0]
    if min(height, width) < MIN_SIDE_PX:
        raise RecordingError(f"{clip.path}: its imaging area of {width}x{height} pixels is too small")
    if pitch is None:
        pitch, pitch_from = settings.assumed_depth_mm / height, "assumed_depth"
    area = np.s_[box[1] : box[3], box[0] : box[2]]
    muscle = find_muscle(first[area], pitch)
    if settings.muscle_box is not None:
        muscle = _place_muscle(settings.muscle_box, box, source)
    speed = 0.0
    if not source.is_still:
        areas = (image[area] for image in chain([first], images))
        n_frames, speed_px = _measure_motion(areas, muscle)
        speed = speed_px * fps * pitch
        if n_frames < MIN_FRAMES or n_frames < MIN_DURATION_S * fps:
            raise RecordingError(
                f"{clip.path}: lasts {n_frames / fps:.2f} s ({n_frames} frames); "
                f"at least {MIN_DURATION_S:g} s and {MIN_FRAMES} frames are needed"
            )
    return Background(
        source=source,
        shape=(first.shape[0], first.shape[1]),
        box=box,
        n_frames=n_frames,
        fps=fps,
        mm_per_px=pitch,
        mm_per_px_from=pitch_from,
        muscle=muscle,
        fibres=map_fibres(first[area], muscle, pitch),
        transverse=settings.transverse,
        speed_mm_per_s=speed,
    )


def read_still(source: BackgroundSource) -> NDArray[np.uint8]:
    """Read a still as grey levels (H, W).

    Raises:
        RecordingError: it is missing or no picture.
    """
    try:
        data = np.frombuffer(source.clip.path.read_bytes(), np.uint8)
    except OSError as error:
        raise RecordingError(f"{source.clip.path}: cannot be read ({error.strerror})") from error
    image = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if data.size else None
    if image is None:
        raise RecordingError(f"{source.clip.path}: is not a readable picture; export it again")
    return np.asarray(image, dtype=np.uint8)


def fold_index(index: int, n_frames: int) -> int:
    """Return which frame stands at an index of a clip played forth and back; ends are not repeated."""
    period = max(2 * (n_frames - 1), 1)
    inside = index % period
    return inside if inside < n_frames else period - inside


def _place_muscle(given: tuple[int, int, int, int], box: PixelBox, source: BackgroundSource) -> PixelBox:
    x0, y0 = max(given[0], box[0]) - box[0], max(given[1], box[1]) - box[1]
    x1, y1 = min(given[2], box[2]) - box[0], min(given[3], box[3]) - box[1]
    if x1 - x0 < 8 or y1 - y0 < 8:
        raise RecordingError(f"{source.clip.path}: muscle_box lies outside its imaging area {list(box)}")
    return x0, y0, x1, y1


def _measure_motion(areas: Iterator[NDArray[np.uint8]], muscle: PixelBox) -> tuple[int, float]:
    """Return the number of frames and the 95th percentile of the muscle's movement in px a frame."""
    flow: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    scale = min(_FLOW_WIDTH_PX / (muscle[2] - muscle[0]), 1.0)
    last: NDArray[np.uint8] | None = None
    count = 0
    speeds: list[float] = []
    for area in areas:
        count += 1
        if len(speeds) >= _MAX_FLOWS:
            continue
        part = area[muscle[1] : muscle[3], muscle[0] : muscle[2]]
        resized = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        small = np.asarray(resized, dtype=np.uint8)
        if last is not None and min(small.shape) >= 24:
            moved = flow.calc(last, small, None)
            speeds.append(float(np.percentile(np.hypot(moved[..., 0], moved[..., 1]), 95)))
        last = small
    return count, float(np.percentile(speeds, 95)) / scale if speeds else 0.0
