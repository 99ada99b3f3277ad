from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pydicom
import pytest
from openjpeg.utils import encode_array
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HEVCM10P51,
    HEVCMP51,
    MPEG2MPHL,
    MPEG2MPML,
    MPEG4HP41,
    MPEG4HP41BD,
    MPEG4HP422D,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
    UltrasoundMultiFrameImageStorage,
    generate_uid,
)

from fascnet.data.recording.dicom import DicomRecording
from fascnet.errors import RecordingError

PATIENT = "Doe^Jane"


def make_frames(n_frames: int = 5, height: int = 24, width: int = 36) -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (n_frames, height, width), dtype=np.uint8)


def make_dataset(frames: np.ndarray, kind: str = "MONOCHROME2", **elements: Any) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = UltrasoundMultiFrameImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.SOPClassUID = UltrasoundMultiFrameImageStorage
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID
    dataset.PatientName = PATIENT
    dataset.Modality = "US"
    dataset.NumberOfFrames = len(frames)
    dataset.Rows, dataset.Columns = frames.shape[1:3]
    dataset.SamplesPerPixel = 3 if frames.ndim == 4 else 1
    if frames.ndim == 4:
        dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = kind
    bits = frames.dtype.itemsize * 8
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.PixelRepresentation = 0
    dataset.PixelData = frames.tobytes()
    dataset["PixelData"].VR = "OB" if bits == 8 else "OW"
    dataset.FrameTime = "40"
    for name, value in elements.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    return dataset


def save(dataset: Dataset, path: Path) -> Path:
    dataset.save_as(path, enforce_file_format=True)
    return path


def make_region(**elements: Any) -> Dataset:
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 4, 2
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = 31, 21
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX, region.PhysicalDeltaY = 0.008, 0.008
    for name, value in elements.items():
        setattr(region, name, value)
    return region


def read_images(path: Path) -> np.ndarray:
    return np.stack([frame.image for frame in DicomRecording(path).frames()])


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless, JPEGLSLossless, JPEG2000Lossless]
)
def test_lossless_syntaxes_are_exact(tmp_path: Path, syntax: str) -> None:
    frames = make_frames(5, 64, 96)
    dataset = make_dataset(frames)
    if syntax == JPEG2000Lossless:
        dataset.PixelData = encapsulate([encode_array(frame) for frame in frames])
        dataset.file_meta.TransferSyntaxUID = syntax
    elif syntax in {RLELossless, JPEGLSLossless}:
        dataset.compress(syntax)
    else:
        dataset.file_meta.TransferSyntaxUID = syntax
    recording = DicomRecording(save(dataset, tmp_path / "a.dcm"))
    read = list(recording.frames())
    assert np.array_equal(np.stack([f.image for f in read]), frames)
    assert [f.time_s for f in read] == pytest.approx(np.arange(5) * 0.04)
    assert (recording.info.n_frames, recording.info.fps) == (5, pytest.approx(25))


def test_photometric_interpretations(tmp_path: Path) -> None:
    frames = make_frames()
    inverted = save(make_dataset(frames, "MONOCHROME1"), tmp_path / "m1.dcm")
    assert np.array_equal(read_images(inverted), 255 - frames)
    rgb = np.random.default_rng(0).integers(0, 256, (3, 24, 36, 3), dtype=np.uint8)
    grey = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in rgb])
    assert np.array_equal(read_images(save(make_dataset(rgb, "RGB"), tmp_path / "rgb.dcm")), grey)
    ybr = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2YCrCb)[..., [0, 2, 1]] for frame in rgb])
    from_ybr = read_images(save(make_dataset(ybr, "YBR_FULL"), tmp_path / "ybr.dcm"))
    assert np.abs(from_ybr.astype(int) - grey).max() <= 2


def test_palette_colour(tmp_path: Path) -> None:
    frames = make_frames()
    dataset = make_dataset(frames, "PALETTE COLOR")
    table = (255 - np.arange(256)).astype(np.uint16) << 8
    for colour in ("Red", "Green", "Blue"):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(dataset, f"{colour}PaletteColorLookupTableData", table.tobytes())
    assert np.array_equal(read_images(save(dataset, tmp_path / "a.dcm")), 255 - frames)


def test_deep_samples_are_scaled_by_bits_stored(tmp_path: Path) -> None:
    frames = np.zeros((2, 8, 8), np.uint16)
    frames[:, 4:] = 4095
    image = read_images(save(make_dataset(frames, BitsStored=12, HighBit=11), tmp_path / "a.dcm"))
    assert (image[:, :4] == 0).all() and (image[:, 4:] == 255).all()


def test_jpeg_colour_is_converted_once(tmp_path: Path) -> None:
    rgb = np.zeros((2, 32, 32, 3), np.uint8)
    rgb[:] = (200, 80, 30)
    dataset = make_dataset(rgb, "YBR_FULL_422")
    encoded = [
        cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98])[1].tobytes() for frame in rgb
    ]
    dataset.PixelData = encapsulate(encoded)
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    expected = 0.299 * 200 + 0.587 * 80 + 0.114 * 30
    assert read_images(save(dataset, tmp_path / "a.dcm")) == pytest.approx(expected, abs=2)


def encode_video(codec: str, form: str, n_frames: int = 10, pix_fmt: str = "yuv420p") -> bytes:
    """A stream whose frame k has the luma 16 + 20 k everywhere; its own rate is 30.

    x265 writes past its own memory when a picture is smaller than its coding blocks of 64.
    """
    memory = BytesIO()
    with av.open(memory, "w", format=form) as container:
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = 128, 96, pix_fmt
        for i in range(n_frames):
            planes = np.full((144, 128), 128, np.uint8)
            planes[:96] = 16 + 20 * (i % 10)
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p").reformat(format=pix_fmt)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return memory.getvalue()


def save_video(path: Path, syntax: str, fragments: list[bytes], n_frames: int = 10, **elements: Any) -> Path:
    dataset = make_dataset(np.zeros((n_frames, 96, 128, 3), np.uint8), "YBR_PARTIAL_420", **elements)
    dataset.PixelData = encapsulate(fragments, has_bot=False)
    dataset.file_meta.TransferSyntaxUID = syntax
    return save(dataset, path)


@pytest.mark.parametrize(
    ("syntax", "codec", "form", "pix_fmt"),
    [
        (MPEG2MPML, "mpeg2video", "mpegvideo", "yuv420p"),
        (MPEG2MPHL, "mpeg2video", "mpeg", "yuv420p"),
        (MPEG4HP41, "libx264", "h264", "yuv420p"),
        (MPEG4HP41BD, "libx264", "mpegts", "yuv420p"),
        (MPEG4HP422D, "libx264", "mp4", "yuv420p"),
        (HEVCMP51, "libx265", "hevc", "yuv420p"),
        (HEVCM10P51, "libx265", "hevc", "yuv420p10le"),
    ],
)
@pytest.mark.parametrize("n_fragments", [1, 3])
def test_video_is_decoded_with_the_header_s_times(
    tmp_path: Path, syntax: str, codec: str, form: str, pix_fmt: str, n_fragments: int
) -> None:
    stream = encode_video(codec, "mpeg2video" if form == "mpegvideo" else form, pix_fmt=pix_fmt)
    size = len(stream) // n_fragments // 2 * 2
    pieces = [stream[k * size : (k + 1) * size if k < n_fragments - 1 else None] for k in range(n_fragments)]
    name = syntax if n_fragments == 1 or syntax in {HEVCMP51, HEVCM10P51} else f"{syntax}.1"
    path = save_video(tmp_path / "a.dcm", name, pieces)
    recording = DicomRecording(path)
    read = list(recording.frames())
    assert [f.time_s for f in read] == pytest.approx(np.arange(10) * 0.04)
    assert recording.info.n_frames == 10 and recording.info.fps == pytest.approx(25)
    means = np.array([f.image.mean() for f in read])
    assert means == pytest.approx(np.arange(10) * 20 * 255 / 219, abs=1.5)


def test_a_cut_video_gives_its_sound_frames(tmp_path: Path) -> None:
    path = save_video(tmp_path / "a.dcm", MPEG4HP41, [encode_video("libx264", "h264", 200)], 200)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 8 // 10])
    n_frames = 0
    with pytest.raises(RecordingError, match=r"of 200 frames|is damaged"):
        for _ in DicomRecording(path).frames():
            n_frames += 1
    assert 20 < n_frames < 200


def test_frames_that_the_header_forgets_follow_on(tmp_path: Path) -> None:
    path = save_video(tmp_path / "a.dcm", MPEG4HP41, [encode_video("libx264", "h264")], 8)
    assert [f.time_s for f in DicomRecording(path).frames()] == pytest.approx(np.arange(10) * 0.04)


def test_a_damaged_video_is_named(tmp_path: Path) -> None:
    path = save_video(tmp_path / "a.dcm", MPEG4HP41, [PATIENT.encode() * 50])
    with pytest.raises(RecordingError, match=r"a\.dcm") as caught:
        list(DicomRecording(path).frames())
    assert "Doe" not in str(caught.value)


@pytest.mark.parametrize(
    ("elements", "times_ms"),
    [
        ({"FrameTime": "20"}, [0, 20, 40, 60, 80]),
        ({"FrameTime": None, "FrameTimeVector": [0, 30, 50, 30, 40]}, [0, 30, 80, 110, 150]),
        ({"FrameTime": "20", "FrameTimeVector": [0, 30]}, [0, 20, 40, 60, 80]),
        ({"FrameTime": "20", "FrameTimeVector": [0, 30, 0, 30, 30]}, [0, 20, 40, 60, 80]),
        ({"FrameTime": "0", "CineRate": "50"}, [0, 20, 40, 60, 80]),
        ({"FrameTime": None, "RecommendedDisplayFrameRate": "10"}, [0, 100, 200, 300, 400]),
    ],
)
def test_times(tmp_path: Path, elements: dict[str, Any], times_ms: list[float]) -> None:
    path = save(make_dataset(make_frames(), **elements), tmp_path / "a.dcm")
    own = [f.time_s * 1000 for f in DicomRecording(path).frames()]
    assert own == pytest.approx(times_ms)
    given = DicomRecording(path, fps=100.0)
    assert given.info.fps == pytest.approx(100)
    assert [f.time_s for f in given.frames()] == pytest.approx(np.array(times_ms) / times_ms[-1] * 0.04)


def test_a_rate_is_never_guessed(tmp_path: Path) -> None:
    path = save(make_dataset(make_frames(), FrameTime=None), tmp_path / "a.dcm")
    with pytest.raises(RecordingError, match="fps column"):
        DicomRecording(path)
    assert DicomRecording(path, fps=20.0).info.fps == pytest.approx(20)


@pytest.mark.parametrize(
    ("regions", "elements", "spacing", "box"),
    [
        ([make_region()], {}, 0.08, (4, 2, 32, 22)),
        ([make_region(PhysicalDeltaX=-0.008)], {}, 0.08, (4, 2, 32, 22)),
        ([make_region(RegionLocationMaxX1=36, RegionLocationMaxY1=24)], {}, 0.08, (4, 2, 36, 24)),
        ([make_region(RegionLocationMaxX1=60)], {}, None, (0, 0, 36, 24)),
        ([make_region(RegionLocationMaxX1=60)], {"PixelSpacing": [0.1, 0.1]}, 0.1, (0, 0, 36, 24)),
        ([make_region(RegionDataType=10)], {}, None, (0, 0, 36, 24)),
        ([make_region(PhysicalUnitsXDirection=4)], {}, None, (4, 2, 32, 22)),
        ([make_region(PhysicalDeltaX=0.5, PhysicalDeltaY=0.5)], {}, None, (4, 2, 32, 22)),
        ([make_region(PhysicalDeltaX=0.016)], {}, 0.08, (4, 2, 32, 22)),
        ([make_region(PhysicalDeltaX=0.09)], {}, None, (4, 2, 32, 22)),
        ([make_region(RegionLocationMaxX1=9), make_region()], {}, 0.08, (4, 2, 32, 22)),
        ([], {}, None, (0, 0, 36, 24)),
    ],
)
def test_spacing_and_region(
    tmp_path: Path,
    regions: list[Dataset],
    elements: dict[str, Any],
    spacing: float | None,
    box: tuple[int, ...],
) -> None:
    dataset = make_dataset(make_frames(), **elements)
    if regions:
        dataset.SequenceOfUltrasoundRegions = regions
    path = save(dataset, tmp_path / "a.dcm")
    info = DicomRecording(path).info
    assert info.mm_per_px == (None if spacing is None else pytest.approx(spacing))
    assert info.box == box
    assert info.mm_per_px_from == ("" if spacing is None else "dicom")
    given = DicomRecording(path, mm_per_px=0.2).info
    assert (given.mm_per_px, given.mm_per_px_from) == (0.2, "manifest")


def test_unreadable_files_are_named_without_patient_data(tmp_path: Path) -> None:
    save(make_dataset(make_frames(1)), tmp_path / "single.dcm")
    whole = save(make_dataset(make_frames()), tmp_path / "whole.dcm").read_bytes()
    (tmp_path / "header.dcm").write_bytes(whole[:200])
    (tmp_path / "text.dcm").write_text(f"{PATIENT} is not a DICOM file")
    (tmp_path / "empty.dcm").write_bytes(b"")
    (tmp_path / "short.dcm").write_bytes(whole[:-1500])
    damaged = make_dataset(make_frames())
    damaged.file_meta.TransferSyntaxUID = JPEG2000Lossless
    damaged.PixelData = encapsulate([PATIENT.encode()] * 5)
    save(damaged, tmp_path / "damaged.dcm")
    no_image = make_dataset(make_frames())
    del no_image.Rows
    save(no_image, tmp_path / "no_image.dcm")
    wrong_time = pydicom.dcmread(BytesIO(whole))
    wrong_time["FrameTime"] = pydicom.DataElement("FrameTime", "LO", PATIENT)
    save(wrong_time, tmp_path / "wrong_time.dcm")
    for name in ("single", "header", "text", "empty", "short", "damaged", "no_image", "wrong_time"):
        with pytest.raises(RecordingError, match=f"{name}.dcm") as caught:
            list(DicomRecording(tmp_path / f"{name}.dcm").frames())
        message = str(caught.value)
        assert "Doe" not in message and "\n" not in message and ";" in message


@pytest.mark.parametrize(
    ("regions", "elements", "note"),
    [
        ([make_region(RegionLocationMaxX1=60)], {}, "region 1 .* lies outside the image of 36x24"),
        (
            [make_region(PhysicalDeltaX=0.09)],
            {},
            "0.9 mm/px across and 0.08 down, which cannot both be true",
        ),
        (
            [make_region(PhysicalDeltaX=0.016)],
            {},
            "2.000 times as wide as high: frames stay so, mm_per_px counts",
        ),
        ([], {"PixelAspectRatio": [3, 4]}, "1.333 times as wide as high"),
        ([make_region(PhysicalDeltaX=0.5, PhysicalDeltaY=0.5)], {}, "which no muscle image has"),
        ([make_region(PhysicalDeltaY=0.0)], {}, "which no muscle image has"),
        ([make_region(PhysicalUnitsXDirection=4)], {}, "no spacing in cm"),
        ([make_region(RegionLocationMaxX1=9), make_region()], {}, "holds 2 tissue regions"),
        ([], {"ImagerPixelSpacing": [0.1, 0.1]}, "scale comes from ImagerPixelSpacing"),
        ([], {"FrameTime": "40", "CineRate": "60"}, "FrameTime says 25.00 frames/s, but CineRate 60.00"),
        ([], {}, ""),
    ],
)
def test_what_is_doubtful_is_told(
    tmp_path: Path, regions: list[Dataset], elements: dict[str, Any], note: str
) -> None:
    dataset = make_dataset(make_frames(), **elements)
    if regions:
        dataset.SequenceOfUltrasoundRegions = regions
    notes = DicomRecording(save(dataset, tmp_path / "a.dcm")).notes
    assert len(notes) == bool(note)
    assert not note or re.search(note, notes[0])


def test_a_region_without_a_box_is_left_out(tmp_path: Path) -> None:
    dataset = make_dataset(make_frames())
    broken = make_region()
    del broken.RegionLocationMaxX1
    dataset.SequenceOfUltrasoundRegions = [broken, make_region()]
    recording = DicomRecording(save(dataset, tmp_path / "a.dcm"))
    assert recording.info.box == (4, 2, 32, 22) and "has no box" in recording.notes[0]


@pytest.mark.parametrize(
    ("elements", "says"),
    [
        ({"NumberOfFrames": 2**31 - 1}, "too small"),
        ({"Rows": 65535, "Columns": 65535}, "claims frames of 65535x65535"),
        ({"Rows": 0}, "no pixels"),
        ({"FrameTime": "100000"}, "jumps by 100 s|no rate of an ultrasound clip"),
        ({"FrameTime": "5000"}, "0.2 frames/s is no rate"),
        ({"FrameTime": "0.000001"}, "no rate of an ultrasound clip"),
        ({"NumberOfFrames": 1}, "single image"),
        ({"NumberOfFrames": None}, "single image"),
    ],
)
def test_claims_are_checked_before_anything_is_allocated(
    tmp_path: Path, elements: dict[str, Any], says: str
) -> None:
    path = save(make_dataset(make_frames(), **elements), tmp_path / "a.dcm")
    with pytest.raises(RecordingError, match=rf"a\.dcm: .*({says}).*; "):
        DicomRecording(path)


def test_other_names_of_the_spacing(tmp_path: Path) -> None:
    path = save(make_dataset(make_frames(), PixelSpacing=[0.1, 0.104]), tmp_path / "a.dcm")
    info = DicomRecording(path).info
    assert (info.mm_per_px, info.pixel_aspect) == pytest.approx((0.1, 1.04))  # down, across / down
    path = save(make_dataset(make_frames(), NominalScannedPixelSpacing=[0.2, 0.2]), tmp_path / "b.dcm")
    assert DicomRecording(path).info.mm_per_px == pytest.approx(0.2)


def test_pixels_that_are_not_square_keep_their_shape(tmp_path: Path) -> None:
    dataset = make_dataset(make_frames())
    dataset.SequenceOfUltrasoundRegions = [make_region(PhysicalDeltaX=0.016)]
    path = save(dataset, tmp_path / "a.dcm")
    info = DicomRecording(path).info
    assert (info.mm_per_px, info.pixel_aspect) == pytest.approx((0.08, 2.0))
    assert DicomRecording(path, mm_per_px=0.1).info.pixel_aspect == pytest.approx(2.0)
    path = save(make_dataset(make_frames(), PixelAspectRatio=[3, 4]), tmp_path / "b.dcm")
    info = DicomRecording(path).info
    assert (info.mm_per_px, info.pixel_aspect) == (None, pytest.approx(4 / 3))
    path = save(make_dataset(make_frames(), PixelAspectRatio=[0, 4]), tmp_path / "c.dcm")
    assert DicomRecording(path).info.pixel_aspect == 1.0
