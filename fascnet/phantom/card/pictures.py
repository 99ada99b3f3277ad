"""Pictures for the eye: real beside phantom at one scale, and the patches the classifier is surest about."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.card.discriminator import PatchJudge
from fascnet.phantom.card.patches import Patches
from fascnet.phantom.card.sources import Source
from fascnet.phantom.card.texture import resample

TILE_MM = (32.0, 16.0)
"""Width and depth of a tile; the upper middle of the region."""

TILE_PITCH_MM = 0.1
_COLUMNS = 3
_GAP_PX = 6
_ROW_PATCHES = 12

PATCH_ROWS = (
    ("real, taken for real", True, -1),
    ("real, taken for phantom", True, 1),
    ("phantom, taken for real", False, -1),
    ("phantom, taken for phantom", False, 1),
)
"""(caption, side, direction of the score) of each row of the patch picture."""


def tile_sources(sources: Sequence[Source], *, is_real: bool, count: int = 12) -> bytes | None:
    """Return a PNG of the first picture of up to `count` sources of a side, at one scale; None without any.

    Groups take turns, so that a subject with many clips does not fill the picture.
    """
    seen: dict[str, int] = {}
    turns = []
    for source in sources:
        if source.is_real == is_real:
            seen[source.group] = seen.get(source.group, 0) + 1
            turns.append((seen[source.group], source))
    if not turns:
        return None
    ordered = [source for _, source in sorted(turns, key=lambda turn: turn[0])][:count]
    tiles = [_cut_tile(source) for source in ordered]
    return _encode(_stack(tiles, _COLUMNS))


def tile_patches(patches: Patches, judge: PatchJudge) -> bytes:
    """Return a PNG with the rows of `PATCH_ROWS`: the surest verdicts, right and wrong, on held-out patches.

    At most two patches come from one subject, so that a row shows more than one.
    """
    rows = []
    for _, is_real, direction in PATCH_ROWS:
        taken: dict[str, int] = {}
        row: list[NDArray[np.uint8]] = []
        for index in np.argsort(direction * judge.score, kind="stable"):
            group = str(patches.group[index])
            if patches.real[index] == is_real and taken.get(group, 0) < 2 and len(row) < _ROW_PATCHES:
                taken[group] = taken.get(group, 0) + 1
                row.append(patches.images[index])
        row += [np.full_like(patches.images[0], 255)] * (_ROW_PATCHES - len(row))
        rows += row
    return _encode(
        cv2.resize(_stack(rows, _ROW_PATCHES), None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)
    )


def _cut_tile(source: Source) -> NDArray[np.uint8]:
    width, height = (round(side / TILE_PITCH_MM) for side in TILE_MM)
    fine = resample(source.frames[0], source.mm_per_px, TILE_PITCH_MM)
    left = max((fine.shape[1] - width) // 2, 0)
    part = fine[:height, left : left + width]
    tile = np.full((height, width), 255, dtype=np.uint8)
    tile[: part.shape[0], : part.shape[1]] = np.clip(np.rint(part), 0, 255).astype(np.uint8)
    return tile


def _stack(tiles: Sequence[NDArray[np.uint8]], columns: int) -> NDArray[np.uint8]:
    height, width = tiles[0].shape
    rows = -(-len(tiles) // columns)
    shape = (rows * (height + _GAP_PX) - _GAP_PX, columns * (width + _GAP_PX) - _GAP_PX)
    sheet = np.full(shape, 255, dtype=np.uint8)
    for index, tile in enumerate(tiles):
        top, left = index // columns * (height + _GAP_PX), index % columns * (width + _GAP_PX)
        sheet[top : top + height, left : left + width] = tile
    return sheet


def _encode(image: NDArray[np.uint8] | cv2.typing.MatLike) -> bytes:
    _, data = cv2.imencode(".png", image)
    return bytes(data)
