from __future__ import annotations

from pathlib import Path

import pytest

from fascnet.data.whole_file import write_whole
from fascnet.errors import OutputError


def test_makes_folder_and_leaves_only_the_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    with write_whole(path) as part:
        part.write_text("x")
        assert not path.exists()
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]


def test_an_error_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), write_whole(path) as part:
        part.write_text("half")
        _ = 1 / 0
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_unwritable_place_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OutputError, match=r"cannot be written") as caught,
        write_whole(tmp_path / "file" / "a") as part,
    ):
        part.write_text("x")
    assert "\n" not in str(caught.value)


def test_a_name_that_no_disk_takes_is_one_line(tmp_path: Path) -> None:
    """Looking for what to tidy up fails as the writing did, and must not take the place of its error."""
    with pytest.raises(OutputError, match="File name too long"), write_whole(tmp_path / ("x" * 300)) as part:
        part.write_text("x")
