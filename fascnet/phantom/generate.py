"""Writes a phantom set to a folder: clips, labels, tables; the same bytes with any number of workers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from fascnet.data.clip_set.manifest import write_manifest
from fascnet.data.job_runner import run_jobs
from fascnet.data.labelling.labels import write_labels
from fascnet.data.recording.video_writer import Codec, VideoWriter
from fascnet.errors import SettingError
from fascnet.phantom.chance import make_rng
from fascnet.phantom.data_set.difficulty import describe_difficulty
from fascnet.phantom.data_set.frame_digest import FrameDigest
from fascnet.phantom.data_set.frozen_set import FrozenComparison, check_recipe, compare_frozen
from fascnet.phantom.data_set.label_digest import describe_labels
from fascnet.phantom.data_set.set_folder import Row, SetFolder, check_codec, check_run, find_label, find_video
from fascnet.phantom.movement.displacement_field import write_displacement_field
from fascnet.phantom.plan import ClipPlan, plan_clips
from fascnet.phantom.render import render_frames
from fascnet.phantom.scan.acquisition import make_scanner
from fascnet.phantom.scene import Scene, Subject, draw_scene, draw_subject
from fascnet.phantom.settings import PhantomSettings
from fascnet.phantom.truth import RATER, make_truth
from fascnet.types import ClipSource

GENERATOR_VERSION = 3
"""Raised whenever the same seed and settings would give other bytes; such a folder is not resumed."""

RECIPE_FILE = "phantom.json"
DEVICES = ("cpu", "cuda")

_PATTERNS = (
    "labels/p*s*_c*.truth.json",
    "clips/p*s*_c*.avi",
    "clips/p*s*_c*.mp4",
    "displacement/p*s*_c*.npy",
    "manifest.csv",
)
_SUBJECT_STREAM, _CLIP_STREAM = 2, 3


@dataclass(frozen=True, slots=True)
class PhantomResult:
    """What was written.

    Attributes:
        manifest: the manifest's path.
        comparison: how the clips compare with a frozen set, if they were to be one.
    """

    manifest: Path
    comparison: FrozenComparison | None


@dataclass(frozen=True, slots=True)
class _Job:
    plan: ClipPlan
    output: Path
    seed: int
    settings: PhantomSettings
    codec: Codec
    device: str
    displacement: bool


def generate_phantom(
    output: Path,
    clips: int,
    seed: int,
    settings: PhantomSettings,
    split_fractions: Mapping[str, float],
    codec: str = "ffv1",
    workers: int = 1,
    device: str = "cpu",
    displacement: bool = False,
    frozen: str | None = None,
    overwrite: bool = False,
    on_clip: Callable[[int, int], None] | None = None,
) -> PhantomResult:
    """Write a phantom data set; a run that was stopped goes on where it was.

    Args:
        output: its folder: `clips/`, `labels/`, `manifest.csv`, `clips.csv` (what each clip holds, how hard
            it is, and the hash of its frames), `phantom.json` (how it was made).
        clips: number of clips.
        seed: seed of everything, >= 0.
        settings: ranges to draw from.
        split_fractions: shares of subjects in `train`, `val`, `test`.
        codec: of the clips: `ffv1` (lossless, .avi), `h264_lossless`, `h264` or `h264_fast` (.mp4).
        workers: processes, >= 1.
        device: `cpu` or `cuda` for the image formation; the same greys but for rounding.
        displacement: also write the displacement field of each clip to `displacement/`.
        frozen: name of a frozen set that this must be; its clips are compared with the hashes in the package.
        overwrite: replace a phantom set that was made with other settings.
        on_clip: called with (clips done, clips in all) after each clip.

    Raises:
        SettingError: a setting is outside its bounds.
        OutputError: the folder holds something else, or cannot be written.
    """
    check_codec(codec)
    if device not in DEVICES:
        raise SettingError(f"device={device}: choose from {', '.join(DEVICES)}")
    check_run(workers, displacement=displacement, overwrite=overwrite)
    plans = plan_clips(clips, seed, settings, split_fractions)
    if device != "cpu":
        # A missing device is told before a folder holds a recipe with it.
        make_scanner(_make_subject(plans[0], seed, settings).scan, device)
    recipe = {
        "format": "fascnet-phantom/1",
        "generator_version": GENERATOR_VERSION,
        "clips": clips,
        "seed": seed,
        "codec": codec,
        "device": device,
        "displacement": displacement,
        "split_fractions": {name: float(share) for name, share in split_fractions.items()},
        "settings": settings.to_mapping(),
    }
    if frozen is not None:
        check_recipe(frozen, recipe)
    folder = SetFolder(output, RECIPE_FILE, _PATTERNS)
    folder.prepare(recipe, overwrite)
    jobs = [_Job(plan, output, seed, settings, cast(Codec, codec), device, displacement) for plan in plans]
    order = {plan.clip_id: plan.index for plan in plans}
    missing = [job for job in jobs if not folder.is_done(job.plan.clip_id, _list_files(job))]
    done = len(jobs) - len(missing)
    for row in run_jobs(_write_clip, missing, workers, output):
        folder.add(row, order)
        done += 1
        if on_clip is not None:
            on_clip(done, len(jobs))
    manifest = write_manifest(output, [_describe_source(job) for job in jobs])
    return PhantomResult(manifest, None if frozen is None else compare_frozen(frozen, folder.rows))


def make_scene(plan: ClipPlan, seed: int, settings: PhantomSettings) -> Scene:
    """Draw the scene of a planned clip; depends on nothing but its arguments."""
    return draw_scene(
        settings,
        _make_subject(plan, seed, settings),
        plan.has_twitches,
        make_rng(_CLIP_STREAM, seed, plan.index),
    )


def _make_subject(plan: ClipPlan, seed: int, settings: PhantomSettings) -> Subject:
    return draw_subject(settings, plan.subject_id, make_rng(_SUBJECT_STREAM, seed, plan.subject_index))


def _find_video(job: _Job) -> Path:
    return find_video(job.output, job.plan.clip_id, job.codec)


def _find_field(job: _Job) -> Path:
    return job.output / "displacement" / f"{job.plan.clip_id}.npy"


def _list_files(job: _Job) -> list[Path]:
    """List what must be there for a clip to be whole."""
    label = find_label(job.output, job.plan.clip_id, RATER)
    return [_find_video(job), label, *([_find_field(job)] if job.displacement else [])]


def _write_clip(job: _Job) -> Row:
    """Write one clip and its labels; return its row of the table."""
    clip_id = job.plan.clip_id
    scene = make_scene(job.plan, job.seed, job.settings)
    digest = FrameDigest()
    height, width = scene.stored_size
    with VideoWriter(_find_video(job), height, width, scene.subject.fps, codec=job.codec) as writer:
        for frame in render_frames(scene, job.device):
            writer.write(frame)
            digest.add(frame)
    if job.displacement:
        write_displacement_field(_find_field(job), scene.script, scene.picture_frame)
    labels = make_truth(scene.script, scene.picture_frame, clip_id)
    label_file = write_labels(job.output / "labels", labels)
    scan = scene.subject.scan
    return {
        "clip_id": clip_id,
        "subject_id": job.plan.subject_id,
        "split": job.plan.split,
        "muscle": scene.subject.muscle,
        "plane": "transverse" if scene.anatomy.transverse else "longitudinal",
        "fps": f"{scene.subject.fps:g}",
        "mm_per_px": f"{scan.mm_per_px:g}",
        "screen": "no" if scene.screen is None else "yes",
        "box": " ".join(str(edge) for edge in scene.picture_box),
        **describe_difficulty(scene.script, labels, scan.noise_db),
        **digest.describe(),
        **describe_labels(labels),
        "labels_sha256": hashlib.sha256(label_file.read_bytes()).hexdigest(),
    }


def _describe_source(job: _Job) -> ClipSource:
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
