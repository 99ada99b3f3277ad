"""Opens the real side: clips and stills of a folder, grouped by subject, cut to the muscle region."""

from __future__ import annotations

import fnmatch
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.data.recording.find_clips import find_clips
from fascnet.data.recording.picture_folder import PICTURE_SUFFIXES
from fascnet.data.recording.recordings import open_recording
from fascnet.data.screen.imaging_area import find_imaging_area
from fascnet.errors import FascnetError, RecordingError, SettingError
from fascnet.phantom.card.sources import Source, cut, find_region
from fascnet.spacing import choose_spacing
from fascnet.types import ClipSource

MAX_FRAMES = 240
"""Frames read from the start of a clip: 4-8 s, enough for its temporal statistics."""


@dataclass(frozen=True, slots=True)
class RealRule:
    """What is known about some files of the folder. The first rule whose pattern matches counts.

    Attributes:
        pattern: of the path inside the folder, with / and the wildcards * and ?.
        group: subject or scanner that these files belong to; None leaves the generic rule.
        mm_per_px: pixel spacing; None when unknown.
        use: False leaves the files out.
        moves: False keeps a clip's pictures but not its temporal statistics (a sweep, a slow-motion replay).
    """

    pattern: str
    group: str | None = None
    mm_per_px: float | None = None
    use: bool = True
    moves: bool = True

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> RealRule:
        """Build from plain values, such as an entry of a config list.

        Raises:
            SettingError: a key is unknown or the pattern is missing.
        """
        unknown = sorted(set(values) - {spec.name for spec in fields(cls)})
        if unknown or "pattern" not in values:
            wrong = unknown[0] if unknown else "pattern (missing)"
            raise SettingError(f"real_rules: {wrong}: give pattern, group, mm_per_px, use or moves")
        return cls(**values)


@dataclass(frozen=True, slots=True)
class RealSet:
    """The real sources and what could not be used, a line each."""

    sources: tuple[Source, ...]
    problems: tuple[str, ...]


def read_real(folder: Path, rules: Sequence[RealRule] = (), max_frames: int = MAX_FRAMES) -> RealSet:
    """Read every clip and every folder of stills below a folder.

    A clip's group is its manifest's subject where there is a `manifest.csv`, else the rule's, else its own
    name; a still's group is the rule's, else its folder's name and the part of its own before the first
    underscore. One unreadable file never stops the rest.

    Args:
        folder: clips (any kind that `open_recording` reads) and stills, searched through all levels.
        rules: what is known about files, first match counts.
        max_frames: frames read from the start of each clip, >= 1.

    Raises:
        RecordingError: nothing in the folder can be used.
    """
    if not folder.is_dir():
        raise RecordingError(f"{folder}: there is no such folder; give one of real clips or stills")
    sources: list[Source] = []
    problems: list[str] = []
    for clip in _list_clips(folder):
        rule = _find_rule(clip.path, folder, rules)
        if rule.use:
            try:
                sources.append(_read_clip(clip, rule, max_frames))
            except FascnetError as error:
                problems.append(str(error))
    for stills in _list_stills(folder):
        rule = _find_rule(stills[0], folder, rules)
        if rule.use:
            try:
                sources.append(_read_stills(stills, folder, rule))
            except FascnetError as error:
                problems.append(str(error))
    if not sources:
        why = "; ".join(problems) if problems else "it needs recordings, or folders of PNG or JPG stills"
        raise RecordingError(f"{folder}: holds no real clip or still that can be used; {why}")
    return RealSet(tuple(sources), tuple(problems))


def _list_clips(folder: Path) -> list[ClipSource]:
    try:
        return find_clips(folder)
    except RecordingError:
        return []  # a folder of stills only


def _list_stills(folder: Path) -> list[list[Path]]:
    """List the stills of each folder, those with another leading name part (`S1_…`, `S2_…`) apart."""
    together: dict[tuple[Path, str], list[Path]] = {}
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() in PICTURE_SUFFIXES and not file.name.startswith("."):
            together.setdefault((file.parent, _find_lead(file)), []).append(file)
    return list(together.values())


def _find_lead(file: Path) -> str:
    """The part of the name before the first underscore; a bare number counts frames and tells nothing."""
    lead = file.stem.split("_")[0]
    return "" if lead.isdigit() else lead


def _find_rule(path: Path, folder: Path, rules: Sequence[RealRule]) -> RealRule:
    name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()
    for rule in rules:
        if fnmatch.fnmatchcase(name, rule.pattern):
            return rule
    return RealRule(name)


def _read_clip(clip: ClipSource, rule: RealRule, max_frames: int) -> Source:
    spacing = clip.mm_per_px if clip.mm_per_px is not None else rule.mm_per_px
    recording = open_recording(clip.path, fps=clip.fps, mm_per_px=spacing, box=clip.box)
    region = find_region(recording.info.box)
    frames: list[NDArray[np.uint8]] = []
    try:
        for frame in itertools.islice(recording.frames(), max_frames):
            frames.append(cut(frame.image, region))
    except RecordingError:
        # A clip that breaks later is used as far as it is sound.
        if not frames:
            raise
    if not frames:
        raise RecordingError(f"{clip.path}: holds no frame")
    known = recording.info.mm_per_px
    return Source(
        name=clip.clip_id,
        group=clip.subject_id if rule.group is None else rule.group,
        is_real=True,
        is_clip=rule.moves,
        frames=np.stack(frames),
        fps=recording.info.fps if rule.moves else None,
        mm_per_px=choose_spacing(known),
        is_assumed=known is None,
        corner_px=region[:2],
    )


def _read_stills(paths: Sequence[Path], folder: Path, rule: RealRule) -> Source:
    images: list[NDArray[np.uint8]] = []
    for path in paths:
        image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if image is None:
            raise RecordingError(f"{path}: cannot be decoded; leave it out")
        if images and image.shape != images[0].shape:
            raise RecordingError(
                f"{path}: is of another size than {paths[0].name}; put it into its own folder"
            )
        images.append(np.asarray(image, dtype=np.uint8))
    region = find_region(find_imaging_area(np.stack(images)))
    name = paths[0].parent.relative_to(folder).as_posix() if paths[0].parent != folder else "stills"
    lead = _find_lead(paths[0])
    name = f"{name}/{lead}" if lead else name
    return Source(
        name=name,
        group=name if rule.group is None else rule.group,
        is_real=True,
        is_clip=False,
        frames=np.stack([cut(image, region) for image in images]),
        fps=None,
        mm_per_px=choose_spacing(rule.mm_per_px),
        is_assumed=rule.mm_per_px is None,
        corner_px=region[:2],
    )
