"""Limits on label files from elsewhere, checked before anything is unpacked or allocated."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from fascnet.errors import LabelError

MAX_FILE_BYTES = 256 * 2**20
"""A CVAT file of an hour-long clip with a box in every frame has about 30 MB."""

MAX_UNPACKED_BYTES = 512 * 2**20

MAX_FRAME = 10_000_000
"""Days of recording; a larger number is a mistake or an attack."""

MAX_SIDE_PX = 20_000


def check_file_size(path: Path, most: int = MAX_FILE_BYTES) -> None:
    """Refuse a file that is not there or too large to be labels.

    Raises:
        LabelError: it is.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise LabelError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    if not path.is_file():
        raise LabelError(f"{path}: is not a file; name a file of labels")
    if size > most:
        raise LabelError(
            f"{path}: has {size >> 20} MiB, more than the {most >> 20} a label file may have; split it"
        )


def check_zip_size(path: Path) -> None:
    """Refuse an archive that would unpack to more than `MAX_UNPACKED_BYTES`.

    Raises:
        LabelError: it would, or it is no archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            total = sum(entry.file_size for entry in archive.infolist())
    except (OSError, zipfile.BadZipFile) as error:
        raise LabelError(f"{path}: is damaged or not what its name says; save or export it again") from error
    if total > MAX_UNPACKED_BYTES:
        raise LabelError(f"{path}: would unpack to {total >> 20} MiB; split it into smaller files")


def read_json(path: Path) -> Any:
    """Read a JSON file; NaN and Infinity, which JSON does not have, are refused.

    Raises:
        LabelError: it cannot be read or is no JSON.
    """
    check_file_size(path, MAX_FILE_BYTES // 4)  # Python objects take several times the space of their text
    try:
        return json.loads(path.read_bytes().decode("utf-8-sig"), parse_constant=_refuse_constant)
    except OSError as error:
        raise LabelError(f"{path}: cannot be read ({error.strerror}); check the file") from error
    except UnicodeDecodeError as error:
        raise LabelError(f"{path}: is not UTF-8 text; export it again") from error
    except RecursionError as error:
        raise LabelError(f"{path}: is nested too deeply to be labels; export it again") from error
    except ValueError as error:
        raise LabelError(f"{path}: is not valid JSON ({error}); export it again") from error


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")
