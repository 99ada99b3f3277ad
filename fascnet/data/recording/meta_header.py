"""Reads the text header of a MetaImage (`.mha`, `.mhd`), sequences of Plus and 3D Slicer included."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from fascnet.data.recording.limits import MAX_FRAMES, REMEDY, check_count, check_size
from fascnet.errors import RecordingError

_MAX_HEADER_BYTES = 64 << 20
"""A sequence writes about 0.7 kB of poses a frame: an hour at 25 frames/s."""

_MAX_LINE_BYTES = 1 << 16

_TYPES = {
    "MET_UCHAR": "u1",
    "MET_CHAR": "i1",
    "MET_USHORT": "u2",
    "MET_SHORT": "i2",
    "MET_UINT": "u4",
    "MET_INT": "i4",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}

_FRAME_KEY = re.compile(r"Seq_Frame(\d{1,9})_(Timestamp|ImageStatus)")


@dataclass(frozen=True, slots=True, eq=False)
class MetaHeader:
    """What a MetaImage says about itself.

    Attributes:
        height: rows.
        width: columns.
        n_frames: stored frames.
        channels: samples a pixel, 1 or 3.
        dtype: type of a sample, with its byte order.
        data_path: where the samples are.
        data_at: first byte of the samples there; negative: they end with the file.
        compressed: whether they are deflated by zlib.
        spacing_mm: (across, down), None where it is not calibrated.
        times_s: (T,) times of the frames on some clock, None where any is missing.
        unusable: indices of frames that the header calls invalid.
        orientation: two letters of Plus such as `MF`, or empty.
    """

    height: int
    width: int
    n_frames: int
    channels: int
    dtype: np.dtype[np.generic]
    data_path: Path
    data_at: int
    compressed: bool
    spacing_mm: tuple[float, float] | None
    times_s: NDArray[np.float64] | None
    unusable: frozenset[int]
    orientation: str

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame."""
        return self.height * self.width * self.channels * self.dtype.itemsize


def read_meta_header(path: Path) -> MetaHeader:
    """Read and check a header; nothing is allocated for what it claims.

    Raises:
        RecordingError: not a MetaImage, a volume or a single image, an unknown sample type, or data elsewhere
            than beside it.
    """
    try:
        with path.open("rb") as file:
            fields = _read_fields(file, path)
            data_at = file.tell()
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    try:
        return _interpret(fields, path, data_at)
    except (KeyError, ValueError, OverflowError) as error:
        raise RecordingError(f"{path}: its MetaImage header is damaged or incomplete; {REMEDY}") from error


def _read_fields(file: BinaryIO, path: Path) -> dict[str, str]:
    """Return `key = value` lines up to ElementDataFile, which ends the header."""
    fields: dict[str, str] = {}
    while file.tell() < _MAX_HEADER_BYTES:
        line = file.readline(_MAX_LINE_BYTES)
        key, equals, value = line.decode("latin-1").partition("=")
        if not line or not equals or not line.endswith(b"\n"):
            break
        fields[key.strip()] = value.strip()
        if key.strip() == "ElementDataFile":
            return fields
    raise RecordingError(f"{path}: is not a readable MetaImage or is cut short; {REMEDY}")


def _interpret(fields: dict[str, str], path: Path, data_at: int) -> MetaHeader:
    size = [int(part) for part in fields["DimSize"].split()]
    while len(size) > 2 and size[-1] == 1:
        size.pop()
    if len(size) == 2 or (len(size) == 3 and size[2] < 2):
        raise RecordingError(f"{path}: is a single image, not a clip; choose the sequence")
    if len(size) != 3:
        raise RecordingError(f"{path}: has {len(size)} axes; save a sequence of flat images")
    width, height, n_frames = size
    check_size(f"{path}", height, width)
    check_count(f"{path}", n_frames, MAX_FRAMES)
    channels = int(fields.get("ElementNumberOfChannels", "1"))
    kind = _TYPES.get(fields["ElementType"])
    if kind is None or channels not in {1, 3} or fields.get("BinaryData", "True").lower() != "true":
        raise RecordingError(
            f"{path}: its samples are of a kind that is not read; save grey levels as binary MET_UCHAR"
        )
    swapped = fields.get("BinaryDataByteOrderMSB", fields.get("ElementByteOrderMSB", "False"))
    dtype = np.dtype((">" if swapped.lower() == "true" else "<") + kind)
    data_path, at = _find_data(fields, path, data_at)
    return MetaHeader(
        height=height,
        width=width,
        n_frames=n_frames,
        channels=channels,
        dtype=dtype,
        data_path=data_path,
        data_at=at,
        compressed=fields.get("CompressedData", "False").lower() == "true",
        spacing_mm=_read_spacing(fields),
        times_s=_read_times(fields, n_frames),
        unusable=frozenset(_find_unusable(fields, n_frames)),
        orientation=fields.get("UltrasoundImageOrientation", ""),
    )


def _find_data(fields: dict[str, str], path: Path, data_at: int) -> tuple[Path, int]:
    name = fields["ElementDataFile"]
    if name.upper() == "LOCAL":
        return path, data_at
    # A header must not lead to files elsewhere.
    is_plain = Path(name).name == name and "\\" not in name and "\0" not in name
    if name.upper().startswith("LIST") or "%" in name or not is_plain:
        raise RecordingError(
            f"{path}: its samples lie in several files or in another folder; save them as one file beside it"
        )
    data_path = path.parent / name
    if not data_path.is_file():
        raise RecordingError(f"{path}: its samples should be in {data_path.name} beside it; copy that too")
    return data_path, int(fields.get("HeaderSize", "0"))


def _read_spacing(fields: dict[str, str]) -> tuple[float, float] | None:
    text = fields.get("ElementSpacing", fields.get("ElementSize", ""))
    numbers = [float(part) for part in text.split()[:2]]
    # Exactly 1 is what ITK and Plus write when nobody calibrated the scanner.
    if len(numbers) < 2 or numbers == [1.0, 1.0] or not all(math.isfinite(number) for number in numbers):
        return None
    return abs(numbers[0]), abs(numbers[1])


def _read_frame_fields(fields: dict[str, str], wanted: str, n_frames: int) -> dict[int, str]:
    found: dict[int, str] = {}
    for key, value in fields.items():
        match = _FRAME_KEY.fullmatch(key)
        if match is not None and match[2] == wanted and int(match[1]) < n_frames:
            found[int(match[1])] = value
    return found


def _read_times(fields: dict[str, str], n_frames: int) -> NDArray[np.float64] | None:
    stamps = _read_frame_fields(fields, "Timestamp", n_frames)
    # Counted before anything of that length is made.
    if len(stamps) != n_frames:
        return None
    return np.asarray([float(stamps[index]) for index in range(n_frames)], np.float64)


def _find_unusable(fields: dict[str, str], n_frames: int) -> list[int]:
    status = _read_frame_fields(fields, "ImageStatus", n_frames)
    return [index for index, word in status.items() if word.upper() not in {"OK", ""}]
