"""Finds the ultrasound image among screen furniture: text, rulers, grey bars, flat borders."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.types import PixelBox

TEXTURE_WINDOW_PX = 5
TEXTURE_LEVELS = 1.5
"""Tissue varies by more grey levels (standard deviation) than compressed flat borders, which stay below 1."""

BRIDGED_SHARE = 0.01
"""Gaps below this share of the shorter side are bridged; wider ones would join lines of text to the image."""

OPENED_SHARE = 0.12
"""Textured parts narrower than this share of the shorter side (text, rulers, grey wedges) are furniture."""

LEAST_SHARE = 0.08
"""An area below this share of the frame is no reason to throw the rest away: the whole frame is kept."""

LEAST_FILL = 0.85
"""An area whose hull fills less of its box is no linear probe's (a sector, a colour box): nothing is cut."""

CAPTION_SHARE = 0.2
"""Captions (hospital, date, name) stand within this share of the image's height of its top or bottom."""

CAPTION_FILL = 0.6
"""A row of text lights up less of its width than this; skin and fat light up nearly all of it."""

CAPTION_LEVELS = 24
"""Grey levels above the darkest from which a pixel is lit; codecs blur text on black by up to a dozen."""

TEXT_LEVELS = 100
"""Text is brighter than the darkest by more than this; faint echoes below a bone are not."""

CAPTION_GAP_ROWS = 3
"""Empty rows between a caption and the image, at least."""

EDGE_SHARE = 0.02
"""An area that ends within this share of the frame's width of its left and right edge fills the width."""


def find_imaging_area(frames: NDArray[np.uint8]) -> PixelBox:
    """Return the box of the ultrasound image; conservative, and the whole frame when unsure.

    The largest connected textured area wins; its box never reaches into flat outer rows and columns.

    Args:
        frames: uint8 (N, H, W), N >= 1, a few frames of one clip.

    Returns:
        (x0, y0, x1, y1), half-open stored pixels, never empty.
    """
    return _cut_captions(frames, _find_area(frames))


def _find_area(frames: NDArray[np.uint8]) -> PixelBox:
    """Find the image, perhaps with lines of text that touch it."""
    whole = (0, 0, int(frames.shape[2]), int(frames.shape[1]))
    outer = _trim_flat(frames)
    if outer is None:
        return whole
    textured = np.zeros(frames.shape[1:], bool)
    for frame in frames:
        textured |= _measure_texture(frame) > TEXTURE_LEVELS
    inner = _find_largest(textured)
    if inner is None:
        return outer
    if inner[0] <= EDGE_SHARE * whole[2] and inner[2] >= (1 - EDGE_SHARE) * whole[2]:
        # No furniture beside the image: dark rows below it, even flat ones, are a shadow and part of it,
        # unless there is a bar above as well.
        bottom = whole[3] if outer[1] == 0 else outer[3]
        return outer[0], outer[1], outer[2], bottom
    # The texture window reaches half its width past the edge of the image.
    reach = TEXTURE_WINDOW_PX // 2
    x0, y0, x1, y1 = inner
    return (
        max(outer[0], x0 + reach if x0 > outer[0] else x0),
        max(outer[1], y0 + reach if y0 > outer[1] else y0),
        min(outer[2], x1 - reach if x1 < outer[2] else x1),
        min(outer[3], y1 - reach if y1 < outer[3] else y1),
    )


def _cut_captions(frames: NDArray[np.uint8], box: PixelBox) -> PixelBox:
    """Cut lines of text on black above and below the image: they name hospitals, dates and people."""
    x0, y0, x1, y1 = box
    brightest = frames[:, y0:y1, x0:x1].max(axis=0)
    darkest = int(brightest.min())
    lit = (brightest > darkest + CAPTION_LEVELS).mean(axis=1)
    has_text = brightest.max(axis=1) > darkest + TEXT_LEVELS
    top = _measure_caption(lit, has_text)
    bottom = _measure_caption(lit[::-1], has_text[::-1])
    return x0, y0 + top, x1, y1 - bottom


def _measure_caption(lit: NDArray[np.float64], has_text: NDArray[np.bool_]) -> int:
    """Return how many rows from the edge are captions and empty rows behind them; 0 without captions.

    Args:
        lit: share of lit pixels in each row, the edge first.
        has_text: rows with a pixel as bright as text.
    """
    reach = int(CAPTION_SHARE * lit.size)
    empty = lit[:reach] <= 0.01  # a speck of noise
    cut = 0
    for row in range(CAPTION_GAP_ROWS - 1, reach):
        beyond = lit[: row - CAPTION_GAP_ROWS + 1]
        text = has_text[: row - CAPTION_GAP_ROWS + 1]
        is_gap = bool(empty[row - CAPTION_GAP_ROWS + 1 : row + 1].all())
        if is_gap and text.any() and beyond.max() < CAPTION_FILL:
            cut = row + 1
    return cut


def _trim_flat(frames: NDArray[np.uint8]) -> PixelBox | None:
    """Cut outer rows and columns that hold one grey level in every frame; None when nothing else is left."""
    low, high = frames.min(axis=0), frames.max(axis=0)
    rows = np.nonzero(high.max(axis=1) > low.min(axis=1))[0]
    columns = np.nonzero(high.max(axis=0) > low.min(axis=0))[0]
    if rows.size == 0 or columns.size == 0:
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _measure_texture(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Local standard deviation in grey levels."""
    size = (TEXTURE_WINDOW_PX, TEXTURE_WINDOW_PX)
    values = frame.astype(np.float32)
    mean = cv2.blur(values, size)
    variance = cv2.blur(values * values, size) - mean * mean
    return np.sqrt(np.maximum(variance, 0.0)).astype(np.float32)


def _find_largest(textured: NDArray[np.bool_]) -> PixelBox | None:
    """Box of the largest area, gaps bridged and narrow parts removed; None when too small or ragged."""
    shorter = min(textured.shape)
    mask = textured.astype(np.uint8)
    # OpenCV ignores what lies past the border, so that an image that fills the frame is not worn away.
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _make_square(shorter, BRIDGED_SHARE)).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, _make_square(shorter, OPENED_SHARE)).astype(np.uint8)
    _, parts, statistics, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    areas = statistics[1:, cv2.CC_STAT_AREA]
    if areas.size == 0 or areas.max() < LEAST_SHARE * mask.size:
        return None
    largest = 1 + int(areas.argmax())
    x, y, width, height = (int(v) for v in statistics[largest, :4])
    # The hull, not the part itself, so that dark vessels and shadows inside do not count as ragged.
    rows, columns = np.nonzero(parts == largest)
    hull = cv2.convexHull(np.stack([columns, rows], axis=1).astype(np.int32))
    if cv2.contourArea(hull) < LEAST_FILL * width * height:
        return None
    return x, y, x + width, y + height


def _make_square(shorter: int, share: float) -> NDArray[np.uint8]:
    side = max(1, round(share * shorter)) | 1
    return np.ones((side, side), np.uint8)
