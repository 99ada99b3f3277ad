from __future__ import annotations

from pathlib import Path

import pytest

from fascnet.data.label_forms.file_limits import check_file_size, check_zip_size, read_json
from fascnet.errors import LabelError


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not valid JSON"),
        ('{"a": NaN}', "NaN is not a number"),
        ('{"a": Infinity}', "Infinity is not a number"),
        ("[" * 100_000, "nested too deeply"),
        ("", "not valid JSON"),
    ],
)
def test_json_that_is_none_is_one_line(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "l.json"
    path.write_text(text)
    with pytest.raises(LabelError, match=said) as refusal:
        read_json(path)
    assert "\n" not in str(refusal.value) and "l.json" in str(refusal.value)


def test_json_may_have_a_mark(tmp_path: Path) -> None:
    (tmp_path / "l.json").write_text('{"a": 1}', encoding="utf-8-sig")
    assert read_json(tmp_path / "l.json") == {"a": 1}


def test_large_missing_and_other_things_are_refused(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_bytes(bytes(2000))
    with pytest.raises(LabelError, match="more than the 0"):
        check_file_size(tmp_path / "l.csv", most=1000)
    with pytest.raises(LabelError, match="cannot be read"):
        check_file_size(tmp_path / "none.csv")
    with pytest.raises(LabelError, match="is not a file"):
        check_file_size(tmp_path)
    with pytest.raises(LabelError, match="damaged or not what its name says"):
        check_zip_size(tmp_path / "l.csv")
