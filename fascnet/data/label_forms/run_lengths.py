"""Masks as run lengths: CVAT's (row by row) and COCO's (column by column, plain or packed into letters).

Lengths come from files and are checked against the area before anything is allocated.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fascnet.data.label_forms.file_limits import MAX_SIDE_PX
from fascnet.errors import LabelError

_MAX_AREA_PX = 64 * 2**20


def unpack_rows(counts: Sequence[int], width: int, height: int, where: str) -> NDArray[np.bool_]:
    """Turn CVAT's run lengths into a mask.

    Args:
        counts: lengths of runs of outside, inside, outside, ... pixels, row by row.
        width: columns.
        height: rows.
        where: file and track, for messages.

    Returns:
        bool (height, width).

    Raises:
        LabelError: the lengths do not cover the area exactly.
    """
    return _unpack(counts, width * height, width, height, where).reshape(height, width)


def unpack_columns(counts: Sequence[int] | str, width: int, height: int, where: str) -> NDArray[np.bool_]:
    """Turn COCO's run lengths (`counts`, plain or packed) into a mask. Otherwise as `unpack_rows`."""
    plain = _unpack_letters(counts, where) if isinstance(counts, str) else counts
    return _unpack(plain, width * height, width, height, where).reshape(width, height).T


def pack_rows(inside: NDArray[np.bool_]) -> list[int]:
    """Turn a mask (h, w) into CVAT's run lengths, which begin with a run of outside pixels, maybe of 0."""
    flat = inside.reshape(-1)
    changes = np.flatnonzero(np.diff(flat)) + 1
    edges = np.concatenate(([0], changes, [flat.size]))
    lengths = np.diff(edges).tolist()
    return [0, *lengths] if flat.size and flat[0] else [int(length) for length in lengths]


def _unpack(counts: Sequence[int], area_px: int, width: int, height: int, where: str) -> NDArray[np.bool_]:
    if not (0 < width <= MAX_SIDE_PX and 0 < height <= MAX_SIDE_PX and area_px <= _MAX_AREA_PX):
        raise LabelError(f"{where}: a mask of {width}x{height} pixels is none; export it again")
    whole = len(counts) <= area_px + 1 and all(
        isinstance(n, int) and not isinstance(n, bool) and 0 <= n <= area_px for n in counts
    )
    if not whole or sum(counts) != area_px:
        raise LabelError(
            f"{where}: the run lengths do not add up to the mask's {width}x{height} pixels; export it again"
        )
    values = np.arange(len(counts)) % 2 == 1
    flat: NDArray[np.bool_] = np.repeat(values, np.asarray(counts, np.int64))
    return flat


def _unpack_letters(text: str, where: str) -> list[int]:
    """Unpack COCO's letters: 5 bits each, the sixth says that more follow, differences from two runs before.

    As described by `rleFrString` of the COCO API.
    """
    counts: list[int] = []
    value, shift = 0, 0
    for letter in text:
        code = ord(letter) - 48
        if not 0 <= code < 64 or shift > 30:
            raise LabelError(f"{where}: a packed mask holds '{letter!r}'; export it again")
        value |= (code & 31) << shift
        shift += 5
        if code & 32:
            continue
        if code & 16:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value, shift = 0, 0
    if shift:
        raise LabelError(f"{where}: a packed mask breaks off; export it again")
    return counts
