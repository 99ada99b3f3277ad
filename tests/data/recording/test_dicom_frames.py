"""Every transfer syntax that can be written here, in every colour and depth it holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import gdcm
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from fascnet.data.recording.dicom import DicomRecording
from fascnet.data.recording.dicom_frames import PLUGINS
from fascnet.errors import RecordingError
from tests.data.recording.ht_codestreams import IRREVERSIBLE, REVERSIBLE, make_ht_picture
from tests.data.recording.test_dicom import make_dataset, make_frames, read_images, save

NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)

BY_GDCM = {
    JPEGLossless: gdcm.TransferSyntax.JPEGLosslessProcess14,
    JPEGLosslessSV1: gdcm.TransferSyntax.JPEGLosslessProcess14_1,
    JPEGExtended12Bit: gdcm.TransferSyntax.JPEGExtendedProcess2_4,
}

LOSSLESS = (*NATIVE, RLELossless, JPEGLSLossless, JPEG2000Lossless, JPEGLossless, JPEGLosslessSV1)


def make_colour(n_frames: int = 3, height: int = 64, width: int = 72) -> np.ndarray:
    """Smooth colours: lossy codecs halve their resolution."""
    rng = np.random.default_rng(7)
    frames = rng.integers(0, 256, (n_frames, height // 4, width // 4, 3), dtype=np.uint8)
    return np.stack([cv2.resize(f, (width, height), interpolation=cv2.INTER_CUBIC) for f in frames])


def to_luma(rgb: np.ndarray) -> np.ndarray:
    """ITU-R BT.601, by hand."""
    return np.rint(rgb.astype(float) @ [0.299, 0.587, 0.114])


def write(dataset: Dataset, path: Path, syntax: str) -> Path:
    """Encode an uncompressed data set by pydicom's encoders, or gdcm's for JPEG."""
    if syntax in BY_GDCM:
        save(dataset, path)
        reader = gdcm.ImageReader()
        reader.SetFileName(str(path))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(BY_GDCM[syntax]))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(path))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
    elif syntax in NATIVE:
        dataset.file_meta.TransferSyntaxUID = syntax
        if syntax == ExplicitVRBigEndian and dataset.BitsAllocated == 16:
            dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
        save(dataset, path)
    else:
        # pydicom would take gdcm for RLE, which aborts the process on odd sizes.
        dataset.compress(syntax, encoding_plugin="pylibjpeg" if syntax == RLELossless else "")
        save(dataset, path)
    assert pydicom.dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID == syntax
    return path


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_lossless_grey_is_exact(tmp_path: Path, syntax: str) -> None:
    frames = make_frames(4, 65, 71)  # odd sizes: frames need padding
    assert np.array_equal(read_images(write(make_dataset(frames), tmp_path / "a.dcm", syntax)), frames)


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_lossless_12_bits_are_scaled(tmp_path: Path, syntax: str) -> None:
    frames = np.random.default_rng(3).integers(0, 4096, (3, 64, 70), dtype=np.uint16)
    dataset = make_dataset(frames, BitsStored=12, HighBit=11)
    read = read_images(write(dataset, tmp_path / "a.dcm", syntax))
    assert np.array_equal(read, np.rint(frames * 255.0 / 4095.0))


@pytest.mark.parametrize("syntax", [s for s in LOSSLESS if s != JPEG2000Lossless])
def test_lossless_rgb_becomes_luma(tmp_path: Path, syntax: str) -> None:
    frames = make_colour()
    read = read_images(write(make_dataset(frames, "RGB"), tmp_path / "a.dcm", syntax))
    assert np.abs(read - to_luma(frames)).max() <= 1


@pytest.mark.parametrize(("syntax", "kind"), [(JPEG2000Lossless, "YBR_RCT"), (JPEG2000, "YBR_ICT")])
def test_jpeg_2000_colours(tmp_path: Path, syntax: str, kind: str) -> None:
    frames = make_colour()
    dataset = make_dataset(frames, kind)
    options = {} if syntax == JPEG2000Lossless else {"j2k_cr": [2]}
    dataset.compress(syntax, **options)
    read = read_images(save(dataset, tmp_path / "a.dcm"))
    assert np.abs(read - to_luma(frames)).max() <= (1 if syntax == JPEG2000Lossless else 8)


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("kind", ["RGB", "YBR_FULL"])
def test_planes_beside_or_within(tmp_path: Path, planar: int, kind: str) -> None:
    frames = make_colour()
    stored = frames
    if kind == "YBR_FULL":
        stored = np.stack([cv2.cvtColor(f, cv2.COLOR_RGB2YCrCb)[..., [0, 2, 1]] for f in frames])
    dataset = make_dataset(stored, kind, PlanarConfiguration=planar)
    if planar:
        dataset.PixelData = np.ascontiguousarray(stored.transpose(0, 3, 1, 2)).tobytes()
    read = read_images(save(dataset, tmp_path / "a.dcm"))
    assert np.abs(read - to_luma(frames)).max() <= 1
    if kind == "YBR_FULL":
        assert np.array_equal(read, stored[..., 0])  # luma as stored, not converted there and back


@pytest.mark.parametrize("honest", [True, False])
def test_uncompressed_colours_shared_by_two_pixels(tmp_path: Path, honest: bool) -> None:
    luma = make_frames(3, 10, 16)
    if honest:
        stored = np.full((3, 10, 8, 4), 128, np.uint8)  # Y Y Cb Cr
        stored[..., 0], stored[..., 1] = luma[..., ::2], luma[..., 1::2]
    else:
        stored = np.full((3, 10, 16, 3), 128, np.uint8)
        stored[..., 0] = luma
    dataset = make_dataset(np.zeros((3, 10, 16, 3), np.uint8), "YBR_FULL_422")
    dataset.PixelData = stored.tobytes()
    assert np.array_equal(read_images(save(dataset, tmp_path / "a.dcm")), luma)


def encode_jpeg(frame: np.ndarray, quality: int = 98) -> bytes:
    image = frame[..., ::-1] if frame.ndim == 3 else frame
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGExtended12Bit])
@pytest.mark.parametrize("kind", ["MONOCHROME2", "YBR_FULL_422", "YBR_FULL", "RGB"])
def test_jpeg(tmp_path: Path, syntax: str, kind: str) -> None:
    frames = make_colour(3, 40, 56)
    if kind == "MONOCHROME2":
        frames = to_luma(frames).astype(np.uint8)
    dataset = make_dataset(frames, kind)
    dataset.PixelData = encapsulate([encode_jpeg(frame) for frame in frames])
    dataset.file_meta.TransferSyntaxUID = syntax
    read = read_images(save(dataset, tmp_path / "a.dcm"))
    expected = frames if frames.ndim == 3 else to_luma(frames)
    assert np.abs(read.astype(float) - expected).mean() < 2


def test_near_lossless_jpeg_ls(tmp_path: Path) -> None:
    frames = make_frames(3, 24, 36)
    dataset = make_dataset(frames)
    dataset.compress(JPEGLSNearLossless, jls_error=2)
    difference = read_images(save(dataset, tmp_path / "a.dcm")).astype(int) - frames
    assert 0 < np.abs(difference).max() <= 2


def test_extended_jpeg_by_gdcm(tmp_path: Path) -> None:
    frames = to_luma(make_colour()).astype(np.uint8)
    read = read_images(write(make_dataset(frames), tmp_path / "a.dcm", JPEGExtended12Bit))
    assert np.abs(read.astype(int) - frames).max() <= 8


@pytest.mark.parametrize(
    ("syntax", "name"),
    [
        ("1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2"),
        ("1.2.840.10008.1.2.4.204", "JPIP"),
        ("1.3.6.1.4.1.9.1", "an unknown one"),
    ],
)
def test_what_nothing_decodes_is_named(tmp_path: Path, syntax: str, name: str) -> None:
    dataset = make_dataset(make_frames())
    dataset.PixelData = encapsulate([b"\xff\xd8\xff\xd9"] * 5)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(tmp_path / "a.dcm", implicit_vr=False, little_endian=True, enforce_file_format=True)
    with pytest.raises(RecordingError, match=rf"its compression \({name}.* cannot be decoded; export it"):
        DicomRecording(tmp_path / "a.dcm")


def test_12_bit_jpeg_is_refused_for_what_it_is(tmp_path: Path) -> None:
    frames = np.random.default_rng(3).integers(0, 4096, (3, 24, 32), dtype=np.uint16)
    dataset = make_dataset(frames, BitsStored=12, HighBit=11)
    with pytest.raises(RecordingError, match=r"JPEG Extended.* cannot be decoded"):
        DicomRecording(write(dataset, tmp_path / "a.dcm", JPEGExtended12Bit))


def test_every_plug_in_is_installed() -> None:
    for syntax, plugin in PLUGINS.items():
        assert plugin in pydicom.pixels.get_decoder(syntax).available_plugins, syntax


@pytest.mark.parametrize(
    ("syntax", "encoded", "tolerance"),
    [
        (HTJ2KLossless, REVERSIBLE, 0),
        (HTJ2KLosslessRPCL, REVERSIBLE, 0),
        (HTJ2K, REVERSIBLE, 0),
        (HTJ2K, IRREVERSIBLE, 6),
    ],
)
def test_high_throughput_jpeg_2000(tmp_path: Path, syntax: str, encoded: list[bytes], tolerance: int) -> None:
    pictures = np.stack([make_ht_picture(number) for number in range(len(encoded))])
    dataset = make_dataset(pictures)
    dataset.PixelData = encapsulate(encoded)
    dataset.file_meta.TransferSyntaxUID = syntax
    read = read_images(save(dataset, tmp_path / "a.dcm"))
    assert read.shape == pictures.shape
    assert np.abs(read.astype(int) - pictures).max() <= tolerance
    assert np.abs(read.astype(int) - pictures[::-1]).mean() > 10


def test_a_damaged_high_throughput_frame_is_told(tmp_path: Path) -> None:
    dataset = make_dataset(np.stack([make_ht_picture(0), make_ht_picture(1)]))
    dataset.PixelData = encapsulate([REVERSIBLE[0][:60], REVERSIBLE[1]])
    dataset.file_meta.TransferSyntaxUID = HTJ2KLossless
    images, message = read_until_it_breaks(save(dataset, tmp_path / "a.dcm"))
    assert len(images) == 0 and "frame 0 cannot be decoded" in message


def make_jpegs(n_frames: int) -> tuple[np.ndarray, list[bytes]]:
    frames = to_luma(make_colour(n_frames, 48, 64)).astype(np.uint8)
    return frames, [encode_jpeg(frame) for frame in frames]


def split(data: bytes, n: int) -> list[bytes]:
    size = len(data) // n // 2 * 2
    return [data[k * size : (k + 1) * size if k < n - 1 else None] for k in range(n)]


def wrap(fragments: list[bytes], table: bytes = b"") -> bytes:
    even = [table, *(fragment + b"\0" * (len(fragment) % 2) for fragment in fragments)]
    return b"".join(b"\xfe\xff\x00\xe0" + len(item).to_bytes(4, "little") + item for item in even)


@pytest.mark.parametrize(
    "pack",
    [
        encapsulate,
        lambda data: encapsulate(data, has_bot=False),
        lambda data: encapsulate(data, fragments_per_frame=3),
        lambda data: wrap([piece for frame in data for piece in split(frame, 3)]),
        lambda data: wrap(data, b"\x00\x00\x00\x00\x10\x00\x00\x00"),  # an offset table that fits nothing
        lambda data: wrap([data[0], *split(data[1], 4), *data[2:]]),
        lambda data: wrap([*data, b""]),
    ],
    ids=["table", "no table", "fragments and table", "fragments", "wrong table", "uneven", "empty item"],
)
def test_fragments_are_joined_to_frames(tmp_path: Path, pack: Callable[[list[bytes]], bytes]) -> None:
    frames, encoded = make_jpegs(4)
    dataset = make_dataset(frames)
    dataset.PixelData = pack(encoded)
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    read = read_images(save(dataset, tmp_path / "a.dcm"))
    assert read.shape == frames.shape
    assert np.abs(read.astype(float) - frames).mean() < 2


def test_an_offset_table_goes_before_what_looks_like_a_start(tmp_path: Path) -> None:
    """A thumbnail inside a JPEG begins as a frame does; here a fragment begins with it."""
    frames, encoded = make_jpegs(3)
    thumbnail = encode_jpeg(frames[0][:16, :16])
    thumbnail += b"\0" * (len(thumbnail) % 2)
    heads = [b"\xff\xd8\xff\xe1" + (len(thumbnail) + 4).to_bytes(2, "big") + b"\0\0"] * 3
    bodies = [thumbnail + jpeg[2:] + b"\0" * (len(jpeg) % 2) for jpeg in encoded]
    fragments = [piece for pair in zip(heads, bodies, strict=True) for piece in pair]
    starts = np.cumsum([0, *(16 + len(head) + len(body) for head, body in zip(heads, bodies, strict=True))])
    dataset = make_dataset(frames)
    dataset.PixelData = wrap(fragments, starts[:3].astype("<u4").tobytes())
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    read = read_images(save(dataset, tmp_path / "a.dcm"))
    assert np.abs(read.astype(float) - frames).mean() < 2


def test_extended_offset_table(tmp_path: Path) -> None:
    frames = make_frames(4)
    dataset = make_dataset(frames)
    dataset.compress(RLELossless, encoding_plugin="pylibjpeg", encapsulate_ext=True)
    assert "ExtendedOffsetTable" in dataset
    assert np.array_equal(read_images(save(dataset, tmp_path / "a.dcm")), frames)


def read_until_it_breaks(path: Path) -> tuple[np.ndarray, str]:
    images: list[np.ndarray] = []
    with pytest.raises(RecordingError) as caught:
        for frame in DicomRecording(path).frames():
            images.append(frame.image)
    return np.array(images), str(caught.value)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_a_cut_file_gives_its_sound_frames(tmp_path: Path, syntax: str) -> None:
    frames = make_frames(6, 64, 70)
    path = write(make_dataset(frames), tmp_path / "a.dcm", syntax)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    images, message = read_until_it_breaks(path)
    assert 2 <= len(images) <= 4 and np.array_equal(images, frames[: len(images)])
    assert "of 6 frames" in message


def write_damaged_jpegs(path: Path, n_frames: int, damaged: set[int]) -> Path:
    frames, encoded = make_jpegs(n_frames)
    for k in damaged:
        encoded[k] = encoded[k][:20] + b"\x55" * (len(encoded[k]) - 20)
    dataset = make_dataset(frames)
    dataset.PixelData = encapsulate(encoded)
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    return save(dataset, path)


def test_a_damaged_frame_is_held(tmp_path: Path) -> None:
    read = list(DicomRecording(write_damaged_jpegs(tmp_path / "a.dcm", 12, {5})).frames())
    assert [frame.index for frame in read] == list(range(12))
    assert [frame.index for frame in read if frame.held] == [5]
    assert np.array_equal(read[5].image, read[4].image)
    assert not np.array_equal(read[6].image, read[4].image)
    assert np.diff([frame.time_s for frame in read]) == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("damaged", "n_sound"), [({0}, 0), ({11}, 11), ({3, 4, 5, 6, 7, 8}, 3), ({2, 4, 6}, 6)]
)
def test_more_damage_ends_it(tmp_path: Path, damaged: set[int], n_sound: int) -> None:
    images, message = read_until_it_breaks(write_damaged_jpegs(tmp_path / "a.dcm", 12, damaged))
    first = {0: 0, 11: 11, 3: 3, 6: 6}[n_sound]
    assert len(images) == n_sound and f"frame {first} cannot be decoded" in message


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGLSLossless, JPEG2000Lossless, JPEGLosslessSV1])
def test_a_codestream_of_another_size_is_never_decoded(tmp_path: Path, syntax: str) -> None:
    dataset = make_dataset(make_frames(3, 64, 72))
    if syntax == JPEGBaseline8Bit:
        dataset.PixelData = encapsulate([encode_jpeg(f) for f in make_frames(3, 64, 72)])
        dataset.file_meta.TransferSyntaxUID = syntax
        path = save(dataset, tmp_path / "a.dcm")
    else:
        path = write(dataset, tmp_path / "a.dcm", syntax)
    changed = pydicom.dcmread(path)
    changed.Rows, changed.Columns = 72, 64  # as many pixels, other lines
    images, message = read_until_it_breaks(save(changed, tmp_path / "b.dcm"))
    assert len(images) == 0 and "frame 0 cannot be decoded" in message


def test_compressed_pixels_must_be_in_items(tmp_path: Path) -> None:
    path = write(make_dataset(make_frames()), tmp_path / "a.dcm", ExplicitVRLittleEndian)
    data = path.read_bytes().replace(b"1.2.840.10008.1.2.1\x00", b"1.2.840.10008.1.2.5\x00")
    path.write_bytes(data)
    _, message = read_until_it_breaks(path)
    assert "not split into items" in message


def test_floating_point_pixels_are_refused(tmp_path: Path) -> None:
    dataset = make_dataset(make_frames())
    del dataset.PixelData
    dataset.FloatPixelData = np.zeros((5, 24, 36), np.float32).tobytes()
    dataset.BitsAllocated = 32
    _, message = read_until_it_breaks(save(dataset, tmp_path / "a.dcm"))
    assert "whole-number" in message
