from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from fascnet.data.recording.dicom_fragments import FragmentedStream, read_spans

SPANS = [(10, 25), (40, 41), (60, 160), (200, 256)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "data").write_bytes(bytes(range(256)))
    return tmp_path / "data"


def joined(file: Path) -> bytes:
    data = file.read_bytes()
    return b"".join(data[start:end] for start, end in SPANS)


def test_pieces_are_one_stream(file: Path) -> None:
    whole = joined(file)
    stream = FragmentedStream(file, SPANS)
    assert stream.read() == whole and stream.read(5) == b""
    rng = np.random.default_rng(0)
    for _ in range(200):
        at, size = (int(n) for n in rng.integers(0, len(whole) + 20, 2))
        assert stream.seek(at) == at == stream.tell()
        assert stream.read(size) == whole[at : at + size]
    assert stream.seek(-7, io.SEEK_END) == len(whole) - 7
    assert stream.seek(3, io.SEEK_CUR) == len(whole) - 4
    assert stream.read() == whole[-4:]
    assert stream.readable() and stream.seekable()
    stream.close()
    assert stream.closed


def test_a_file_that_became_shorter_ends_there(file: Path) -> None:
    stream = FragmentedStream(file, [(0, 10), (250, 300)])
    assert stream.read() == bytes(range(10)) + bytes(range(250, 256))
    assert FragmentedStream(file, []).read() == b""


def test_spans_are_read_in_order(file: Path) -> None:
    with file.open("rb") as opened:
        assert read_spans(opened, SPANS) == joined(file)
