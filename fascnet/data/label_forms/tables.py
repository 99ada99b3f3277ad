"""Tables that people made: CSV (comma, semicolon or tab) and Excel, every cell as text with its row."""

from __future__ import annotations

import csv
import datetime
import io
import math
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fascnet.data.label_forms.file_limits import check_file_size, check_zip_size
from fascnet.errors import LabelError

EXCEL_SUFFIXES = (".xlsx", ".xlsm")
TABLE_SUFFIXES = (".csv", ".tsv", ".txt", *EXCEL_SUFFIXES)

_MAX_ROWS = 1_000_000
"""Excel's own limit is 1,048,576 rows."""

# What openpyxl raises on damaged files is not documented; these were met on truncated and edited ones.
_EXCEL_ERRORS = (
    *(OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, SyntaxError, EOFError),
    *(NotImplementedError, zipfile.BadZipFile, zlib.error),
)

_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2}(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Attributes:
        path: the file.
        line: its line or sheet row, the first line being 1.
        cells: text by column name in small letters, without blanks around it.
        decimal_comma: whether `12,5` is a number here: only where commas do not separate cells.
    """

    path: Path
    line: int
    cells: Mapping[str, str]
    decimal_comma: bool

    @property
    def where(self) -> str:
        """File and row, for messages."""
        return f"{self.path} row {self.line}"

    def text(self, *columns: str) -> str:
        """Return the first of these columns that is filled in, else an empty text."""
        return next((self.cells[name] for name in columns if self.cells.get(name, "") != ""), "")

    def needed_text(self, *columns: str) -> str:
        """Return the first of these columns that is filled in.

        Raises:
            LabelError: none is.
        """
        cell = self.text(*columns)
        if cell == "":
            raise self.refuse(f"{columns[0]} is empty; fill it in or remove the row")
        return cell

    def number_or_none(self, column: str, low: float = -1e9, high: float = 1e9) -> float | None:
        """Return a cell as a number, None where it is empty.

        Raises:
            LabelError: it is no finite number, or outside `low` to `high`.
        """
        cell = self.text(column)
        if cell == "":
            return None
        text = cell.replace(",", ".") if self.decimal_comma and cell.count(",") == 1 else cell
        try:
            value = float(text)
        except ValueError as error:
            raise self.refuse(f"{column} '{_show(cell)}' is not a number; mend it") from error
        if not (math.isfinite(value) and low <= value <= high):
            raise self.refuse(f"{column} is {_show(cell)}; give a number from {low:g} to {high:g}")
        return value

    def number(self, column: str, low: float = -1e9, high: float = 1e9) -> float:
        """Return a cell that must hold a number. Otherwise as `number_or_none`."""
        self.needed_text(column)
        value = self.number_or_none(column, low, high)
        return math.nan if value is None else value

    def whole_number(self, column: str, low: int = 0, high: int = 10_000_000) -> int:
        """Return a cell that must hold a whole number, such as a frame.

        Raises:
            LabelError: it does not.
        """
        value = self.number(column, low, high)
        if value != int(value):
            raise self.refuse(f"{column} is {self.text(column)}; give a whole number")
        return int(value)

    def time_s(self, column: str) -> float:
        """Return a cell of seconds or of `HH:MM:SS.mmm` in seconds.

        Raises:
            LabelError: it is neither.
        """
        return self.parse_time_s(self.needed_text(column), column)

    def parse_time_s(self, text: str, column: str) -> float:
        """Parse a part of a cell as a time. Otherwise as `time_s`."""
        text = text.strip().replace(",", ".") if text.count(",") == 1 else text.strip()
        clock = _CLOCK.fullmatch(text)
        if clock is not None:
            hours, minutes, seconds = clock.group(1), clock.group(2), clock.group(3)
            return (0 if hours is None else int(hours)) * 3600.0 + int(minutes) * 60.0 + float(seconds)
        try:
            value = float(text)
        except ValueError as error:
            raise self.refuse(f"{column} '{_show(text)}' is no time; give seconds or HH:MM:SS.mmm") from error
        if not 0 <= value <= 1e6:
            raise self.refuse(f"{column} is {_show(text)}; give seconds from 0")
        return value

    def refuse(self, what: str) -> LabelError:
        """Return an error that names this row."""
        return LabelError(f"{self.where}: {what}")


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its column names in small letters, and its rows without blank ones."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(path: Path) -> Table:
    """Read a CSV file or the first filled sheet of an Excel file.

    CSV may be separated by `,`, `;` or tabs, with or without a byte order mark; blank rows are passed over.
    Dates and times in Excel cells become `HH:MM:SS.ffffff`.

    Raises:
        LabelError: the file cannot be read, or is no table; one line with the row.
    """
    check_file_size(path)
    if path.suffix.lower() in EXCEL_SUFFIXES:
        lines, comma = list(_read_excel(path)), True
    else:
        lines, comma = _read_csv(path)
    if not lines:
        raise LabelError(f"{path}: is empty; give a header and a row for each label")
    header = [" ".join(cell.split()).lower() for cell in lines[0][1]]
    while header and header[-1] == "":
        header.pop()
    double = sorted({name for name in header if name != "" and header.count(name) > 1})
    if double:
        raise LabelError(f"{path}: the column '{double[0]}' occurs twice; remove one")
    rows = []
    for number, cells in lines[1:]:
        # A row of another length would shift cells under wrong columns; empty cells at its end shift none.
        if any(cell != "" for cell in cells[len(header) :]) or len(cells) < len(header):
            raise LabelError(
                f"{path} row {number}: has {len(cells)} cells, the header has {len(header)}; mend the row"
            )
        filled = {name: cell for name, cell in zip(header, cells, strict=False) if name != ""}
        rows.append(Row(path, number, filled, comma))
    return Table(path, tuple(name for name in header if name != ""), tuple(rows))


def require_columns(table: Table, names: Sequence[str]) -> None:
    """Refuse a table that lacks a column.

    Raises:
        LabelError: names what is missing.
    """
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise LabelError(f"{table.path}: lacks the column {', '.join(missing)}; it needs {', '.join(names)}")


def _read_csv(path: Path) -> tuple[list[tuple[int, list[str]]], bool]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LabelError(
            f"{path}: cannot be read ({error.strerror}); check the path and its rights"
        ) from error
    try:
        text = data.decode("utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabelError(f"{path}: is not UTF-8 text; save it as 'CSV UTF-8'") from error
    first = next((line for line in text.splitlines() if line.strip(" ,;\t")), "")
    separator = max(",;\t", key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    lines: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                lines.append((reader.line_num, stripped))
            if len(lines) > _MAX_ROWS:
                raise LabelError(f"{path}: has more than {_MAX_ROWS} rows; split it")
    except csv.Error as error:
        raise LabelError(f"{path}: is not well-formed CSV ({error}); save it again as CSV") from error
    return lines, separator != ","


def _read_excel(path: Path) -> Iterator[tuple[int, list[str]]]:
    import openpyxl  # noqa: PLC0415 - slow to import, needed for few files

    check_zip_size(path)
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            for sheet in book.worksheets:
                found = False
                for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
                    texts = [_write_cell(cell) for cell in cells]
                    if any(texts):
                        found = True
                        yield number, texts
                    if number > _MAX_ROWS:
                        raise LabelError(f"{path}: has more than {_MAX_ROWS} rows; split it")
                if found:
                    return
        finally:
            book.close()
    except _EXCEL_ERRORS as error:
        raise LabelError(
            f"{path}: cannot be read as an Excel file; save it again as .xlsx or as CSV"
        ) from error


def _write_cell(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell == int(cell if math.isfinite(cell) else 0):
        return str(int(cell))
    if isinstance(cell, datetime.datetime):
        # Excel shows a duration under a day as a date of the year 1899 or 1900.
        cell = cell.time() if cell.year <= 1900 else cell.isoformat()
    if isinstance(cell, datetime.time):
        return f"{cell.hour:02d}:{cell.minute:02d}:{cell.second:02d}.{cell.microsecond:06d}"
    if isinstance(cell, datetime.timedelta):
        seconds = cell.total_seconds()
        return f"{int(seconds // 3600):02d}:{int(seconds % 3600 // 60):02d}:{seconds % 60:09.6f}"
    return " ".join(str(cell).split())


def _show(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."
