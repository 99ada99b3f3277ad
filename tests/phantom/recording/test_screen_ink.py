from __future__ import annotations

import hashlib

import numpy as np
import pytest

from fascnet.phantom.recording.screen_ink import Ink, measure_text


def lay(ink: Ink, background: int = 0, shape: tuple[int, int] = (40, 160)) -> np.ndarray:
    picture = np.full(shape, background, np.uint8)
    ink.lay_over(picture)
    return picture


def test_seven_pixels_show_the_dots() -> None:
    ink = Ink(40, 160)
    ink.write("T", 3, 2, 7, 200)
    shown = lay(ink)[2:9, 3:8]
    expected = np.zeros((7, 5), int)
    expected[0] = 200
    expected[:, 2] = 200
    np.testing.assert_array_equal(shown, expected)


@pytest.mark.parametrize("height_px", [7, 9, 12, 16])
@pytest.mark.parametrize("bold", [False, True])
def test_text_is_as_large_as_measured(height_px: int, bold: bool) -> None:
    ink = Ink(40, 300)
    ink.write("Gn 54", 10, 5, height_px, 255, bold)
    rows, columns = np.nonzero(lay(ink, shape=(40, 300)))
    assert rows.min() == 5 and rows.max() == 5 + height_px - 1
    assert columns.min() == 10 and columns.max() < 10 + measure_text("Gn 54", height_px, bold)


def test_coverage_mixes_with_what_is_below() -> None:
    ink = Ink(40, 160)
    ink.write("MSK 8", 4, 4, 11, 180)
    on_dark, on_light = lay(ink, 20), lay(ink, 240)
    assert on_dark.max() == 180 and on_light.min() == 180
    assert set(np.unique(on_dark)) - {20, 180}, "edges are smooth"
    np.testing.assert_array_equal(on_dark != 20, on_light != 240)


@pytest.mark.parametrize("place", [(-6, -3), (150, 35), (400, 400), (-400, 5)])
def test_what_falls_off_the_sheet_is_cut(place: tuple[int, int]) -> None:
    ink = Ink(40, 160)
    ink.write("MSK", *place, 9, 200)
    ink.draw_line(place, (place[0] + 30, place[1] + 30), 200)
    assert lay(ink).shape == (40, 160)


def test_an_unknown_letter_leaves_a_space() -> None:
    assert measure_text("µ", 7) == measure_text(" ", 7)
    assert measure_text("", 7) >= 0


@pytest.mark.parametrize("end", [(30, 12), (2, 35), (60, 2), (2, 2), (40, 39)])
def test_lines_run_from_end_to_end_without_gaps(end: tuple[int, int]) -> None:
    ink = Ink(40, 160)
    ink.draw_line((2, 2), end, 99)
    picture = lay(ink)
    assert picture[2, 2] == 99 and picture[end[1], end[0]] == 99
    assert np.count_nonzero(picture) == max(end[0] - 2, end[1] - 2) + 1
    back = Ink(40, 160)
    back.draw_line((2, 2), end, 99, dash_px=2)
    assert np.count_nonzero(lay(back)) < np.count_nonzero(picture) or end == (2, 2)


def test_bits_are_known() -> None:
    ink = Ink(60, 300)
    ink.write("ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789", 1, 1, 8, 210)
    ink.write("abcdefghijklmnopqrstuvwxyz %()+-./:[]", 1, 20, 10, 170, bold=True)
    ink.draw_line((3, 50), (290, 41), 120, dash_px=3)
    assert hashlib.sha256(lay(ink, 33, (60, 300)).tobytes()).hexdigest()[:16] == "77800382d615d82d"
