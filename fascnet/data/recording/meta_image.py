"""MetaImage sequences (`.mha`, `.mhd`) as recordings, read a frame at a time."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fascnet.data.recording.dicom_geometry import judge_spacing
from fascnet.data.recording.limits import (
    REMEDY,
    check_count,
    check_rate,
    check_times,
    measure_rate,
    spread_times,
)
from fascnet.data.recording.luma import to_grey
from fascnet.data.recording.meta_header import MetaHeader, read_meta_header
from fascnet.data.recording.opened import check_file, choose_spacing, make_info
from fascnet.errors import RecordingError
from fascnet.types import Frame, PixelBox, RecordingInfo

_MAX_INFLATION = 1100
"""Deflate makes at most 1032 bytes of one (zlib's own documentation, "Maximum Compression Factor")."""

_MAX_LOSS = 100
"""A file may have lost all but a hundredth of its samples (choice of this project)."""

_CHUNK_BYTES = 1 << 16

_ZLIB_OR_GZIP = 47
"""zlib's window bits that recognise either wrapping."""


class MetaImageRecording:
    """A MetaImage of flat images over time, such as a `.igs.mha` of Plus.

    Grey of 8 bits stays as stored; other samples are spread over 0-255 between the smallest and the largest
    of the whole file, which is read once more for it. Frames that the header calls invalid are left out.

    Args:
        path: the `.mha`, or the `.mhd` beside its `.raw` or `.zraw`.
        fps: frame rate that replaces the file's; its times are rescaled.
        mm_per_px: pixel spacing that replaces the file's.
        box: imaging area, the whole image if None.
        given_by: who gave `mm_per_px`: `manifest` or `sidecar`.

    Raises:
        RecordingError: damaged, a volume or single image, or no times and no `fps` given.
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
        header = self._header = read_meta_header(path)
        _check_length(header, path)
        is_kept = np.ones(header.n_frames, bool)
        is_kept[list(header.unusable)] = False
        self._is_kept, self._kept = is_kept, np.flatnonzero(is_kept)
        if len(self._kept) < 2:
            raise RecordingError(f"{path}: calls all but {len(self._kept)} of its frames invalid; {REMEDY}")
        self._times_s = self._read_times(fps)
        rate = check_rate(f"{path}", measure_rate(self._times_s), given=fps is not None)
        remarks: list[str] = []
        own = header.spacing_mm
        spacing = None if own is None else judge_spacing(own[0], own[1], "ElementSpacing", remarks)
        self._info = make_info(
            height=header.height,
            width=header.width,
            n_frames=len(self._kept),
            fps=rate,
            duration_s=None,
            spacing=choose_spacing(
                mm_per_px, given_by, None if spacing is None else spacing.mm_per_px, "file"
            ),
            box=box,
            pixel_aspect=1.0 if spacing is None else spacing.aspect,
        )
        self._notes = (*remarks, *_list_notes(header))

    def _read_times(self, fps: float | None) -> NDArray[np.float64]:
        stamps = self._header.times_s
        if stamps is None:
            if fps is None:
                raise RecordingError(
                    f"{self._path}: says no times of its frames; give the frame rate in the fps column of a "
                    "manifest.csv"
                )
            return np.asarray(spread_times(self._header.n_frames, fps)[self._kept], np.float64)
        times_s = check_times(f"{self._path}", stamps[self._kept])
        if fps is None:
            return times_s
        return np.asarray(times_s * (measure_rate(times_s) / fps), np.float64)

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def files(self) -> tuple[Path, ...]:
        """The header, and the file of samples where it is another."""
        return tuple(dict.fromkeys((self._path, self._header.data_path)))

    @property
    def info(self) -> RecordingInfo:
        """What the file says about itself."""
        return self._info

    @property
    def times_s(self) -> NDArray[np.float64]:
        """(T,) seconds of every usable frame, first 0."""
        return self._times_s

    @property
    def notes(self) -> tuple[str, ...]:
        """Frames left out, samples scaled, rows upside down, spacing not calibrated."""
        return self._notes

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order of time, inflating as they are asked for. Each call starts anew.

        Raises:
            RecordingError: the samples are damaged or end early; frames already yielded are sound.
        """
        low, high = self._find_range()
        count = 0
        for index, samples in enumerate(_read_samples(self._header, self._path)):
            if not self._is_kept[index]:
                continue
            yield Frame(count, float(self._times_s[count]), _to_grey(samples, low, high))
            count += 1

    def _find_range(self) -> tuple[float, float]:
        """Return the values that become 0 and 255."""
        if self._header.dtype == np.uint8:
            return 0.0, 255.0
        low, high = np.inf, -np.inf
        for samples in _read_samples(self._header, self._path):
            finite = samples[np.isfinite(samples)]
            if finite.size:
                low, high = min(low, float(finite.min())), max(high, float(finite.max()))
        if low >= 0 and high <= 255 and self._header.dtype.kind in "ui":
            return 0.0, 255.0
        return (low, high) if high > low else (0.0, 255.0)


def _check_length(header: MetaHeader, path: Path) -> None:
    """Compare what the header claims with what is there, before anything is allocated."""
    n_bytes = header.data_path.stat().st_size - max(0, header.data_at)
    if header.compressed:
        check_count(f"{path}", header.n_frames, n_bytes * _MAX_INFLATION, header.frame_bytes)
    # A cut file is read as far as it goes; one that lacks nearly all it claims is damaged.
    else:
        check_count(f"{path}", header.n_frames, n_bytes * _MAX_LOSS, header.frame_bytes)


def _read_samples(header: MetaHeader, path: Path) -> Iterator[NDArray[Any]]:
    """Yield raw frames, (H, W) or (H, W, 3)."""
    shape = (header.height, header.width) if header.channels == 1 else (header.height, header.width, 3)
    count = 0
    try:
        with header.data_path.open("rb") as file:
            if header.data_at >= 0:
                file.seek(header.data_at)
            else:
                file.seek(-header.n_frames * header.frame_bytes, 2)
            read = _inflate if header.compressed else _split
            for data in read(file, header.frame_bytes):
                yield np.frombuffer(data, header.dtype).reshape(shape)
                count += 1
                if count == header.n_frames:
                    return
    except (OSError, zlib.error) as error:
        raise RecordingError(f"{path}: is damaged after {count} frames; {REMEDY}") from error
    raise RecordingError(
        f"{path}: ends after {count} of {header.n_frames} frames; the file is cut short, {REMEDY}"
    )


def _split(file: BinaryIO, frame_bytes: int) -> Iterator[bytes]:
    while True:
        data = file.read(frame_bytes)
        if len(data) < frame_bytes:
            return
        yield data


def _inflate(file: BinaryIO, frame_bytes: int) -> Iterator[bytes]:
    """Inflate a frame at a time: never more than one frame and one chunk are in memory."""
    inflater = zlib.decompressobj(_ZLIB_OR_GZIP)
    frame = bytearray()
    packed = b""
    while not inflater.eof:
        if not packed:
            packed = file.read(_CHUNK_BYTES)
            if not packed:
                return
        frame += inflater.decompress(packed, frame_bytes - len(frame))
        packed = inflater.unconsumed_tail
        if len(frame) == frame_bytes:
            yield bytes(frame)
            frame.clear()


def _to_grey(samples: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    if samples.dtype == np.uint8:
        grey = np.array(samples, np.uint8)
    else:
        scaled = (np.nan_to_num(samples.astype(np.float64), nan=low) - low) * (255.0 / (high - low))
        grey = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    return to_grey(grey) if grey.ndim == 3 else grey


def _list_notes(header: MetaHeader) -> Iterator[str]:
    if header.spacing_mm is None:
        yield "its spacing is not calibrated (ElementSpacing 1 or missing)"
    if header.unusable:
        yield f"{len(header.unusable)} of its {header.n_frames} frames are marked invalid and left out"
    if header.dtype != np.uint8:
        yield f"its {header.dtype.name} samples are spread over 0-255 between smallest and largest"
    if header.orientation[1:2].upper() == "N":
        yield f"its rows run from deep to shallow (orientation {header.orientation[:2]}); frames stay so"
