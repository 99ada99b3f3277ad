"""Writes a set of real clips with implanted twitches to a folder; the same bytes with any number of workers.

Nothing in the folder names a file or a person of the input: clips and subjects are numbered, and the files
they come from are known by a hash of their content.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from fascnet.data.clip_set.manifest import write_manifest
from fascnet.data.job_runner import run_jobs
from fascnet.data.labelling.labels import write_labels
from fascnet.data.recording.video_writer import Codec, VideoWriter
from fascnet.errors import RecordingError
from fascnet.phantom.data_set.difficulty import describe_difficulty
from fascnet.phantom.data_set.frame_digest import FrameDigest
from fascnet.phantom.data_set.set_folder import Row, SetFolder, check_codec, check_run, find_label, find_video
from fascnet.phantom.implant.background import (
    MOVING_MM_PER_S,
    Background,
    BackgroundSettings,
    open_background,
)
from fascnet.phantom.implant.background_sources import BackgroundSource, find_backgrounds, find_label_problems
from fascnet.phantom.implant.background_table import TABLE_FILE, write_background_table
from fascnet.phantom.implant.implant_clip import draw_implant
from fascnet.phantom.implant.implant_plan import ImplantPlan, ImplantSettings, plan_implants
from fascnet.phantom.ranges import list_group
from fascnet.phantom.truth import RATER
from fascnet.types import ClipSource

IMPLANT_VERSION = 2
"""Raised whenever the same seed, settings and input would give other bytes; such a folder is not resumed."""

RECIPE_FILE = "implant.json"

_PATTERNS = (
    "labels/b*_c*.truth.json",
    "clips/b*_c*.avi",
    "clips/b*_c*.mp4",
    "manifest.csv",
    TABLE_FILE,
)


@dataclass(frozen=True, slots=True)
class ImplantResult:
    """What a run did. Paths are the input's own: for the user's eyes, not for a file.

    Attributes:
        manifest: of the set.
        clips: how many clips it holds.
        failed: (path, reason) of what should have been used and could not.
        skipped: (path, reason) of recordings left out since their labels hold fasciculations.
        moving: (path, mm/s) of recordings that move much by themselves.
        assumed: how many backgrounds have an assumed pixel spacing.
    """

    manifest: Path
    clips: int
    failed: tuple[tuple[str, str], ...]
    skipped: tuple[tuple[str, str], ...]
    moving: tuple[tuple[str, float], ...]
    assumed: int


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    plan: ImplantPlan
    background: Background
    output: Path
    seed: int
    settings: ImplantSettings
    codec: Codec


def implant_set(
    inputs: str | Path | Sequence[str | Path],
    output: Path,
    seed: int,
    settings: ImplantSettings,
    split_fractions: Mapping[str, float],
    labels: Path | None = None,
    assume_no_twitches: bool = False,
    codec: str = "ffv1",
    workers: int = 1,
    overwrite: bool = False,
    on_clip: Callable[[int, int], None] | None = None,
) -> ImplantResult:
    """Implant twitches in recordings and stills; a run that was stopped goes on where it was.

    Args:
        inputs: recordings, stills, folders of them, manifests, or a list of these.
        output: folder of the set: `clips/`, `labels/`, `manifest.csv`, `clips.csv`, `backgrounds.csv` (what
            was found out or assumed about each file), `implant.json` (how it was made).
        seed: seed of everything, >= 0.
        settings: ranges to draw from.
        split_fractions: shares of subjects in `train`, `val`, `test`; splits of a manifest are kept instead.
        labels: folder of label files of the input. A recording with labelled fasciculations is left out, one
            whose labels hold none is used.
        assume_no_twitches: recordings without labels hold no fasciculations; the truth of the set is wrong
            where they do.
        codec: of the clips: `ffv1` (lossless, .avi), `h264_lossless`, `h264` or `h264_fast` (.mp4).
        workers: processes, >= 1.
        overwrite: replace a set that was made with other settings or from other files.
        on_clip: called with (clips done, clips in all) after each clip.

    Raises:
        SettingError: a setting is outside its bounds.
        RecordingError: nothing of the input can be used.
        ManifestError, LabelError, SplitError: the input's manifest, labels or splits are wrong.
        OutputError: the folder holds something else, or cannot be written.
    """
    check_codec(codec)
    check_run(workers, assume_no_twitches=assume_no_twitches, overwrite=overwrite)
    sources = find_backgrounds(inputs)
    refused = find_label_problems(sources, labels, assume_no_twitches)
    usable, broken = _open_all(
        sources, {**refused.failed, **refused.skipped}, settings.background, workers, output
    )
    problems = {**refused.failed, **broken}
    if not usable:
        index, reason = next(iter({**problems, **refused.skipped}.items()))
        path = f"{sources[index].clip.path}: "
        raise RecordingError(
            f"none of {len(sources)} recordings and stills can be used: {path}{reason.removeprefix(path)}"
        )
    plans = plan_implants({k: b.source for k, b in usable.items()}, seed, settings, split_fractions)
    folder = SetFolder(output, RECIPE_FILE, _PATTERNS)
    folder.prepare(
        {
            "format": "fascnet-implant/1",
            "implant_version": IMPLANT_VERSION,
            "seed": seed,
            "codec": codec,
            "split_fractions": {name: float(share) for name, share in split_fractions.items()},
            "assume_no_twitches": assume_no_twitches,
            "settings": list_group(settings),
            "files": [source.fingerprint for source in sources],
            "used": list(usable),
        },
        overwrite,
    )
    write_background_table(output, usable)
    jobs = [_Job(p, usable[p.background], output, seed, settings, cast(Codec, codec)) for p in plans]
    order = {plan.clip_id: place for place, plan in enumerate(plans)}
    missing = [job for job in jobs if not folder.is_done(job.plan.clip_id, _list_files(job))]
    done = len(jobs) - len(missing)
    for index, row, reason in run_jobs(_write_clip, missing, workers, output):
        if row is None:
            problems[index] = reason
        else:
            folder.add(row, order)
        done += 1
        if on_clip is not None:
            on_clip(done, len(jobs))
    made = [job for job in jobs if job.plan.clip_id in folder.rows]
    if not made:
        raise RecordingError(f"no clip could be made: {next(iter(problems.values()))}")
    return ImplantResult(
        manifest=write_manifest(output, [_describe_source(job) for job in made]),
        clips=len(made),
        failed=tuple((f"{sources[k].clip.path}", reason) for k, reason in sorted(problems.items())),
        skipped=tuple((f"{sources[k].clip.path}", reason) for k, reason in sorted(refused.skipped.items())),
        moving=tuple(
            (f"{b.source.clip.path}", b.speed_mm_per_s)
            for b in usable.values()
            if b.speed_mm_per_s > MOVING_MM_PER_S
        ),
        assumed=sum(b.mm_per_px_from == "assumed_depth" for b in usable.values()),
    )


def _open_all(
    sources: Sequence[BackgroundSource],
    refused: Mapping[int, str],
    settings: BackgroundSettings,
    workers: int,
    output: Path,
) -> tuple[dict[int, Background], dict[int, str]]:
    """Open the backgrounds that are not refused; return those that can be used, and why others cannot."""
    jobs = [(index, source, settings) for index, source in enumerate(sources) if index not in refused]
    usable: dict[int, Background] = {}
    broken: dict[int, str] = {}
    for index, background, reason in run_jobs(_open_one, jobs, workers, output):
        if background is None:
            broken[index] = reason
        else:
            usable[index] = background
    return dict(sorted(usable.items())), broken


def _open_one(
    job: tuple[int, BackgroundSource, BackgroundSettings],
) -> tuple[int, Background | None, str]:
    index, source, settings = job
    try:
        return index, open_background(source, settings), ""
    except RecordingError as error:
        return index, None, str(error)


def _find_video(job: _Job) -> Path:
    return find_video(job.output, job.plan.clip_id, job.codec)


def _list_files(job: _Job) -> list[Path]:
    """List what must be there for a clip to be whole."""
    return [_find_video(job), find_label(job.output, job.plan.clip_id, RATER)]


def _write_clip(job: _Job) -> tuple[int, Row | None, str]:
    """Write one clip and its labels; return its background, its row of the table, or why there is none."""
    plan, background = job.plan, job.background
    implant = draw_implant(background, plan, job.seed, job.settings)
    digest = FrameDigest()
    height, width = implant.shape
    try:
        with VideoWriter(_find_video(job), height, width, background.fps, codec=job.codec) as writer:
            for frame in implant.frames():
                writer.write(frame)
                digest.add(frame)
    except RecordingError as error:
        return plan.background, None, str(error)
    labels = implant.make_labels(plan.clip_id)
    write_labels(job.output / "labels", labels)
    box = background.box
    row = {
        "clip_id": plan.clip_id,
        "subject_id": plan.subject_id,
        "split": plan.split,
        "muscle": background.source.clip.muscle,
        "plane": "transverse" if background.transverse else "longitudinal",
        "fps": f"{background.fps:g}",
        "mm_per_px": f"{background.mm_per_px:g}",
        "background": f"{plan.background}",
        "first_frame": f"{implant.first}",
        "box": " ".join(
            str(edge)
            for edge in (
                max(box[0] - implant.box[0], 0),
                max(box[1] - implant.box[1], 0),
                min(box[2], implant.box[2]) - implant.box[0],
                min(box[3], implant.box[3]) - implant.box[1],
            )
        ),
        "still_noise": f"{implant.noise_level:.2f}" if background.source.is_still else "",
        **describe_difficulty(implant.script, labels, None),
        **digest.describe(),
    }
    return plan.background, row, ""


def _describe_source(job: _Job) -> ClipSource:
    clip = job.background.source.clip
    return ClipSource(
        clip_id=job.plan.clip_id,
        path=_find_video(job),
        subject_id=job.plan.subject_id,
        muscle=clip.muscle,
        side=clip.side,
        fps=job.background.fps,
        mm_per_px=job.background.mm_per_px,
        split=job.plan.split,
    )
