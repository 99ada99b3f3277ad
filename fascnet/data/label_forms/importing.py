"""Imports labels: files of any known form become label files, all of them or none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.data.label_forms.clip_labels import (
    CLIP_LABELS_FILE,
    ClipLabel,
    build_clip_label,
    read_clip_labels,
    write_clip_labels,
)
from fascnet.data.label_forms.rater_events import ClipStatement, FormContents, RaterEvents, TimeSpan
from fascnet.data.label_forms.recognise import FormContext, list_label_inputs, read_form
from fascnet.data.label_forms.settle import SettledLabels, SettleSettings, settle
from fascnet.data.labelling.labels import read_labels, write_labels
from fascnet.data.whole_file import write_whole
from fascnet.errors import LabelError, SettingError
from fascnet.types import ClipSource

UNKNOWN_CLIPS = ("refuse", "skip")
UNLISTED = ("nothing", "no_twitch")

_RATER = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class ImportSettings:
    """How labels are imported.

    Attributes:
        form: one of `recognise.FORMS`, or `auto`.
        rater: who the labels are of; None takes the form's own names.
        unknown_clips: what becomes of recordings that the manifest does not list: `refuse` or `skip`.
        unlisted: what a clip means that no file speaks of: `nothing`, or `no_twitch`.
        absent_grades: grades that mean that no fasciculation was seen.
        overwrite: whether label files that are there already are replaced.
    """

    form: str = "auto"
    rater: str | None = None
    unknown_clips: str = "refuse"
    unlisted: str = "nothing"
    absent_grades: tuple[str, ...] = ("0",)
    overwrite: bool = False

    def __post_init__(self) -> None:
        if self.unknown_clips not in UNKNOWN_CLIPS:
            raise SettingError(
                f"unknown_clips={self.unknown_clips} must be one of {', '.join(UNKNOWN_CLIPS)}"
            )
        if self.unlisted not in UNLISTED:
            raise SettingError(f"unlisted={self.unlisted} must be one of {', '.join(UNLISTED)}")
        if self.rater is not None and _RATER.fullmatch(self.rater) is None:
            raise SettingError(f"rater={self.rater} names a file; use letters, digits, '_' and '-'")


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did.

    Attributes:
        forms: each input with the form it was read as.
        labels: the label files written.
        n_events: events in them.
        clip_labels: `clip_labels.csv`, None when no whole clip was spoken of.
        notes: what was left out, a line each.
    """

    forms: tuple[tuple[Path, str], ...]
    labels: tuple[Path, ...]
    n_events: int
    clip_labels: Path | None
    notes: tuple[str, ...]


def import_labels(
    source: Path, output: Path, context: FormContext, settling: SettleSettings, settings: ImportSettings
) -> ImportReport:
    """Read every file of an input and write `<clip_id>.<rater>.json` for each clip and rater it speaks of.

    Nothing is written before everything was read.

    Args:
        source: a file, a folder of files, or a folder of mask pictures.
        output: the folder of labels; made when missing.
        context: recordings and how to read.
        settling: what the forms leave open.
        settings: how to import.

    Raises:
        LabelError: a file is wrong, or speaks of an unknown clip; one line with file and row.
        SettingError: nobody says who the rater is.
        RecordingError: a recording cannot be opened.
        OutputError: the output cannot be written.
    """
    read = [(path, *read_form(path, settings.form, context)) for path in list_label_inputs(source)]
    contents = [one for _, _, one in read]
    _check_raters(contents, settings)
    notes = [note for one in contents for note in one.notes]
    groups, statements = _group(contents, context, settings, notes)
    clip_labels = _build_clip_labels(statements, settings)
    _add_absent(groups, clip_labels, statements)
    if settings.unlisted == "no_twitch":
        _add_unlisted(groups, clip_labels, context, settings)
    settled = [
        settle(ratings, context.clock_of(clip), clip.clip_id, rater, output, settling)
        for (_, rater), (clip, ratings) in sorted(groups.items())
    ]
    _check_contradictions(settled, clip_labels)
    kept = {(o.clip_id, o.rater): o for rows in read_clip_labels(output).values() for o in rows.values()}
    outdated = _check_existing(output, settled, clip_labels, kept, settings)
    if not settled and not clip_labels:
        raise LabelError(f"{source}: holds no label of any clip of the manifest; check manifest and input")
    written = [_write(output, one) for one in settled]
    table = None
    for path in outdated:
        path.unlink(missing_ok=True)
    if clip_labels:
        table = write_clip_labels(output, {**kept, **clip_labels}.values())
    return ImportReport(
        tuple((path, form) for path, form, _ in read),
        tuple(written),
        sum(len(one.labels.events) for one in settled),
        table,
        tuple(notes),
    )


_Groups = dict[tuple[str, str], tuple[ClipSource, list[RaterEvents]]]
_Statements = list[tuple[ClipSource, str, ClipStatement]]


def _check_raters(contents: Sequence[FormContents], settings: ImportSettings) -> None:
    named = {one.rater for content in contents for one in content.ratings}
    named |= {one.rater for content in contents for one in content.statements}
    several = sorted(name for name in named if name is not None)
    if settings.rater is not None and len(several) > 1:
        raise SettingError(
            f"rater={settings.rater}: the input names {len(several)} raters ({', '.join(several[:4])}); "
            "leave rater out, so that each keeps their own"
        )


def _group(
    contents: Sequence[FormContents], context: FormContext, settings: ImportSettings, notes: list[str]
) -> tuple[_Groups, _Statements]:
    groups: _Groups = {}
    statements: _Statements = []
    for content in contents:
        for rating in content.ratings:
            clip = _find_clip(rating.names, rating.where, context, settings, notes)
            if clip is not None:
                rater = _name_rater(rating.rater, rating.where, settings)
                groups.setdefault((clip.clip_id, rater), (clip, []))[1].append(rating)
        for statement in content.statements:
            clip = _find_clip((statement.name,), statement.where, context, settings, notes)
            if clip is not None:
                statements.append((clip, _name_rater(statement.rater, statement.where, settings), statement))
    return groups, statements


def _find_clip(
    names: Sequence[str], where: str, context: FormContext, settings: ImportSettings, notes: list[str]
) -> ClipSource | None:
    clip = context.clips.find(names, where)
    if clip is not None:
        return clip
    shown = names[0][-60:] if names else ""
    if settings.unknown_clips == "skip":
        notes.append(f"{where}: '{shown}' is no clip of the manifest and was left out")
        return None
    raise LabelError(
        f"{where}: '{shown}' is no clip of the manifest; add it, write its clip_id, or import with "
        "unknown_clips=skip"
    )


def _name_rater(own: str | None, where: str, settings: ImportSettings) -> str:
    if settings.rater is not None:
        return settings.rater
    if own is None:
        raise SettingError(f"{where}: does not say who the rater is; give rater=NAME")
    if _RATER.fullmatch(own) is None:
        raise LabelError(f"{where}: rater '{own[:40]}' names a file; use letters, digits, '_' and '-'")
    return own


def _build_clip_labels(statements: _Statements, settings: ImportSettings) -> dict[tuple[str, str], ClipLabel]:
    found: dict[tuple[str, str], ClipLabel] = {}
    for clip, rater, statement in statements:
        if (clip.clip_id, rater) in found:
            raise LabelError(
                f"{statement.where}: clip '{clip.clip_id}' has a row of '{rater}' already; remove one"
            )
        found[clip.clip_id, rater] = build_clip_label(statement, clip.clip_id, rater, settings.absent_grades)
    return found


def _add_absent(
    groups: _Groups, clip_labels: dict[tuple[str, str], ClipLabel], statements: _Statements
) -> None:
    """Make "absent" a label file too: it holds for every second that was looked at."""
    for clip, rater, statement in statements:
        key = (clip.clip_id, rater)
        if clip_labels[key].present is False and key not in groups:
            examined_s = statement.examined_s
            examined = None if examined_s is None else (TimeSpan(0.0, examined_s),)
            empty = RaterEvents((statement.name,), statement.where, (), examined=examined)
            groups[key] = (clip, [empty])


def _add_unlisted(
    groups: _Groups,
    clip_labels: dict[tuple[str, str], ClipLabel],
    context: FormContext,
    settings: ImportSettings,
) -> None:
    spoken_of = {clip_id for clip_id, _ in (*groups, *clip_labels)}
    for clip in context.clips.clips:
        if clip.clip_id not in spoken_of:
            rater = _name_rater(None, "unlisted=no_twitch", settings)
            groups[clip.clip_id, rater] = (clip, [RaterEvents((clip.clip_id,), clip.clip_id, ())])


def _check_contradictions(
    settled: Sequence[SettledLabels], clip_labels: dict[tuple[str, str], ClipLabel]
) -> None:
    for one in settled:
        said = clip_labels.get((one.labels.clip_id, one.labels.rater))
        if said is not None and said.present is False and one.labels.fasciculations():
            raise LabelError(
                f"{one.labels.clip_id}: '{one.labels.rater}' says in one table that no twitch was seen, and "
                "marks some in another; mend one of them"
            )


def _check_existing(
    output: Path,
    settled: Sequence[SettledLabels],
    clip_labels: Mapping[tuple[str, str], ClipLabel],
    kept: Mapping[tuple[str, str], ClipLabel],
    settings: ImportSettings,
) -> list[Path]:
    """Refuse to replace what was said before, unless that is wanted.

    Returns:
        Label files without a twitch, of clips of which the import says something else: to be removed, because
        training would go by them.
    """
    written = {(one.labels.clip_id, one.labels.rater) for one in settled}
    outdated = []
    for key in sorted(written | clip_labels.keys()):
        path = output / f"{key[0]}.{key[1]}.json"
        if path.exists():
            if key not in written and read_labels(path).fasciculations():
                continue
            if not settings.overwrite:
                raise LabelError(f"{path}: is there already; use overwrite=true or another output")
            outdated += [] if key in written else [path]
        before, said = kept.get(key), clip_labels.get(key)
        if before is not None and said is not None and before != said and not settings.overwrite:
            raise LabelError(
                f"{output / CLIP_LABELS_FILE}: says something else of clip '{key[0]}' by '{key[1]}'; "
                "use overwrite=true or another output"
            )
    return outdated


def _write(output: Path, settled: SettledLabels) -> Path:
    # Pictures first: a label file never names a mask that is not there.
    for path, inside in settled.masks:
        _write_mask(path, inside)
    return write_labels(output, settled.labels)


def _write_mask(path: Path, inside: NDArray[np.bool_]) -> None:
    _, data = cv2.imencode(".png", inside.astype(np.uint8) * 255)
    with write_whole(path) as part:
        part.write_bytes(data.tobytes())
