"""What a recording turns out to be when it is decoded once, from its first frame to its last."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fascnet.data.clip_set.copies import Marks
from fascnet.data.clip_set.fingerprint import FrameSketch, MovementSignature, hash_frame, is_flat
from fascnet.data.clip_set.patient import PatientMark, read_patient
from fascnet.data.clip_set.thumbnail import draw_thumbnail
from fascnet.data.recording.held_frames import describe_held
from fascnet.data.recording.recordings import open_recording
from fascnet.data.recording.repeats import RepeatFinder
from fascnet.errors import RecordingError
from fascnet.types import ClipSource, Frame, PixelBox, Polygon, Recording


@dataclass(frozen=True, slots=True)
class ClipJob:
    """A clip to measure.

    Attributes:
        clip: which.
        place: its path as the manifest has it.
        salt: of the patient's mark.
        thumbnail: whether to draw one.
    """

    clip: ClipSource
    place: str
    salt: str
    thumbnail: bool


@dataclass(frozen=True, slots=True, eq=False)
class ClipFacts:
    """What is known of a clip after decoding. Numbers are those of the frames, not of the header.

    Attributes:
        clip_id: which.
        status: `ok`, `partial` (broke off) or `failed` (not a single frame).
        reason: why it is not `ok`, the reader's line.
        n_frames: decoded frames.
        announced: frames the file announces, None when it does not say.
        fps: rate in use, the manifest's where it gives one.
        own_fps: rate the file announces, None when it gives none.
        measured_fps: rate at which the file's frames come, None for fewer than two.
        duration_s: length at the rate in use.
        shortest_step_s: shortest time from a frame to the next, at the rate in use.
        longest_step_s: longest such time.
        uneven: standard deviation of those times over their mean.
        doubled: frames that show nothing new.
        longest_freeze_s: longest time in which the picture stands still.
        picture_rate_hz: different pictures a second, what the scanner drew; None without any.
        notes: the reader's remarks.
        width: columns as stored.
        height: rows as stored.
        box: the imaging area.
        mm_per_px: spacing in use, the manifest's where it gives one.
        own_mm_per_px: the file's own spacing, or what the ruler on its screen says.
        marks: what it shows, for comparing.
        patient: whose it is, as a mark.
        thumbnail: a JPEG file, or empty.
        mm_per_px_from: where the spacing in use came from, as in `RecordingInfo`.
        own_mm_per_px_from: where the file's own came from.
        scale_confidence: 0-1 that the spacing in use is right.
        outline: of the imaging area; None: all of the box.
        area_from: where the imaging area came from, as in `RecordingInfo`.
        area_confidence: 0-1 that it is right.
    """

    clip_id: str
    status: str = "failed"
    reason: str = ""
    n_frames: int = 0
    announced: int | None = None
    fps: float | None = None
    own_fps: float | None = None
    measured_fps: float | None = None
    duration_s: float = 0.0
    shortest_step_s: float = 0.0
    longest_step_s: float = 0.0
    uneven: float = 0.0
    doubled: int = 0
    longest_freeze_s: float = 0.0
    picture_rate_hz: float | None = None
    notes: tuple[str, ...] = ()
    width: int = 0
    height: int = 0
    box: PixelBox = (0, 0, 0, 0)
    mm_per_px: float | None = None
    own_mm_per_px: float | None = None
    marks: Marks = field(default_factory=lambda: Marks("", np.empty(0, np.uint64), None), repr=False)
    patient: PatientMark = field(default_factory=PatientMark)
    thumbnail: bytes = field(default=b"", repr=False)
    mm_per_px_from: str = ""
    own_mm_per_px_from: str = ""
    scale_confidence: float = 0.0
    outline: Polygon | None = None
    area_from: str = ""
    area_confidence: float = 0.0


def measure_clip(job: ClipJob) -> ClipFacts:
    """Decode a clip once, a frame at a time, and write down what it is.

    A recording that breaks off is measured as far as it goes; nothing is raised for a bad file.
    """
    clip = job.clip
    texts = {"path": job.place, "clip_id": clip.clip_id, "subject_id": clip.subject_id}
    patient = read_patient(clip.path, job.salt, texts)
    own_rate = True
    try:
        try:
            recording = open_recording(clip.path, box=clip.box)
        except RecordingError:
            if clip.fps is None:
                raise
            # Perhaps only its rate is missing, which the manifest gives.
            recording, own_rate = open_recording(clip.path, fps=clip.fps, box=clip.box), False
        meter = _Meter(recording)
        reason = meter.watch()
    except RecordingError as error:
        return ClipFacts(clip.clip_id, reason=f"{error}", patient=patient)
    info, repeats = recording.info, meter.repeats.finish()
    fps = info.fps if clip.fps is None else clip.fps
    # Times stretch with the rate that the manifest gives.
    stretch = info.fps / fps
    broken = bool(reason)
    return ClipFacts(
        clip_id=clip.clip_id,
        status="partial" if broken else "ok",
        reason=reason,
        n_frames=meter.count,
        announced=info.n_frames,
        fps=fps,
        own_fps=info.fps if own_rate else None,
        measured_fps=(meter.count - 1) / meter.last_s if meter.last_s > 0 and own_rate else None,
        duration_s=meter.last_s * stretch + 1.0 / fps,
        shortest_step_s=meter.shortest_s * stretch if meter.count > 1 else 0.0,
        longest_step_s=meter.longest_s * stretch,
        uneven=meter.measure_unevenness(),
        doubled=repeats.n_repeats,
        longest_freeze_s=stretch * max((run.end_s - run.start_s for run in repeats.runs), default=0.0),
        picture_rate_hz=None if repeats.picture_rate_hz is None else repeats.picture_rate_hz / stretch,
        notes=(*recording.notes, *([describe_held(meter.n_held)] if meter.n_held else [])),
        width=info.width,
        height=info.height,
        box=info.box,
        mm_per_px=info.mm_per_px if clip.mm_per_px is None else clip.mm_per_px,
        own_mm_per_px=info.mm_per_px,
        marks=meter.take_marks(whole=not broken),
        patient=patient,
        thumbnail=meter.draw(info.box) if job.thumbnail else b"",
        mm_per_px_from=info.mm_per_px_from if clip.mm_per_px is None else "manifest",
        own_mm_per_px_from=info.mm_per_px_from,
        scale_confidence=info.scale_confidence if clip.mm_per_px is None else 1.0,
        outline=info.outline,
        area_from=info.area_from,
        area_confidence=info.area_confidence,
    )


class _Meter:
    """Notes what passes; keeps a frame, a few small pictures, and 12 bytes a frame for the repeats."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self.repeats = RepeatFinder(recording.info.box)
        self.count = self.n_held = 0
        self.last_s = 0.0
        self.shortest_s = math.inf
        self.longest_s = 0.0
        self._squares = 0.0
        self._digest = hashlib.blake2b(digest_size=20)
        self._sketch = FrameSketch()
        self._signature = MovementSignature()
        self._shown: NDArray[np.uint8] | None = None

    def watch(self) -> str:
        """Decode the recording; return why it broke off, empty when it did not.

        Raises:
            RecordingError: not a single frame.
        """
        try:
            for frame in self._recording.frames():
                self._take(frame)
        except RecordingError as error:
            if self.count == 0:
                raise
            return f"{error}"
        if self.count == 0:
            raise RecordingError(f"{self._recording.path}: holds no frame; export the clip again")
        return ""

    def _take(self, frame: Frame) -> None:
        key = hash_frame(frame.image)
        if self.count:
            step_s = frame.time_s - self.last_s
            self.shortest_s, self.longest_s = min(self.shortest_s, step_s), max(self.longest_s, step_s)
            self._squares += step_s * step_s
        if not is_flat(frame.image):
            self._sketch.add(key)
        # Somewhere in the second half, without knowing the length: the last frame with a power of two.
        if self.count & (self.count - 1) == 0:
            self._shown = frame.image
        self._digest.update(key.to_bytes(8, "big"))
        self._signature.add(frame.image)
        self.repeats.push(frame)
        self.last_s = frame.time_s
        self.count += 1
        self.n_held += frame.held

    def measure_unevenness(self) -> float:
        """Return the standard deviation of the steps over their mean."""
        if self.count < 3 or self.last_s <= 0:
            return 0.0
        n = self.count - 1
        mean = self.last_s / n
        return math.sqrt(max(0.0, self._squares / n - mean * mean)) / mean

    def take_marks(self, *, whole: bool) -> Marks:
        """Return the marks of what was seen; only a whole clip has a digest."""
        digest = self._digest.hexdigest() if whole else ""
        return Marks(digest, self._sketch.keys(), self._signature.vector())

    def draw(self, box: PixelBox) -> bytes:
        """Return the thumbnail."""
        return b"" if self._shown is None else draw_thumbnail(self._shown, box)
