from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from fascnet.data.array_writer import ArrayWriter, write_array
from fascnet.errors import OutputError


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.int64])
def test_pieces_make_one_array(tmp_path: Path, dtype: type) -> None:
    whole = np.arange(7 * 3 * 2).reshape(7, 3, 2).astype(dtype)
    with write_array(tmp_path / "a.npy") as array:
        for piece in np.split(whole, [1, 1, 5]):
            array.append(piece)
    kept = np.load(tmp_path / "a.npy", mmap_mode="r", allow_pickle=False)
    assert kept.dtype == dtype
    assert np.array_equal(kept, whole)


def test_a_piece_may_lie_scattered_in_memory(tmp_path: Path) -> None:
    with write_array(tmp_path / "a.npy") as array:
        array.append(np.arange(12).reshape(3, 4)[:, ::2])
    assert np.load(tmp_path / "a.npy").tolist() == [[0, 2], [4, 6], [8, 10]]


def test_any_number_of_rows_fits_into_the_header() -> None:
    file = io.BytesIO()
    array = ArrayWriter(file)
    row = np.zeros((1, 2), np.uint8)
    for _ in range(12345):
        array.append(row)
    size = file.tell()
    array.finish()
    assert len(file.getvalue()) == size
    file.seek(0)
    assert np.load(file).shape == (12345, 2)


@pytest.mark.parametrize("other", [np.zeros((1, 3), np.uint8), np.zeros((1, 2), np.int16)])
def test_rows_of_another_kind_are_refused(tmp_path: Path, other: np.ndarray) -> None:
    with pytest.raises(ValueError, match="cannot follow"), write_array(tmp_path / "a.npy") as array:
        array.append(np.zeros((1, 2), np.uint8))
        array.append(other)
    assert list(tmp_path.iterdir()) == []


def test_nothing_appended_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no piece was appended"), write_array(tmp_path / "a.npy"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"a\.npy"), write_array(tmp_path / "file" / "a.npy"):
        pass
