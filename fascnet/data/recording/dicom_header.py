"""Opens a DICOM file and reads the header elements that describe the picture, and no others.

Names, numbers and dates of patients are never read into memory, so that they can reach no output.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from pydicom.dataset import FileMetaDataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from fascnet.data.recording.limits import REMEDY
from fascnet.errors import RecordingError

DAMAGE = (
    AttributeError,
    BytesLengthException,
    EOFError,
    IndexError,
    InvalidDicomError,
    KeyError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    ZeroDivisionError,
    struct.error,
    zlib.error,
)
"""What pydicom and its plug-ins raise on damaged files; their texts may quote the header: never shown."""

MAX_INFLATED_BYTES = 256 << 20
"""A deflated file has to be inflated whole; small files can claim to inflate to anything."""

TAGS = [
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "FrameTime",
    "FrameTimeVector",
    "CineRate",
    "RecommendedDisplayFrameRate",
    "ActualFrameDuration",
    "SequenceOfUltrasoundRegions",
    "PixelSpacing",
    "PixelAspectRatio",
    "ImagerPixelSpacing",
    "NominalScannedPixelSpacing",
    "RescaleSlope",
    "RescaleIntercept",
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
    "VOILUTSequence",
    "ModalityLUTSequence",
    *(
        f"{kind}{colour}PaletteColorLookupTableData"
        for kind in ("", "Segmented")
        for colour in ("Red", "Green", "Blue")
    ),
    *(f"{colour}PaletteColorLookupTableDescriptor" for colour in ("Red", "Green", "Blue")),
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
]

_MAGIC_AT, _MAGIC = 128, b"DICM"
"""DICOM PS3.10 section 7.1: 128 bytes of preamble, then these."""

_PIXEL_DATA = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})


@dataclass(frozen=True, slots=True, eq=False)
class DicomFile:
    """An open DICOM file.

    Attributes:
        path: the file.
        header: pydicom's Dataset with `TAGS` and `file_meta`.
        syntax: transfer syntax.
        stream: the file, or its inflated content.
        pixels_at: where the pixel data element begins in `stream`.
        n_bytes: length of `stream`.
    """

    path: Path
    header: Any
    syntax: UID
    stream: BinaryIO
    pixels_at: int
    n_bytes: int


def is_dicom(path: Path) -> bool:
    """Whether a file starts as DICOM: 'DICM' after 128 bytes."""
    try:
        with path.open("rb") as file:
            return file.read(_MAGIC_AT + len(_MAGIC))[_MAGIC_AT:] == _MAGIC
    except OSError:
        return False  # unreadable files are reported when they are opened


@contextmanager
def open_dicom(path: Path) -> Iterator[DicomFile]:
    """Open a file, read its header, and close it at the end.

    Raises:
        RecordingError: not DICOM, cut short, or without an image.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    with file:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # pydicom's warnings quote header values
                opened = _read(file, path)
                has_image = "Rows" in opened.header and "Columns" in opened.header
        except DAMAGE as error:
            raise RecordingError(f"{path}: is not a readable DICOM file or is cut short; {REMEDY}") from error
        if not has_image:
            raise RecordingError(f"{path}: holds no image; choose the ultrasound cine of the study")
        yield opened


def _read(file: BinaryIO, path: Path) -> DicomFile:
    file.seek(_MAGIC_AT)
    if file.read(len(_MAGIC)) != _MAGIC:
        raise InvalidDicomError
    # The meta group is always explicit little endian and says how the rest is written (PS3.10 section 7.1).
    wanted: list[BaseTag | int] = [Tag("TransferSyntaxUID")]
    meta = FileMetaDataset(read_dataset(file, False, True, stop_when=_is_no_meta, specific_tags=wanted))
    syntax = UID(meta.TransferSyntaxUID)
    stream = _inflate(file, path) if syntax == DeflatedExplicitVRLittleEndian else file
    # Private and unknown syntaxes are written explicit little endian (PS3.5 annex A), and refused later.
    implicit, little = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    header: Any = read_dataset(
        stream, implicit, little, stop_when=_is_pixel_data, specific_tags=[Tag(name) for name in TAGS]
    )
    header.file_meta = meta
    header.set_original_encoding(implicit, little)
    pixels_at = stream.tell()
    return DicomFile(path, header, syntax, stream, pixels_at, stream.seek(0, 2))


def _inflate(file: BinaryIO, path: Path) -> BytesIO:
    """Inflate what follows the meta group (PS3.5 section A.5)."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    data = inflater.decompress(file.read(), MAX_INFLATED_BYTES)
    if inflater.unconsumed_tail:
        raise RecordingError(
            f"{path}: inflates to more than {MAX_INFLATED_BYTES >> 20} MiB; export it uncompressed"
        )
    return BytesIO(data)


def _is_no_meta(tag: int, vr: str | None, length: int) -> bool:
    del vr, length
    return tag >> 16 != 2


def _is_pixel_data(tag: int, vr: str | None, length: int) -> bool:
    del vr, length
    return tag in _PIXEL_DATA
