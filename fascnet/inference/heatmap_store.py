"""Keeps a clip's heatmaps on disk while they are computed, and writes `heatmap.npz` at constant memory."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from fascnet.data.whole_file import write_whole
from fascnet.errors import OutputError
from fascnet.types import PixelBox

HEATMAP_FILE = "heatmap.npz"
HEATMAP_KEYS = ("heatmap", "fps", "mm_per_px", "box")

_READ_BYTES = 1 << 20
_BLOCK_TICKS = 256


def quantise(probabilities: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Turn probabilities 0-1 into uint8, 255 = probability 1; what lies outside is clipped."""
    quantised: NDArray[np.uint8] = np.rint(np.clip(probabilities, 0.0, 1.0) * 255.0).astype(np.uint8)
    return quantised


class HeatmapStore:
    """Appends heatmaps to a raw spool file, reads them back piece by piece, and packs them at the end.

    A context manager: the spool is removed when the block ends, however it ends.

    Args:
        folder: the clip's output folder; made when missing.
        shape: (h, w) of each heatmap.

    Raises:
        OutputError: the folder or the spool cannot be written.
    """

    def __init__(self, folder: Path, shape: tuple[int, int]) -> None:
        self.folder = folder
        self.shape = shape
        self.n_ticks = 0
        self._spool_path = folder / ".heatmap.spool.part"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._spool: BinaryIO = self._spool_path.open("w+b")
        except OSError as error:
            raise _refuse(folder, error) from error

    def __enter__(self) -> HeatmapStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._spool.close()
        except OSError as error:
            # Closing flushes: on a full disk it fails again, and the first refusal is the one to report.
            if kind is None:
                raise _refuse(self.folder, error) from error
        finally:
            self._spool_path.unlink(missing_ok=True)

    def append(self, probabilities: NDArray[np.floating]) -> None:
        """Append heatmaps.

        Args:
            probabilities: 0-1, (t, h, w), the next t ticks.

        Raises:
            OutputError: they are of another size, or the disk is full.
        """
        if probabilities.shape[1:] != self.shape:
            raise OutputError(
                f"{self.folder / HEATMAP_FILE}: a heatmap of size {probabilities.shape[1:]} was given where "
                f"{self.shape} was announced; report this as a fault of the detector"
            )
        try:
            self._spool.seek(0, 2)
            self._spool.write(quantise(probabilities).tobytes())
        except OSError as error:
            raise _refuse(self.folder, error) from error
        self.n_ticks += probabilities.shape[0]

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return ticks `start` to `stop` (half-open) as uint8 (t, h, w).

        Read, not memory-mapped: pages of a map would count as this process's memory and grow with the clip.
        """
        start, stop = max(0, start), min(stop, self.n_ticks)
        h, w = self.shape
        self._spool.seek(start * h * w)
        raw = self._spool.read(max(0, stop - start) * h * w)
        return np.frombuffer(raw, dtype=np.uint8).reshape(-1, h, w)

    def rewrite(self, start: int, heatmaps: NDArray[np.uint8]) -> None:
        """Put heatmaps (t, h, w) in the place of those from tick `start` on.

        Raises:
            OutputError: the disk is full.
        """
        try:
            self._spool.seek(start * self.shape[0] * self.shape[1])
            self._spool.write(heatmaps.tobytes())
        except OSError as error:
            raise _refuse(self.folder, error) from error

    def find_highest(self) -> NDArray[np.uint8]:
        """Return the largest value of each cell over time, (h, w)."""
        highest = np.zeros(self.shape, np.uint8)
        for block in self.blocks():
            np.maximum(highest, block.max(axis=0), out=highest)
        return highest

    def blocks(self) -> Iterator[NDArray[np.uint8]]:
        """Yield all ticks in order, some (t, h, w) at a time."""
        for start in range(0, self.n_ticks, _BLOCK_TICKS):
            yield self.read(start, start + _BLOCK_TICKS)

    def finish(self, *, fps: float, mm_per_px: float | None, box: PixelBox) -> Path:
        """Write `heatmap.npz` (keys `heatmap`, `fps`, `mm_per_px`, `box`) whole or not at all.

        Args:
            fps: heatmaps per second.
            mm_per_px: spacing of the stored pixels; None is written as NaN.
            box: the part of the recording that the heatmap covers.

        Raises:
            OutputError: it cannot be written.
        """
        path = self.folder / HEATMAP_FILE
        facts = {
            "fps": np.float64(fps),
            "mm_per_px": np.float64(np.nan if mm_per_px is None else mm_per_px),
            "box": np.asarray(box, dtype=np.int64),
        }
        with (
            write_whole(path) as beside,
            # Level 1: heatmaps are mostly zeros, and higher levels gain little for three times the time.
            zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        ):
            with archive.open("heatmap.npy", "w", force_zip64=True) as entry:
                header = {"descr": "|u1", "fortran_order": False, "shape": (self.n_ticks, *self.shape)}
                np.lib.format.write_array_header_1_0(cast("BinaryIO", entry), header)
                for piece in self._pieces():
                    entry.write(piece)
            for key, value in facts.items():
                with archive.open(f"{key}.npy", "w") as entry:
                    np.lib.format.write_array(cast("BinaryIO", entry), np.asarray(value), allow_pickle=False)
        return path

    def _pieces(self) -> Iterator[bytes]:
        self._spool.seek(0)
        while piece := self._spool.read(_READ_BYTES):
            yield piece


def is_whole(path: Path) -> bool:
    """Say whether a `heatmap.npz` is there with all its parts, without unpacking it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {f"{key}.npy" for key in HEATMAP_KEYS} <= set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def _refuse(folder: Path, error: OSError) -> OutputError:
    reason = error.strerror if error.strerror is not None else str(error)
    return OutputError(
        f"{folder / HEATMAP_FILE}: cannot be written ({reason}); check the folder and its free space"
    )
