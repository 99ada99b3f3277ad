"""The tables of `predict`: a row a clip, a row an event, and a row for seconds that could not be scored.

They are rewritten whole after every clip, so that a run that is killed keeps every finished clip.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from fascnet.data.whole_file import write_whole
from fascnet.errors import OutputError
from fascnet.inference.kinematics.columns import KINEMATIC_COLUMNS, list_kinematics, make_kinematics
from fascnet.types import FASCICULATION, Event, NotScored, Point, Prediction

SCORES_FILE = "scores.csv"
EVENTS_FILE = "events.csv"
INTERVALS_FILE = "intervals.csv"

SCORE_COLUMNS = (
    "clip_id",
    "source",
    "subject_id",
    "muscle",
    "side",
    "status",
    "reason",
    "duration_s",
    "scored_s",
    "fps",
    "mm_per_px",
    "score",
    "n_events",
    "events_per_min",
    "active_area_fraction",
)
SCREEN_COLUMNS = ("mm_per_px_from", "scale_confidence", "area_from", "area_confidence")
"""At the right of the scores; a table of an earlier version that lacks them is read all the same."""
ADDED_SCORE_COLUMNS = ("not_scored_s", "positive", "pixel_aspect")
"""Columns that came later: a table without them is whole."""
EVENT_COLUMNS = (
    "clip_id",
    "event_id",
    "onset_s",
    "peak_s",
    "offset_s",
    "x_px",
    "y_px",
    "area_px",
    "area_mm2",
    "score",
)
ADDED_EVENT_COLUMNS = ("label", "movement_hz")
INTERVAL_COLUMNS = ("clip_id", "start_s", "end_s", "reason", "n_events")
STATUSES = ("ok", "partial", "failed")
CALLS: Mapping[str, bool | None] = {"yes": True, "no": False, "": None}
"""What a cell of `positive` says."""
_CALL_WORDS = {call: word for word, call in CALLS.items()}


class ResultTables:
    """The rows of an output folder, kept in memory and written whole.

    Args:
        output: the folder.
        rows: predictions that stand in it already.
    """

    def __init__(self, output: Path, rows: dict[str, Prediction] | None = None) -> None:
        self._output = output
        self._rows: dict[str, tuple[str, str, str]] = {}
        for prediction in (rows if rows is not None else {}).values():
            self.put(prediction)

    def put(self, prediction: Prediction) -> None:
        """Add a clip, in place of its earlier row and events if it had any."""
        # Formatted once: a study rewrites its tables after every clip.
        events = _format(_event_cells(prediction))
        intervals = _format(_interval_cells(prediction))
        self._rows[prediction.clip_id] = (_format([_score_cells(prediction)]), events, intervals)

    def drop(self, clip_id: str) -> None:
        """Remove a clip, if it is there."""
        self._rows.pop(clip_id, None)

    def save(self) -> None:
        """Write the tables.

        Raises:
            OutputError: a table cannot be written.
        """
        # Scores last: a kill in between leaves events without a score row; that clip is done again.
        for name, columns, part in (
            (INTERVALS_FILE, INTERVAL_COLUMNS, 2),
            (EVENTS_FILE, (*EVENT_COLUMNS, *KINEMATIC_COLUMNS, *ADDED_EVENT_COLUMNS), 1),
            (SCORES_FILE, (*SCORE_COLUMNS, *SCREEN_COLUMNS, *ADDED_SCORE_COLUMNS), 0),
        ):
            text = _format([columns]) + "".join(row[part] for row in self._rows.values())
            with write_whole(self._output / name) as beside:
                beside.write_text(text, encoding="utf-8", newline="")


def read_scores(path: Path) -> dict[str, dict[str, str]]:
    """Read `scores.csv` as text cells.

    Args:
        path: the file; a missing one is an empty table.

    Returns:
        clip_id -> column -> cell, in the order of the file.

    Raises:
        OutputError: it is not a table that `predict` wrote.
    """
    rows: dict[str, dict[str, str]] = {}
    for row in _read_rows(path, SCORE_COLUMNS):
        rows[row["clip_id"]] = row
    return rows


def read_tables(output: Path) -> dict[str, Prediction]:
    """Read back what earlier runs wrote to a folder; no table is no clip.

    Returns:
        clip_id -> prediction, without its heatmap.

    Raises:
        OutputError: a table is damaged or was not written by `predict`.
    """
    events: dict[str, list[Event]] = {}
    for number, row in enumerate(_read_rows(output / EVENTS_FILE, EVENT_COLUMNS), start=2):
        try:
            events.setdefault(row["clip_id"], []).append(_parse_event(row))
        except ValueError as error:
            raise _refuse(output / EVENTS_FILE, f"row {number}: {error}") from error
    not_scored = read_not_scored(output / INTERVALS_FILE)
    found: dict[str, Prediction] = {}
    for number, row in enumerate(read_scores(output / SCORES_FILE).values(), start=2):
        try:
            clip_id = row["clip_id"]
            found[clip_id] = _parse_scores(
                row, tuple(events.get(clip_id, ())), tuple(not_scored.get(clip_id, ()))
            )
        except ValueError as error:
            raise _refuse(output / SCORES_FILE, f"row {number}: {error}") from error
    return found


def read_not_scored(path: Path) -> dict[str, list[NotScored]]:
    """Read `intervals.csv`: the seconds of each clip that were not scored.

    Args:
        path: the file; a missing one is an empty table, as earlier versions wrote none.

    Raises:
        OutputError: it is not a table that `predict` wrote.
    """
    found: dict[str, list[NotScored]] = {}
    for number, row in enumerate(_read_rows(path, INTERVAL_COLUMNS), start=2):
        try:
            part = NotScored(
                _parse(row, "start_s"), _parse(row, "end_s"), row["reason"], int(_parse(row, "n_events"))
            )
        except ValueError as error:
            raise _refuse(path, f"row {number}: {error}") from error
        found.setdefault(row["clip_id"], []).append(part)
    return found


def _score_cells(prediction: Prediction) -> list[str]:
    p = prediction
    done = p.status != "failed"
    # From the seconds as they are written, so that a row that is read back and kept is written the same.
    scored_s = round(p.scored_s, 4)
    n_events = len(p.fasciculations())
    per_min = 60.0 * n_events / scored_s if done and scored_s > 0 else None
    return [
        p.clip_id,
        p.source,
        p.subject_id,
        p.muscle,
        p.side,
        p.status,
        " ".join(p.reason.split()),
        _number(p.duration_s, 4),
        _number(p.scored_s, 4),
        _number(p.fps, 4),
        _number(p.mm_per_px, 6),
        _number(p.score, 6),
        str(n_events) if done else "",
        _number(per_min, 4),
        _number(p.active_area_fraction, 6) if done else "",
        p.mm_per_px_from,
        _number(p.scale_confidence, 3),
        p.area_from,
        _number(p.area_confidence, 3),
        _number(p.not_scored_s, 4) if done else "",
        _CALL_WORDS[p.positive],
        _number(p.pixel_aspect, 6),
    ]


def _event_cells(prediction: Prediction) -> list[list[str]]:
    rows = []
    for number, event in enumerate(prediction.events, start=1):
        place = event.region if isinstance(event.region, Point) else None
        rows.append(
            [
                prediction.clip_id,
                str(number),
                _number(event.onset_s, 4),
                _number(event.peak_s, 4),
                _number(event.offset_s, 4),
                _number(None if place is None else place.x, 2),
                _number(None if place is None else place.y, 2),
                _number(event.area_px, 1),
                _number(event.area_mm2, 3),
                _number(event.score, 4),
                *(_number(value, digits) for value, digits in list_kinematics(event.kinematics)),
                event.label,
                _number(event.movement_hz, 2),
            ]
        )
    return rows


def _interval_cells(prediction: Prediction) -> list[list[str]]:
    return [
        [
            prediction.clip_id,
            _number(part.start_s, 4),
            _number(part.end_s, 4),
            part.reason,
            str(part.n_events),
        ]
        for part in prediction.not_scored
    ]


def _parse_event(row: dict[str, str]) -> Event:
    x, y = _parse_optional(row, "x_px"), _parse_optional(row, "y_px")
    return Event(
        onset_s=_parse(row, "onset_s"),
        offset_s=_parse(row, "offset_s"),
        peak_s=_parse_optional(row, "peak_s"),
        region=None if x is None or y is None else Point(x, y),
        score=_parse_optional(row, "score"),
        area_px=_parse_optional(row, "area_px"),
        area_mm2=_parse_optional(row, "area_mm2"),
        # Tables of earlier versions lack these columns.
        kinematics=make_kinematics(
            {name: _parse_optional(row, name) if row.get(name) else None for name in KINEMATIC_COLUMNS}
        ),
        label=row["label"] if row.get("label") else FASCICULATION,
        movement_hz=_parse_optional(row, "movement_hz") if row.get("movement_hz") else None,
    )


def _parse_scores(
    row: dict[str, str], events: tuple[Event, ...], not_scored: tuple[NotScored, ...]
) -> Prediction:
    if row["status"] not in STATUSES:
        raise ValueError(f"status '{row['status']}' is none of {', '.join(STATUSES)}")
    # Tables of earlier versions lack the last columns.
    call, aspect = row.get("positive", ""), _parse_optional(row, "pixel_aspect")
    if call not in CALLS:
        raise ValueError(f"positive '{call}' is neither yes nor no nor empty")
    if aspect is not None and aspect <= 0:
        raise ValueError(f"pixel_aspect is {aspect:g}, not above 0")
    active = _parse_optional(row, "active_area_fraction")
    return Prediction(
        clip_id=row["clip_id"],
        status=row["status"],
        events=events,
        score=_parse_optional(row, "score"),
        duration_s=_parse(row, "duration_s"),
        scored_s=_parse(row, "scored_s"),
        reason=row["reason"],
        fps=_parse_optional(row, "fps"),
        mm_per_px=_parse_optional(row, "mm_per_px"),
        active_area_fraction=0.0 if active is None else active,
        source=row["source"],
        subject_id=row["subject_id"],
        muscle=row["muscle"],
        side=row["side"],
        mm_per_px_from=row.get("mm_per_px_from", ""),
        scale_confidence=_parse_optional(row, "scale_confidence"),
        area_from=row.get("area_from", ""),
        area_confidence=_parse_optional(row, "area_confidence"),
        not_scored=not_scored,
        positive=CALLS[call],
        pixel_aspect=aspect,
    )


def _parse(row: dict[str, str], column: str) -> float:
    value = _parse_optional(row, column)
    if value is None:
        raise ValueError(f"{column} is empty")
    return value


def _parse_optional(row: dict[str, str], column: str) -> float | None:
    cell = row.get(column, "")
    if cell == "":
        return None
    try:
        value = float(cell)
    except ValueError as error:
        raise ValueError(f"{column} '{cell}' is not a number") from error
    if not math.isfinite(value):
        raise ValueError(f"{column} is {cell}")
    return value


def _read_rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if reader.fieldnames is None or not set(columns) <= set(reader.fieldnames):
                raise _refuse(path, "columns are missing")
            rows = list(reader)
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _refuse(path, " ".join(str(error).split())) from error
    if any(cell is None for row in rows for cell in row.values()):
        raise _refuse(path, "a row is too short")
    return rows


def _refuse(path: Path, what: str) -> OutputError:
    return OutputError(
        f"{path}: not a table as predict writes it ({what}); remove it or choose another output"
    )


def _number(value: float | None, digits: int) -> str:
    """Format with at most `digits` decimals and no trailing zeros; empty when unknown."""
    if value is None:
        return ""
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _format(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
