"""Predicts one clip: stream, find events, score, write. A clip that cannot be read never stops the study."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.data.recording.held_frames import describe_held
from fascnet.data.recording.recordings import open_clip
from fascnet.errors import OutputError, RecordingError
from fascnet.inference.event_weights import weigh_heatmaps
from fascnet.inference.events import EventFinder
from fascnet.inference.heatmap_store import HEATMAP_FILE, HeatmapStore
from fascnet.inference.judged_clip import ClipJudge
from fascnet.inference.kinematics.recording_pass import measure_events
from fascnet.inference.kinematics.working_picture import WorkingPicture
from fascnet.inference.movement.judge import MovementRules
from fascnet.inference.movement.watcher import MovementWatcher
from fascnet.inference.overlay import OVERLAY_FILE, write_overlay
from fascnet.inference.place_evidence import score_places
from fascnet.inference.run_record import StageClock
from fascnet.inference.scores import ClipPool, TimeCourse, calibrate, find_surest, pool_cells
from fascnet.inference.summary import SUMMARY_FILE, write_summary
from fascnet.types import (
    ClipSource,
    Event,
    Frame,
    HeatmapStream,
    Prediction,
    Predictor,
    Recording,
    RecordingInfo,
)

CLIP_FILES = (HEATMAP_FILE, SUMMARY_FILE, OVERLAY_FILE)
"""What a clip's folder may hold."""

OnFrames = Callable[[int], None]
"""Told how many frames of the clip have been decoded so far."""


class WatchedRecording:
    """A recording that notes what passes: frames, length, mean frame, and why it broke off.

    A recording that breaks off ends here instead of raising, so that a predictor which works in chunks still
    gives the heatmaps of the sound frames it holds.

    Args:
        recording: what is watched.
        on_frames: told the number of frames so far after each one.
    """

    def __init__(self, recording: Recording, on_frames: OnFrames | None = None) -> None:
        self._recording = recording
        self._on_frames = on_frames
        self.watcher: MovementWatcher | None = None
        """Sees every frame too, when there is one."""
        self._reset()

    def _reset(self) -> None:
        self.n_frames = self.n_held = 0
        self.last_s = 0.0
        self.decode_s = 0.0
        self.watch_s = 0.0
        self.broken: RecordingError | None = None
        self._sum: NDArray[np.float64] | None = None

    @property
    def path(self) -> Path:
        """The file."""
        return self._recording.path

    @property
    def info(self) -> RecordingInfo:
        """What the file says about itself."""
        return self._recording.info

    @property
    def duration_s(self) -> float:
        """Length of what was decoded: the last frame lasts one mean frame interval."""
        return self.last_s + 1.0 / self.info.fps if self.n_frames else 0.0

    @property
    def mean_frame(self) -> NDArray[np.float64]:
        """Mean over time of what was decoded, (H, W)."""
        if self._sum is None:
            return np.zeros((self.info.height, self.info.width))
        return self._sum / self.n_frames

    @property
    def remark(self) -> str:
        """Why it broke off, or that damaged frames are held; empty where nothing is wrong."""
        if self.broken is not None:
            return str(self.broken)
        return f"{self.path}: {describe_held(self.n_held)}" if self.n_held else ""

    def frames(self) -> Iterator[Frame]:
        """Yield the sound frames; each call starts anew, also what was noted."""
        self._reset()
        if self.watcher is not None:
            self.watcher.begin()
        frames = self._recording.frames()
        while True:
            began = time.perf_counter()
            try:
                frame = next(frames, None)
            except RecordingError as error:
                self.broken = error
                return
            finally:
                self.decode_s += time.perf_counter() - began
            if frame is None:
                return
            if self._sum is None:
                self._sum = np.zeros(frame.image.shape, dtype=np.float64)
            cv2.accumulate(frame.image, self._sum)
            self.n_frames += 1
            self.n_held += frame.held
            self.last_s = frame.time_s
            if self._on_frames is not None:
                self._on_frames(self.n_frames)
            if self.watcher is not None:
                began = time.perf_counter()
                self.watcher.watch(frame)
                self.watch_s += time.perf_counter() - began
            yield frame


def predict_clip(
    source: ClipSource,
    predictor: Predictor,
    output: Path,
    *,
    rules: MovementRules | None = None,
    overlay: bool = True,
    kinematics: bool = True,
    clock: StageClock | None = None,
    on_frames: OnFrames | None = None,
) -> Prediction:
    """Find the fasciculations of one clip and write `output/<clip_id>/`, at constant memory.

    Args:
        source: the recording and what is known about it.
        predictor: what turns it into heatmaps.
        output: the study's folder.
        rules: what is done about movement that is no twitch; None does nothing.
        overlay: write `overlay.mp4` too.
        kinematics: measure how the tissue moved in each event, in another pass up to the last one.
        clock: seconds per stage are added to it.
        on_frames: told the number of decoded frames after each one.

    Returns:
        The result, without its heatmap. `failed` with a reason when not a single frame could be decoded,
        `partial` when the recording broke off: what was decoded is scored.

    Raises:
        OutputError: something cannot be written, such as on a full disk; it would hit every further clip too.
    """
    stages = StageClock() if clock is None else clock
    folder = output / source.clip_id
    try:
        with stages.stage("open"):
            remove_clip_files(folder)
            recording = open_clip(source)
            # Without a single frame it never reaches the predictor, which could not say what is wrong.
            if next(recording.frames(), None) is None:
                raise RecordingError(f"{source.path}: holds no frame; export the clip again")
        watched = WatchedRecording(recording, on_frames)
        stream = predictor.stream(watched)
        with (
            HeatmapStore(folder, stream.shape) as store,
            ClipJudge(stream, MovementRules() if rules is None else rules) as judge,
        ):
            watched.watcher = judge.watcher
            result = _predict_stream(source, predictor, watched, stream, store, judge, stages)
            if kinematics:
                with stages.stage("kinematics"):
                    picture = WorkingPicture(
                        stream.box, stream.mm_per_px, stream.assumed_mm_per_px, stream.pixel_aspect
                    )
                    result = dataclasses.replace(
                        result, events=measure_events(recording, result.events, picture)
                    )
            if overlay:
                with stages.stage("overlay"):
                    write_overlay(
                        folder / OVERLAY_FILE,
                        recording,
                        store,
                        box=stream.box,
                        heatmap_fps=stream.fps,
                        events=result.events,
                    )
            return result
    except RecordingError as error:
        remove_clip_files(folder)
        return describe_clip(source, Prediction(source.clip_id, "failed", reason=str(error)))


def remove_clip_files(folder: Path) -> None:
    """Remove a clip's earlier files, so that nothing stale can stand beside a new result.

    Raises:
        OutputError: a file cannot be removed.
    """
    try:
        for name in CLIP_FILES:
            (folder / name).unlink(missing_ok=True)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be emptied ({error.strerror}); mend the rights of the folder"
        ) from error


def _predict_stream(
    source: ClipSource,
    predictor: Predictor,
    watched: WatchedRecording,
    stream: HeatmapStream,
    store: HeatmapStore,
    judge: ClipJudge,
    stages: StageClock,
) -> Prediction:
    finder = EventFinder(
        predictor.event_definition,
        stream.fps,
        stream.shape,
        stream.box,
        stream.mm_per_px,
        stream.pixel_aspect,
    )
    covered = 1.0 if stream.covered is None else float(stream.covered.mean())
    pool = ClipPool()
    course = TimeCourse(1.0 / stream.fps)
    events: list[Event] = []
    for chunk in _pull(stream, watched, stages):
        _check_finite(chunk, watched.path, store.n_ticks / stream.fps)
        with stages.stage("events"):
            for heatmap in chunk:
                events += finder.push(heatmap)
                pooled = pool_cells(heatmap)
                judge.append(pooled)
                smoothed = pool.push_pooled(pooled)
                if smoothed is not None:
                    course.append(smoothed)
        with stages.stage("write"):
            store.append(chunk)
    logit = pool.finish()
    if logit is None or pool.newest is None:
        reason = f"{watched.path}: no heatmap came of it; it may be too short"
        raise RecordingError(reason if watched.broken is None else str(watched.broken))
    course.append(pool.newest)
    end_s = watched.duration_s
    events = sorted([*events, *finder.finish(end_s)], key=lambda e: (e.onset_s, e.offset_s, e.peak_s))
    with stages.stage("events"):
        events, dropped = score_places(events, finder, store.blocks())
    seen_s = min(end_s, store.n_ticks / stream.fps)
    with nullcontext() if judge.watcher is None else stages.stage("movement"):
        judged = judge.judge(events, finder, store, logit, seen_s, dropped)
    with stages.stage("events"):
        weigh_heatmaps(store, finder, judged.events, dropped)
    calibration, surest = predictor.calibration, find_surest(judged.events)
    score = None if judged.logit is None else calibrate(judged.logit, calibration, surest)
    threshold = predictor.clip_threshold
    result = Prediction(
        clip_id=source.clip_id,
        status="ok" if watched.broken is None else "partial",
        events=judged.events,
        score=score,
        duration_s=end_s,
        scored_s=max(0.0, seen_s - judged.not_scored_s),
        reason="; ".join(part for part in (watched.remark, judged.reason) if part),
        heatmap_fps=stream.fps,
        box=stream.box,
        fps=watched.info.fps,
        mm_per_px=stream.mm_per_px,
        active_area_fraction=judged.active_area_fraction / covered if covered else 0.0,
        mm_per_px_from=watched.info.mm_per_px_from,
        scale_confidence=watched.info.scale_confidence,
        area_from=watched.info.area_from,
        area_confidence=watched.info.area_confidence,
        not_scored=judged.not_scored,
        positive=None if score is None or threshold is None else score >= threshold,
        pixel_aspect=watched.info.pixel_aspect,
    )
    result = describe_clip(source, result)
    mean_frame = watched.mean_frame
    with stages.stage("write"):
        store.finish(fps=stream.fps, mm_per_px=stream.mm_per_px, box=stream.box)
    with stages.stage("summary"):
        write_summary(
            store.folder / SUMMARY_FILE,
            result,
            mean_frame=mean_frame,
            highest=store.find_highest(),
            course=course.calibrated(calibration, judged.events),
            threshold=predictor.event_definition.onset_threshold,
        )
    return result


def _pull(
    stream: HeatmapStream, watched: WatchedRecording, stages: StageClock
) -> Iterator[NDArray[np.float32]]:
    """Pull chunks, counting decoding and detection apart; they interleave inside the predictor."""
    chunks = iter(stream.chunks)
    while True:
        began, decoded, watched_s = time.perf_counter(), watched.decode_s, watched.watch_s
        chunk = next(chunks, None)
        decoding = max(0.0, watched.decode_s - decoded)
        watching = max(0.0, watched.watch_s - watched_s)
        stages.add("decode", decoding)
        if watched.watcher is not None:
            stages.add("movement", watching)
        stages.add("detect", max(0.0, time.perf_counter() - began - decoding - watching))
        if chunk is None:
            return
        if len(chunk):
            yield chunk


def _check_finite(chunk: NDArray[np.float32], path: Path, time_s: float) -> None:
    if not np.isfinite(chunk).all():
        raise RecordingError(
            f"{path}: the detector gave values that are not numbers after {time_s:.2f} s; "
            "try precision=fp32, else report it"
        )


def describe_clip(source: ClipSource, prediction: Prediction) -> Prediction:
    """Return a prediction with what the manifest says of its clip."""
    return dataclasses.replace(
        prediction,
        source=str(source.path),
        subject_id=source.subject_id,
        muscle=source.muscle,
        side=source.side,
    )
