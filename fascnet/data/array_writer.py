"""Writes a NumPy file piece by piece, so that what is kept never has to fit into memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fascnet.data.whole_file import write_whole


class ArrayWriter:
    """Appends pieces of an array along its first axis to a file of NumPy's format 1.0.

    The number of rows stands in the header, in front of them; NumPy leaves room there for it to grow.

    Args:
        file: a new file, open for writing bytes; it stays open.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._rows: tuple[np.dtype[Any], tuple[int, ...]] | None = None
        self._n_rows = 0

    def append(self, piece: NDArray[Any]) -> None:
        """Append rows.

        Args:
            piece: (n, ...); all pieces have one dtype and one shape behind the first axis.

        Raises:
            ValueError: this piece has another.
        """
        rows = (piece.dtype, piece.shape[1:])
        if self._rows is None:
            self._rows = rows
            self._write_header(*rows)
        if rows != self._rows:
            raise ValueError(f"rows of {rows} cannot follow rows of {self._rows}")
        self._file.write(np.ascontiguousarray(piece).data)
        self._n_rows += len(piece)

    def finish(self) -> None:
        """Write how many rows there are.

        Raises:
            ValueError: nothing was appended, so that nobody knows what the rows would have been.
        """
        if self._rows is None:
            raise ValueError("an array of unknown shape cannot be written: no piece was appended")
        self._file.seek(0)
        self._write_header(*self._rows)

    def _write_header(self, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
        described = np.lib.format.dtype_to_descr(dtype)
        header = {"descr": described, "fortran_order": False, "shape": (self._n_rows, *shape)}
        np.lib.format.write_array_header_1_0(self._file, header)


@contextmanager
def write_array(path: Path) -> Iterator[ArrayWriter]:
    """Give a writer for the array file `path`, which appears whole or not at all.

    Raises:
        OutputError: it cannot be written.
        ValueError: nothing was appended.
    """
    with write_whole(path) as beside, beside.open("wb") as file:
        writer = ArrayWriter(file)
        yield writer
        writer.finish()
