from __future__ import annotations

import pytest

from fascnet.errors import SettingError
from fascnet.evaluation.sources.text_table import parse_number, read_text_table


def test_cells_stay_text_and_rows_know_their_line(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b'\xef\xbb\xbfclip_id, note\r\n007 ,"two\nlines"\r\n\r\nNA,x\r\n')
    rows = read_text_table(path, ("clip_id",))
    assert [(row.number, row.text("clip_id")) for row in rows] == [(3, "007"), (5, "NA")]
    assert rows[0].text("note") == "two\nlines" and rows[0].text("absent") == ""
    path.write_text("clip_id\n")
    assert read_text_table(path, ("clip_id",)) == [], "a header alone is a statement"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"clip_id;score\n", "separated by ';'"),
        (b"name,score\n", "lacks the column clip_id"),
        (b"clip_id,clip_id\n", "occurs twice"),
        (b"clip_id,scores\n", "did you mean 'score'"),
        (b"clip_id,score\na,1,2\n", "row 2: has 3 cells"),
        (b"clip_id,score\na\n", "row 2: has 1 cells"),
        (b"clip_id\n\xff\xfe\n", "UTF-8"),
        (b'clip_id\n"a\n', "well-formed"),
    ],
)
def test_a_wrong_table_is_one_line(tmp_path, content, words):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(SettingError, match=words) as caught:
        read_text_table(path, ("clip_id",), ("score",))
    assert "\n" not in str(caught.value) and "t.csv" in str(caught.value)


def test_numbers(tmp_path):
    assert parse_number("1e-3") == 0.001
    assert [parse_number(cell) for cell in ("nan", "inf", "", "1,5", "x")] == [None] * 5
    path = tmp_path / "t.csv"
    path.write_text("clip_id,a,b,c\nx,,nan,-1\n")
    (row,) = read_text_table(path, ("clip_id",))
    assert row.number_in("a") is None and row.number_in("c") == -1
    for ask, words in (
        (lambda: row.number_in("b"), "not a number"),
        (lambda: row.number_in("c", 0), "from 0"),
        (lambda: row.number_in("c", 0, 1), "from 0 to 1"),
        (lambda: row.needed_number("a"), "a is empty"),
        (lambda: row.needed_text("a"), "a is empty"),
    ):
        with pytest.raises(SettingError, match=words):
            ask()
    with pytest.raises(SettingError, match="cannot be read"):
        read_text_table(tmp_path / "none.csv", ("clip_id",))
