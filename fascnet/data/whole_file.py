"""Files appear whole or not at all: write beside the final name, then rename."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fascnet.errors import OutputError


@contextmanager
def write_whole(path: Path) -> Iterator[Path]:
    """Give a hidden path beside `path` to write to; rename it on success, remove it on any error.

    Args:
        path: the final file; its folder is made if needed.

    Yields:
        The path to write to, on the same file system, so that the rename is atomic.

    Raises:
        OutputError: the folder cannot be made, or the file cannot be written or renamed.
    """
    part = path.parent / f".{path.name}.{os.getpid()}.part"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        os.replace(part, path)  # noqa: PTH105 - Path.replace is the same call with a less known name
    except OSError as error:
        reason = error.strerror if error.strerror is not None else str(error)
        raise OutputError(
            f"{path}: cannot be written ({reason}); check the folder and its free space"
        ) from error
    finally:
        # What was told above is what counts: a folder that cannot be entered cannot be tidied either.
        with suppress(OSError):
            part.unlink(missing_ok=True)
