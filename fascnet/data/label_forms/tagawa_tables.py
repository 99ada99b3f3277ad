"""Tables of the Tagawa laboratory: a box and an interval an event, as CSV and as Excel.

Columns as written and read by ShzdiTrnum/Fasciculation-Annotator (annotator/main_window.py,
multi_scale_dataset_builder.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fascnet.data.label_forms.rater_events import (
    FormContents,
    FormEvent,
    FrameSpan,
    RaterEvents,
    ShownSpan,
    Span,
)
from fascnet.data.label_forms.tables import Row, read_table, require_columns
from fascnet.types import Box

CSV_COLUMNS = ("event", "video", "start_frame", "end_frame", "xmin", "ymin", "xmax", "ymax")
EXCEL_COLUMNS = ("main_video", "fasciculation_interval", "roi_xmin", "roi_xmax", "roi_ymin", "roi_ymax")


def read_tagawa_csv(path: Path) -> FormContents:
    """Read the annotator's CSV: `event, video, start_frame, end_frame, ..., xmin, ymin, xmax, ymax`.

    Frames count from 0 and the end frame belongs to the event; the box holds columns xmin to xmax - 1. Each
    region of interest of an event is an event of its own place. A video was gone through from end to end.

    Raises:
        LabelError: a row is wrong.
    """
    table = read_table(path)
    require_columns(table, CSV_COLUMNS)
    events: dict[str, list[FormEvent]] = {}
    for row in table.rows:
        first, last = row.whole_number("start_frame"), row.whole_number("end_frame")
        if last < first:
            raise row.refuse(f"ends at frame {last}, before it begins at {first}; mend one of them")
        box = _read_box(row, "xmin", "ymin", "xmax", "ymax")
        events.setdefault(row.needed_text("video"), []).append(
            FormEvent(FrameSpan(first, last + 1), row.where, box)
        )
    return _collect(path, events, whole=True)


def read_tagawa_excel(path: Path) -> FormContents:
    """Read the label sheets: `Main_Video, Clip_in_Main_Video, Fasciculation_Interval, ROI_xmin, ...`.

    `Fasciculation_Interval` is `HH:MM:SS.mmm-HH:MM:SS.mmm`, the times of the first and last frame. In sheets
    of the multi-scale data set the box that was drawn (`Original_ROI_...`) is read, not the crop of fixed
    size. The sheets list clips of fasciculations, so that silence means nothing.

    Raises:
        LabelError: a row is wrong.
    """
    table = read_table(path)
    require_columns(table, EXCEL_COLUMNS)
    drawn = "original_" if "original_roi_xmin" in table.columns else ""
    events: dict[str, list[FormEvent]] = {}
    for row in table.rows:
        box = _read_box(row, *(f"{drawn}roi_{edge}" for edge in ("xmin", "ymin", "xmax", "ymax")))
        events.setdefault(row.needed_text("main_video"), []).append(
            FormEvent(_read_interval(row), row.where, box)
        )
    return _collect(path, events, whole=False)


def _read_interval(row: Row) -> Span:
    text = row.needed_text("fasciculation_interval").replace("–", "-").replace("—", "-")
    parts = text.split("-")
    if len(parts) != 2:
        raise row.refuse(f"fasciculation_interval '{text[:40]}' must be HH:MM:SS.mmm-HH:MM:SS.mmm; mend it")
    first_s, last_s = (row.parse_time_s(part, "fasciculation_interval") for part in parts)
    if last_s < first_s:
        raise row.refuse(f"fasciculation_interval '{text[:40]}' ends before it begins; mend it")
    return ShownSpan(first_s, last_s)


def _read_box(row: Row, *columns: str) -> Box:
    x0, y0, x1, y1 = (row.number(column, -1e5, 1e5) for column in columns)
    if not (x0 < x1 and y0 < y1):
        raise row.refuse(f"the box {x0:g}, {y0:g} to {x1:g}, {y1:g} has no area; mend it")
    return Box(x0, y0, x1, y1)


def _collect(path: Path, events: dict[str, list[FormEvent]], *, whole: bool) -> FormContents:
    found: Sequence[RaterEvents] = [
        RaterEvents((name,), f"{path}", tuple(of_video), whole=whole) for name, of_video in events.items()
    ]
    return FormContents(tuple(found))
