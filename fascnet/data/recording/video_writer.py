"""Writes video: lossless for data, H.264 for looking at. A file appears whole or not at all."""

from __future__ import annotations

import math
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.data.whole_file import write_whole
from fascnet.errors import OutputError

Codec = Literal["ffv1", "h264_lossless", "h264", "h264_fast"]

CONTAINERS = {".avi": "avi", ".mkv": "matroska", ".mov": "mov", ".mp4": "mp4", ".m4v": "mp4"}
"""Suffix -> muxer; named outright, because the file is written under a temporary name."""

# libx264 would choose code by the processor, and now and then other bytes in another run: this keeps them.
# It costs nothing that could be measured (300 frames of 640 x 480: 3.25 s for 3.12 s).
_SAME_BYTES = {"x264-params": "cpu-independent=1"}

# Codec -> encoder and format for grey and for colour, options. The lossless ones keep samples unchanged;
# libx264 takes grey directly, but colour only through its RGB twin (yuv420p halves the chroma).
_ENCODERS: dict[str, tuple[tuple[str, str], tuple[str, str], dict[str, str]]] = {
    "ffv1": (("ffv1", "gray"), ("ffv1", "bgr0"), {"level": "3", "slicecrc": "1"}),
    "h264_lossless": (
        ("libx264", "gray"),
        ("libx264rgb", "bgr24"),
        {"qp": "0", "preset": "veryfast", "bf": "0", **_SAME_BYTES},
    ),
    "h264": (
        ("libx264", "yuv420p"),
        ("libx264", "yuv420p"),
        {"crf": "18", "preset": "medium", **_SAME_BYTES},
    ),
    "h264_fast": (
        ("libx264", "yuv420p"),
        ("libx264", "yuv420p"),
        {"crf": "23", "preset": "veryfast", **_SAME_BYTES},
    ),
}

# ITU-R BT.601-7 section 2.5.3: 8-bit luma has 219 steps above 16; grey is full range.
_TO_LIMITED = np.rint(np.arange(256) * 219.0 / 255.0 + 16.0).astype(np.uint8)


class VideoWriter:
    """Writes frames one after the other; use it in a `with` block.

    `ffv1` (`.avi`, `.mkv`) and `h264_lossless` (also `.mp4`, `.mov`) read back bit-identical. `h264` and
    `h264_fast` are lossy yuv420p, which halves the sides: odd sizes are padded by a replicated row or column.

    Args:
        path: the video; its suffix chooses the container (avi, mkv, mov, mp4, m4v).
        height: rows of every frame.
        width: columns of every frame.
        fps: frames per second, above 0.
        codec: see above.
        color: frames are RGB (H, W, 3) instead of grey (H, W).
        threads: encoder threads; 1 keeps the file bit-identical between machines.

    Raises:
        OutputError: unknown suffix or codec, or a file that cannot be written.
    """

    def __init__(
        self,
        path: Path,
        height: int,
        width: int,
        fps: Fraction | float,
        codec: Codec = "ffv1",
        color: bool = False,
        threads: int = 1,
    ) -> None:
        if codec not in _ENCODERS:
            raise OutputError(f"{path}: there is no codec '{codec}'; choose one of: {', '.join(_ENCODERS)}")
        if path.suffix.lower() not in CONTAINERS or (
            codec == "ffv1" and path.suffix.lower() not in {".avi", ".mkv"}
        ):
            fitting = ".avi or .mkv" if codec == "ffv1" else ", ".join(CONTAINERS)
            raise OutputError(f"{path}: {codec} cannot be stored in '{path.suffix}'; name the file {fitting}")
        if not (math.isfinite(fps) and fps > 0):
            raise OutputError(f"{path}: fps must be above 0, not {fps}")
        if height < 1 or width < 1:
            raise OutputError(f"{path}: frames of {width}x{height} pixels cannot be written")
        self._path = path
        self._size = (height, width)
        # Containers store the rate as a fraction of 32-bit integers.
        self._fps = Fraction(fps).limit_denominator(100_000)
        self._codec = codec
        self._color = color
        self._threads = threads
        self._n_frames = 0
        self._stack = ExitStack()
        self._container: Any = None
        self._stream: Any = None

    def __enter__(self) -> VideoWriter:
        grey, colour, options = _ENCODERS[self._codec]
        encoder, pix_fmt = colour if self._color else grey
        muxer = CONTAINERS[self._path.suffix.lower()]
        with ExitStack() as stack:
            part = stack.enter_context(write_whole(self._path))
            # bitexact leaves out dates and random ids, so that equal frames make equal files.
            container_options = {"fflags": "+bitexact"} | (
                {"movflags": "+faststart"} if muxer in {"mp4", "mov"} else {}
            )
            self._container = av.open(str(part), "w", format=muxer, container_options=container_options)
            stack.callback(self._container.close)
            stream = self._container.add_stream(encoder, rate=self._fps, options=options)
            height, width = self._size
            if pix_fmt == "yuv420p":
                height, width = height + height % 2, width + width % 2
            stream.height, stream.width, stream.pix_fmt = height, width, pix_fmt
            stream.codec_context.thread_count = self._threads
            stream.codec_context.color_range = 1 if pix_fmt == "yuv420p" else 2
            self._stream = stream
            self._stack = stack.pop_all()
        return self

    def write(self, image: NDArray[np.uint8]) -> None:
        """Append a frame.

        Args:
            image: uint8 (H, W), or RGB (H, W, 3) with `color=True`.

        Raises:
            OutputError: a frame of another size or type, or a full disk.
        """
        expected = (*self._size, 3) if self._color else self._size
        if image.shape != expected or image.dtype != np.uint8:
            raise OutputError(
                f"{self._path}: a frame is {image.dtype} {image.shape}, expected uint8 {expected}"
            )
        frame = self._to_frame(image)
        frame.pts = self._n_frames
        frame.time_base = 1 / self._fps
        self._n_frames += 1
        self._encode(frame)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # ExitStack passes an error of the flush on to `write_whole`, which then removes the file.
        with self._stack as stack:
            if error is not None:
                stack.__exit__(kind, error, trace)
                return
            if self._n_frames == 0:
                raise OutputError(f"{self._path}: no frame was written; a video needs at least one")
            self._encode(None)

    def _encode(self, frame: Any) -> None:
        try:
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
        except av.FFmpegError as error:
            raise OutputError(
                f"{self._path}: cannot be written ({error.strerror}); check free space"
            ) from error

    def _to_frame(self, image: NDArray[np.uint8]) -> Any:
        if self._codec in {"h264", "h264_fast"}:
            height, width = self._size
            if height % 2 or width % 2:
                padded = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
                image = np.asarray(padded, np.uint8)
            if self._color:
                planes: NDArray[np.uint8] = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420), np.uint8)
            else:
                rows, columns = image.shape[:2]
                planes = np.full((rows * 3 // 2, columns), 128, np.uint8)
                planes[:rows] = _TO_LIMITED[image]
            return av.VideoFrame.from_ndarray(planes, format="yuv420p")
        if self._color:
            if self._codec == "ffv1":
                with_alpha = np.zeros((*self._size, 4), np.uint8)
                with_alpha[..., :3] = image[..., ::-1]
                return av.VideoFrame.from_ndarray(with_alpha, format="bgra").reformat(format="bgr0")
            return av.VideoFrame.from_ndarray(np.ascontiguousarray(image[..., ::-1]), format="bgr24")
        return av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="gray")
