from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from fascnet.data.label_forms.rater_events import FrameSpan, ShownSpan
from fascnet.data.label_forms.tagawa_tables import read_tagawa_csv, read_tagawa_excel
from fascnet.data.labelling.regions import rasterise_region
from fascnet.errors import LabelError
from fascnet.types import Box

from . import forms


def test_the_last_frame_belongs_to_the_event(tmp_path: Path) -> None:
    (rating,) = read_tagawa_csv(forms.write_text(tmp_path / "a.csv", forms.TAGAWA_CSV)).ratings
    assert [event.span for event in rating.events] == [
        FrameSpan(10, 21),
        FrameSpan(10, 21),
        FrameSpan(50, 51),
    ]
    box = rating.events[0].region
    assert box == Box(8, 6, 30, 28) and rating.whole
    # The tool cuts frame[ymin:ymax, xmin:xmax].
    inside = rasterise_region(box, (0, 0, 64, 48), (48, 64))
    assert inside[6:28, 8:30].all() and inside.sum() == 22 * 22


def write_sheet(path: Path, header: list[str], *rows: list[object]) -> Path:
    book = openpyxl.Workbook()
    book.active.append(header)
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_sheets_list_intervals(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        [7, 1, "00:00:34.280-00:00:35.040", 667, 933, 54, 341],
        [],
        ["b", 2, "0:01:00.0 – 0:01:00.5", 1, 2, 3, 4],
    ]
    path = write_sheet(tmp_path / "a.xlsx", forms.TAGAWA_EXCEL_HEADER, *rows)
    first, second = read_tagawa_excel(path).ratings
    assert first.names == ("7",) and not first.whole
    assert first.events[0].span == ShownSpan(pytest.approx(34.28), pytest.approx(35.04))
    assert first.events[0].region == Box(667, 54, 933, 341)
    assert second.events[0].span == ShownSpan(60, 60.5)


def test_the_drawn_box_counts_not_the_crop(tmp_path: Path) -> None:
    header = [*forms.TAGAWA_EXCEL_HEADER, *(f"Original_ROI_{e}" for e in ("xmin", "ymin", "xmax", "ymax"))]
    path = write_sheet(
        tmp_path / "a.xlsx", header, ["a", 1, "00:00:01.0-00:00:01.5", 0, 112, 0, 112, 20, 30, 40, 50]
    )
    assert read_tagawa_excel(path).ratings[0].events[0].region == Box(20, 30, 40, 50)


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        ("00:00:34.280", "must be HH:MM:SS.mmm-HH:MM:SS.mmm"),
        ("0:35-0:34", "ends before"),
        ("a-b", "is no time"),
    ],
)
def test_wrong_intervals_name_file_and_row(interval: str, said: str, tmp_path: Path) -> None:
    path = write_sheet(tmp_path / "a.xlsx", forms.TAGAWA_EXCEL_HEADER, ["a", 1, interval, 1, 2, 3, 4])
    with pytest.raises(LabelError, match=said) as refusal:
        read_tagawa_excel(path)
    assert "a.xlsx row 2" in str(refusal.value)


@pytest.mark.parametrize(
    ("cells", "said"),
    [("9,8,1,2,3,4", "before it begins"), ("1,2,9,2,3,4", "has no area"), ("1,2,1,2,1,2", "no area")],
)
def test_wrong_rows(cells: str, said: str, tmp_path: Path) -> None:
    text = f"event,video,start_frame,end_frame,xmin,ymin,xmax,ymax\nFAS_1,a,{cells}\n"
    with pytest.raises(LabelError, match=said):
        read_tagawa_csv(forms.write_text(tmp_path / "a.csv", text))
