"""`clip_labels.csv`: what raters said about whole clips, without times; beside the label files.

A count or "present" without times must never read as "no twitch": such a clip gets a row here and no label
file. Only "absent" is also a label file, with examined seconds and no events.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fascnet.data.clip_set.manifest import is_clip_id
from fascnet.data.label_forms.clip_tables import read_statement
from fascnet.data.label_forms.rater_events import ClipStatement
from fascnet.data.label_forms.tables import read_table
from fascnet.data.whole_file import write_whole
from fascnet.errors import LabelError
from fascnet.types import Labels

CLIP_LABELS_FILE = "clip_labels.csv"
COLUMNS = ("clip_id", "rater", "count", "grade", "present", "examined_s")


@dataclass(frozen=True, slots=True)
class ClipLabel:
    """One rater's statement about one clip.

    Attributes:
        clip_id: of the clip.
        rater: who said it.
        count: fasciculations counted, None when not counted.
        grade: ordinal grade as written, None when not graded.
        present: whether any was seen; None when a grade's meaning is not known.
        examined_s: seconds that were looked at, from the start; None for the whole clip.
    """

    clip_id: str
    rater: str
    count: int | None = None
    grade: str | None = None
    present: bool | None = None
    examined_s: float | None = None


def build_clip_label(
    statement: ClipStatement, clip_id: str, rater: str, absent_grades: Collection[str]
) -> ClipLabel:
    """Turn a form's statement into a clip label; what was not said about presence follows from the rest.

    Args:
        statement: of the form.
        clip_id: of the clip.
        rater: who said it.
        absent_grades: grades that mean that no fasciculation was seen; scales differ.

    Raises:
        LabelError: the grade contradicts the count or the presence.
    """
    from_grade = None if statement.grade is None else statement.grade not in absent_grades
    from_count = None if statement.count is None else statement.count > 0
    said = [one for one in (statement.present, from_count, from_grade) if one is not None]
    if len(set(said)) > 1:
        raise LabelError(
            f"{statement.where}: count, grade and present contradict each other; mend them, or say in "
            "absent_grades which grades mean none"
        )
    return ClipLabel(
        clip_id, rater, statement.count, statement.grade, said[0] if said else None, statement.examined_s
    )


def read_clip_labels(folder: Path) -> dict[str, dict[str, ClipLabel]]:
    """Read a folder's `clip_labels.csv` as clip_id -> rater -> clip label; no file is no statement.

    Raises:
        LabelError: the table is wrong; one line with the row.
    """
    path = folder / CLIP_LABELS_FILE
    found: dict[str, dict[str, ClipLabel]] = {}
    if not path.is_file():
        return found
    for row in read_table(path).rows:
        statement = read_statement(row)
        clip_id, rater = row.needed_text("clip_id"), row.needed_text("rater")
        if not is_clip_id(clip_id):
            raise row.refuse(f"clip_id '{clip_id}' may hold letters, digits, '_', '-' and '.' (not first)")
        if rater in found.setdefault(clip_id, {}):
            raise row.refuse(f"clip '{clip_id}' has a row of '{rater}' already; remove one")
        present = statement.present
        if present is None and statement.count is not None:
            present = statement.count > 0
        label = ClipLabel(clip_id, rater, statement.count, statement.grade, present, statement.examined_s)
        found[clip_id][rater] = label
    return found


def find_absent(
    statements: Mapping[str, Mapping[str, ClipLabel]], labels: Mapping[str, Mapping[str, Labels]]
) -> list[ClipLabel]:
    """Return statements of no twitch of raters who wrote no label file for that clip.

    Args:
        statements: clip_id -> rater -> clip label.
        labels: clip_id -> rater -> labels.
    """
    return [
        one
        for clip_id, by_rater in statements.items()
        for rater, one in by_rater.items()
        if one.present is False and rater not in labels.get(clip_id, {})
    ]


def list_labelled(
    labels: Mapping[str, Mapping[str, Labels]], statements: Mapping[str, Mapping[str, ClipLabel]]
) -> frozenset[str]:
    """Return the clips that training can learn from: those with a label file, or called free of twitches.

    Args:
        labels: clip_id -> rater -> labels.
        statements: clip_id -> rater -> clip label; a count or "present" says nothing about when.
    """
    return frozenset(labels) | {one.clip_id for one in find_absent(statements, labels)}


def write_clip_labels(folder: Path, labels: Iterable[ClipLabel]) -> Path:
    """Write a folder's `clip_labels.csv`, whole or not at all, sorted by clip and rater.

    Raises:
        OutputError: it cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in sorted(labels, key=lambda label: (label.clip_id, label.rater)):
        present = "" if one.present is None else "yes" if one.present else "no"
        cells = [one.count, one.grade, present, None if one.examined_s is None else repr(one.examined_s)]
        writer.writerow([one.clip_id, one.rater, *("" if cell is None else cell for cell in cells)])
    path = folder / CLIP_LABELS_FILE
    with write_whole(path) as part:
        part.write_text(text.getvalue(), encoding="utf-8", newline="")
    return path
