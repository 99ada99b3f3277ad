from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fascnet.data.recording.meta_header import read_meta_header
from fascnet.data.recording.meta_image import MetaImageRecording
from fascnet.errors import RecordingError
from tests.data.recording.test_meta_image import FRAMES, STAMPS, write_meta


def test_what_it_says(tmp_path: Path) -> None:
    path = write_meta(
        tmp_path / "a.mha",
        ElementSpacing="0.08 0.083 1",
        UltrasoundImageOrientation="UN",
        Comment="a = b",
    )
    header = read_meta_header(path)
    assert (header.height, header.width, header.n_frames, header.channels) == (20, 30, 10, 1)
    assert (header.dtype, header.compressed, header.frame_bytes) == (np.uint8, False, 600)
    assert header.spacing_mm == (0.08, 0.083)
    assert header.times_s == pytest.approx(STAMPS)
    assert path.read_bytes()[header.data_at :] == FRAMES.tobytes()
    notes = MetaImageRecording(path).notes
    assert any("1.038 times as wide" not in note and "0.964 times as wide as high" in note for note in notes)
    assert any("from deep to shallow" in note for note in notes)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"DimSize": "30 20"}, "single image"),
        ({"DimSize": "30 20 1"}, "single image"),
        ({"DimSize": "30 20 5 2"}, "has 4 axes"),
        ({"DimSize": "30 20 -4"}, "single image"),
        ({"DimSize": "30 0 10"}, "no pixels"),
        ({"DimSize": "60000 60000 10"}, "claims frames of"),
        ({"DimSize": "30 20 999999999"}, "too small"),
        ({"DimSize": "30 20 100000"}, "too small"),
        ({"DimSize": "thirty"}, "damaged or incomplete"),
        ({"DimSize": ""}, "damaged or incomplete"),
        ({"ElementType": "MET_LONG_LONG"}, "kind that is not read"),
        ({"ElementNumberOfChannels": "2"}, "kind that is not read"),
        ({"BinaryData": "False"}, "kind that is not read"),
        ({"Seq_Frame0004_Timestamp": "1.0"}, "do not increase"),
        ({"Seq_Frame0004_Timestamp": "nan"}, "do not increase"),
    ],
)
def test_bad_headers_are_named(tmp_path: Path, fields: dict[str, str], says: str) -> None:
    write_meta(tmp_path / "a.mha", **fields)
    with pytest.raises(RecordingError, match=rf"a\.mha: .*{says}.*; "):
        MetaImageRecording(tmp_path / "a.mha")


@pytest.mark.parametrize("name", ["../secret.raw", "/etc/passwd", "LIST", "slice%03d.raw", "a\\b.raw"])
def test_samples_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    text = write_meta(tmp_path / "a.mha").read_bytes().replace(b"LOCAL", name.encode())
    (tmp_path / "a.mhd").write_bytes(text)
    with pytest.raises(RecordingError, match="save them as one file beside it"):
        read_meta_header(tmp_path / "a.mhd")


def test_samples_that_are_missing(tmp_path: Path) -> None:
    write_meta(tmp_path / "a.mhd", data_file="a.raw")
    (tmp_path / "a.raw").unlink()
    with pytest.raises(RecordingError, match=r"should be in a\.raw beside it"):
        read_meta_header(tmp_path / "a.mhd")


@pytest.mark.parametrize(
    "data", [b"no equals sign\n" * 9, b"\x00" * 100_000, b"A = " + b"x" * 99_999, b"A = 1\n"]
)
def test_no_header_at_all(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.mha").write_bytes(data)
    with pytest.raises(RecordingError, match="not a readable MetaImage"):
        read_meta_header(tmp_path / "a.mha")
