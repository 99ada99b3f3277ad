"""Cuts clips into groups by any column of a table: muscle, scanner, amplitude, confounders, difficulty.

A mean over everything hides where a detector fails. A group is only worth a figure when enough people and
events stand in it; the others are shown with a warning, never dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from fascnet.errors import SettingError
from fascnet.evaluation.outcome import ClipOutcome
from fascnet.evaluation.sources.text_table import parse_number, read_text_table

JOINED_COLUMNS = frozenset({"confounders"})
"""Columns whose cells hold several names joined by `+`; a clip belongs to each, an empty cell to `none`."""

JOINT = "+"
NONE = "none"
ROW_COLUMNS = frozenset({"clip_id", "path", "subject_id"})
"""Columns that name each clip or subject: no groups."""

QUANTILES = 3
"""Groups of a column of numbers where no cuts are given: thirds of its clips."""

MAX_LEVELS = 5
"""A column of numbers with at most this many different ones is cut by value, not into quantiles."""

MAX_GROUPS = 40
"""More words than this (hashes, dates, notes) are no groups."""

MIN_SUBJECTS = 10
"""Below this a percentile interval over subjects is rough, as for the whole benchmark."""

MIN_EVENTS = 20
"""Below this one event moves a recall by more than 5 points."""

ClipTable = Mapping[str, Mapping[str, str]]
"""clip_id -> column -> cell."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """How one column cuts the clips.

    Attributes:
        column: its name.
        kind: `words`, `joined` (a clip may belong to several groups) or `numbers`.
        cuts: inner edges of the bins of numbers, rising; empty otherwise. A bin holds its lower edge.
        chosen: `given`, `quantiles` (of these clips: another set has others) or empty.
        groups: group -> clip_ids in order; words by name, numbers from low to high.
        unknown: clips that are not in the table or whose cell is empty.
    """

    column: str
    kind: str
    cuts: tuple[float, ...]
    chosen: str
    groups: Mapping[str, tuple[str, ...]]
    unknown: tuple[str, ...]

    def describe(self) -> dict[str, object]:
        """Return the rule as it stands in `metrics.json`."""
        return {
            "column": self.column,
            "kind": self.kind,
            "cuts": list(self.cuts),
            "chosen": self.chosen,
            "unknown_clips": len(self.unknown),
        }


@dataclass(frozen=True, slots=True)
class GroupSize:
    """How much stands behind a group's figures, and a warning where it is too little (else empty)."""

    n_clips: int
    n_subjects: int
    n_events: int
    warning: str


def read_clip_table(path: Path) -> dict[str, dict[str, str]]:
    """Read `manifest.csv`, `clips.csv` or any table with a row a clip: clip_id -> column -> cell.

    Raises:
        SettingError: it is no such table, or names a clip twice.
    """
    table: dict[str, dict[str, str]] = {}
    for row in read_text_table(path, ("clip_id",)):
        clip_id = row.needed_text("clip_id")
        if clip_id in table:
            raise row.refuse(f"clip '{clip_id}' occurs twice; remove one")
        table[clip_id] = dict(row.cells)
    return table


def merge_clip_tables(tables: Sequence[ClipTable]) -> dict[str, dict[str, str]]:
    """Join tables by clip_id; a later table fills cells that are empty or absent in the earlier ones.

    Raises:
        SettingError: two tables disagree about a clip's subject.
    """
    merged: dict[str, dict[str, str]] = {}
    for table in tables:
        for clip_id, cells in table.items():
            known = merged.setdefault(clip_id, {})
            # A clip_id in place of a subject names none.
            if known.get("subject_id") == clip_id:
                known["subject_id"] = ""
            subjects = {known.get("subject_id", ""), cells.get("subject_id", "")} - {"", clip_id}
            if len(subjects) > 1:
                raise SettingError(
                    f"clip tables: clip '{clip_id}' has subject_id {' and '.join(sorted(subjects))}; mend one"
                )
            known |= {column: cell for column, cell in cells.items() if known.get(column, "") == ""}
    return merged


def group_clips(
    table: ClipTable,
    column: str,
    clip_ids: Sequence[str],
    *,
    cuts: Sequence[float] | None = None,
    quantiles: int = QUANTILES,
    joined: frozenset[str] = JOINED_COLUMNS,
) -> Grouping:
    """Cut clips into groups by a column.

    Args:
        table: from `read_clip_table`.
        column: which column; not one that names clips or subjects.
        clip_ids: the clips that are scored, each once.
        cuts: inner edges for a column of numbers, rising; two cuts make three bins. None: quantiles.
        quantiles: how many bins then, from 2, with about the same number of clips each (NumPy's default
            quantile, Hyndman & Fan 1996, type 7); equal cuts fall together.
        joined: columns whose cells are names joined by `+`.

    Raises:
        SettingError: there is no such column, it names clips, or cuts do not rise or do not fit.
    """
    columns = sorted({name for cells in table.values() for name in cells})
    if column in ROW_COLUMNS or column not in columns:
        usable = ", ".join(name for name in columns if name not in ROW_COLUMNS)
        raise SettingError(f"subgroups: '{column}' makes no groups; choose one of {usable}")
    cells = {clip_id: table[clip_id].get(column, "") for clip_id in clip_ids if clip_id in table}
    if column in joined:
        return _group_joined(column, cells, clip_ids)
    known = {clip_id: cell for clip_id, cell in cells.items() if cell != ""}
    unknown = tuple(clip_id for clip_id in clip_ids if clip_id not in known)
    numbers = {clip_id: parse_number(cell) for clip_id, cell in known.items()}
    values = {clip_id: number for clip_id, number in numbers.items() if number is not None}
    if cuts is not None:
        wrong = [clip_id for clip_id in known if clip_id not in values]
        if wrong:
            raise SettingError(
                f"subgroups.{column}: '{known[wrong[0]]}' of clip '{wrong[0]}' is no number; give no cuts"
            )
        return _group_numbers(column, values, _check_cuts(column, cuts), "given", unknown)
    if known and len(values) == len(known) and len(set(values.values())) > MAX_LEVELS:
        if quantiles < 2:
            raise SettingError(f"subgroups.{column}: {quantiles} bins are no groups; give 2 or more")
        shares = np.arange(1, quantiles) / quantiles
        inner = np.unique(np.quantile(np.array(list(values.values())), shares))
        lowest = min(values.values())
        return _group_numbers(
            column, values, tuple(float(cut) for cut in inner if cut > lowest), "quantiles", unknown
        )
    names = sorted(set(known.values()))
    if len(names) > MAX_GROUPS:
        raise SettingError(f"subgroups.{column}: {len(names)} different words; give a column with fewer")
    if len(values) == len(known):
        names.sort(key=float)
    groups = {name: tuple(c for c in clip_ids if known.get(c) == name) for name in names}
    return Grouping(column, "words", (), "", groups, unknown)


def name_bins(cuts: Sequence[float]) -> list[str]:
    """Name bins from low to high: `below 0.15`, `0.15 to 0.3`, `0.3 and more`; each holds its lower edge."""
    if not cuts:
        return ["all"]
    # Four digits where they tell the cuts apart, else as many as do: two bins never share a name.
    digits = next((d for d in range(4, 17) if len({f"{cut:.{d}g}" for cut in cuts}) == len(cuts)), 17)
    edges = [f"{cut:.{digits}g}" for cut in cuts]
    inner = [f"{low} to {high}" for low, high in pairwise(edges)]
    return [f"below {edges[0]}", *inner, f"{edges[-1]} and more"]


def pick_outcomes(outcomes: Sequence[ClipOutcome], clip_ids: Sequence[str]) -> list[ClipOutcome]:
    """Return the outcomes of some clips, in the order of `outcomes`."""
    wanted = set(clip_ids)
    return [outcome for outcome in outcomes if outcome.clip_id in wanted]


def measure_group(outcomes: Sequence[ClipOutcome]) -> GroupSize:
    """Count clips, subjects and reference events of a group, and warn where they are too few."""
    n_subjects = len({outcome.subject for outcome in outcomes})
    n_events = sum(outcome.n_reference for outcome in outcomes)
    few = [
        f"{n} {what}, fewer than {least}"
        for n, what, least in (
            (n_subjects, "subjects", MIN_SUBJECTS),
            (n_events, "reference events", MIN_EVENTS),
        )
        if n < least
    ]
    warning = f"too few to conclude from: {'; '.join(few)}" if few else ""
    return GroupSize(len(outcomes), n_subjects, n_events, warning)


def _group_joined(column: str, cells: Mapping[str, str], clip_ids: Sequence[str]) -> Grouping:
    groups: dict[str, list[str]] = {}
    for clip_id in clip_ids:
        if clip_id not in cells:
            continue
        names = {part.strip() for part in cells[clip_id].split(JOINT)} - {""}
        for name in sorted(names) if names else [NONE]:
            groups.setdefault(name, []).append(clip_id)
    ordered = {name: tuple(groups[name]) for name in sorted(groups, key=lambda name: (name == NONE, name))}
    return Grouping(column, "joined", (), "", ordered, tuple(c for c in clip_ids if c not in cells))


def _group_numbers(
    column: str, values: Mapping[str, float], cuts: tuple[float, ...], chosen: str, unknown: tuple[str, ...]
) -> Grouping:
    bins = {clip_id: int(np.searchsorted(cuts, value, side="right")) for clip_id, value in values.items()}
    groups = {
        name: tuple(clip_id for clip_id, its_bin in bins.items() if its_bin == index)
        for index, name in enumerate(name_bins(cuts))
    }
    return Grouping(column, "numbers", cuts, chosen, groups, unknown)


def _check_cuts(column: str, cuts: Sequence[float]) -> tuple[float, ...]:
    edges = tuple(float(cut) for cut in cuts)
    rising = all(low < high for low, high in pairwise(edges))
    if not edges or not rising or not np.isfinite(edges).all():
        raise SettingError(f"subgroups.{column}: cuts must be numbers that rise, such as [0.15, 0.3]")
    return edges
