"""Video files as recordings, decoded lazily by PyAV; every frame is counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from fascnet.data.recording.luma import take_luma
from fascnet.errors import RecordingError
from fascnet.types import Frame, PixelBox, RecordingInfo

REMEDY = "export or copy it again"


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What a container announces about its first video stream.

    Attributes:
        height: rows.
        width: columns.
        n_frames: announced frames, None where the container only estimates or does not say.
        fps: average frame rate, None when unknown.
        duration_s: announced length, None when unknown.
    """

    height: int
    width: int
    n_frames: int | None
    fps: float | None
    duration_s: float | None


class VideoRecording:
    """A video file. Pixels are as stored: rotation flags and non-square pixels are not applied.

    Args:
        path: mp4, mov, avi, mkv, webm, mpg, wmv, gif ... whatever FFmpeg decodes.
        fps: frame rate that replaces the file's; its times are rescaled.
        mm_per_px: pixel spacing from the manifest; video files store none.
        box: imaging area, the whole image if None.

    Raises:
        RecordingError: the file is missing, empty, not a video, or has no frame rate and `fps` was not given.
    """

    def __init__(
        self,
        path: Path,
        *,
        fps: float | None = None,
        mm_per_px: float | None = None,
        box: PixelBox | None = None,
    ) -> None:
        self._path = path
        facts = read_stream_facts(check_file(path), f"{path}")
        own_fps = fps if facts.fps is None else facts.fps
        if own_fps is None:
            raise RecordingError(f"{path}: has no frame rate; give it in the fps column of a manifest.csv")
        self._own_fps = own_fps
        used_fps = own_fps if fps is None else fps
        duration_s = None if facts.duration_s is None else facts.duration_s * own_fps / used_fps
        if facts.n_frames is not None:
            duration_s = facts.n_frames / used_fps
        self._info = RecordingInfo(
            height=facts.height,
            width=facts.width,
            n_frames=facts.n_frames,
            fps=used_fps,
            duration_s=duration_s,
            mm_per_px=mm_per_px,
            box=(0, 0, facts.width, facts.height) if box is None else box,
            mm_per_px_from="" if mm_per_px is None else "manifest",
        )

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
            RecordingError: decoding fails, the image changes size, or the file ends before its announced end
                (more than 1 frame and 2 % short); frames already yielded are sound.
        """
        yield from decode(self._path, f"{self._path}", self._info, self._own_fps)


def check_file(path: Path) -> Path:
    """Return the path of a file that exists and is not empty.

    Raises:
        RecordingError: it is missing, a folder, unreadable or of zero length.
    """
    try:
        if path.is_dir():
            raise RecordingError(f"{path}: is a folder, not a recording; name a file in it")
        with path.open("rb") as file:
            if not file.read(1):
                raise RecordingError(f"{path}: is empty (0 bytes); {REMEDY}")
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    return path


def read_stream_facts(source: Path | BytesIO, name: str) -> StreamFacts:
    """Read what a container announces.

    Args:
        source: file, or bytes in memory.
        name: what to call it in messages.

    Raises:
        RecordingError: not a video, damaged beyond opening, or no video stream.
    """
    with _open_video(source, name) as (container, stream):
        duration_s = None
        if stream.duration is not None and stream.time_base is not None:
            duration_s = float(stream.duration * stream.time_base)
        elif container.duration is not None:
            duration_s = container.duration / av.time_base
        rates = [rate for rate in (stream.average_rate, stream.guessed_rate) if rate is not None and rate > 0]
        if stream.width < 1 or stream.height < 1:
            raise RecordingError(f"{name}: its video stream is damaged or cut short; {REMEDY}")
        return StreamFacts(
            height=stream.height,
            width=stream.width,
            n_frames=stream.frames if stream.frames > 0 else None,
            fps=float(rates[0]) if rates else None,
            duration_s=duration_s if duration_s is not None and duration_s > 0 else None,
        )


def decode(source: Path | BytesIO, name: str, info: RecordingInfo, own_fps: float) -> Iterator[Frame]:
    """Decode a video's first stream, frame by frame.

    Args:
        source: file, or bytes in memory.
        name: what to call it in messages.
        info: expected size, announced length, and the rate that times are rescaled to.
        own_fps: average rate of the file's own times.

    Raises:
        RecordingError: as `VideoRecording.frames`.
    """
    count = 0
    clock = _Clock(own_fps, info.fps)
    with _open_video(source, name) as (container, stream):
        for seconds, image in _decode_images(container, stream, name, info):
            yield Frame(count, clock.read(seconds), image)
            count += 1
    if count == 0:
        raise RecordingError(f"{name}: holds no decodable frame; {REMEDY}")
    announced = info.n_frames
    if announced is not None and announced - count > max(1.0, 0.02 * announced):
        raise RecordingError(
            f"{name}: ends after {count} of {announced} frames; the file is cut short, {REMEDY}"
        )


def _decode_images(
    container: Any, stream: Any, name: str, info: RecordingInfo
) -> Iterator[tuple[float | None, NDArray[np.uint8]]]:
    """Yield (presentation time in s or None, luma); a damaged packet ends it once earlier frames are out."""
    failure: av.FFmpegError | None = None
    packets = container.demux(stream)
    while failure is None:
        try:
            packet = next(packets, None)
            decoded = [] if packet is None else packet.decode()
        except av.FFmpegError as error:
            failure = error
            # Threads of the decoder still hold sound frames of earlier packets.
            packet, decoded = None, _drain(stream)
        for frame in decoded:
            if (frame.height, frame.width) != (info.height, info.width):
                size = f"{info.width}x{info.height} to {frame.width}x{frame.height}"
                raise RecordingError(f"{name}: the image changes size from {size}; split the recording there")
            yield frame.time, take_luma(frame)
        if packet is None:
            break
    if failure is not None:
        raise RecordingError(f"{name}: is damaged ({failure.strerror}); {REMEDY}") from failure


def _drain(stream: Any) -> list[Any]:
    try:
        return list(stream.codec_context.decode(None))
    except av.FFmpegError:
        return []  # nothing sound is left; the caller reports the first failure


class _Clock:
    """Presentation times as increasing seconds from the first frame, at the wanted rate."""

    def __init__(self, own_fps: float, fps: float) -> None:
        self._step_s = 1.0 / own_fps
        self._scale = own_fps / fps
        self._origin: float | None = None
        self._last: float | None = None
        self._last_sound = 0.0
        self._since_sound = 0

    def read(self, seconds: float | None) -> float:
        """Return the next frame's time; a missing or non-increasing one is counted on from the last sound."""
        self._since_sound += 1
        if self._last is None:
            self._origin = seconds
            self._last, self._since_sound = 0.0, 0
        elif seconds is not None and self._origin is not None and seconds - self._origin > self._last:
            self._last = self._last_sound = seconds - self._origin
            self._since_sound = 0
        else:
            self._last = self._last_sound + self._since_sound * self._step_s
        return self._last * self._scale


@contextmanager
def _open_video(source: Path | BytesIO, name: str) -> Iterator[tuple[Any, Any]]:
    try:
        if isinstance(source, BytesIO):
            source.seek(0)
            container = av.open(source, metadata_errors="ignore")
        else:
            # The whitelist keeps a playlist dressed up as a clip from reaching the network.
            options = {"protocol_whitelist": "file"}
            container = av.open(str(source.absolute()), metadata_errors="ignore", options=options)
    except (av.FFmpegError, ValueError) as error:
        reason = error.strerror if isinstance(error, av.FFmpegError) else str(error)
        raise RecordingError(
            f"{name}: is not a readable video or is cut short ({reason}); {REMEDY}"
        ) from error
    with container:
        if not container.streams.video:
            raise RecordingError(f"{name}: holds no video stream; choose the file with the picture")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        yield container, stream
