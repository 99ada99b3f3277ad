"""Labels as tables, for raters who work in a spreadsheet: `events.csv` and `scores.csv` become `Labels`."""

from __future__ import annotations

from pathlib import Path

from fascnet.data.labelling.seconds import leave_out
from fascnet.errors import SettingError
from fascnet.evaluation.sources.event_table import read_event_rows, take_clip_id, take_length
from fascnet.evaluation.sources.text_table import Row, read_text_table
from fascnet.inference.tables import INTERVALS_FILE, SCORE_COLUMNS, read_not_scored
from fascnet.types import Event, Interval, Labels

PAST_END_S = 1.0
"""How far an event may reach past the seconds that were looked at: rounding does, a wrong table does more."""


def load_label_table(events: Path, scores: Path, rater: str | None = None) -> dict[str, dict[str, Labels]]:
    """Read labels from a table of events, in the form of `load_labels`: clip_id -> rater -> labels.

    Args:
        events: `events.csv`; a column `rater` names who says it, `label` what it is (empty: a
            fasciculation), `certainty` how sure, `peak_mm` how large.
        scores: `scores.csv`, a row for each clip that was looked at, without or with events: `clip_id`, and
            `scored_s` or `duration_s` for how many seconds of it. A column `rater` says by whom. With a
            column `examined_from_s`, as `export-labels` writes it, a clip may have several rows, each from
            there to `scored_s`. As for `import-labels`, a clip whose `status` is failed was not looked at,
            nor were the seconds in an `intervals.csv` beside the table.
        rater: who it was, for tables without the column.

    Raises:
        SettingError: a table is wrong, nobody says who the rater is, or a clip has events and no length.
        OutputError: `intervals.csv` is wrong.
    """
    not_scored = read_not_scored(scores.parent / INTERVALS_FILE)
    rows = read_text_table(scores, ("clip_id",), (*SCORE_COLUMNS, "rater", "examined_from_s"))
    examined: dict[tuple[str, str], list[Interval]] = {}
    ends_s: dict[tuple[str, str], float] = {}
    for row in rows:
        if row.text("status") == "failed":
            continue
        key = (take_clip_id(row), _take_rater(row, rater))
        length_s = take_length(row)
        if length_s is None:
            raise row.refuse("scored_s and duration_s are empty; say how many seconds were looked at")
        from_s = row.number_in("examined_from_s", 0, length_s)
        if key in ends_s and (from_s is None or from_s < ends_s[key]):
            raise row.refuse(f"clip '{key[0]}' has a row of '{key[1]}' already; remove one")
        whole = (0.0 if from_s is None else from_s, length_s)
        gaps = [(gap.start_s, gap.end_s) for gap in not_scored.get(key[0], ())]
        ends_s[key] = length_s
        if seen := leave_out(whole, gaps):
            examined.setdefault(key, []).extend(seen)
    said: dict[tuple[str, str], list[Event]] = {key: [] for key in examined}
    for clip_id, found in read_event_rows(events).items():
        for row, event in found:
            key = (clip_id, _take_rater(row, rater))
            if key not in said:
                raise row.refuse(f"{scores.name} does not say that '{key[1]}' looked at clip '{clip_id}'")
            said[key].append(event)
    labels: dict[str, dict[str, Labels]] = {}
    for (clip_id, who), its_events in said.items():
        end_s = ends_s[clip_id, who]
        late = [event for event in its_events if event.offset_s > end_s + PAST_END_S]
        if late:
            raise SettingError(
                f"{events}: clip '{clip_id}' has an event at {late[0].onset_s:g} s, after the "
                f"{end_s:g} s that were looked at"
            )
        labels.setdefault(clip_id, {})[who] = Labels(
            clip_id, who, tuple(examined[clip_id, who]), tuple(sorted(its_events, key=lambda e: e.onset_s))
        )
    return labels


def _take_rater(row: Row, rater: str | None) -> str:
    who = row.text("rater") if row.text("rater") else rater
    if who is None:
        raise row.refuse("nobody says who the rater is; add a column rater")
    return who
