"""Finds the large textured part of a frame: most of the picture, without text, rulers and grey bars."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.types import PixelBox

Mask = NDArray[np.bool_]

TEXTURE_LEVELS = 1.5
"""Tissue varies by more grey levels (standard deviation) than compressed flat borders, which stay below 1."""

TISSUE_SHARE = 0.3
"""Codecs ring around text by less than this share of the tissue's own texture, tissue in shadow by more."""

BRIDGED_SHARE = 0.01
"""Gaps below this share of the shorter side are bridged; wider ones would join text to the picture."""

OPENED_SHARE = 0.12
"""Textured parts narrower than this share of the shorter side (text, rulers, grey wedges) are furniture."""

LEAST_SHARE = 0.02
"""A part below this share of the frame is no picture."""

SAME_SIDES_SHARE = 0.85
"""Two parts above each other whose widths overlap by this share belong together: a dark vessel or shadow."""


def find_textured_part(texture: NDArray[np.float32]) -> tuple[PixelBox, Mask] | None:
    """Find the largest textured part, and those above and below it that have the same sides.

    Args:
        texture: float32 (H, W), standard deviation in grey levels.

    Returns:
        Its box and the pixels of the largest part, bool (H, W); None when nothing is textured.
    """
    first = _find_above(texture, TEXTURE_LEVELS)
    if first is None:
        return None
    # Once the tissue's own texture is known, what is far below it is the codec's.
    least = max(TEXTURE_LEVELS, TISSUE_SHARE * float(np.median(texture[first[1]])))
    second = _find_above(texture, least)
    if second is None or np.count_nonzero(second[1]) < 0.5 * np.count_nonzero(first[1]):
        return first
    return second


def make_square(shorter: int, share: float) -> NDArray[np.uint8]:
    """Return a structuring element whose side is a share of the frame's shorter side, odd, 1 or more."""
    side = max(1, round(share * shorter)) | 1
    return np.ones((side, side), np.uint8)


def _find_above(texture: NDArray[np.float32], least: float) -> tuple[PixelBox, Mask] | None:
    shorter = min(texture.shape)
    mask = (texture > least).astype(np.uint8)
    # OpenCV ignores what lies past the border, so that a picture that fills the frame is not worn away.
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, make_square(shorter, BRIDGED_SHARE)).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, make_square(shorter, OPENED_SHARE)).astype(np.uint8)
    _, parts, statistics, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    areas = statistics[1:, cv2.CC_STAT_AREA]
    if areas.size == 0 or areas.max() < LEAST_SHARE * mask.size:
        return None
    largest = 1 + int(areas.argmax())
    x, y, width, height = (int(v) for v in statistics[largest, :4])
    box = (x, y, x + width, y + height)
    for row in statistics[1:]:
        box = _join(box, tuple(int(v) for v in row[:4]))
    return box, np.asarray(parts == largest)


def _join(box: PixelBox, part: tuple[int, ...]) -> PixelBox:
    """Join a part (x, y, width, height) to the box when it has about the same sides."""
    x, y, width, height = part
    own_width = box[2] - box[0]
    shared = min(x + width, box[2]) - max(x, box[0])
    if shared < SAME_SIDES_SHARE * min(width, own_width) or not 0.4 * own_width <= width <= 1.2 * own_width:
        return box
    return min(box[0], x), min(box[1], y), max(box[2], x + width), max(box[3], y + height)
