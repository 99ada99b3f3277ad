"""Decodes the pictures of a video's first stream, by PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import Any

from fascnet.data.recording.frame_clock import FrameClock
from fascnet.data.recording.limits import REMEDY, check_gap
from fascnet.data.recording.luma import take_luma
from fascnet.data.recording.video_end import lacks_end
from fascnet.data.recording.video_facts import DAMAGE, StreamFacts, describe_damage, open_video
from fascnet.errors import RecordingError
from fascnet.types import Frame


def decode(source: Path | RawIOBase, name: str, facts: StreamFacts, fps: float) -> Iterator[Frame]:
    """Decode a video's first stream, frame by frame.

    Args:
        source: file, or an open stream.
        name: what to call it in messages.
        facts: expected size, announced length, and the file's own mean rate.
        fps: mean rate that times are rescaled to.

    Raises:
        RecordingError: as `VideoRecording.frames`.
    """
    clock = FrameClock(fps if facts.fps is None else facts.fps, fps)
    for index, picture in enumerate(decode_pictures(source, name, facts)):
        time_s = clock.read(picture.time if facts.has_times else None)
        check_gap(name, index - 1, clock.step_s)
        try:
            image = take_luma(picture)
        except DAMAGE as error:
            raise RecordingError(f"{name}: frame {index} is damaged; {REMEDY}") from error
        yield Frame(index, time_s, image)


def decode_pictures(source: Path | RawIOBase, name: str, facts: StreamFacts) -> Iterator[Any]:
    """Yield PyAV's frames in order of time, without copying their pixels.

    A picture that FFmpeg had to patch up ends it: what is predicted from it is not what was recorded.

    Raises:
        RecordingError: as `VideoRecording.frames`.
    """
    count = 0
    first_s: float | None = None
    end_s = 0.0
    packets = _Packets()
    with open_video(source, name) as (container, stream):
        for picture in _decode_packets(container, stream, name, packets):
            if (picture.height, picture.width) != (facts.height, facts.width):
                size = f"{facts.width}x{facts.height} to {picture.width}x{picture.height}"
                raise RecordingError(f"{name}: the image changes size from {size}; split the recording there")
            if picture.is_corrupt:
                # A stream may begin between two key frames; nothing was shown before the first sound one.
                if count == 0:
                    continue
                raise RecordingError(f"{name}: is damaged after frame {count - 1}; {REMEDY}")
            yield picture
            count += 1
            if picture.time is not None:
                first_s = picture.time if first_s is None else first_s
                end_s = picture.time - first_s
    if count == 0:
        raise RecordingError(f"{name}: holds no decodable frame; {REMEDY}")
    announced = facts.n_frames
    # Packets, not pictures: an edit list hides some that are there, and a codec may leave repeats out.
    if announced is not None and announced - max(count, packets.shown) > max(1.0, 0.02 * announced):
        raise RecordingError(
            f"{name}: ends after {count} of {announced} frames; the file is cut short, {REMEDY}"
        )
    # Sound may go on for a moment longer than the picture, and the last frame lasts a while.
    is_short = facts.end_s is not None and facts.end_s - end_s > max(1.0, 0.05 * facts.end_s)
    if is_short or (isinstance(source, Path) and lacks_end(source)):
        raise RecordingError(f"{name}: ends before its announced end; the file is cut short, {REMEDY}")


@dataclass(slots=True)
class _Packets:
    """Packets that held a picture to show."""

    shown: int = 0


def _decode_packets(container: Any, stream: Any, name: str, packets: _Packets) -> Iterator[Any]:
    """Yield pictures; a damaged packet ends it once earlier pictures are out."""
    failure: BaseException | None = None
    demuxed = container.demux(stream)
    while failure is None:
        try:
            packet = next(demuxed, None)
            decoded = [] if packet is None else packet.decode()
        except DAMAGE as error:
            failure = error
            # Threads of the decoder still hold sound pictures of earlier packets.
            packet, decoded = None, _drain(stream)
        if packet is not None and packet.size and not packet.is_discard:
            packets.shown += 1
        yield from decoded
        if packet is None:
            break
    if failure is not None:
        raise RecordingError(f"{name}: is damaged ({describe_damage(failure)}); {REMEDY}") from failure


def _drain(stream: Any) -> list[Any]:
    try:
        return list(stream.codec_context.decode(None))
    except DAMAGE:
        return []  # nothing sound is left; the caller reports the first failure
