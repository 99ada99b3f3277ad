"""The picture size that a JPEG, JPEG-LS or JPEG 2000 codestream claims, read before anything decodes it."""

from __future__ import annotations

import struct

_START_OF_J2K = b"\xff\x4f\xff\x51"
"""SOC and SIZ markers (ISO/IEC 15444-1 annex A.4.1, A.5.1)."""

_JP2_HEAD_BYTES = 4096
"""A JP2 file's boxes before its codestream are shorter than this."""

_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
"""SOF0-SOF15 without DHT, JPG and DAC (ITU-T T.81 table B.1), and SOF55 of JPEG-LS (ITU-T T.87)."""

_BARE_MARKERS = frozenset({0x01, 0xD8, 0xFF, *range(0xD0, 0xD8)})
"""Markers without a length: TEM, SOI, RST0-RST7, and fill bytes."""


def read_codestream_size(data: bytes) -> tuple[int, int] | None:
    """Return (rows, columns) that a codestream claims, or None when it is none or claims nothing.

    Args:
        data: one compressed picture.
    """
    at = data.find(_START_OF_J2K, 0, _JP2_HEAD_BYTES)
    if at >= 0 and not data.startswith(b"\xff\xd8"):
        return _read_j2k_size(data, at)
    return _read_jpeg_size(data) if data.startswith(b"\xff\xd8") else None


def _read_j2k_size(data: bytes, at: int) -> tuple[int, int] | None:
    """SIZ: length, capabilities, then the far corner and the near corner of the picture."""
    if len(data) < at + 24:
        return None
    x1, y1, x0, y0 = struct.unpack(">4L", data[at + 8 : at + 24])
    return y1 - y0, x1 - x0


def _read_jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker in _BARE_MARKERS:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAME_MARKERS:
            if at + 9 > len(data):
                return None
            rows, columns = struct.unpack(">HH", data[at + 5 : at + 9])
            return rows, columns
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
