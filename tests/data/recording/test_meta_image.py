from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
import pytest

from fascnet.data.recording.find_clips import find_clips
from fascnet.data.recording.meta_image import MetaImageRecording
from fascnet.data.recording.recordings import list_files, open_recording
from fascnet.errors import RecordingError

FRAMES = np.random.default_rng(0).integers(0, 256, (10, 20, 30), dtype=np.uint8)
STAMPS = 232.5 + np.cumsum([0, 0.05, 0.04, 0.05, 0.06, 0.05, 0.05, 0.05, 0.05, 0.05])
TYPES = {"u1": "UCHAR", "i1": "CHAR", "u2": "USHORT", "i2": "SHORT", "u4": "UINT", "i4": "INT"} | {
    "f4": "FLOAT",
    "f8": "DOUBLE",
}


def write_meta(
    path: Path,
    frames: np.ndarray = FRAMES,
    *,
    stamps: np.ndarray | None = STAMPS,
    packed: bytes | None = None,
    data_file: str = "LOCAL",
    **fields: str,
) -> Path:
    """Write a MetaImage by hand; `packed` are the samples as stored, `fields` replace or add lines."""
    channels = frames.shape[3] if frames.ndim == 4 else 1
    lines = {
        "ObjectType": "Image",
        "NDims": "3",
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "CompressedData": str(packed is not None),
        "DimSize": f"{frames.shape[2]} {frames.shape[1]} {frames.shape[0]}",
        "ElementNumberOfChannels": str(channels),
        "ElementSpacing": "1 1 1",
        "ElementType": f"MET_{TYPES[frames.dtype.str[1:]]}",
    }
    for index, stamp in enumerate([] if stamps is None else stamps):
        lines[f"Seq_Frame{index:04d}_Timestamp"] = f"{stamp:.6f}"
        lines[f"Seq_Frame{index:04d}_ImageStatus"] = "OK"
    lines |= fields
    data = frames.tobytes() if packed is None else packed
    text = (
        "".join(f"{key} = {value}\n" for key, value in lines.items() if value)
        + f"ElementDataFile = {data_file}\n"
    )
    if data_file == "LOCAL":
        path.write_bytes(text.encode() + data)
    else:
        path.write_text(text)
        (path.parent / data_file).write_bytes(data)
    return path


def read_images(path: Path, **given: float) -> np.ndarray:
    return np.stack([frame.image for frame in MetaImageRecording(path, **given).frames()])


@pytest.mark.parametrize("pack", [None, zlib.compress, gzip.compress])
def test_frames_and_their_times(tmp_path: Path, pack: object) -> None:
    packed = None if pack is None else pack(FRAMES.tobytes())  # type: ignore[operator]
    recording = open_recording(write_meta(tmp_path / "a.igs.mha", packed=packed), find_area=False)
    for _ in range(2):
        read = list(recording.frames())
        assert np.array_equal(np.stack([f.image for f in read]), FRAMES)
        assert [f.time_s for f in read] == pytest.approx(STAMPS - STAMPS[0])
    assert recording.times_s == pytest.approx(STAMPS - STAMPS[0])
    info = recording.info
    assert (info.n_frames, info.fps, info.mm_per_px) == (10, pytest.approx(9 / 0.45), None)
    assert any("not calibrated" in note for note in recording.notes)
    assert open_recording(tmp_path / "a.igs.mha", fps=100.0).times_s[-1] == pytest.approx(0.09)


def test_header_beside_its_samples(tmp_path: Path) -> None:
    write_meta(tmp_path / "a.mhd", data_file="a.raw", ElementSpacing="0.08 0.08 1")
    write_meta(tmp_path / "b.mhd", data_file="b.zraw", packed=zlib.compress(FRAMES.tobytes()))
    for name in ("a", "b"):
        assert np.array_equal(read_images(tmp_path / f"{name}.mhd"), FRAMES)
    info = open_recording(tmp_path / "a.mhd").info
    assert (info.mm_per_px, info.mm_per_px_from) == (pytest.approx(0.08), "file")
    assert list_files(tmp_path / "a.mhd") == (tmp_path / "a.mhd", tmp_path / "a.raw")
    assert [clip.clip_id for clip in find_clips(tmp_path)] == ["a", "b"]


@pytest.mark.parametrize(("size", "skipped"), [("7", b"1234567"), ("-1", b"anything at all")])
def test_samples_behind_a_head_of_their_own(tmp_path: Path, size: str, skipped: bytes) -> None:
    write_meta(tmp_path / "a.mhd", data_file="a.raw", HeaderSize=size)
    (tmp_path / "a.raw").write_bytes(skipped + FRAMES.tobytes())
    assert np.array_equal(read_images(tmp_path / "a.mhd"), FRAMES)


@pytest.mark.parametrize("kind", [">u2", "<i2", "<u4", "<i4", "<f4", ">f8"])
def test_other_samples_are_spread_over_the_whole_file(tmp_path: Path, kind: str) -> None:
    frames = np.linspace(-3000 if "u" not in kind else 0, 5000, 10 * 6 * 8).reshape(10, 6, 8).astype(kind)
    path = write_meta(tmp_path / "a.mha", frames, BinaryDataByteOrderMSB=str(kind[0] == ">"))
    low, high = float(frames.min()), float(frames.max())
    assert np.array_equal(read_images(path), np.rint((frames.astype(float) - low) * (255 / (high - low))))
    assert any("spread over 0-255" in note for note in MetaImageRecording(path).notes)


def test_8_bit_levels_in_wider_samples_stay(tmp_path: Path) -> None:
    assert np.array_equal(read_images(write_meta(tmp_path / "a.mha", FRAMES.astype("<i2") // 2)), FRAMES // 2)


def test_colours_and_missing_values(tmp_path: Path) -> None:
    rgb = np.zeros((10, 8, 8, 3), np.uint8)
    rgb[:] = (200, 80, 30)
    assert read_images(write_meta(tmp_path / "a.mha", rgb)) == pytest.approx(110, abs=1)
    floats = FRAMES.astype("<f4")
    floats[0, 0] = np.nan
    image = read_images(write_meta(tmp_path / "b.mha", floats))
    assert (image[0, 0] == 0).all() and image[1].max() > 200


def test_invalid_frames_are_left_out(tmp_path: Path) -> None:
    path = write_meta(tmp_path / "a.mha", Seq_Frame0003_ImageStatus="INVALID")
    recording = MetaImageRecording(path)
    kept = [k for k in range(10) if k != 3]
    assert np.array_equal(read_images(path), FRAMES[kept])
    assert recording.times_s == pytest.approx((STAMPS - STAMPS[0])[kept])
    assert any("1 of its 10 frames" in note for note in recording.notes)


def test_a_rate_is_asked_for(tmp_path: Path) -> None:
    path = write_meta(tmp_path / "a.mha", stamps=STAMPS[:9])
    with pytest.raises(RecordingError, match="fps column"):
        MetaImageRecording(path)
    assert MetaImageRecording(path, fps=20.0).times_s == pytest.approx(np.arange(10) / 20)


@pytest.mark.parametrize("packed", [False, True])
def test_a_cut_file_gives_its_sound_frames(tmp_path: Path, packed: bool) -> None:
    path = write_meta(tmp_path / "a.mha", packed=zlib.compress(FRAMES.tobytes()) if packed else None)
    data = path.read_bytes()
    path.write_bytes(data[: -FRAMES.nbytes // 2])
    read: list[np.ndarray] = []
    with pytest.raises(RecordingError, match="of 10 frames; the file is cut short"):
        for frame in MetaImageRecording(path).frames():
            read.append(frame.image)
    assert 4 <= len(read) <= 5 and np.array_equal(read, FRAMES[: len(read)])


def test_damaged_samples_are_named(tmp_path: Path) -> None:
    packed = bytearray(zlib.compress(FRAMES.tobytes()))
    packed[0] ^= 0xFF
    with pytest.raises(RecordingError, match="is damaged after 0 frames"):
        read_images(write_meta(tmp_path / "a.mha", packed=bytes(packed)))
