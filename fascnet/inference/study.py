"""Predicts a study: every clip of an input, one after the other. A kill loses nothing that was finished."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fascnet.data.clip_set.folds import choose_round
from fascnet.data.clip_set.splits import keep_split
from fascnet.data.recording.recordings import find_clips
from fascnet.data.whole_file import write_whole
from fascnet.errors import OutputError, RecordingError
from fascnet.inference.clip import describe_clip, predict_clip, remove_clip_files
from fascnet.inference.heatmap_store import HEATMAP_FILE, is_whole
from fascnet.inference.movement.judge import MovementRules
from fascnet.inference.movement.periodic import PeriodicRule
from fascnet.inference.movement.unscored import RejectRule
from fascnet.inference.overlay import OVERLAY_FILE
from fascnet.inference.progress import StudyProgress
from fascnet.inference.run_record import RUN_FILE, RunRecord, gives_same_results, read_record
from fascnet.inference.summary import SUMMARY_FILE
from fascnet.inference.tables import SCORES_FILE, STATUSES, ResultTables, read_tables
from fascnet.types import ClipSource, PixelBox, Prediction, Predictor


@dataclass(frozen=True, slots=True)
class StudyResult:
    """What became of a study.

    Attributes:
        output: its folder.
        predictions: one per clip of the input, in its order, predicted now or kept from an earlier run.
        skipped: ids of the clips that were kept from an earlier run.
        frames: frames predicted in this run.
        frames_per_second: frames over the time that this run took, None when nothing was predicted.
    """

    output: Path
    predictions: tuple[Prediction, ...]
    skipped: tuple[str, ...]
    frames: int
    frames_per_second: float | None

    @property
    def done(self) -> tuple[Prediction, ...]:
        """Clips predicted in this run, `ok` or `partial`."""
        return tuple(p for p in self.predictions if p.status != "failed" and p.clip_id not in self.skipped)

    @property
    def partial(self) -> tuple[Prediction, ...]:
        """Clips that broke off; what was decoded is scored."""
        return tuple(p for p in self.predictions if p.status == "partial")

    @property
    def failed(self) -> tuple[Prediction, ...]:
        """Clips that could not be predicted, each with its reason."""
        return tuple(p for p in self.predictions if p.status == "failed")


def predict_study(
    input: str | Path | Sequence[str | Path],
    output: str | Path,
    predictor: Predictor,
    *,
    split: str | None = None,
    folds: str | Path | None = None,
    fold: int | None = None,
    box: PixelBox | None = None,
    reject: RejectRule | None = None,
    name_periodic: PeriodicRule | None = None,
    overlay: bool = True,
    kinematics: bool = True,
    overwrite: bool = False,
    config: Mapping[str, Any] | None = None,
    show_progress: bool = True,
) -> StudyResult:
    """Predict every clip of an input and write the output folder.

    Clips that an earlier run finished with the same predictor are kept; clips that failed are tried again.

    Args:
        input: a recording, a folder, a manifest, or a list of these.
        output: the folder to write; made when missing. Recordings inside it are never taken as input.
        predictor: what turns recordings into heatmaps.
        split: only the clips that the input's manifest puts into this split; None = all.
        folds: table of folds, whose round then gives the splits; None for the manifest's.
        fold: which fold that round tests on, from 1.
        box: imaging area (x0, y0, x1, y1) of the clips whose manifest gives none; None: it is looked for.
        reject: which seconds cannot be scored; None scores all.
        name_periodic: which movement is periodic and does not count; None names none.
        overlay: write `overlay.mp4` for each clip.
        kinematics: measure how the tissue moved in each event.
        overwrite: predict every clip anew.
        config: the resolved configuration, for `run.json`.
        show_progress: a progress bar on a terminal, else a line a clip, both on stderr.

    Raises:
        OutputError: the output cannot be written, or holds results of another model.
        FascnetError: the input holds no recording, or its manifest is wrong.
    """
    folder = Path(output)
    clips = keep_split(choose_round(find_clips(input), folds, fold), split)
    clips = [replace(clip, box=box) if clip.box is None else clip for clip in clips]
    clips = _leave_out_own_files(clips, folder)
    if not clips:
        raise RecordingError(f"{input}: holds no recording; give a video, a DICOM cine or a folder of them")
    _check_writable(folder)
    earlier = read_record(folder)
    rules = MovementRules(reject, name_periodic)
    rows = _read_earlier_rows(folder, earlier, predictor, rules, clips, overwrite)
    record = RunRecord(folder, predictor, config, earlier, rules.describe())
    kept = (
        {}
        if overwrite
        else {
            c.clip_id: rows[c.clip_id]
            for c in clips
            if _is_done(c, folder, rows, record, overlay, kinematics)
        }
    )
    tables = ResultTables(folder, rows)
    todo = [clip for clip in clips if clip.clip_id not in kept]
    predictions = dict(kept)
    _save(tables, record, predictions, kept, finished=False)
    with StudyProgress(len(clips), len(kept), show_progress) as report:
        for clip in todo:
            report.begin(clip.clip_id)
            if clip.clip_id in rows:
                # Gone before its first file is touched: a row never stands beside files of another run.
                tables.drop(clip.clip_id)
                record.drop_input(clip.clip_id)
                _save(tables, record, predictions, kept, finished=False)
            prediction = _predict_one(clip, predictor, rules, folder, overlay, kinematics, record, report)
            predictions[clip.clip_id] = prediction
            tables.put(prediction)
            _save(tables, record, predictions, kept, finished=False)
            report.end(prediction)
    _save(tables, record, predictions, kept, finished=True)
    return StudyResult(
        output=folder,
        predictions=tuple(predictions[clip.clip_id] for clip in clips),
        skipped=tuple(kept),
        frames=record.n_frames,
        frames_per_second=record.frames_per_second() if record.n_frames else None,
    )


def _predict_one(
    clip: ClipSource,
    predictor: Predictor,
    rules: MovementRules,
    folder: Path,
    overlay: bool,
    kinematics: bool,
    record: RunRecord,
    report: StudyProgress,
) -> Prediction:
    before = record.n_frames

    def count(n_frames: int) -> None:
        record.n_frames = before + n_frames
        report.count(n_frames)

    prediction = predict_clip(
        clip,
        predictor,
        folder,
        rules=rules,
        overlay=overlay,
        kinematics=kinematics,
        clock=record.clock,
        on_frames=count,
    )
    with record.clock.stage("hash"):
        try:
            record.put_input(clip, prediction)
        except OSError as error:
            if prediction.status != "failed":
                # Gone while it was predicted: without its hash nobody could say later what was scored.
                remove_clip_files(folder / clip.clip_id)
                why = f"{clip.path}: became unreadable ({error.strerror}); connect its disk and run again"
                return describe_clip(clip, Prediction(clip.clip_id, "failed", reason=why))
    return prediction


def _leave_out_own_files(clips: Sequence[ClipSource], output: Path) -> list[ClipSource]:
    """Drop overlays that an earlier run wrote below the input: they would be taken for recordings."""
    own = output.resolve()

    def is_own(path: Path) -> bool:
        if own in path.resolve().parents:
            return True
        study = path.parent.parent
        return path.name == OVERLAY_FILE and (study / RUN_FILE).is_file() and (study / SCORES_FILE).is_file()

    return [clip for clip in clips if not is_own(clip.path)]


def _check_writable(folder: Path) -> None:
    """Find out before any work whether files can be written and renamed."""
    probe = folder / ".probe"
    try:
        with write_whole(probe) as beside:
            beside.write_bytes(b"")
        probe.unlink(missing_ok=True)
    except OutputError as error:
        raise OutputError(f"{folder}: cannot be written; mend its rights or choose another output") from error


def _read_earlier_rows(
    folder: Path,
    earlier: Mapping[str, Any] | None,
    predictor: Predictor,
    rules: MovementRules,
    clips: Sequence[ClipSource],
    overwrite: bool,
) -> dict[str, Prediction]:
    """Read what stands in the output, or refuse to mix it with results of another model."""
    rows = read_tables(folder)
    if not rows or (earlier is not None and gives_same_results(earlier, predictor, rules.describe())):
        return rows
    if not overwrite:
        raise OutputError(
            f"{folder}: written with another model or other rules: use overwrite=true or another output"
        )
    others = sorted(set(rows) - {clip.clip_id for clip in clips})
    if others:
        raise OutputError(
            f"{folder}: {len(others)} clips that this input lacks (such as {others[0]}) were written with "
            "another model and would stand beside the new ones: use another output"
        )
    return {}


def _is_done(
    clip: ClipSource,
    folder: Path,
    rows: Mapping[str, Prediction],
    record: RunRecord,
    overlay: bool,
    kinematics: bool,
) -> bool:
    row = rows.get(clip.clip_id)
    files = folder / clip.clip_id
    return (
        row is not None
        and row.status in {"ok", "partial"}
        and (row.subject_id, row.muscle, row.side) == (clip.subject_id, clip.muscle, clip.side)
        and is_whole(files / HEATMAP_FILE)
        and (files / SUMMARY_FILE).is_file()
        and ((files / OVERLAY_FILE).is_file() or not overlay)
        and (not kinematics or all(event.kinematics is not None for event in row.events))
        and record.describes(clip)
    )


def _save(
    tables: ResultTables,
    record: RunRecord,
    predictions: Mapping[str, Prediction],
    kept: Mapping[str, Prediction],
    *,
    finished: bool,
) -> None:
    counts = {status: sum(p.status == status for p in predictions.values()) for status in STATUSES}
    # The record first: rows whose origin is not recorded could not be told from another model's.
    record.save(finished=finished, counts={**counts, "kept": len(kept)})
    tables.save()
