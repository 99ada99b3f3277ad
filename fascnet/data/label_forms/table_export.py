"""Writes labels and predictions as two tables, for spreadsheets: `events.csv` and `scores.csv`.

The columns are those of `predict`, then `label, certainty, peak_mm, rater`; places are centres.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from fascnet.data.label_forms.export_clip import ExportClip
from fascnet.data.labelling.regions import find_centre, measure_area_px
from fascnet.data.whole_file import write_whole
from fascnet.types import Event

EVENT_COLUMNS = (
    *("clip_id", "event_id", "onset_s", "peak_s", "offset_s", "x_px", "y_px", "area_px", "area_mm2", "score"),
    *("label", "certainty", "peak_mm", "rater"),
)
EXAMINED_COLUMNS = ("clip_id", "scored_s", "examined_from_s", "rater")


def export_tables(clips: Sequence[ExportClip], output: Path) -> list[Path]:
    """Write `events.csv`, a row an event, and `scores.csv`, a row for each stretch that was looked at.

    Args:
        clips: what to write.
        output: the folder; made when missing.

    Returns:
        The files.

    Raises:
        LabelError: a mask cannot be read.
        OutputError: a table cannot be written.
    """
    rows: list[list[str]] = []
    examined: list[list[str]] = []
    for clip in clips:
        labels = clip.labels
        rows += [_list_cells(clip, event, n) for n, event in enumerate(labels.events, start=1)]
        for start_s, end_s in labels.examined:
            examined.append(
                [labels.clip_id, _write(end_s), "" if start_s == 0 else _write(start_s), labels.rater]
            )
    tables = {
        output / "events.csv": [list(EVENT_COLUMNS), *rows],
        output / "scores.csv": [list(EXAMINED_COLUMNS), *examined],
    }
    for path, lines in tables.items():
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(lines)
        with write_whole(path) as part:
            part.write_text(text.getvalue(), encoding="utf-8", newline="")
    return list(tables)


def _list_cells(clip: ExportClip, event: Event, number: int) -> list[str]:
    x, y = (None, None) if event.region is None else find_centre(event.region)
    area = event.area_px
    if area is None and event.region is not None:
        measured = measure_area_px(event.region)
        area = measured if measured > 0 else None
    numbers = (event.onset_s, event.peak_s, event.offset_s, x, y, area, event.area_mm2, event.score)
    return [
        clip.labels.clip_id,
        str(number),
        *(_write(value) for value in numbers),
        event.label,
        "" if event.certainty is None else event.certainty,
        _write(event.peak_mm),
        clip.labels.rater,
    ]


def _write(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}".rstrip("0").rstrip(".")
