"""Writes a phantom set to a folder: clips, labels, manifest; the same bytes with any number of workers.

A run that was stopped goes on where it was: each clip's files appear whole, the label file last, so that a
clip with a label file is complete.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

import cv2
import numpy as np

from fascnet import __version__
from fascnet.data.labels import write_labels
from fascnet.data.manifest import write_manifest
from fascnet.data.video_writer import Codec, VideoWriter
from fascnet.data.whole_file import write_whole
from fascnet.errors import OutputError, SettingError
from fascnet.phantom.plan import ClipPlan, plan_clips
from fascnet.phantom.render import render_frames
from fascnet.phantom.scene import Scene, Subject, draw_scene, draw_subject
from fascnet.phantom.settings import PhantomSettings
from fascnet.phantom.truth import RATER, make_truth
from fascnet.types import ClipSource

GENERATOR_VERSION = 1
"""Raised whenever the same seed and settings would give other bytes; such a folder is not resumed."""

_SETTINGS_FILE = "phantom.json"
_SUBJECT_STREAM, _CLIP_STREAM = 2, 3


@dataclass(frozen=True, slots=True)
class _Job:
    plan: ClipPlan
    output: Path
    seed: int
    settings: PhantomSettings
    codec: Codec


def generate_phantom(
    output: Path,
    clips: int,
    seed: int,
    settings: PhantomSettings,
    split_fractions: Mapping[str, float],
    codec: str = "ffv1",
    workers: int = 1,
    overwrite: bool = False,
    on_clip: Callable[[int, int], None] | None = None,
) -> Path:
    """Write a phantom data set.

    Args:
        output: its folder: `clips/`, `labels/`, `manifest.csv`, `phantom.json`.
        clips: number of clips.
        seed: seed of everything, >= 0.
        settings: ranges to draw from.
        split_fractions: shares of subjects in `train`, `val`, `test`.
        codec: of the clips: `ffv1` (lossless, .avi), `h264_lossless`, `h264` or `h264_fast` (.mp4).
        workers: processes, >= 1.
        overwrite: replace a phantom set that was made with other settings.
        on_clip: called with (clips done, clips in all) after each clip.

    Returns:
        The manifest.

    Raises:
        SettingError: a setting is outside its bounds.
        OutputError: the folder holds something else, or cannot be written.
    """
    if codec not in get_args(Codec):
        raise SettingError(f"codec={codec}: choose from {', '.join(get_args(Codec))}")
    if workers < 1:
        raise SettingError(f"workers={workers}: give 1 or more")
    plans = plan_clips(clips, seed, settings, split_fractions)
    recipe = {
        "format": "fascnet-phantom/1",
        "generator_version": GENERATOR_VERSION,
        "clips": clips,
        "seed": seed,
        "codec": codec,
        "split_fractions": {name: float(share) for name, share in split_fractions.items()},
        "settings": settings.to_mapping(),
    }
    _prepare_folder(output, recipe, overwrite)
    jobs = [_Job(plan, output, seed, settings, cast(Codec, codec)) for plan in plans]
    missing = [job for job in jobs if not _is_whole(job)]
    done = len(jobs) - len(missing)
    for _ in _run_jobs(missing, workers):
        done += 1
        if on_clip is not None:
            on_clip(done, len(jobs))
    return write_manifest(output, [_describe_clip(job) for job in jobs])


def make_scene(plan: ClipPlan, seed: int, settings: PhantomSettings) -> Scene:
    """Draw the scene of a planned clip; depends on nothing but its arguments."""
    return draw_scene(
        settings,
        _make_subject(plan, seed, settings),
        plan.has_twitches,
        _seed(seed, _CLIP_STREAM, plan.index),
    )


def _make_subject(plan: ClipPlan, seed: int, settings: PhantomSettings) -> Subject:
    return draw_subject(settings, plan.subject_id, _seed(seed, _SUBJECT_STREAM, plan.subject_index))


def _seed(seed: int, stream: int, index: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence((seed, index), spawn_key=(stream,)))


def _prepare_folder(output: Path, recipe: dict[str, Any], overwrite: bool) -> None:
    """Make the folder ready: new, the same set to be continued, or another set to be replaced."""
    path = output / _SETTINGS_FILE
    if output.exists() and not output.is_dir():
        raise OutputError(f"{output}: is a file; name a folder")
    if path.exists():
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise OutputError(f"{path}: cannot be read; choose another output folder") from error
        made_by = found.pop("made_by", None) if isinstance(found, dict) else None
        if found == recipe and made_by is not None:
            return
        if not overwrite:
            differing = [
                key for key, value in recipe.items() if not isinstance(found, dict) or found.get(key) != value
            ]
            raise OutputError(
                f"{output}: holds a phantom set made with another {' and '.join(differing)}; "
                "choose another output or set overwrite=true"
            )
        _remove_set(output)
    elif output.exists() and any(output.iterdir()):
        raise OutputError(f"{output}: is not empty and holds no phantom set; choose another output")
    with write_whole(path) as part:
        part.write_text(
            json.dumps({**recipe, "made_by": f"fascnet {__version__}"}, indent=1) + "\n", encoding="utf-8"
        )


def _remove_set(output: Path) -> None:
    """Remove what a phantom run writes, labels first, and nothing else."""
    for file in (
        *(output / "labels").glob(f"*.{RATER}.json"),
        *(output / "clips").glob("s*_c*.avi"),
        *(output / "clips").glob("s*_c*.mp4"),
        output / "manifest.csv",
        output / _SETTINGS_FILE,
    ):
        file.unlink(missing_ok=True)


def _find_video(job: _Job) -> Path:
    suffix = ".avi" if job.codec == "ffv1" else ".mp4"
    return job.output / "clips" / f"{job.plan.clip_id}{suffix}"


def _is_whole(job: _Job) -> bool:
    return (
        _find_video(job).is_file() and (job.output / "labels" / f"{job.plan.clip_id}.{RATER}.json").is_file()
    )


def _run_jobs(jobs: Sequence[_Job], workers: int) -> Iterator[None]:
    if workers == 1 or len(jobs) <= 1:
        for job in jobs:
            _write_clip(job)
            yield
        return
    # Forked children would inherit OpenCV's and the caller's threads; spawned ones are the same on every
    # system.
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(min(workers, len(jobs)), mp_context=context, initializer=_limit_threads)
    try:
        futures: list[Future[None]] = [executor.submit(_write_clip, job) for job in jobs]
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool as error:
        raise OutputError(
            f"{jobs[0].output}: a worker was killed (memory?); run again with fewer workers"
        ) from error
    finally:
        executor.shutdown(cancel_futures=True)


def _limit_threads() -> None:
    cv2.setNumThreads(1)


def _write_clip(job: _Job) -> None:
    """Write one clip and then its labels."""
    scene = make_scene(job.plan, job.seed, job.settings)
    scan = scene.subject.scan
    with VideoWriter(
        _find_video(job), scan.height_px, scan.width_px, scene.subject.fps, codec=job.codec
    ) as writer:
        for frame in render_frames(scene):
            writer.write(frame)
    write_labels(job.output / "labels", make_truth(scene, job.plan.clip_id))


def _describe_clip(job: _Job) -> ClipSource:
    subject = _make_subject(job.plan, job.seed, job.settings)
    return ClipSource(
        clip_id=job.plan.clip_id,
        path=_find_video(job),
        subject_id=job.plan.subject_id,
        muscle=subject.muscle,
        side=subject.side,
        fps=subject.fps,
        mm_per_px=subject.scan.mm_per_px,
        split=job.plan.split,
    )
