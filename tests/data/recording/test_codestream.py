from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openjpeg.utils import encode_array
from pydicom.encaps import generate_frames
from pydicom.uid import JPEGLSLossless

from fascnet.data.recording.codestream import read_codestream_size
from tests.data.recording.test_dicom import make_dataset, make_frames

FRAME = make_frames(1, 70, 90)[0]


def encode(kind: str) -> bytes:
    if kind == "j2k":
        return bytes(encode_array(FRAME))
    if kind == "jp2":
        return bytes(cv2.imencode(".jp2", FRAME)[1])
    if kind == "jls":
        dataset = make_dataset(FRAME[None])
        dataset.compress(JPEGLSLossless)
        return next(generate_frames(dataset.PixelData, number_of_frames=1))
    flags = [cv2.IMWRITE_JPEG_PROGRESSIVE, int(kind == "progressive")]
    return bytes(cv2.imencode(".jpg", FRAME, flags)[1])


@pytest.mark.parametrize("kind", ["baseline", "progressive", "jls", "j2k", "jp2"])
def test_sizes(kind: str) -> None:
    assert read_codestream_size(encode(kind)) == (70, 90)


def test_fill_bytes_and_long_segments_are_skipped() -> None:
    data = encode("baseline")
    comment = b"\xff\xfe" + (60000).to_bytes(2, "big") + b"\xff\xc0" * 29999
    assert read_codestream_size(data[:2] + b"\xff\xff" + comment + data[2:]) == (70, 90)


@pytest.mark.parametrize("kind", ["baseline", "j2k"])
def test_cut_streams_claim_nothing(kind: str) -> None:
    data = encode(kind)
    for length in range(24):
        assert read_codestream_size(data[:length]) is None


@given(st.binary(max_size=300), st.sampled_from([b"", b"\xff\xd8", b"\xff\x4f\xff\x51"]))
def test_any_bytes_are_survived(data: bytes, start: bytes) -> None:
    size = read_codestream_size(start + data)
    assert size is None or (len(size) == 2 and all(np.isfinite(size)))
