"""What is too large for memory waits in a temporary file; a full disk is an error that says what to do."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

from fascnet.errors import OutputError


class Spool:
    """A temporary file for bytes, gone when it is closed. A context manager.

    Args:
        what: what is kept, for messages, such as `the movement of the clip`.

    Raises:
        OutputError: the folder for temporary files is full or cannot be written; so do all methods.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        with self._explain():
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the file."""
        # What a full disk did not take is wanted by nobody any more, and the file is closed all the same.
        with suppress(OSError):
            self._file.close()

    def append(self, data: bytes) -> int:
        """Write at the end; return where that was."""
        with self._explain():
            place = self._file.seek(0, os.SEEK_END)
            self._file.write(data)
        return place

    def read(self, place: int, size: int) -> bytes:
        """Return `size` bytes from a place on; fewer at the end."""
        with self._explain():
            self._file.seek(place)
            return self._file.read(size)

    def clear(self) -> None:
        """Forget everything."""
        with self._explain():
            self._file.seek(0)
            self._file.truncate()

    @contextmanager
    def _explain(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror if error.strerror is not None else f"{error}"
            raise OutputError(
                f"{tempfile.gettempdir()}: {self._what} cannot be kept there ({reason}); "
                "free some space, or set TMPDIR to another folder"
            ) from error
