"""Compares the picture of a number with how numbers look in a few typefaces: no reading, only comparing.

Scanners write their rulers' numbers in plain sans-serif letters. The typefaces are those that come with
Pillow (Aileron) and matplotlib (DejaVu), and the 5 x 7 dots of text displays.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Shape = NDArray[np.float32]

HEIGHT_PX = 20
"""Shapes are compared at this height."""

_DRAWN_PX = 48
_DEJAVU = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")

_NARROWEST, _WIDEST = 0.65, 1.5
"""A number may be this much narrower or wider than a typeface has it."""

# Five columns a glyph, two hexadecimal digits each, lowest bit on top: the usual shapes of 5 x 7 displays.
_DOTS = {
    "0": "3E5149453E",
    "1": "00427F4000",
    "2": "4261514946",
    "3": "2141454B31",
    "4": "1814127F10",
    "5": "2745454539",
    "6": "3C4A494930",
    "7": "0171090503",
    "8": "3649494936",
    "9": "064949291E",
    ".": "0060600000",
}


def compare(shape: Shape, text: str) -> float:
    """Return how much a shape looks like a text, -1 to 1: the best correlation over the typefaces.

    Args:
        shape: coverage 0-1 of the number's bounding box, (h, w) of any size.
        text: digits, point and unit, such as `10`, `2.5` or `4.0cm`.
    """
    best = -1.0
    for template in draw_templates(text):
        stretch = (shape.shape[1] / shape.shape[0]) / (template.shape[1] / template.shape[0])
        # A lone 1 is a stroke of any width.
        if not _NARROWEST <= stretch <= _WIDEST and text != "1":
            continue
        resized = cv2.resize(shape, (template.shape[1], HEIGHT_PX), interpolation=cv2.INTER_AREA)
        best = max(best, _correlate(np.asarray(resized, np.float32), template) - 0.2 * abs(np.log(stretch)))
    return float(best)


@lru_cache(maxsize=512)
def draw_templates(text: str) -> tuple[Shape, ...]:
    """Draw a text in each typeface, cropped and `HEIGHT_PX` high; narrow ones are padded to half of that."""
    folder = Path(matplotlib.get_data_path()) / "fonts/ttf"
    fonts = [ImageFont.truetype(str(folder / name), _DRAWN_PX) for name in _DEJAVU]
    drawn = [_crop(_draw(text, font)) for font in (ImageFont.load_default(_DRAWN_PX), *fonts)]
    if all(letter in _DOTS for letter in text):
        drawn.append(_crop(_draw_dots(text)))
    templates = []
    for shape in drawn:
        width = max(round(shape.shape[1] * HEIGHT_PX / shape.shape[0]), 4)
        templates.append(
            np.asarray(cv2.resize(shape, (width, HEIGHT_PX), interpolation=cv2.INTER_AREA), np.float32)
        )
    return tuple(templates)


def _draw(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> Shape:
    image = Image.new("L", (_DRAWN_PX * (len(text) + 1), 2 * _DRAWN_PX))
    ImageDraw.Draw(image).text((_DRAWN_PX // 2, _DRAWN_PX // 4), text, fill=255, font=font)
    return np.asarray(image, np.float32) / np.float32(255)


def _draw_dots(text: str) -> Shape:
    letters = []
    for letter in text:
        columns = bytes.fromhex(_DOTS[letter])
        dots = np.array([[column >> row & 1 for column in columns] for row in range(7)], np.float32)
        used = np.flatnonzero(dots.any(axis=0))
        letters.append(np.pad(dots[:, used[0] : used[-1] + 1], ((0, 0), (0, 1))))
    return np.repeat(np.repeat(np.concatenate(letters, axis=1), 6, axis=0), 6, axis=1)


def _crop(shape: Shape) -> Shape:
    rows, columns = np.flatnonzero(shape.max(axis=1) > 0.2), np.flatnonzero(shape.max(axis=0) > 0.2)
    return shape[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _correlate(one: Shape, other: Shape) -> float:
    # An empty rim, so that a full stroke such as a 1 has something to differ from.
    a, b = (np.pad(shape, 2) - 0.0 for shape in (one, other))
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm > 0 else -1.0
