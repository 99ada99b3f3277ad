"""Rows of an events table (`clip_id, onset_s, offset_s` needed, the other columns of `predict` optional)."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

from fascnet.data.clip_set.manifest import is_clip_id
from fascnet.data.labelling.label_format import CERTAINTIES
from fascnet.evaluation.sources.text_table import Row, read_text_table
from fascnet.inference.tables import EVENT_COLUMNS
from fascnet.types import FASCICULATION, Event, Point

NEEDED_EVENT_COLUMNS = ("clip_id", "onset_s", "offset_s")
LABEL_COLUMNS = ("rater", "label", "certainty", "peak_mm")
"""Columns of `events.csv` that only raters use."""


def read_event_rows(path: Path) -> Mapping[str, list[tuple[Row, Event]]]:
    """Read an events table as clip_id -> (row, event), in the order of the file.

    Raises:
        SettingError: the table is wrong; one line that names the row and the remedy.
    """
    found: dict[str, list[tuple[Row, Event]]] = {}
    for row in read_text_table(path, NEEDED_EVENT_COLUMNS, (*EVENT_COLUMNS, *LABEL_COLUMNS)):
        found.setdefault(take_clip_id(row), []).append((row, _take_event(row)))
    return found


def _take_event(row: Row) -> Event:
    onset_s, offset_s = row.needed_number("onset_s", 0), row.needed_number("offset_s", 0)
    if offset_s <= onset_s:
        raise row.refuse(f"the event ends at {offset_s:g} s and begins at {onset_s:g} s; mend one")
    peak_s = row.number_in("peak_s")
    if peak_s is not None and not onset_s <= peak_s <= offset_s:
        raise row.refuse(
            f"peak_s {peak_s:g} lies outside {onset_s:g}-{offset_s:g} s; mend it or leave it empty"
        )
    x, y = row.number_in("x_px"), row.number_in("y_px")
    if (x is None) != (y is None):
        raise row.refuse("x_px and y_px go together; give both or neither")
    label = row.text("label") if row.text("label") else FASCICULATION
    # A misspelt 'fasciculation' would count as a confounder, that is, as the opposite of what was meant.
    if label != FASCICULATION and difflib.SequenceMatcher(None, label.lower(), FASCICULATION).ratio() > 0.8:
        raise row.refuse(f"label '{label}' is unknown; did you mean '{FASCICULATION}'?")
    certainty = row.text("certainty") if row.text("certainty") else None
    if certainty is not None and certainty not in CERTAINTIES:
        raise row.refuse(f"certainty '{certainty}' must be one of {', '.join(CERTAINTIES)}")
    return Event(
        onset_s=onset_s,
        offset_s=offset_s,
        peak_s=peak_s,
        label=label,
        certainty=certainty,
        region=None if x is None or y is None else Point(x, y),
        score=row.number_in("score", 0, 1),
        area_px=row.number_in("area_px", 0),
        area_mm2=row.number_in("area_mm2", 0),
        peak_mm=row.number_in("peak_mm", 0),
    )


def take_length(row: Row) -> float | None:
    """Return the seconds of a clip that were judged: `scored_s`, else `duration_s`, else None."""
    scored_s = row.number_in("scored_s", 0)
    if scored_s is None:
        return row.number_in("duration_s", 0)
    # Seconds that were left out lie somewhere in between: the judged part ends as much later.
    not_scored_s = row.number_in("not_scored_s", 0)
    return scored_s if not_scored_s is None else scored_s + not_scored_s


def take_clip_id(row: Row) -> str:
    """Return a row's clip_id.

    Raises:
        SettingError: it is empty, or no name of a clip.
    """
    clip_id = row.needed_text("clip_id")
    # It also names a folder of heatmaps: nothing may lead out of the source's own folder.
    if not is_clip_id(clip_id):
        raise row.refuse(f"clip_id '{clip_id}' may hold letters, digits, '_', '-' and '.' (not first)")
    return clip_id
