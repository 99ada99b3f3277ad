"""Tells whether a file was cut where FFmpeg does not: it takes what is there for the whole."""

from __future__ import annotations

from pathlib import Path

_GIF, _GIF_TRAILER, _GIF_TAIL_BYTES = b"GIF8", b";", 4096
"""First bytes, and the one byte that ends a GIF (GIF89a sections 17 and 27)."""

_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_HEAD_BYTES = 1 << 16
"""GUIDs of the header and of the file properties; behind the latter's 40 bytes stands the file's size
(Advanced Systems Format specification, sections 3.1 and 3.2)."""


def lacks_end(path: Path) -> bool:
    """Whether a GIF lacks its trailer, or a WMV is smaller than it says. Other kinds: False."""
    with path.open("rb") as file:
        head = file.read(_ASF_HEAD_BYTES)
        size = file.seek(0, 2)
        if head.startswith(_GIF):
            file.seek(max(0, size - _GIF_TAIL_BYTES))
            return not file.read().rstrip(b"\0").endswith(_GIF_TRAILER)
    at = head.find(_ASF_PROPERTIES)
    if not head.startswith(_ASF) or at < 0:
        return False
    return int.from_bytes(head[at + 40 : at + 48], "little") > size
