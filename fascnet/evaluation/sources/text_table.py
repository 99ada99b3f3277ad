"""CSV tables that other people wrote: every cell stays text, every mistake is one line with its row."""

from __future__ import annotations

import csv
import difflib
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fascnet.errors import SettingError


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Attributes:
        path: the table.
        number: the line where the row ends, the header being 1.
        cells: text by column, without blanks around it.
    """

    path: Path
    number: int
    cells: Mapping[str, str]

    def text(self, column: str) -> str:
        """Return a cell, empty where the table has no such column."""
        return self.cells.get(column, "")

    def needed_text(self, column: str) -> str:
        """Return a cell that must not be empty.

        Raises:
            SettingError: it is empty.
        """
        cell = self.text(column)
        if cell == "":
            raise self.refuse(f"{column} is empty; fill it in or remove the row")
        return cell

    def number_in(self, column: str, low: float = -math.inf, high: float = math.inf) -> float | None:
        """Return a cell as a number from `low` to `high`, None where it is empty.

        Raises:
            SettingError: it is not a number, or outside the range.
        """
        cell = self.text(column)
        if cell == "":
            return None
        value = parse_number(cell)
        if value is None:
            raise self.refuse(f"{column} '{cell}' is not a number; mend it or leave it empty")
        if not low <= value <= high:
            asked = f"from {low:g}" if math.isinf(high) else f"from {low:g} to {high:g}"
            raise self.refuse(f"{column} is {cell}; give a number {asked}")
        return value

    def needed_number(self, column: str, low: float = -math.inf) -> float:
        """Return a cell that must hold a number from `low`.

        Raises:
            SettingError: it is empty, not a number, or too small.
        """
        self.needed_text(column)
        value = self.number_in(column, low)
        if value is None:
            raise self.refuse(f"{column} is empty; fill it in or remove the row")
        return value

    def refuse(self, what: str) -> SettingError:
        """Return an error that names this row."""
        return SettingError(f"{self.path} row {self.number}: {what}")


def parse_number(cell: str) -> float | None:
    """Return a cell as a finite number, None where it is none (also for `nan` and `inf`)."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def read_text_table(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> list[Row]:
    """Read a CSV file with a header; a file with a header only has no rows, which is a statement too.

    Args:
        path: UTF-8, separated by commas.
        required: columns that must be there.
        optional: columns that are read where they are there; further columns are kept and not looked at.

    Raises:
        SettingError: the file cannot be read, lacks a column, holds a misspelt or doubled one, or a row of
            another length than the header.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SettingError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        raise SettingError(f"{path}: is not UTF-8 text; save it as 'CSV UTF-8'") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(row)]
    except csv.Error as error:
        raise SettingError(f"{path}: is not well-formed CSV ({error}); save it again as CSV") from error
    if not lines:
        raise SettingError(f"{path}: is empty; give it at least the columns {', '.join(required)}")
    header = lines[0][1]
    _check_header(path, header, required, optional)
    rows = []
    for number, cells in lines[1:]:
        # A row of another length would shift cells under wrong columns.
        if len(cells) != len(header):
            raise SettingError(
                f"{path} row {number}: has {len(cells)} cells, the header has {len(header)}; mend the row"
            )
        rows.append(Row(path, number, dict(zip(header, cells, strict=True))))
    return rows


def _check_header(path: Path, header: list[str], required: Sequence[str], optional: Sequence[str]) -> None:
    if len(header) == 1 and ";" in header[0]:
        raise SettingError(f"{path}: cells are separated by ';'; save it with commas")
    double = sorted({name for name in header if header.count(name) > 1})
    if double:
        raise SettingError(f"{path}: the column '{double[0]}' occurs twice; remove one")
    missing = [name for name in required if name not in header]
    if missing:
        raise SettingError(
            f"{path}: lacks the column {', '.join(missing)}; it needs at least {', '.join(required)}"
        )
    # A misspelt optional column would be ignored in silence: a score that never counts.
    absent = [name for name in optional if name not in header]
    for name in header:
        near = difflib.get_close_matches(name.lower(), absent, n=1, cutoff=0.85)
        if name not in required and name not in optional and near:
            raise SettingError(f"{path}: there is no column '{name}'; did you mean '{near[0]}'?")
