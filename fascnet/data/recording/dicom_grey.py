"""DICOM samples as 8-bit grey: palettes, windows, deep samples, inverted grey."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.pixels.processing import apply_color_lut

from fascnet.data.recording.luma import to_grey

ToGrey = Callable[[NDArray[Any]], NDArray[np.uint8]]
"""Turns a decoded frame (H, W) or RGB (H, W, 3) into luma, uint8 (H, W)."""

_MAX_TABLE_BITS = 16


def plan_grey(header: Any) -> ToGrey:
    """Choose how samples become grey levels; the same for all frames of a file.

    8-bit samples stay as stored: a window is the viewer's brightness, and a reader that applied it would show
    a network another picture than was recorded. Deeper samples need a choice: their window where the header
    gives one (DICOM PS3.3 C.11.2.1.2, after the rescaling of C.11.1), else all bits stored are spread evenly
    over 0-255.

    Args:
        header: pydicom's Dataset.

    Raises:
        ValueError, KeyError, AttributeError, TypeError: damaged elements, such as a palette without a table.
    """
    kind = str(header.PhotometricInterpretation)
    bits = int(header.BitsStored)
    signed = int(header.get("PixelRepresentation", 0)) == 1
    if not 1 <= bits <= 32:
        raise ValueError(f"BitsStored {bits}")
    if kind == "PALETTE COLOR":
        return _look_up(_make_palette_table(header, bits, signed), bits, signed)
    if int(header.SamplesPerPixel) == 3:
        return to_grey if bits == 8 else _Scaled(bits, signed)
    inverted = kind == "MONOCHROME1"
    if bits == 8 and not signed:
        return _invert if inverted else _keep
    if bits > _MAX_TABLE_BITS:
        return _Scaled(bits, signed, inverted)
    table = _make_grey_table(header, bits, signed)
    return _look_up(255 - table if inverted else table, bits, signed)


def has_window(header: Any) -> bool:
    """Whether the header gives one usable window (centre and width)."""
    return _read_window(header) is not None


def _keep(array: NDArray[Any]) -> NDArray[np.uint8]:
    # Bits above those stored may hold overlays.
    return np.asarray(array & 0xFF, np.uint8)


def _invert(array: NDArray[Any]) -> NDArray[np.uint8]:
    return np.asarray(255 - (array & 0xFF), np.uint8)


class _Scaled:
    """Spreads all bits stored evenly over 0-255."""

    def __init__(self, bits: int, signed: bool, inverted: bool = False) -> None:
        self._lowest = -(2.0 ** (bits - 1)) if signed else 0.0
        self._scale = 255.0 / (2.0**bits - 1.0)
        self._inverted = inverted

    def __call__(self, array: NDArray[Any]) -> NDArray[np.uint8]:
        scaled = (array.astype(np.float64) - self._lowest) * self._scale
        grey = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
        if grey.ndim == 3:
            return to_grey(grey)
        return np.asarray(255 - grey, np.uint8) if self._inverted else grey


def _look_up(table: NDArray[np.uint8], bits: int, signed: bool) -> ToGrey:
    """Return a reader of `table`, whose first entry stands for the lowest possible sample."""
    lowest = -(1 << (bits - 1)) if signed else 0
    highest = len(table) - 1

    def to_grey_levels(array: NDArray[Any]) -> NDArray[np.uint8]:
        index = array if lowest == 0 else array.astype(np.int32) - lowest
        # Bits above those stored may hold overlays or dirt.
        return np.asarray(np.take(table, np.clip(index, 0, highest)), np.uint8)

    return to_grey_levels


def _list_samples(bits: int, signed: bool) -> NDArray[np.int32]:
    lowest = -(1 << (bits - 1)) if signed else 0
    return np.arange(lowest, lowest + (1 << bits), dtype=np.int32)


def _make_grey_table(header: Any, bits: int, signed: bool) -> NDArray[np.uint8]:
    window = _read_window(header)
    samples = _list_samples(bits, signed).astype(np.float64)
    if window is None:
        share = (samples - samples[0]) / (samples[-1] - samples[0])
    else:
        slope, intercept = _read_number(header, "RescaleSlope"), _read_number(header, "RescaleIntercept")
        values = samples * (1.0 if slope is None else slope) + (0.0 if intercept is None else intercept)
        share = _apply_window(values, *window)
    return np.asarray(np.clip(np.rint(255.0 * share), 0, 255), np.uint8)


def _apply_window(values: NDArray[np.float64], centre: float, width: float, kind: str) -> NDArray[np.float64]:
    """DICOM PS3.3 C.11.2.1.2.1 (LINEAR), C.11.2.1.3.1 (SIGMOID) and C.11.2.1.3.2 (LINEAR_EXACT), to 0-1."""
    if kind == "SIGMOID":
        share = 1.0 / (1.0 + np.exp(np.clip(-4.0 * (values - centre) / width, -700.0, 700.0)))
    elif kind == "LINEAR_EXACT":
        share = (values - centre) / width + 0.5
    elif width <= 1.0:
        share = (values > centre - 0.5).astype(np.float64)
    else:
        share = (values - (centre - 0.5)) / (width - 1.0) + 0.5
    return np.asarray(np.clip(share, 0.0, 1.0), np.float64)


def _read_window(header: Any) -> tuple[float, float, str] | None:
    """Return the first window's centre and width, and its function; None where there is no usable one."""
    centre, width = _read_number(header, "WindowCenter"), _read_number(header, "WindowWidth")
    if centre is None or width is None or width <= 0:
        return None
    kind = header.get("VOILUTFunction")
    return centre, width, "LINEAR" if kind is None else str(kind).upper()


def _read_number(header: Any, name: str) -> float | None:
    value = header.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) and hasattr(value, "__len__"):
        value = value[0]
    number = float(value)
    return number if math.isfinite(number) else None


def _make_palette_table(header: Any, bits: int, signed: bool) -> NDArray[np.uint8]:
    if bits > _MAX_TABLE_BITS:
        raise ValueError(f"BitsStored {bits}")
    samples = _list_samples(bits, signed)
    colours = np.asarray(apply_color_lut(samples[None], header))[0, :, :3]
    # Some scanners write 8-bit levels into 16-bit tables (DICOM PS3.3 C.7.6.3.1.5 asks for the full range).
    if colours.dtype != np.uint8 and int(colours.max()) > 255:
        colours = colours >> 8
    levels: NDArray[np.uint8] = to_grey(colours.astype(np.uint8)[None])[0]
    return levels
