"""Findings of other tools and raters, without `run.json` and without any model, in the benchmark's form.

A tool gives `events.csv` (columns as `predict` writes them; only `clip_id`, `onset_s`, `offset_s` are
needed), if it can with `scores.csv` beside it (only `clip_id` is needed), or label files CLIP.RATER.json.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

from fascnet.data.labelling.labels import list_label_files, load_labels
from fascnet.errors import SettingError
from fascnet.evaluation.sources.event_table import read_event_rows, take_clip_id, take_length
from fascnet.evaluation.sources.source import ClipFacts, ClipFindings, Source, build_rater, build_source
from fascnet.evaluation.sources.text_table import Row, read_text_table
from fascnet.inference.run_record import RUN_FILE
from fascnet.inference.tables import (
    ADDED_SCORE_COLUMNS,
    CALLS,
    EVENTS_FILE,
    SCORE_COLUMNS,
    SCORES_FILE,
    STATUSES,
)
from fascnet.types import FASCICULATION


@dataclass(frozen=True, slots=True)
class _Clip:
    """A row of a lean `scores.csv`."""

    status: str
    reason: str
    score: float | None
    length_s: float | None
    facts: ClipFacts | None
    called: bool | None


def load_source(
    name: str, path: Path, rater: str | None = None, *, leave_out_not_scored: bool = False
) -> Source:
    """Read a source in whatever form it comes.

    Args:
        name: its name in every table.
        path: a folder that `predict` wrote; a folder with `events.csv`, with or without `scores.csv`; an
            events table, and a `scores.csv` that lies beside `events.csv`; or a folder of label files.
        rater: which rater's label files, where the folder holds several raters'.
        leave_out_not_scored: seconds that `predict` did not score count as not examined, rather than as
            examined without an event.

    Raises:
        SettingError: nothing of that kind is there, or a table is wrong.
        OutputError: a folder of `predict` is damaged.
        LabelError: a label file is wrong.
    """
    if path.is_file():
        return _load_event_file(name, path, leave_out_not_scored=leave_out_not_scored)
    if not path.is_dir():
        raise SettingError(f"predictions: {path} is neither a folder nor a file; check the path")
    events, scores = path / EVENTS_FILE, path / SCORES_FILE
    if (path / RUN_FILE).is_file() or (scores.is_file() and _is_complete(scores)):
        return build_source(name, path, leave_out_not_scored=leave_out_not_scored)
    if events.is_file():
        return build_event_source(name, events, scores if scores.is_file() else None)
    if scores.is_file():
        raise SettingError(f"predictions: {path} holds {SCORES_FILE} but no {EVENTS_FILE}; give both")
    if list_label_files(path):
        return build_label_source(name, path, rater)
    raise SettingError(
        f"predictions: {path} holds neither {EVENTS_FILE} nor label files CLIP.RATER.json; give one of them"
    )


def build_event_source(name: str, events: Path, scores: Path | None = None) -> Source:
    """Bring a table of events, and of scores if there is one, to the form of the benchmark.

    Without `scores` the source is known to have judged the clips that have events and no others:
    `missing.settle_missing` says what becomes of the rest. Without `scored_s` and `duration_s` a clip was
    judged whole.

    Raises:
        SettingError: a table is wrong, an event's clip is not in `scores`, or a failed clip has events.
    """
    found = {
        clip_id: tuple(event for _, event in rows if event.label == FASCICULATION)
        for clip_id, rows in read_event_rows(events).items()
    }
    listed = {} if scores is None else _read_scores(scores)
    clips: dict[str, ClipFindings] = {}
    failed: dict[str, str] = {}
    for clip_id in found if scores is None else listed:
        clip = listed.get(clip_id, _Clip("ok", "", None, None, None, None))
        if clip.status == "failed":
            failed[clip_id] = clip.reason if clip.reason else "failed"
            continue
        end_s = clip.length_s if clip.status == "partial" and clip.length_s is not None else math.inf
        heatmap = events.parent / clip_id / "heatmap.npz"
        clips[clip_id] = ClipFindings(
            clip_id,
            ((0.0, end_s),),
            tuple(sorted(found.get(clip_id, ()), key=lambda event: event.onset_s)),
            clip.score,
            heatmap if heatmap.is_file() else None,
            clip.status,
            clip.called,
        )
    for clip_id in found:
        if scores is not None and clip_id not in listed:
            raise SettingError(f"{events}: has events of clip '{clip_id}', which {scores.name} does not list")
        if clip_id in failed:
            raise SettingError(f"{events}: has events of clip '{clip_id}', which {scores} calls failed")
    facts = {clip_id: clip.facts for clip_id, clip in listed.items() if clip.facts is not None}
    return Source(name, "prediction", clips, failed, facts)


def _load_event_file(name: str, events: Path, *, leave_out_not_scored: bool) -> Source:
    """Read an events table, and the `scores.csv` beside an `events.csv` as its folder would be read.

    Without it the clips in which nothing was found would count as not judged. A table that lists none of the
    events' clips is another tool's and says nothing about this one; a note tells either way.
    """
    scores = events.parent / SCORES_FILE
    if events.name != EVENTS_FILE or not scores.is_file():
        return build_event_source(name, events)
    found = read_event_rows(events).keys()
    listed = {take_clip_id(row) for row in read_text_table(scores, ("clip_id",))}
    if found and not found & listed:
        note = f"{name}: {SCORES_FILE} beside {EVENTS_FILE} lists none of its clips and was left aside"
        return replace(build_event_source(name, events), notes=(note,))
    note = f"{name}: {SCORES_FILE} beside {EVENTS_FILE} was read too: it says which clips were judged"
    source = load_source(name, events.parent, leave_out_not_scored=leave_out_not_scored)
    return replace(source, notes=(note,))


def build_label_source(name: str, folder: Path, rater: str | None = None) -> Source:
    """Take one rater's or tool's label files as predictions.

    Raises:
        SettingError: there are several raters and none was chosen, or there is no such rater.
        LabelError: a label file is wrong.
    """
    labels = load_labels(folder)
    raters = sorted({one for by_rater in labels.values() for one in by_rater})
    if rater is None and len(raters) != 1:
        raise SettingError(f"predictions: {folder} holds labels of {', '.join(raters)}; choose one of them")
    chosen = raters[0] if rater is None else rater
    if chosen not in raters:
        raise SettingError(f"predictions: {folder} holds no labels of '{chosen}', but of {', '.join(raters)}")
    return Source(name, "prediction", build_rater(chosen, labels).clips, {}, {})


def _read_scores(path: Path) -> dict[str, _Clip]:
    clips: dict[str, _Clip] = {}
    for row in read_text_table(path, ("clip_id",), (*SCORE_COLUMNS, *ADDED_SCORE_COLUMNS)):
        clip_id = take_clip_id(row)
        if clip_id in clips:
            raise row.refuse(f"clip '{clip_id}' occurs twice; remove one")
        status = row.text("status") if row.text("status") else "ok"
        if status not in STATUSES:
            raise row.refuse(f"status '{status}' is none of {', '.join(STATUSES)}")
        length_s = take_length(row)
        if status == "partial" and length_s is None:
            raise row.refuse("status is partial; say in scored_s how many seconds were judged")
        facts = None
        if row.text("subject_id"):
            fps, mm_per_px = row.number_in("fps", 1e-3), row.number_in("mm_per_px", 1e-6)
            facts = ClipFacts(
                row.text("subject_id"),
                row.text("muscle"),
                row.text("side"),
                fps,
                mm_per_px,
                row.number_in("pixel_aspect", 1e-3),
            )
        score = row.number_in("score", 0, 1)
        clips[clip_id] = _Clip(status, row.text("reason"), score, length_s, facts, _take_call(row))
    return clips


def _take_call(row: Row) -> bool | None:
    word = row.text("positive")
    if word not in CALLS:
        raise row.refuse(f"positive is '{word}'; write yes or no, or leave it empty")
    return CALLS[word]


def _is_complete(scores: Path) -> bool:
    """Whether a table has every column that `predict` writes."""
    with scores.open(encoding="utf-8-sig", errors="replace") as file:
        return set(SCORE_COLUMNS) <= {cell.strip() for cell in file.readline().split(",")}
