"""A decoded video frame as 8-bit grey, full range, in memory of its own."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# ITU-R BT.601-7 section 2.5.3: limited-range luma has 219 steps from 16 (black) to 235 (white).
_EXPANDED = np.clip(np.rint((np.arange(256) - 16) * 255.0 / 219.0), 0, 255).astype(np.uint8)

_FULL_RANGE = 2
"""AVCOL_RANGE_JPEG of FFmpeg's `AVColorRange`."""

_LUMA_FIRST = frozenset(
    {f"{kind}{layout}p" for kind in ("yuv", "yuvj") for layout in ("410", "411", "420", "422", "440", "444")}
    | {f"yuva{layout}p" for layout in ("420", "422", "444")}
    | {"gray", "nv12", "nv16", "nv21", "nv24"}
)
"""8-bit pixel formats whose first plane is the luma, one byte a pixel."""

_DEEP = re.compile(r"(?:gray|yuv4(?:20|22|44)p)(9|10|12|14|16)le")
"""Formats whose first plane is the luma in so many low bits of two bytes."""


def is_full_range(pix_fmt: str, color_range: int) -> bool:
    """Whether luma runs 0-255 instead of 16-235. This is the only place that decides it.

    Grey is full range by FFmpeg's own convention whatever the flag says, `yuvj` by name; other yuv is limited
    unless the stream says otherwise, which is what encoders mean when they leave the flag out.

    Args:
        pix_fmt: FFmpeg's name of the pixel format.
        color_range: FFmpeg's `AVColorRange`: 0 unspecified, 1 limited, 2 full.
    """
    return pix_fmt.startswith(("gray", "yuvj")) or color_range == _FULL_RANGE


def take_luma(frame: Any) -> NDArray[np.uint8]:
    """Copy a PyAV frame's luma out of memory that the decoder will use again.

    Args:
        frame: `av.VideoFrame` of any pixel format; RGB, palette, packed and deep formats are converted.

    Returns:
        uint8 (H, W), contiguous, full range.
    """
    name = frame.format.name
    if name in _LUMA_FIRST and frame.planes[0].line_size > 0:
        plane = frame.planes[0]
        # Lines are padded to the decoder's alignment: line_size >= width.
        lines = np.frombuffer(plane, np.uint8, count=frame.height * plane.line_size)
        luma = lines.reshape(frame.height, plane.line_size)[:, : frame.width]
        if is_full_range(name, int(frame.color_range)):
            return luma.copy()
        # Five times as fast as indexing by NumPy.
        return np.asarray(cv2.LUT(luma, _EXPANDED), np.uint8)
    deep = _DEEP.fullmatch(name)
    if deep is not None and frame.planes[0].line_size > 0:
        plane = frame.planes[0]
        lines = np.frombuffer(plane, "<u2", count=frame.height * plane.line_size // 2)
        samples = lines.reshape(frame.height, plane.line_size // 2)[:, : frame.width]
        table = _make_table(int(deep[1]), is_full_range(name, int(frame.color_range)))
        return np.asarray(np.take(table, samples, mode="clip"), np.uint8)
    return to_grey(frame.to_ndarray(format="rgb24"))


@lru_cache(maxsize=16)
def _make_table(bits: int, full_range: bool) -> NDArray[np.uint8]:
    """Grey level of each deep sample; limited range runs from 16 to 235 times 2^(bits - 8) (BT.601-7)."""
    samples = np.arange(1 << bits, dtype=np.float64)
    unit = 1 << (bits - 8)
    share = samples / samples[-1] if full_range else (samples - 16 * unit) / (219 * unit)
    return np.asarray(np.clip(np.rint(255.0 * share), 0, 255), np.uint8)


def to_grey(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert RGB (H, W, 3) to luma (H, W), ITU-R BT.601 weights."""
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY), np.uint8)
