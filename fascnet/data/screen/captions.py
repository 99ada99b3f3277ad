"""Cuts lines of text off above and below a picture that fills the width of the frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fascnet.types import PixelBox

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


def cut_captions(frames: NDArray[np.uint8], box: PixelBox) -> PixelBox:
    """Cut lines of text on black above and below the picture: they name hospitals, dates and people.

    Args:
        frames: uint8 (N, H, W), N >= 1.
        box: the picture, perhaps with captions.
    """
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
