"""Tables about whole recordings (counts, grades, present or absent), and tables of events in seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fascnet.data.label_forms.label_words import read_certainty
from fascnet.data.label_forms.rater_events import (
    ClipStatement,
    FormContents,
    FormEvent,
    RaterEvents,
    TimeSpan,
)
from fascnet.data.label_forms.tables import Row, Table, read_table
from fascnet.data.labelling.seconds import leave_out
from fascnet.errors import LabelError
from fascnet.types import FASCICULATION, Interval, Point

NAME_COLUMNS = (
    "clip_id",
    "recording",
    "video",
    "clip",
    "file",
    "filename",
    "file_name",
    "path",
    "video_path",
)
COUNT_COLUMNS = ("count", "n_events", "n_fasciculations", "fasciculations")
GRADE_COLUMNS = ("grade", "intensity")
PRESENT_COLUMNS = ("present", "presence", "positive")
EXAMINED_COLUMNS = ("examined_s", "scored_s", "duration_s", "seconds")

_YES = frozenset({"yes", "y", "true", "1", "+", "present", "positive", "pos", "ja", "oui", "si"})
_NO = frozenset({"no", "n", "false", "0", "-", "absent", "negative", "neg", "nein", "non"})

SCORES_FILE = "scores.csv"
INTERVALS_FILE = "intervals.csv"


def is_clip_table(table: Table) -> bool:
    """Whether a table speaks of whole recordings: a name, a count, grade or presence, and no times."""
    said = {*COUNT_COLUMNS, *GRADE_COLUMNS, *PRESENT_COLUMNS}
    timed = {"onset_s", "offset_s", "frame_idx", "start_frame", "peak_s", "score"}
    columns = set(table.columns)
    return bool(columns & set(NAME_COLUMNS)) and bool(columns & said) and not columns & timed


def read_clip_table(path: Path) -> FormContents:
    """Read counts, grades and presence: a row a recording, `clip_id` (or `video`, ...) and what was said.

    Columns: `count` (or `n_events`, ...), `grade`, `present` (yes/no, 1/0, +/-), at least one filled in each
    row; `rater`; `examined_s`, the seconds counted. These say nothing about when and where.

    Raises:
        LabelError: a row is wrong or contradicts itself.
    """
    table = read_table(path)
    if not is_clip_table(table):
        raise LabelError(
            f"{path}: lacks a column clip_id, or one of count, grade, present; give a row for each recording"
        )
    return FormContents(statements=tuple(read_statement(row) for row in table.rows))


def read_event_table(path: Path) -> FormContents:
    """Read events in seconds: `clip_id, onset_s, offset_s`, and the other columns of `predict` if there.

    A `scores.csv` beside it says which clips were looked at, and for how long; without it only the events'
    own seconds are known. What `predict` could not score (`intervals.csv`) was not looked at, nor was a clip
    that failed.

    Raises:
        LabelError: a row is wrong.
    """
    table = read_table(path)
    scores = path.parent / SCORES_FILE
    examined = (
        _read_examined(scores, _read_left_out(path.parent / INTERVALS_FILE))
        if scores.is_file() and scores.name != path.name
        else {}
    )
    events: dict[tuple[str, str | None], list[FormEvent]] = {key: [] for key in examined}
    for row in table.rows:
        key = (row.needed_text(*NAME_COLUMNS), row.text("rater") if row.text("rater") else None)
        events.setdefault(key, []).append(_read_event(row))
    return FormContents(
        tuple(
            RaterEvents(
                (name,),
                f"{path}",
                tuple(found),
                rater=rater,
                examined=tuple(TimeSpan(*span) for span in examined[name, rater])
                if (name, rater) in examined
                else None,
                whole=False,
            )
            for (name, rater), found in events.items()
        )
    )


def _read_left_out(path: Path) -> dict[str, list[Interval]]:
    left_out: dict[str, list[Interval]] = {}
    for row in read_table(path).rows if path.is_file() else ():
        span = (row.number("start_s", 0, 1e6), row.number("end_s", 0, 1e6))
        left_out.setdefault(row.needed_text(*NAME_COLUMNS), []).append(span)
    return left_out


def _read_examined(
    path: Path, left_out: Mapping[str, Sequence[Interval]]
) -> dict[tuple[str, str | None], list[Interval]]:
    examined: dict[tuple[str, str | None], list[Interval]] = {}
    for row in read_table(path).rows:
        if row.text("status") == "failed":
            continue
        key = (row.needed_text(*NAME_COLUMNS), row.text("rater") if row.text("rater") else None)
        column = next((name for name in EXAMINED_COLUMNS if row.text(name) != ""), None)
        if column is None:
            raise row.refuse("scored_s and duration_s are empty; say how many seconds were looked at")
        start_s = row.number_or_none("examined_from_s", 0, 1e6)
        # What was left out lies anywhere among the seconds that were scored: `scored_s` is no place.
        unscored_s = row.number_or_none("not_scored_s", 0, 1e6) if column == "scored_s" else None
        stop_s = row.number(column, 0, 1e6) + (0.0 if unscored_s is None else unscored_s)
        if stop_s <= 0:
            raise row.refuse(f"{column} is {stop_s:g}; say how many seconds were looked at")
        whole = (0.0 if start_s is None else start_s, stop_s)
        examined.setdefault(key, []).extend(leave_out(whole, left_out.get(key[0], ())))
    return examined


def _read_event(row: Row) -> FormEvent:
    onset_s, offset_s = row.time_s("onset_s"), row.time_s("offset_s")
    if offset_s <= onset_s:
        raise row.refuse(f"ends at {offset_s:g} s and begins at {onset_s:g} s; mend one of them")
    x, y = row.number_or_none("x_px", -1e5, 1e5), row.number_or_none("y_px", -1e5, 1e5)
    if (x is None) != (y is None):
        raise row.refuse("x_px and y_px go together; give both or neither")
    return FormEvent(
        TimeSpan(onset_s, offset_s),
        row.where,
        None if x is None or y is None else Point(x, y),
        label=row.text("label") if row.text("label") else FASCICULATION,
        certainty=read_certainty(row.text("certainty"), row.where),
        peak=row.time_s("peak_s") if row.text("peak_s") else None,
        peak_mm=row.number_or_none("peak_mm", 0, 1e4),
    )


def read_statement(row: Row) -> ClipStatement:
    """Read what a row says about a whole recording.

    Raises:
        LabelError: nothing, or contradictions.
    """
    count_column = next((name for name in COUNT_COLUMNS if row.text(name) != ""), None)
    count = None if count_column is None else row.whole_number(count_column)
    grade = row.text(*GRADE_COLUMNS)
    word = row.text(*PRESENT_COLUMNS).lower()
    if word != "" and word not in _YES | _NO:
        raise row.refuse(f"present is '{word[:20]}'; write yes or no")
    present = None if word == "" else word in _YES
    if count is None and grade == "" and present is None:
        raise row.refuse("says nothing: count, grade and present are empty; fill one in or remove the row")
    if count is not None and present is not None and present != (count > 0):
        raise row.refuse(f"counts {count} and says present '{word}'; mend one of them")
    examined = next((name for name in EXAMINED_COLUMNS if row.text(name) != ""), None)
    return ClipStatement(
        name=row.needed_text(*NAME_COLUMNS),
        where=row.where,
        rater=row.text("rater") if row.text("rater") else None,
        count=count,
        grade=grade if grade else None,
        present=present,
        examined_s=None if examined is None else row.number(examined, 1e-3, 1e6),
    )
