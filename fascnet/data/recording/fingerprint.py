"""Fingerprints of recordings, over every file that they are read from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from fascnet.data.recording.recordings import list_files


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells one recording's content from another's.

    Attributes:
        n_bytes: of all its files.
        sha256: of its file, as `sha256sum` prints it; of several files, of the list of theirs in order.
    """

    n_bytes: int
    sha256: str


def take_fingerprint(path: Path) -> Fingerprint:
    """Hash a recording: a file, a header with its samples, a folder of pictures; sidecars included.

    Raises:
        OSError: a file cannot be read.
    """
    sizes, hashes = [], []
    for file in list_files(path):
        with file.open("rb") as opened:
            hashes.append(hashlib.file_digest(opened, "sha256").hexdigest())
            sizes.append(opened.tell())
    if len(hashes) == 1:
        return Fingerprint(sizes[0], hashes[0])
    return Fingerprint(sum(sizes), hashlib.sha256("\n".join(hashes).encode()).hexdigest())


def stamp_files(path: Path) -> list[tuple[str, int, int]]:
    """Return name, size and time of change (ns) of a recording's files: cheap, for caches on one machine.

    Raises:
        OSError: a file is not there.
    """
    stats = [(file, file.stat()) for file in list_files(path)]
    return [(str(file.resolve()), stat.st_size, stat.st_mtime_ns) for file, stat in stats]
