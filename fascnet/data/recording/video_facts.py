"""Opens a video's container by PyAV and reads what it announces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import Any

import av
from av.stream import Disposition

from fascnet.data.recording.limits import MAX_ASPECT, MAX_FRAME_PIXELS, REMEDY, check_size
from fascnet.errors import RecordingError

_ELEMENTARY = ("h264", "hevc", "m4v", "mjpeg", "mpegvideo")
"""Streams without a container: FFmpeg says 25 frames/s for every one whose codec states no rate."""

_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2",
    "avi",
    "matroska,webm",
    "asf",
    "gif",
    "mpeg",
    "mpegts",
    "flv",
    "ogg",
    "dv",
    "mxf",
    "apng",
    *_ELEMENTARY,
)
"""Demuxers that may open a file: not those of playlists and scripts, which name other files or addresses."""

_PROMISE_END = frozenset({"matroska,webm", "asf"})
"""Containers whose header says how long they are; others announce frames, or FFmpeg takes what is there."""

DAMAGE = (
    av.FFmpegError,
    AttributeError,
    IndexError,
    KeyError,
    MemoryError,
    NotImplementedError,
    OverflowError,
    TypeError,
    ValueError,
)
"""What PyAV raises on damaged files: FFmpeg's own errors, and its own confusion about what FFmpeg found."""

_MAY_TURN = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"})
"""Containers that may say how players turn their pictures."""

_QUARTER_DEG = 90

_MAX_PIXELS = {"max_pixels": str(MAX_FRAME_PIXELS)}


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What a container announces about its first video stream.

    Attributes:
        height: rows as coded.
        width: columns as coded.
        n_frames: announced frames, None where the container only estimates or does not say.
        fps: average frame rate, None when unknown.
        duration_s: announced length, None when unknown.
        pixel_aspect: width of a pixel over its height, 1 where a file says what no picture has.
        has_times: whether its frames carry times; those of a bare stream without a rate are invented.
        end_s: seconds that the frames must reach; None where the container does not promise it.
        rotation_deg: counterclockwise turn that players apply, 0-359.
        interlaced: whether the first frame holds two moments, in odd and even rows.
    """

    height: int
    width: int
    n_frames: int | None
    fps: float | None
    duration_s: float | None
    pixel_aspect: float = 1.0
    has_times: bool = True
    end_s: float | None = None
    rotation_deg: int = 0
    interlaced: bool = False

    @property
    def quarter_turns(self) -> int:
        """Quarter turns counterclockwise that players apply; 0 for other angles, which no camera writes."""
        return self.rotation_deg // _QUARTER_DEG if self.rotation_deg % _QUARTER_DEG == 0 else 0


def read_stream_facts(source: Path | RawIOBase, name: str) -> StreamFacts:
    """Read what a container announces.

    Args:
        source: file, or an open stream.
        name: what to call it in messages.

    Raises:
        RecordingError: not a video, damaged beyond opening, no video stream, or frames too large.
    """
    with open_video(source, name) as (container, stream):
        duration_s = None
        if stream.duration is not None and stream.time_base is not None:
            duration_s = float(stream.duration * stream.time_base)
        elif container.duration is not None:
            duration_s = container.duration / av.time_base
        if stream.width < 1 or stream.height < 1:
            raise RecordingError(
                f"{name}: its video stream is damaged, cut short or too large to be a scanner's; {REMEDY}"
            )
        check_size(name, stream.height, stream.width)
        n_frames = _count_announced(stream)
        promises_end = n_frames is None and container.format.name in _PROMISE_END
        duration_s = duration_s if duration_s is not None and duration_s > 0 else None
        fps = _read_rate(container, stream)
        first = _decode_first(container, stream)
        return StreamFacts(
            height=stream.height,
            width=stream.width,
            n_frames=n_frames,
            fps=fps,
            has_times=fps is not None,
            duration_s=duration_s,
            pixel_aspect=_read_aspect(stream),
            end_s=duration_s if promises_end else None,
            rotation_deg=0 if first is None else int(first.rotation) % 360,
            interlaced=first is not None and bool(first.interlaced_frame),
        )


def describe_damage(error: BaseException) -> str:
    """Return FFmpeg's words for an error, or that PyAV has none."""
    words = error.strerror if isinstance(error, av.FFmpegError) else None
    return words if words else "its parts contradict each other"


def _read_aspect(stream: Any) -> float:
    aspect = stream.sample_aspect_ratio
    is_sound = aspect is not None and aspect > 0 and 1 / MAX_ASPECT <= float(aspect) <= MAX_ASPECT
    return float(aspect) if is_sound else 1.0


def _decode_first(container: Any, stream: Any) -> Any | None:
    """Decode one picture, which alone says how it is turned; None where that fails: reading will say why."""
    if container.format.name not in _MAY_TURN:
        return None
    try:
        return next(container.decode(stream), None)
    except DAMAGE:
        return None


def _count_announced(stream: Any) -> int | None:
    """Return the announced frames, less those that an edit list hides."""
    if stream.frames <= 0:
        return None
    entries = stream.index_entries
    hidden = sum(entry.is_discard for entry in entries) if len(entries) == stream.frames else 0
    return max(1, int(stream.frames) - hidden)


def _read_rate(container: Any, stream: Any) -> float | None:
    if container.format.name in _ELEMENTARY:
        rates = [stream.codec_context.framerate]
    else:
        rates = [stream.average_rate, stream.guessed_rate]
    return next((float(rate) for rate in rates if rate is not None and rate > 0), None)


@contextmanager
def open_video(source: Path | RawIOBase, name: str) -> Iterator[tuple[Any, Any]]:
    """Open a container; yield it and its first video stream, and close it at the end.

    Raises:
        RecordingError: not a video, damaged beyond opening, or no video stream.
    """
    options = {"format_whitelist": ",".join(_FORMATS), **_MAX_PIXELS}
    try:
        if isinstance(source, Path):
            # The whitelist keeps a playlist dressed up as a clip from reaching the network.
            options["protocol_whitelist"] = "file"
            container: Any = av.open(str(source.absolute()), metadata_errors="ignore", options=options)
        else:
            source.seek(0)
            container = av.open(source, metadata_errors="ignore", options=options)
    except DAMAGE as error:
        raise RecordingError(
            f"{name}: is not a readable video or is cut short ({describe_damage(error)}); {REMEDY}"
        ) from error
    with container:
        # Cover pictures of players are video streams too.
        streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
        if not streams:
            raise RecordingError(f"{name}: holds no video stream; choose the file with the picture")
        stream = streams[0]
        if stream.codec_context is None:
            raise RecordingError(f"{name}: its codec is unknown or damaged; {REMEDY}")
        stream.thread_type = "AUTO"
        stream.codec_context.options = dict(_MAX_PIXELS)
        yield container, stream
