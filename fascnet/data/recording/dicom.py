"""DICOM ultrasound cines as recordings, decoded a frame at a time. No patient data reaches any message."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom._uid_dict import UID_dictionary
from pydicom.uid import UID

from fascnet.data.recording.dicom_fragments import FragmentedStream, find_fragments, read_pixel_element
from fascnet.data.recording.dicom_frames import decode_pictures, is_picture_syntax
from fascnet.data.recording.dicom_geometry import Geometry, read_geometry
from fascnet.data.recording.dicom_grey import has_window
from fascnet.data.recording.dicom_header import DAMAGE, DicomFile, open_dicom
from fascnet.data.recording.dicom_times import Timing, read_timing
from fascnet.data.recording.limits import (
    REMEDY,
    check_count,
    check_rate,
    check_size,
    check_times,
    measure_rate,
)
from fascnet.data.recording.opened import check_file, choose_spacing, make_info
from fascnet.data.recording.video_facts import StreamFacts
from fascnet.data.recording.video_stream import decode
from fascnet.errors import RecordingError
from fascnet.types import Frame, PixelBox, RecordingInfo

# Transfer syntaxes that hold one MPEG-2, MPEG-4 or HEVC stream (DICOM PS3.5 sections 8.2.5-8.2.9).
_VIDEO_SYNTAXES = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in range(100, 109)) | frozenset(
    f"1.2.840.10008.1.2.4.{number}.1" for number in range(100, 107)
)

_LEAST_FRAME_BYTES = 2
"""No codec writes a frame in less, and an item of compressed pixels has 8 bytes of its own."""


class DicomRecording:
    """A multi-frame DICOM ultrasound file.

    Args:
        path: the file.
        fps: frame rate that replaces the header's; its times are rescaled.
        mm_per_px: pixel spacing that replaces the header's.
        box: imaging area that replaces the header's ultrasound region; without either, the whole image.
        given_by: who gave `mm_per_px`: `manifest` or `sidecar`.

    Raises:
        RecordingError: not DICOM, no image, a single frame, damaged, a compression that nothing here decodes,
            or no frame rate and no `fps` given.
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
        with open_dicom(path) as file:
            try:
                self._read(file, fps, box, mm_per_px, given_by)
            except DAMAGE as error:
                raise RecordingError(f"{path}: its DICOM header is damaged; {REMEDY}") from error

    def _read(
        self,
        file: DicomFile,
        fps: float | None,
        box: PixelBox | None,
        mm_per_px: float | None,
        given_by: str,
    ) -> None:
        header, path = file.header, self._path
        n_frames = _count_frames(file)
        height, width = int(header.Rows), int(header.Columns)
        check_size(f"{path}", height, width)
        self._is_video = str(file.syntax) in _VIDEO_SYNTAXES
        if not self._is_video and not is_picture_syntax(file.syntax, int(header.BitsStored)):
            raise RecordingError(
                f"{path}: its compression ({_name_syntax(file.syntax)}) cannot be decoded; "
                "export it uncompressed, or as JPEG, JPEG 2000 or MPEG-4"
            )
        timing = _read_times(header, path, n_frames, fps)
        self._times_s = check_times(f"{path}", timing.offsets_s)
        rate = check_rate(f"{path}", measure_rate(self._times_s), given=fps is not None)
        geometry = read_geometry(header)
        self._has_region = geometry.region is not None
        if box is None and geometry.region is not None:
            box = geometry.region.box
        self._info = make_info(
            height=height,
            width=width,
            n_frames=n_frames,
            fps=rate,
            duration_s=None,
            spacing=choose_spacing(mm_per_px, given_by, geometry.mm_per_px, "dicom"),
            box=box,
            pixel_aspect=geometry.pixel_aspect,
        )
        self._notes = tuple(_list_notes(header, timing, geometry))

    @property
    def has_region(self) -> bool:
        """Whether the header says where in the image the tissue is."""
        return self._has_region

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
        """(T,) seconds of every frame that the header announces, first 0."""
        return self._times_s

    @property
    def notes(self) -> tuple[str, ...]:
        """What is doubtful about the header's rate, scale and regions."""
        return self._notes

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order of time, decoding as they are asked for. Each call starts anew.

        Raises:
            RecordingError: decoding fails or the file ends early; frames already yielded are sound.
        """
        if self._is_video:
            yield from self._decode_video()
            return
        shape, n_frames = (self._info.height, self._info.width), len(self._times_s)
        held: NDArray[np.uint8] | None = None
        for index, image in enumerate(decode_pictures(self._path, shape, n_frames, self._info.fps)):
            held = held if image is None else image
            if held is not None:
                yield Frame(index, float(self._times_s[index]), held, image is None)

    def _decode_video(self) -> Iterator[Frame]:
        with open_dicom(self._path) as file:
            try:
                _, fragments = find_fragments(file, read_pixel_element(file), keep_cut=True)
            except (struct.error, UnicodeDecodeError) as error:
                raise RecordingError(f"{self._path}: its video stream is damaged; {REMEDY}") from error
        # One stream, whatever number of items it is split into.
        with closing(FragmentedStream(self._path, fragments)) as stream:
            last = len(self._times_s) - 1
            info = self._info
            facts = StreamFacts(info.height, info.width, info.n_frames, info.fps, info.duration_s)
            for frame in decode(stream, f"{self._path}", facts, info.fps):
                # The header's times count: raw streams carry none. Frames beyond those announced follow on.
                beyond_s = max(0, frame.index - last) / info.fps
                yield replace(frame, time_s=float(self._times_s[min(frame.index, last)]) + beyond_s)


def _name_syntax(syntax: UID) -> str:
    # An unknown one is any text that the file holds.
    return syntax.name if syntax in UID_dictionary else "an unknown one"


def _count_frames(file: DicomFile) -> int:
    value = file.header.get("NumberOfFrames")
    n_frames = 1 if value is None or value == "" else int(value)
    if n_frames < 2:
        raise RecordingError(f"{file.path}: is a single image, not a clip; choose the cine of the study")
    check_count(f"{file.path}", n_frames, file.n_bytes, _LEAST_FRAME_BYTES)
    return n_frames


def _read_times(header: Any, path: Path, n_frames: int, fps: float | None) -> Timing:
    timing = read_timing(header, n_frames)
    if timing is None and fps is None:
        raise RecordingError(
            f"{path}: its header gives no frame rate and guessing one would be wrong; "
            "give it in the fps column of a manifest.csv"
        )
    if timing is None:
        timing = Timing(np.arange(n_frames, dtype=np.float64), "")
    if fps is None:
        return timing
    own_fps = measure_rate(timing.offsets_s)
    return Timing(np.asarray(timing.offsets_s * (own_fps / fps), np.float64), timing.source)


def _list_notes(header: Any, timing: Timing, geometry: Geometry) -> Iterator[str]:
    if timing.remark:
        yield timing.remark
    yield from geometry.remarks
    if int(header.get("BitsStored", 8)) > 8 and str(header.PhotometricInterpretation).startswith("MONO"):
        how = "by the window of its header" if has_window(header) else "evenly over all bits"
        yield f"its {int(header.BitsStored)}-bit samples are brought to 8 bits {how}"
    if "VOILUTSequence" in header or "ModalityLUTSequence" in header:
        yield "its look-up tables of brightness are not applied"
