"""Video files as recordings, decoded lazily by PyAV; every frame is counted."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fascnet.data.recording.frame_clock import FrameClock
from fascnet.data.recording.limits import check_gap, check_rate, describe_aspect
from fascnet.data.recording.opened import check_file, choose_spacing, make_info
from fascnet.data.recording.video_facts import read_stream_facts
from fascnet.data.recording.video_stream import decode, decode_pictures
from fascnet.errors import RecordingError
from fascnet.types import Frame, PixelBox, RecordingInfo


class VideoRecording:
    """A video file.

    A picture that the container turns by quarters is turned: so players, CVAT (since 2020), browsers and
    OpenCV show it, and labels are drawn on what they show. Pixels that are not square stay so, since labels
    count them one to one; `info.pixel_aspect` says their shape, and preprocessing makes them square.

    Args:
        path: mp4, mov, avi, mkv, webm, mpg, wmv, gif ... whatever FFmpeg decodes.
        fps: frame rate that replaces the file's; its times are rescaled.
        mm_per_px: pixel spacing from the manifest; video files store none.
        box: imaging area, the whole image if None.
        given_by: who gave `mm_per_px`: `manifest` or `sidecar`.

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
        given_by: str = "manifest",
    ) -> None:
        self._path = path
        name = f"{path}"
        facts = read_stream_facts(check_file(path), name)
        own_fps = fps if facts.fps is None else facts.fps
        if own_fps is None:
            raise RecordingError(f"{path}: has no frame rate; give it in the fps column of a manifest.csv")
        used_fps = check_rate(name, own_fps if fps is None else fps, given=fps is not None)
        self._facts = facts
        is_sideways = facts.quarter_turns % 2 == 1
        self._info = make_info(
            height=facts.width if is_sideways else facts.height,
            width=facts.height if is_sideways else facts.width,
            n_frames=facts.n_frames,
            fps=used_fps,
            duration_s=None if facts.duration_s is None else facts.duration_s * own_fps / used_fps,
            spacing=choose_spacing(mm_per_px, given_by, None, ""),
            box=box,
            pixel_aspect=1.0 / facts.pixel_aspect if is_sideways else facts.pixel_aspect,
        )

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

    @cached_property
    def times_s(self) -> NDArray[np.float64]:
        """(T,) seconds of every frame that can be decoded, first 0; decodes the file once."""
        own_fps = self._info.fps if self._facts.fps is None else self._facts.fps
        clock = FrameClock(own_fps, self._info.fps)
        times_s: list[float] = []
        try:
            for shown in decode_pictures(self._path, f"{self._path}", self._facts):
                times_s.append(clock.read(shown.time_s if self._facts.has_times else None))
                check_gap(f"{self._path}", len(times_s) - 2, clock.step_s)
        except RecordingError:
            # A clip that breaks off is scored as far as it is sound; its times end there too.
            if not times_s:
                raise
        return np.asarray(times_s, np.float64)

    @property
    def notes(self) -> tuple[str, ...]:
        """How the pictures are shaped and turned."""
        facts = self._facts
        notes = describe_aspect(self._info.pixel_aspect)
        if facts.quarter_turns:
            notes.append(f"its pictures are turned by {facts.rotation_deg} degrees, as players show them")
        elif facts.rotation_deg:
            notes.append(f"players turn it by {facts.rotation_deg} degrees; frames stay as stored")
        if facts.interlaced:
            notes.append("its frames are interlaced: each holds two moments, odd and even rows")
        return tuple(notes)

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order of time, decoding as they are asked for. Each call starts anew.

        Raises:
            RecordingError: decoding fails, more than a few pictures are damaged (`held_frames.may_hold`), the
                image changes size, or the file ends before its announced end (more than 1 frame and 2 %
                short); frames already yielded are sound.
        """
        yield from decode(self._path, f"{self._path}", self._facts, self._info.fps)
