"""DICOM ultrasound cines as recordings, decoded a frame at a time. No patient data reaches any message."""

from __future__ import annotations

import math
import struct
import warnings
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.encaps import generate_frames
from pydicom.errors import InvalidDicomError
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import iter_pixels

from fascnet.data.recording.dicom_geometry import read_region, read_spacing_mm
from fascnet.data.recording.luma import to_grey
from fascnet.data.recording.video import REMEDY, check_file, decode
from fascnet.errors import RecordingError
from fascnet.types import Frame, PixelBox, RecordingInfo

# What pydicom and its plug-ins raise on damaged files; their texts may quote the header: never shown.
_DAMAGE = (
    InvalidDicomError,
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)

# Transfer syntaxes that hold one MPEG-2, MPEG-4 or HEVC stream (DICOM PS3.5 sections 8.2.5-8.2.9).
_VIDEO_SYNTAXES = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in range(100, 109)) | frozenset(
    f"1.2.840.10008.1.2.4.{number}.1" for number in range(100, 107)
)


class DicomRecording:
    """A multi-frame DICOM ultrasound file.

    Args:
        path: the file.
        fps: frame rate that replaces the header's; its times are rescaled.
        mm_per_px: pixel spacing that replaces the header's.
        box: imaging area that replaces the header's ultrasound region; without either, the whole image.

    Raises:
        RecordingError: not DICOM, no image, a single frame, damaged, or no frame rate and no `fps` given.
    """

    def __init__(
        self,
        path: Path,
        *,
        fps: float | None = None,
        mm_per_px: float | None = None,
        box: PixelBox | None = None,
    ) -> None:
        self._path = check_file(path)
        self._header = _read_header(path)
        try:
            self._times_s = _read_times(self._header, path, fps)
            self._info = _read_info(self._header, self._times_s, path, mm_per_px, box)
        except _DAMAGE as error:
            raise RecordingError(f"{path}: its DICOM header is damaged; {REMEDY}") from error

    @property
    def has_region(self) -> bool:
        """Whether the header says where in the image the tissue is."""
        return read_region(self._header) is not None

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def info(self) -> RecordingInfo:
        """What the file says about itself."""
        return self._info

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order of time, decoding as they are asked for. Each call starts anew.

        Raises:
            RecordingError: decoding fails or the file ends early; frames already yielded are sound.
        """
        if self._header.file_meta.TransferSyntaxUID in _VIDEO_SYNTAXES:
            yield from self._decode_video()
            return
        count = 0
        pixels = iter_pixels(self._path, raw=False)
        while True:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # pydicom's warnings quote header values
                    array = next(pixels, None)
                    image = None if array is None else _to_8_bit_grey(array, self._header)
            except _DAMAGE as error:
                raise RecordingError(f"{self._path}: frame {count} cannot be decoded; {REMEDY}") from error
            if image is None:
                break
            if image.shape != (self._info.height, self._info.width):
                raise RecordingError(
                    f"{self._path}: frame {count} has another size than the header says; {REMEDY}"
                )
            yield Frame(count, float(self._times_s[count]), image)
            count += 1
            if count == len(self._times_s):
                break
        if count < len(self._times_s):
            raise RecordingError(f"{self._path}: ends after {count} of {len(self._times_s)} frames; {REMEDY}")

    def _decode_video(self) -> Iterator[Frame]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                dataset = pydicom.dcmread(self._path)
                # One item, whatever NumberOfFrames says: the video is one stream.
                stream = BytesIO(next(generate_frames(dataset.PixelData, number_of_frames=1)))
                del dataset
        except (*_DAMAGE, StopIteration) as error:
            raise RecordingError(f"{self._path}: its video stream is damaged; {REMEDY}") from error
        for frame in decode(stream, f"{self._path}", self._info, self._info.fps):
            if frame.index >= len(self._times_s):
                break
            # The header's times count: raw streams carry none.
            yield replace(frame, time_s=float(self._times_s[frame.index]))


def _read_header(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            header = pydicom.dcmread(path, stop_before_pixels=True)
            if "Rows" not in header or "Columns" not in header or "TransferSyntaxUID" not in header.file_meta:
                raise RecordingError(f"{path}: holds no image; choose the ultrasound cine of the study")
            n_frames = int(header.NumberOfFrames) if header.get("NumberOfFrames") else 1
    except _DAMAGE as error:
        raise RecordingError(f"{path}: is not a readable DICOM file or is cut short; {REMEDY}") from error
    if n_frames < 2:
        raise RecordingError(f"{path}: is a single image, not a clip; choose the cine of the study")
    return header


def _read_info(
    header: Any, times_s: NDArray[np.float64], path: Path, mm_per_px: float | None, box: PixelBox | None
) -> RecordingInfo:
    height, width = int(header.Rows), int(header.Columns)
    region = read_region(header)
    spacing = mm_per_px if mm_per_px is not None else read_spacing_mm(header)
    spacing_from = "" if spacing is None else ("dicom" if mm_per_px is None else "manifest")
    if box is None:
        box = region.box if region is not None else (0, 0, width, height)
    fps = (len(times_s) - 1) / float(times_s[-1])
    if height < 1 or width < 1:
        raise RecordingError(f"{path}: its image has no pixels; {REMEDY}")
    return RecordingInfo(
        height=height,
        width=width,
        n_frames=len(times_s),
        fps=fps,
        duration_s=len(times_s) / fps,
        mm_per_px=spacing,
        box=box,
        mm_per_px_from=spacing_from,
    )


def _read_times(header: Any, path: Path, fps: float | None) -> NDArray[np.float64]:
    """Return each frame's seconds: by FrameTimeVector, FrameTime, CineRate or the display rate."""
    n_frames = int(header.NumberOfFrames)
    times_s = _read_time_vector(header, n_frames)
    if times_s is None:
        step_s = _read_step_s(header)
        if step_s is None and fps is None:
            raise RecordingError(
                f"{path}: its header gives no frame rate and guessing one would be wrong; "
                "give it in the fps column of a manifest.csv"
            )
        times_s = np.arange(n_frames, dtype=np.float64) * (1.0 if step_s is None else step_s)
    if fps is None:
        return times_s
    return np.asarray(times_s * ((n_frames - 1) / float(times_s[-1]) / fps), np.float64)


def _read_time_vector(header: Any, n_frames: int) -> NDArray[np.float64] | None:
    """FrameTimeVector: ms since the frame before, the first of them 0 (DICOM PS3.3 C.7.6.5)."""
    vector = header.get("FrameTimeVector")
    if vector is None or not hasattr(vector, "__len__") or len(vector) != n_frames:
        return None
    ends_s = np.cumsum(np.asarray([float(step) for step in vector], np.float64) / 1000.0)
    times_s = np.asarray(ends_s - ends_s[0], np.float64)
    increasing = bool(np.all(np.isfinite(times_s)) and np.all(np.diff(times_s) > 0))
    return times_s if increasing else None


def _read_step_s(header: Any) -> float | None:
    frame_time_ms = _read_positive(header, "FrameTime")
    if frame_time_ms is not None:
        return frame_time_ms / 1000.0
    for name in ("CineRate", "RecommendedDisplayFrameRate"):
        rate_hz = _read_positive(header, name)
        if rate_hz is not None:
            return 1.0 / rate_hz
    return None


def _read_positive(header: Any, name: str) -> float | None:
    value = header.get(name)
    if value is None or value == "":
        return None
    number = float(value)
    return number if math.isfinite(number) and number > 0 else None


def _to_8_bit_grey(array: NDArray[Any], header: Any) -> NDArray[np.uint8]:
    """Turn a frame as pydicom gives it (YBR already RGB) into luma, uint8 (H, W)."""
    kind = str(header.PhotometricInterpretation)
    if kind == "PALETTE COLOR":
        colour = apply_color_lut(array, header)
        return to_grey(
            (colour >> 8).astype(np.uint8) if colour.dtype == np.uint16 else colour.astype(np.uint8)
        )
    bits = int(header.BitsStored)
    if array.dtype != np.uint8 or bits != 8:
        lowest = -(2.0 ** (bits - 1)) if int(header.get("PixelRepresentation", 0)) == 1 else 0.0
        scaled = (array.astype(np.float64) - lowest) * (255.0 / (2.0**bits - 1.0))
        array = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    if array.ndim == 3:
        return to_grey(array)
    return 255 - array if kind == "MONOCHROME1" else np.array(array, np.uint8)
