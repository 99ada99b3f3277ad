"""The things that flow through fascnet: clips, events, labels, predictions. Frozen, NumPy only.

Axes are always T, H, W (time, rows, columns). Pixels are pixels of the recording as stored, x right, y down,
and the centre of the top-left pixel is (0, 0). A video that its container turns by quarters counts as stored
turned, as players and labelling tools show it; pixels that are not square stay so. Times are seconds from the
first frame. Intervals are half-open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fascnet.measurements import Kinematics, NotScored
from fascnet.regions import Box, MaskFile, PixelBox, Point, Polygon, Region

__all__ = [
    "FASCICULATION",
    "Box",
    "Clip",
    "ClipCalibration",
    "ClipSource",
    "Event",
    "EventDefinition",
    "Frame",
    "HeatmapStream",
    "Interval",
    "Kinematics",
    "Labels",
    "MaskFile",
    "NotScored",
    "PixelBox",
    "Point",
    "Polygon",
    "Prediction",
    "Predictor",
    "Recording",
    "RecordingInfo",
    "Region",
]

Interval = tuple[float, float]
"""Half-open interval (start_s, end_s)."""

FASCICULATION = "fasciculation"


@dataclass(frozen=True, slots=True)
class Event:
    """One event in a clip, labelled or detected.

    Attributes:
        onset_s: first moment of movement.
        offset_s: end of movement, after `onset_s`.
        peak_s: moment of the largest displacement, if known.
        label: `fasciculation`, or the name of a confounder.
        certainty: the rater's word (`definite`, `probable`, `possible`), if given.
        region: where; None when only the time is known.
        ignore_region: a wider outline whose pixels outside `region` are neither positive nor negative (the
            phantom's 15-50 % ring); optional in `fascnet-labels/1`.
        score: detector's confidence 0-1; None for labels.
        area_px: area in stored pixels, if known.
        area_mm2: area in mm², if known.
        peak_mm: largest displacement of tissue over place and time, if known; optional in `fascnet-labels/1`.
        kinematics: what `predict` measured of its movement, if it did.
        movement_hz: rate of the periodic movement that a detection was named after; None for any other.
    """

    onset_s: float
    offset_s: float
    peak_s: float | None = None
    label: str = FASCICULATION
    certainty: str | None = None
    region: Region | None = None
    ignore_region: Region | None = None
    score: float | None = None
    area_px: float | None = None
    area_mm2: float | None = None
    peak_mm: float | None = None
    kinematics: Kinematics | None = None
    movement_hz: float | None = None


@dataclass(frozen=True, slots=True)
class Labels:
    """What one rater said about one clip. Nothing outside `examined` is ever trained on or scored."""

    clip_id: str
    rater: str
    examined: tuple[Interval, ...]
    events: tuple[Event, ...]

    def fasciculations(self) -> tuple[Event, ...]:
        """Return the events that are fasciculations, in order of onset."""
        return tuple(sorted((e for e in self.events if e.label == FASCICULATION), key=lambda e: e.onset_s))


@dataclass(frozen=True, slots=True)
class ClipSource:
    """One recording of a data set or study, and what is known about it before it is opened.

    Attributes:
        clip_id: unique name; also the name of its output folder and of its label files.
        path: the recording.
        subject_id: whose muscle it is; the unit of splits and of the bootstrap.
        muscle: muscle name, or empty.
        side: `L`, `R` or empty.
        fps: frame rate that overrides the file's, if given.
        mm_per_px: pixel spacing that overrides the file's, if given.
        split: `train`, `val`, `test`, or None.
        box: imaging area that overrides what would be found, if given.
    """

    clip_id: str
    path: Path
    subject_id: str
    muscle: str = ""
    side: str = ""
    fps: float | None = None
    mm_per_px: float | None = None
    split: str | None = None
    box: PixelBox | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A clip in memory.

    Attributes:
        clip_id: its name.
        frames: uint8 (T, H, W).
        times_s: float64 (T,), increasing, first 0.
        mm_per_px: pixel spacing, or None when unknown.
        subject_id: whose muscle it is.
        muscle: muscle name, or empty.
        side: `L`, `R` or empty.
    """

    clip_id: str
    frames: NDArray[np.uint8]
    times_s: NDArray[np.float64]
    mm_per_px: float | None = None
    subject_id: str = ""
    muscle: str = ""
    side: str = ""


@dataclass(frozen=True, slots=True)
class RecordingInfo:
    """What a recording says about itself.

    Attributes:
        height: rows as stored.
        width: columns as stored.
        n_frames: frames the file announces, or None when it does not say; decoding decides.
        fps: frames per second (mean rate where it varies).
        duration_s: announced length in seconds, or None.
        mm_per_px: pixel spacing downwards, along depth; across it is `pixel_aspect` times that. None when
            unknown.
        box: the imaging area (x0, y0, x1, y1).
        mm_per_px_from: where the spacing came from: `manifest`, `sidecar`, `dicom`, `file`, `ruler` (read off
            the screen), or empty.
        scale_confidence: 0-1 that the spacing is right within 2 %: the ruler's; 1 where it was given or
            stands in the file, 0 when unknown.
        outline: outline of the imaging area within `box`; None: all of the box.
        area_from: where the imaging area came from: `given` (manifest or command), `sidecar`, `dicom` (looked
            for within the header's region), `found`, `whole` (it fills the frame, or nothing was found), or
            empty when nobody looked.
        area_confidence: 0-1 that the imaging area is right; 1 when it was given, 0 when nothing was found.
        pixel_aspect: width of a pixel over its height.
    """

    height: int
    width: int
    n_frames: int | None
    fps: float
    duration_s: float | None
    mm_per_px: float | None
    box: PixelBox
    mm_per_px_from: str = ""
    scale_confidence: float = 0.0
    outline: Polygon | None = None
    area_from: str = ""
    area_confidence: float = 0.0
    pixel_aspect: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded frame.

    Attributes:
        index: from 0.
        time_s: from the first frame.
        image: uint8 (H, W).
        held: whether the file's own picture is damaged, and the one before stands in its place.
    """

    index: int
    time_s: float
    image: NDArray[np.uint8]
    held: bool = False


class Recording(Protocol):
    """A recording whose frames are decoded one after the other, never all at once."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def info(self) -> RecordingInfo:
        """What the file says about itself."""

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order of time, from the first. Each call starts anew.

        Raises:
            RecordingError: the file cannot be decoded; frames already yielded are sound.
        """


@dataclass(frozen=True, slots=True)
class EventDefinition:
    """What makes a heatmap an event: a few numbers, stored in the model file.

    Attributes:
        onset_threshold: an event needs a cell that reaches this probability.
        offset_threshold: cells that stay above this belong to it; at most `onset_threshold`.
        min_on_s: shorter events are dropped.
        min_off_s: shorter gaps at one place are bridged.
        pad_onset_s: moves every onset earlier by this much.
        pad_offset_s: moves every offset later by this much.
        pad_peak_s: moves every peak earlier by this much, though not before the onset: a heatmap is largest
            some time after the movement was.
        join_cells: parts of one tick that lie no more than this many cells apart are one: a core in two lobes
            is one twitch.
        min_cells: an event that never covers so many cells at one tick is dropped.
        min_score: an event with a lower score is dropped, 0-1.
        score_intercept: of the logistic regression that makes the score (`fascnet.inference.event_scores`).
        score_strength: weight of the logit of its strongest cells; alone, as here, they are the score.
        score_duration: weight of the logarithm of its seconds.
        score_unrest: weight of how restless its place is at other times (`fascnet.inference.place_evidence`).
        score_recurrence: weight of what else happens there.
    """

    onset_threshold: float = 0.5
    offset_threshold: float = 0.3
    min_on_s: float = 0.067
    min_off_s: float = 0.067
    pad_onset_s: float = 0.0
    pad_offset_s: float = 0.0
    pad_peak_s: float = 0.0
    join_cells: int = 0
    min_cells: int = 1
    min_score: float = 0.0
    score_intercept: float = 0.0
    score_strength: float = 1.0
    score_duration: float = 0.0
    score_unrest: float = 0.0
    score_recurrence: float = 0.0


@dataclass(frozen=True, slots=True)
class ClipCalibration:
    """Of clip scores, as `fascnet.inference.scores.calibrate` uses it."""

    slope: float = 1.0
    intercept: float = 0.0
    surest_event: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class HeatmapStream:
    """Heatmaps of one recording as they are computed.

    Attributes:
        fps: heatmaps per second; heatmap k stands at time k / fps.
        box: the part of the recording that the heatmap covers, (x0, y0, x1, y1) in stored pixels.
        shape: (h, w) of each heatmap; cell (i, j) covers an equal share of `box`.
        mm_per_px: spacing of the stored pixels, None when unknown (then `assumed_mm_per_px` was used).
        assumed_mm_per_px: the spacing that was assumed for lack of a known one, else None.
        chunks: float32 (t, h, w) arrays of probabilities 0-1, in order of time, together covering all of it.
        covered: bool (h, w), the cells that lie within the outline of the imaging area; the others are 0 in
            every heatmap. None: all of them.
        pixel_aspect: width of a stored pixel over its height.
    """

    fps: float
    box: PixelBox
    shape: tuple[int, int]
    mm_per_px: float | None
    assumed_mm_per_px: float | None
    chunks: Iterator[NDArray[np.float32]]
    covered: NDArray[np.bool_] | None = None
    pixel_aspect: float = 1.0


class Predictor(Protocol):
    """Anything that turns a recording into heatmaps: the network, or a published baseline."""

    @property
    def name(self) -> str:
        """Short name for tables, such as `network` or `farneback`."""

    @property
    def event_definition(self) -> EventDefinition:
        """How its heatmaps become events."""

    @property
    def calibration(self) -> ClipCalibration:
        """How its pooled clip logit becomes a probability."""

    @property
    def clip_threshold(self) -> float | None:
        """Score from which a clip counts as positive; None when none was chosen."""

    def stream(self, recording: Recording) -> HeatmapStream:
        """Start on a recording; the work is done as `chunks` is consumed, at constant memory."""

    def describe(self) -> dict[str, object]:
        """Plain facts for `run.json`: version, file, hash, settings."""


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What a predictor found in one clip, as kept in memory or read back from `predict`'s files.

    Attributes:
        clip_id: the clip.
        status: `ok`, `partial` (only the first part could be decoded) or `failed`.
        events: detected events, in order of onset; only those labelled `fasciculation` count.
        score: calibrated probability that the clip holds a fasciculation; None when nothing was scored.
        duration_s: length of what was decoded.
        scored_s: seconds that were scored, without those of `not_scored`.
        reason: why it is not `ok`; of one that is, that a few damaged frames are held, else empty.
        heatmap: uint8 (T, h, w), 255 = probability 1; may be a memory map; None when not kept.
        heatmap_fps: heatmaps per second.
        box: imaging area in stored pixels.
        fps: frame rate of the recording.
        mm_per_px: pixel spacing, None when unknown.
        active_area_fraction: share of the imaging area that any event covered.
        source: the recording's path as given.
        subject_id: whose muscle it is.
        muscle: muscle name, or empty.
        side: `L`, `R` or empty.
        mm_per_px_from: as in `RecordingInfo`.
        scale_confidence: as in `RecordingInfo`; None when failed.
        area_from: as in `RecordingInfo`.
        area_confidence: as in `RecordingInfo`; None when failed.
        not_scored: seconds that were left out, in order, apart from each other.
        positive: whether the score reaches the model's operating point; None without either.
        pixel_aspect: as in `RecordingInfo`; None when failed or unknown.
    """

    clip_id: str
    status: str
    events: tuple[Event, ...] = ()
    score: float | None = None
    duration_s: float = 0.0
    scored_s: float = 0.0
    reason: str = ""
    heatmap: NDArray[np.uint8] | None = field(default=None, repr=False)
    heatmap_fps: float | None = None
    box: PixelBox | None = None
    fps: float | None = None
    mm_per_px: float | None = None
    active_area_fraction: float = 0.0
    source: str = ""
    subject_id: str = ""
    muscle: str = ""
    side: str = ""
    mm_per_px_from: str = ""
    scale_confidence: float | None = None
    area_from: str = ""
    area_confidence: float | None = None
    not_scored: tuple[NotScored, ...] = ()
    positive: bool | None = None
    pixel_aspect: float | None = None

    @property
    def verdict(self) -> str:
        """`positive`, `negative`, or empty where nothing decides."""
        return {True: "positive", False: "negative", None: ""}[self.positive]

    @property
    def not_scored_s(self) -> float:
        """Seconds that were left out."""
        return sum(part.end_s - part.start_s for part in self.not_scored)

    def fasciculations(self) -> tuple[Event, ...]:
        """Return the events that count, in order of onset."""
        return tuple(event for event in self.events if event.label == FASCICULATION)
