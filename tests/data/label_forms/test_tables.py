from __future__ import annotations

import datetime
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from fascnet.data.label_forms.tables import read_table, require_columns
from fascnet.errors import LabelError

from . import forms


def test_separators_marks_and_blank_rows(tmp_path: Path) -> None:
    wanted = [{"clip_id": "a", "onset_s": "0.5"}, {"clip_id": "b", "onset_s": "1.25"}]
    for name, text in {
        "comma": "clip_id,Onset_S\na,0.5\n\n,,\nb,1.25\n",
        "semicolon": "clip_id;onset_s\r\na;0,5\r\n;\r\nb;1,25\r\n",
        "tab": "clip_id\tonset_s\na\t0,5\nb\t1.25\n",
    }.items():
        for encoding in ("utf-8", "utf-8-sig", "utf-16"):
            path = forms.write_text(tmp_path / f"{name}-{encoding}.csv", text, encoding)
            rows = read_table(path).rows
            assert [row.number("onset_s") for row in rows] == [0.5, 1.25]
            assert [row.text("clip_id") for row in rows] == [one["clip_id"] for one in wanted]


def test_rows_are_named_as_an_editor_counts_them(tmp_path: Path) -> None:
    path = forms.write_text(tmp_path / "t.csv", "clip_id,x\n\na,1\n\nb,zwei\n")
    row = read_table(path).rows[1]
    with pytest.raises(LabelError, match=r"t\.csv row 5: x 'zwei' is not a number"):
        row.number("x")


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("00:00:34.280", 34.28),
        ("1:02:03.5", 3723.5),
        ("02:03", 123.0),
        ("34.28", 34.28),
        ("00:00:34,280", 34.28),
    ],
)
def test_times(cell: str, seconds: float, tmp_path: Path) -> None:
    row = read_table(forms.write_text(tmp_path / "t.csv", f'clip_id,t\na,"{cell}"\n')).rows[0]
    assert row.time_s("t") == pytest.approx(seconds)


@pytest.mark.parametrize("cell", ["nan", "inf", "-inf", "1e400", "12,5", "½", "0x10", ""])
def test_what_is_no_number_is_refused(cell: str, tmp_path: Path) -> None:
    row = read_table(forms.write_text(tmp_path / "t.csv", f'clip_id,x\na,"{cell}"\n')).rows[0]
    with pytest.raises(LabelError, match="row 2"):
        row.number("x")


def test_excel_cells_of_every_kind(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.create_sheet("empty", 0)
    sheet = book.worksheets[1]
    sheet.append(["Clip_ID", "t", "x", "flag"])
    sheet.append([7, datetime.time(0, 0, 34, 280_000), 12.5, True])
    sheet.append([])
    sheet.append(["b", datetime.timedelta(seconds=34.28), 12.0, None])
    sheet.append(["c", datetime.datetime(1899, 12, 30, 0, 0, 34, 280_000), "12,5", "x"])
    book.save(tmp_path / "t.xlsx")
    rows = read_table(tmp_path / "t.xlsx").rows
    assert [row.line for row in rows] == [2, 4, 5]
    assert [row.text("clip_id") for row in rows] == ["7", "b", "c"]
    assert [row.time_s("t") for row in rows] == pytest.approx([34.28] * 3)
    assert [row.number("x") for row in rows] == [12.5, 12.0, 12.5]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("t.csv", b"", "is empty"),
        ("t.csv", b"a,a\n1,2\n", "column 'a' occurs twice"),
        ("t.csv", b"a,b\n1,2,3\n", "row 2: has 3 cells, the header has 2"),
        ("t.csv", b"a,b\n1\n", "row 2: has 1 cells"),
        ("t.csv", b'a,b\n"1,2\n', "not well-formed CSV"),
        ("t.csv", b"a,b\n\xff\xfe\xfa,1\n", "not UTF-8"),
        ("t.xlsx", b"PK\x03\x04 nonsense", "damaged or not what its name says"),
        ("t.xlsx", b"", "damaged or not what its name says"),
    ],
)
def test_damaged_tables_are_one_line(name: str, data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(LabelError, match=said) as refusal:
        read_table(tmp_path / name)
    assert "\n" not in str(refusal.value) and name in str(refusal.value)


def test_a_sheet_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        for part in range(6):
            archive.writestr(f"xl/worksheets/sheet{part}.xml", bytes(100 * 2**20))
    with pytest.raises(LabelError, match="would unpack to 600 MiB"):
        read_table(tmp_path / "t.xlsx")


def test_truncated_and_bent_sheets_never_crash(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in range(20):
        book.active.append([f"a{row}", row, row / 3])
    book.save(tmp_path / "good.xlsx")
    good = (tmp_path / "good.xlsx").read_bytes()
    rng = np.random.default_rng(5)
    path = tmp_path / "bad.xlsx"
    for trial in range(120):
        data = bytearray(good)
        if trial % 2:
            data = data[: int(rng.integers(1, len(good)))]
        for place in rng.integers(0, len(data), 4):
            data[int(place)] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(data))
        try:
            read_table(path)
        except LabelError as error:
            assert "\n" not in str(error)


def test_missing_columns_are_named(tmp_path: Path) -> None:
    table = read_table(forms.write_text(tmp_path / "t.csv", "a,b\n1,2\n"))
    with pytest.raises(LabelError, match="lacks the column c; it needs a, c"):
        require_columns(table, ("a", "c"))
