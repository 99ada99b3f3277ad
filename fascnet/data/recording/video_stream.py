"""Decodes the pictures of a video's first stream, by PyAV."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import RawIOBase
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fascnet.data.recording.frame_clock import FrameClock
from fascnet.data.recording.held_frames import may_hold
from fascnet.data.recording.limits import REMEDY, check_gap
from fascnet.data.recording.luma import take_luma
from fascnet.data.recording.video_end import lacks_end
from fascnet.data.recording.video_facts import DAMAGE, StreamFacts, describe_damage, open_video
from fascnet.errors import RecordingError
from fascnet.types import Frame


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands at one place of a stream.

    Attributes:
        picture: PyAV's frame; None for one that is damaged, in whose place the one before stands.
        time_s: its presentation time, None where the stream does not say.
    """

    picture: Any | None
    time_s: float | None


def decode(source: Path | RawIOBase, name: str, facts: StreamFacts, fps: float) -> Iterator[Frame]:
    """Decode a video's first stream, frame by frame, turned as the container says.

    Args:
        source: file, or an open stream.
        name: what to call it in messages.
        facts: expected size, announced length, and the file's own mean rate.
        fps: mean rate that times are rescaled to.

    Raises:
        RecordingError: as `VideoRecording.frames`.
    """
    clock = FrameClock(fps if facts.fps is None else facts.fps, fps)
    image: NDArray[np.uint8] | None = None
    for index, shown in enumerate(decode_pictures(source, name, facts)):
        time_s = clock.read(shown.time_s if facts.has_times else None)
        check_gap(name, index - 1, clock.step_s)
        if shown.picture is not None or image is None:
            try:
                image = _turn(take_luma(shown.picture), facts.quarter_turns)
            except DAMAGE as error:
                raise RecordingError(f"{name}: frame {index} is damaged; {REMEDY}") from error
        yield Frame(index, time_s, image, shown.picture is None)


def decode_pictures(source: Path | RawIOBase, name: str, facts: StreamFacts) -> Iterator[Shown]:
    """Yield PyAV's frames in order of time, without copying their pixels.

    Raises:
        RecordingError: as `VideoRecording.frames`.
    """
    count = 0
    first_s: float | None = None
    end_s = 0.0
    packets = _Packets()
    with open_video(source, name) as (container, stream):
        found = _decode_packets(container, stream, name, packets)
        for shown in _hold_over_damage(found, stream, name, facts, packets):
            yield shown
            count += 1
            if shown.time_s is not None:
                first_s = shown.time_s if first_s is None else first_s
                end_s = shown.time_s - first_s
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


def _hold_over_damage(
    found: Iterator[Any], stream: Any, name: str, facts: StreamFacts, packets: _Packets
) -> Iterator[Shown]:
    """Yield sound pictures, and held ones in place of a few that are lost.

    A picture that FFmpeg could not decode or had to patch up is lost, and so is what is predicted from it, up
    to the next sound key frame.

    Raises:
        RecordingError: the first picture, or more than a few, are lost; or the image changes size.
    """
    n_sound = n_held = 0
    lost = _Lost()
    fps = 25.0 if facts.fps is None else facts.fps
    for picture in found:
        if isinstance(picture, Exception):
            lost.note(None, picture)
            if n_sound == 0 or not may_hold(len(lost.times), n_held, n_sound, fps):
                break
            continue
        if (picture.height, picture.width) != (facts.height, facts.width):
            size = f"{facts.width}x{facts.height} to {picture.width}x{picture.height}"
            raise RecordingError(f"{name}: the image changes size from {size}; split the recording there")
        # A stream may begin between two key frames; nothing was shown before the first sound one.
        if picture.is_corrupt and n_sound == 0:
            continue
        taken = packets.take_until(picture.pts)
        if lost.times or picture.is_corrupt:
            lost.packets += taken
        if picture.is_corrupt or (lost.times and not picture.key_frame):
            lost.note(picture.pts, None)
            if not may_hold(len(lost.times), n_held, n_sound, fps):
                break
            continue
        if lost.times:
            times = lost.list_times(picture.pts)
            if not may_hold(len(times), n_held, n_sound, fps):
                break
            for pts in times:
                yield Shown(None, None if pts is None else float(pts * stream.time_base))
            n_held += len(times)
            lost = _Lost()
        yield Shown(picture, picture.time)
        n_sound += 1
    if lost.times:
        where = f" after frame {n_sound + n_held - 1}" if n_sound else ""
        raise RecordingError(f"{name}: is damaged{where}{lost.words}; {REMEDY}")


@dataclass(slots=True)
class _Packets:
    """Packets that hold a picture to show: how many, and when those are due that did not come out yet."""

    shown: int = 0
    due: list[int] = field(default_factory=list)

    def add(self, packet: Any) -> None:
        self.shown += 1
        if packet.pts is not None:
            heapq.heappush(self.due, packet.pts)

    def take_until(self, pts: int | None) -> list[int]:
        """Take those due up to a moment, in order of time; bounds memory by what the decoder holds back."""
        taken: list[int] = []
        while pts is not None and self.due and self.due[0] <= pts:
            taken.append(heapq.heappop(self.due))
        return taken


@dataclass(slots=True)
class _Lost:
    """Pictures lost since the last sound one.

    Attributes:
        times: when they were due, None where that is not known.
        packets: when all packets since then were due.
        words: what FFmpeg says about the first.
    """

    times: list[int | None] = field(default_factory=list)
    packets: list[int] = field(default_factory=list)
    words: str = ""

    def note(self, pts: int | None, failure: Exception | None) -> None:
        self.times.append(pts)
        if failure is not None and not self.words:
            self.words = f" ({describe_damage(failure)})"

    def list_times(self, pts: int | None) -> list[int | None]:
        """Return when the lost pictures were due: by their packets, where those say it."""
        known = sorted(
            {t for t in (*self.times, *self.packets) if t is not None and (pts is None or t < pts)}
        )
        return [*known, *([None] * max(0, len(self.times) - len(known)))]


def _decode_packets(container: Any, stream: Any, name: str, packets: _Packets) -> Iterator[Any]:
    """Yield pictures, and the error in place of a packet that could not be decoded.

    Raises:
        RecordingError: the container is damaged; earlier pictures are out.
    """
    demuxed = container.demux(stream)
    while True:
        try:
            packet = next(demuxed, None)
        except DAMAGE as error:
            # Threads of the decoder still hold sound pictures of earlier packets.
            yield from _drain(stream)
            raise RecordingError(f"{name}: is damaged ({describe_damage(error)}); {REMEDY}") from error
        if packet is None:
            return
        if packet.size and not packet.is_discard:
            packets.add(packet)
        try:
            decoded = packet.decode()
        except DAMAGE as error:
            yield error
            # The last call asks the decoder for all it still holds; what came after the error follows.
            decoded = [] if packet.size else _drain(stream)
        yield from decoded


def _drain(stream: Any) -> list[Any]:
    try:
        return list(stream.codec_context.decode(None))
    except DAMAGE:
        return []  # nothing sound is left; the caller reports the first failure


def _turn(image: NDArray[np.uint8], quarter_turns: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(np.rot90(image, quarter_turns)) if quarter_turns else image
