"""Finds what is drawn on the tissue: text, marks and lines."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

STROKE_PX = 5
"""Strokes of letters and lines are thinner than this."""

STROKE_LEVELS = 15.0
STILL_SHARE = 0.35
MOVING_LEVELS = 2.0
"""Strokes drawn on the picture stand out by the first number of grey levels in every frame, and change from
frame to frame by less than the second share of what is around them, where that changes by more than
the third."""

LEAST_STROKE_PX = 12
"""Still strokes of fewer pixels are speckle that happens to stay."""

BRIGHT_LEVEL = 210
MARK_PX = 40
MARK_LEVELS = 90.0
DARKER_SHARE = 0.65
"""Marks that move with the tissue are white or yellow (luma 226), smaller than the second number of pixels,
stand out by the third number of levels, and most of the rim around them is darker than the last share of
themselves."""

NEAR_PX = 6
"""A mark that moves with the tissue is never further from where it was seen than this (choice of this
project: of the marks of a real evoked contraction it keeps 98 %, of phantoms' bright speckle nothing)."""

MOST_MARKED_SHARE = 0.1
"""Marks that were seen on more of the picture than this are speckle that changes from frame to frame, and
near to some speck everywhere; the marks of a real contraction were seen on 2.7 % of it."""

MOST_MARKS = 400
"""More bright pieces than this are tissue."""


class Overlays(NamedTuple):
    """What is drawn on the picture, each bool (H, W), grown by a pixel on either side.

    Attributes:
        drawn: all of it, marks at every place where they were seen.
        lasting: what is there in every frame, at its place or near by, as text and marks are; bright speckle
            comes and goes.
    """

    drawn: Mask
    lasting: Mask


def find_overlays(frames: NDArray[np.uint8], change: NDArray[np.float32], inside: Mask) -> Overlays:
    """Find what is drawn on the picture: captions, calipers, colour boxes, marks.

    In a clip, thin strokes that stand out at one place in every frame while the tissue around them changes
    are drawn. Small, nearly white pieces far brighter than what is around them are drawn too, moving or not.
    Captions on a still, or on tissue that hardly moves, are found only when they are white.

    Args:
        frames: uint8 (N, H, W), N >= 1.
        change: mean grey level change from frame to frame (H, W).
        inside: bool (H, W), the picture.
    """
    strokes = np.zeros(inside.shape, bool)
    if len(frames) > 2:
        least = np.full(inside.shape, np.inf, np.float32)
        for frame in frames:
            np.minimum(least, _top_hat(frame.astype(np.float32)), out=least)
        around = cv2.blur(change, (4 * STROKE_PX + 1, 4 * STROKE_PX + 1))
        still = (change < STILL_SHARE * around) & (around > MOVING_LEVELS)
        strokes = _drop_specks((least > STROKE_LEVELS) & still)
    ever, near_all = np.zeros(inside.shape, bool), np.ones(inside.shape, bool)
    for frame in frames:
        marks = _find_white_marks(frame)
        ever |= marks
        near_all &= _grow(marks, NEAR_PX)
    is_speckle = np.count_nonzero(ever & inside) > MOST_MARKED_SHARE * np.count_nonzero(inside)
    lasting = strokes if is_speckle else strokes | (ever & near_all)
    return Overlays(_grow(strokes | ever, 1) & inside, _grow(lasting, 1) & inside)


def _grow(mask: Mask, by_px: int) -> Mask:
    window = np.ones((2 * by_px + 1, 2 * by_px + 1), np.uint8)
    return np.asarray(cv2.dilate(mask.astype(np.uint8), window) > 0)


def _find_white_marks(frame: NDArray[np.uint8]) -> Mask:
    """Find small pieces that are nearly white and stand out from a wide surrounding."""
    bright = (frame >= BRIGHT_LEVEL).astype(np.uint8)
    if not bright.any():
        return np.zeros(frame.shape, bool)
    size = 2 * STROKE_PX + 1
    hat = cv2.morphologyEx(frame.astype(np.float32), cv2.MORPH_TOPHAT, np.ones((size, size), np.uint8))
    seeds = (bright > 0) & (np.asarray(hat) > MARK_LEVELS)
    n_parts, parts, statistics, _ = cv2.connectedComponentsWithStats(seeds.astype(np.uint8), connectivity=8)
    kept = np.zeros(n_parts, bool)
    if n_parts <= MOST_MARKS:
        others = cv2.dilate(seeds.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        for part in range(1, n_parts):
            kept[part] = _is_mark(frame, parts == part, statistics[part], others)
    return np.asarray(kept[parts])


def _is_mark(frame: NDArray[np.uint8], part: Mask, box: NDArray[np.int32], bright: Mask) -> bool:
    """Whether a bright piece is alone: tendons and fat go on beside their brightest spots."""
    x, y, width, height, area = (int(value) for value in box)
    if max(width, height) > MARK_PX or area < 4:
        return False
    near = np.s_[max(y - 4, 0) : y + height + 4, max(x - 4, 0) : x + width + 4]
    inside, values = part[near], frame[near]
    rim = cv2.dilate(inside.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    rim &= ~bright[near]
    if not rim.any():
        return False
    return bool(np.percentile(values[rim], 80) < DARKER_SHARE * np.median(values[inside]))


def _drop_specks(mask: Mask) -> Mask:
    """Drop pieces of fewer pixels than a letter has."""
    _, parts, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    kept = statistics[:, cv2.CC_STAT_AREA] >= LEAST_STROKE_PX
    kept[0] = False
    return np.asarray(kept[parts])


def _top_hat(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    kernel = np.ones((STROKE_PX, STROKE_PX), np.uint8)
    return np.asarray(cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, kernel), np.float32)
