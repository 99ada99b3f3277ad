"""NumPy archives (`.npz`) of frames as recordings, read a frame at a time and never unpickled."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from fascnet.data.recording.limits import REMEDY, check_count, check_rate, check_size, spread_times
from fascnet.data.recording.opened import check_file, choose_spacing, make_info
from fascnet.errors import RecordingError
from fascnet.types import Frame, PixelBox, RecordingInfo

FRAMES, FPS, SPACING = "frames", "fps", "mm_per_px"

_DAMAGE = (
    EOFError,
    KeyError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


class ArrayRecording:
    """An archive as `np.savez(path, frames=…, fps=…, mm_per_px=…)` writes it, compressed or not.

    `frames` is uint8 (T, H, W) in C order; `fps` and `mm_per_px` are numbers and optional.

    Args:
        path: the file.
        fps: frame rate that replaces the file's.
        mm_per_px: pixel spacing that replaces the file's.
        box: imaging area, the whole image if None.
        given_by: who gave `mm_per_px`: `manifest` or `sidecar`.

    Raises:
        RecordingError: damaged, no such array, another type or shape, or no frame rate and no `fps` given.
    """

    def __init__(
        self,
        path: Path,
        *,
        fps: float | None = None,
        mm_per_px: float | None = None,
        box: PixelBox | None = None,
        given_by: str = "manifest",
    ) -> None:
        self._path = check_file(path)
        try:
            with zipfile.ZipFile(path) as archive:
                with _open_frames(archive, path) as (_, shape):
                    n_frames, height, width = shape
                own_fps = _read_number(archive, FPS, path)
                own_mm_per_px = _read_number(archive, SPACING, path)
        except _DAMAGE as error:
            raise RecordingError(
                f"{path}: is not a readable .npz archive of frames in row order; save it anew"
            ) from error
        if n_frames < 2:
            raise RecordingError(f"{path}: is a single image, not a clip; save all frames as (T, H, W)")
        rate = own_fps if fps is None else fps
        if rate is None:
            raise RecordingError(
                f"{path}: has no frame rate; save it as '{FPS}', or give it in the fps column of a "
                "manifest.csv"
            )
        check_rate(f"{path}", rate, given=fps is not None)
        self._info = make_info(
            height=height,
            width=width,
            n_frames=n_frames,
            fps=rate,
            duration_s=None,
            spacing=choose_spacing(mm_per_px, given_by, own_mm_per_px, "file"),
            box=box,
        )
        self._n_frames = n_frames

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def files(self) -> tuple[Path, ...]:
        """The file."""
        return (self._path,)

    @property
    def info(self) -> RecordingInfo:
        """What the file says about itself."""
        return self._info

    @property
    def times_s(self) -> NDArray[np.float64]:
        """(T,) seconds of every frame, first 0."""
        return spread_times(self._n_frames, self._info.fps)

    @property
    def notes(self) -> tuple[str, ...]:
        """Nothing: the file says what is needed, or is refused."""
        return ()

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order of time, inflating as they are asked for. Each call starts anew.

        Raises:
            RecordingError: the archive is damaged or ends early; frames already yielded are sound.
        """
        height, width = self._info.height, self._info.width
        index = 0
        try:
            with zipfile.ZipFile(self._path) as archive, _open_frames(archive, self._path) as (file, _):
                while index < self._n_frames:
                    data = file.read(height * width)
                    if len(data) < height * width:
                        break
                    image = np.frombuffer(data, np.uint8).reshape(height, width).copy()
                    yield Frame(index, index / self._info.fps, image)
                    index += 1
        except _DAMAGE as error:
            raise RecordingError(f"{self._path}: is damaged after {index} frames; {REMEDY}") from error
        if index < self._n_frames:
            raise RecordingError(
                f"{self._path}: ends after {index} of {self._n_frames} frames; the file is cut short, "
                f"{REMEDY}"
            )


def is_frame_archive(path: Path) -> bool:
    """Whether an .npz holds an array called `frames`; others, such as heatmaps, are no recordings.

    One that cannot be read may have held frames: it counts, so that it fails and is not passed over.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return f"{FRAMES}.npy" in archive.namelist()
    except _DAMAGE:
        return True


@contextmanager
def _open_frames(archive: zipfile.ZipFile, path: Path) -> Iterator[tuple[IO[bytes], tuple[int, int, int]]]:
    """Open the frames behind their header; yield the stream and (T, H, W), checked against the archive."""
    if f"{FRAMES}.npy" not in archive.namelist():
        raise RecordingError(f"{path}: holds no array '{FRAMES}'; save uint8 (T, H, W) under that name")
    member = archive.getinfo(f"{FRAMES}.npy")
    _check_packing(member, path)
    with archive.open(member) as file:
        shape, dtype = _read_head(file)
        if dtype != np.uint8 or len(shape) != 3:
            raise RecordingError(
                f"{path}: '{FRAMES}' is {dtype} with {len(shape)} axes; save uint8 grey levels as (T, H, W)"
            )
        n_frames, height, width = shape
        check_size(f"{path}", height, width)
        check_count(f"{path}", n_frames, member.file_size, height * width)
        yield file, (n_frames, height, width)


def _check_packing(member: zipfile.ZipInfo, path: Path) -> None:
    # Other compressions can claim gigabytes of working memory, and NumPy writes none of them.
    if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise RecordingError(f"{path}: is packed in an unusual way; save it with np.savez_compressed")


def _read_head(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and type of an array, and leave the file at its first value.

    Raises:
        ValueError: no array, or one in column order, whose frames do not lie one after the other.
    """
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, in_columns, dtype = read(file)
    if in_columns and len(shape) > 1:
        raise ValueError("column order")
    return shape, dtype


def _read_number(archive: zipfile.ZipFile, name: str, path: Path) -> float | None:
    if f"{name}.npy" not in archive.namelist():
        return None
    _check_packing(archive.getinfo(f"{name}.npy"), path)
    with archive.open(f"{name}.npy") as file:
        shape, dtype = _read_head(file)
        # The claim comes first: NumPy would allocate it.
        if int(np.prod(shape, dtype=np.float64)) != 1 or dtype.kind not in "uif":
            raise RecordingError(f"{path}: '{name}' is not one number; save it as a plain number")
        number = float(np.frombuffer(file.read(dtype.itemsize), dtype)[0])
    if not (np.isfinite(number) and number > 0):
        raise RecordingError(f"{path}: '{name}' is {number:g}; save a number above 0, or leave it out")
    return number
