"""Finds the bytes of each frame in a DICOM file's pixel data, without reading them."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from fascnet.data.recording.dicom_header import DicomFile
from fascnet.data.recording.limits import REMEDY
from fascnet.errors import RecordingError

Span = tuple[int, int]
"""Half-open range of bytes in a file."""

_ITEM, _UNDEFINED = 0xFFFEE000, 0xFFFFFFFF
"""Tag of an item and the undefined length (DICOM PS3.5 sections 7.5 and A.4)."""

_PIXEL_DATA = (0x7FE0, 0x0010)

_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  ")
"""First bytes of a JPEG or JPEG-LS, of a JPEG 2000 codestream, and of a JP2 file."""


@dataclass(frozen=True, slots=True)
class PixelElement:
    """Where the pixel data lie.

    Attributes:
        start: first byte of the value.
        length: bytes of the value, None when it is split into items.
        vr: its value representation, `OB` or `OW`; by the transfer syntax `OW` where it is not written.
    """

    start: int
    length: int | None
    vr: str = "OW"


def read_pixel_element(file: DicomFile) -> PixelElement:
    """Read the head of the pixel data element.

    Raises:
        RecordingError: its pixels are floating-point numbers.
        struct.error: the file ends before it.
    """
    order = ">" if file.syntax == ExplicitVRBigEndian else "<"
    file.stream.seek(file.pixels_at)
    head = file.stream.read(12)
    group, element = struct.unpack(f"{order}HH", head[:4])
    if (group, element) != _PIXEL_DATA:
        raise RecordingError(f"{file.path}: holds no whole-number pixels; {REMEDY}")
    vr = "OW"
    if file.syntax == ImplicitVRLittleEndian:
        (length,) = struct.unpack(f"{order}L", head[4:8])
        start = file.pixels_at + 8
    else:
        (length,) = struct.unpack(f"{order}L", head[8:12])
        start = file.pixels_at + 12
        vr = head[4:6].decode("ascii")
    return PixelElement(start, None if length == _UNDEFINED else length, vr)


def find_native_frames(file: DicomFile, element: PixelElement, frame_bytes: int, n_frames: int) -> list[Span]:
    """Return where the whole frames of uncompressed pixels lie; fewer than `n_frames` in a cut file."""
    end = file.n_bytes
    if element.length is not None:
        end = min(end, element.start + element.length)
    n_whole = min(n_frames, max(0, end - element.start) // max(1, frame_bytes))
    return [(element.start + k * frame_bytes, element.start + (k + 1) * frame_bytes) for k in range(n_whole)]


def find_encoded_frames(file: DicomFile, element: PixelElement, n_frames: int) -> list[list[Span]]:
    """Return the fragments of each frame of compressed pixels.

    An offset table that fits the fragments decides; else one fragment is one frame; else a frame begins
    where a codestream begins.

    Returns:
        A list of fragments for every frame; fewer than `n_frames` in a cut file.
    """
    table, fragments = find_fragments(file, element)
    starts = {start - 8: k for k, (start, _) in enumerate(fragments)}
    if not fragments:
        return []
    offsets = _read_offsets(file, table, fragments[0][0] - 8)
    # A cut file lacks the last fragments, so that the last offsets point behind its end.
    present = [offset for offset in offsets if offset < fragments[-1][1]]
    fits = present and starts.get(present[0]) == 0 and all(offset in starts for offset in present)
    if fits and len(offsets) == n_frames and all(one < other for one, other in pairwise(present)):
        return _group(fragments, [starts[offset] for offset in present])
    begins = [k for k, (start, _) in enumerate(fragments) if _begins_codestream(file.stream, start)]
    if begins and begins[0] == 0:
        return _group(fragments, begins)[:n_frames]
    return [[fragment] for fragment in fragments[:n_frames]]


def find_fragments(
    file: DicomFile, element: PixelElement, *, keep_cut: bool = False
) -> tuple[Span, list[Span]]:
    """Return where the basic offset table and the fragments lie.

    Args:
        file: the file.
        element: its pixel data.
        keep_cut: give the last fragment of a cut file too, as far as it is there.

    Raises:
        RecordingError: the pixel data are not split into items, as compressed ones must be.
        struct.error: the file ends in the first item.
    """
    if element.length is not None:
        raise RecordingError(f"{file.path}: its compressed pixels are not split into items; {REMEDY}")
    spans: list[Span] = []
    at = element.start
    while at + 8 <= file.n_bytes:
        file.stream.seek(at)
        group, item, length = struct.unpack("<HHL", file.stream.read(8))
        # Anything else is the end of the items, or damage: what came before counts.
        is_cut = at + 8 + length > file.n_bytes
        if (group << 16 | item) != _ITEM or length == _UNDEFINED or (is_cut and not keep_cut):
            break
        spans.append((at + 8, min(at + 8 + length, file.n_bytes)))
        at += 8 + length
    if not spans:
        raise struct.error
    return spans[0], [(start, end) for start, end in spans[1:] if end > start]


def read_spans(stream: BinaryIO, spans: Sequence[Span]) -> bytes:
    """Read pieces of a file as one."""
    pieces = []
    for start, end in spans:
        stream.seek(start)
        pieces.append(stream.read(end - start))
    return b"".join(pieces)


class FragmentedStream(io.RawIOBase):
    """Fragments of a file as one seekable stream, read as they are asked for.

    Args:
        path: the file; opened anew, so that it can be read while others read it.
        spans: where the fragments lie.
    """

    def __init__(self, path: Path, spans: Sequence[Span]) -> None:
        super().__init__()
        self._file = path.open("rb")
        self._spans = list(spans)
        self._ends = list(accumulate(end - start for start, end in spans))
        self._at = 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be positioned."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position."""
        total = self._ends[-1] if self._ends else 0
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: total}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes, all to the end if negative."""
        total = self._ends[-1] if self._ends else 0
        wanted = max(0, total - self._at) if size < 0 else min(size, max(0, total - self._at))
        pieces: list[bytes] = []
        while wanted > 0:
            index = int(np.searchsorted(self._ends, self._at, side="right"))
            start, end = self._spans[index]
            inside = self._at - (self._ends[index] - (end - start))
            self._file.seek(start + inside)
            piece = self._file.read(min(wanted, end - start - inside))
            if not piece:
                break
            pieces.append(piece)
            self._at += len(piece)
            wanted -= len(piece)
        return b"".join(pieces)


def _read_offsets(file: DicomFile, table: Span, base: int) -> list[int]:
    """Return the offset table's positions in the file; the extended one where there is one."""
    extended = file.header.get("ExtendedOffsetTable")
    if isinstance(extended, bytes) and len(extended) % 8 == 0 and extended:
        return [base + offset for offset in struct.unpack(f"<{len(extended) // 8}Q", extended)]
    data = read_spans(file.stream, [table])
    usable = len(data) // 4
    return [base + offset for offset in struct.unpack(f"<{usable}L", data[: 4 * usable])]


def _begins_codestream(stream: BinaryIO, start: int) -> bool:
    stream.seek(start)
    return stream.read(12).startswith(_STARTS)


def _group(fragments: Sequence[Span], begins: Sequence[int]) -> list[list[Span]]:
    return [list(fragments[one:other]) for one, other in pairwise([*begins, len(fragments)])]
