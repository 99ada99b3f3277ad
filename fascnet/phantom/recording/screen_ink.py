"""Draws text and lines in whole numbers, so that a screen has the same bits whatever libraries are there.

OpenCV's own text changed its fonts with version 5; this is a 5 x 7 dot-matrix alphabet instead.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GLYPH_ROWS = 7

# Five columns a glyph, two hexadecimal digits each, lowest bit on top: the usual shapes of 5 x 7 displays.
_GLYPHS = {
    " ": "0000000000", "%": "2313086462", "(": "001C224100", ")": "0041221C00", "+": "08083E0808",
    "-": "0808080808", ".": "0060600000", "/": "2010080402", ":": "0036360000", "[": "007F414100",
    "]": "0041417F00",
    "0": "3E5149453E", "1": "00427F4000", "2": "4261514946", "3": "2141454B31", "4": "1814127F10",
    "5": "2745454539", "6": "3C4A494930", "7": "0171090503", "8": "3649494936", "9": "064949291E",
    "A": "7E1111117E", "B": "7F49494936", "C": "3E41414122", "D": "7F4141221C", "E": "7F49494941",
    "F": "7F09090901", "G": "3E4149497A", "H": "7F0808087F", "I": "00417F4100", "J": "2040413F01",
    "K": "7F08142241", "L": "7F40404040", "M": "7F020C027F", "N": "7F0408107F", "O": "3E4141413E",
    "P": "7F09090906", "Q": "3E4151215E", "R": "7F09192946", "S": "4649494931", "T": "01017F0101",
    "U": "3F4040403F", "V": "1F2040201F", "W": "3F4038403F", "X": "6314081463", "Y": "0708700807",
    "Z": "6151494543",
    "a": "2054545478", "b": "7F48444438", "c": "3844444420", "d": "384444487F", "e": "3854545418",
    "f": "087E090102", "g": "0C5252523E", "h": "7F08040478", "i": "00447D4000", "j": "2040443D00",
    "k": "7F10284400", "l": "00417F4000", "m": "7C04180478", "n": "7C08040478", "o": "3844444438",
    "p": "7C14141408", "q": "081414187C", "r": "7C08040408", "s": "4854545420", "t": "043F444020",
    "u": "3C4040207C", "v": "1C2040201C", "w": "3C4030403C", "x": "4428102844", "y": "0C5050503C",
    "z": "4464544C44",
}  # fmt: skip

_FULL = GLYPH_ROWS * GLYPH_ROWS
"""Coverage of a pixel that lies wholly in a stroke."""


class Ink:
    """Strokes on a transparent sheet, to be laid over a picture.

    Args:
        height_px: rows of the sheet.
        width_px: columns of the sheet.
    """

    def __init__(self, height_px: int, width_px: int) -> None:
        self._cover = np.zeros((height_px, width_px), np.int32)
        self._grey = np.zeros((height_px, width_px), np.int32)

    def write(self, text: str, x: int, y: int, height_px: int, grey: int, bold: bool = False) -> None:
        """Write a line of text; what falls off the sheet is cut.

        Args:
            text: letters, digits and " %()+-./:[]"; any other character leaves a space.
            x: left edge.
            y: upper edge of capitals.
            height_px: height of capitals, >= 7 to be read.
            grey: 0-255.
            bold: strokes one pixel wider.
        """
        self._lay(_shape_text(text, height_px, bold), x, y, grey)

    def draw_line(self, start: tuple[int, int], end: tuple[int, int], grey: int, dash_px: int = 0) -> None:
        """Draw a line one pixel wide from (x, y) to (x, y), both ends included, dashed on request."""
        steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
        at = np.arange(steps + 1)
        # Rounded to the nearest pixel in whole numbers.
        x = start[0] + (2 * at * (end[0] - start[0]) + steps) // (2 * steps)
        y = start[1] + (2 * at * (end[1] - start[1]) + steps) // (2 * steps)
        height, width = self._cover.shape
        kept = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        if dash_px > 0:
            kept &= at // dash_px % 2 == 0
        self._cover[y[kept], x[kept]] = _FULL
        self._grey[y[kept], x[kept]] = grey

    def lay_over(self, picture: NDArray[np.uint8]) -> None:
        """Lay the sheet over a picture (H, W) of its size, in place."""
        rows, columns = np.nonzero(self._cover)
        if rows.size == 0:
            return
        area = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        cover = self._cover[area]
        mixed = picture[area] * (_FULL - cover) + self._grey[area] * cover
        picture[area] = (mixed + _FULL // 2) // _FULL

    def _lay(self, cover: NDArray[np.int32], x: int, y: int, grey: int) -> None:
        height, width = self._cover.shape
        top, left = max(-y, 0), max(-x, 0)
        part = cover[top : max(height - y, 0), left : max(width - x, 0)]
        area = np.s_[y + top : y + top + part.shape[0], x + left : x + left + part.shape[1]]
        self._grey[area] = np.where(part > 0, grey, self._grey[area])
        self._cover[area] = np.maximum(self._cover[area], part)


def measure_text(text: str, height_px: int, bold: bool = False) -> int:
    """Width in pixels of a line of text."""
    return int(_shape_text(text, height_px, bold).shape[1])


def _shape_text(text: str, height_px: int, bold: bool) -> NDArray[np.int32]:
    """Coverage (height_px, width), 0 to 49, of a line of text."""
    columns = [
        np.concatenate([_read_glyph(letter), np.zeros((GLYPH_ROWS, 1), np.int32)], 1) for letter in text
    ]
    dots = np.concatenate(columns, axis=1) if columns else np.zeros((GLYPH_ROWS, 1), np.int32)
    # Dots become height x height cells of a grid, which is read in squares of 7 x 7: exact areas.
    fine = np.repeat(np.repeat(dots, height_px, axis=0), height_px, axis=1)
    fine = np.pad(fine, ((0, 0), (0, -fine.shape[1] % GLYPH_ROWS)))
    squares = fine.reshape(height_px, GLYPH_ROWS, -1, GLYPH_ROWS)
    cover = np.asarray(squares.sum(axis=(1, 3)), dtype=np.int32)
    if bold:
        cover = np.pad(cover, ((0, 0), (0, 1)))
        cover[:, 1:] = np.maximum(cover[:, 1:], cover[:, :-1])
    return cover


def _read_glyph(letter: str) -> NDArray[np.int32]:
    """Dots (7, columns) of a letter, without empty columns beside it."""
    columns = bytes.fromhex(_GLYPHS.get(letter, _GLYPHS[" "]))
    dots = np.array([[column >> row & 1 for column in columns] for row in range(GLYPH_ROWS)], np.int32)
    used = np.flatnonzero(dots.any(axis=0))
    return dots[:, used[0] : used[-1] + 1] if used.size else dots[:, :3]
