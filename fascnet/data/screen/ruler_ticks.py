"""Finds the ticks of a depth ruler beside the picture: evenly spaced strokes or dots, one below another."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.data.screen.evenly_spaced import Comb, fit_comb
from fascnet.types import PixelBox

STROKE_WINDOW_PX = 9
"""What is as tall as this is no tick but a line, a bar or a letter's stem."""

THICKEST_PX = 7
FAINTEST_LEVELS = 8.0
CONTRAST_LEVELS = 15.0
"""Ticks are at most this thick, rise above their background by at least the second number of grey levels, and
the strongest of a ruler by at least the third."""

THRESHOLDS = (0.5, 0.25, 0.12)
"""Shares of a column's strongest tick: whole centimetres may be brighter than the ticks between."""

MOST_PEAKS = 120
MANY_TICKS = 5

TOP_SHARE = 0.3
"""A ruler counts from the skin: one of its ticks, seen or not, lies within this share of a step of the
picture's top."""

RATIOS = (2, 4, 5, 10)
"""How many steps whole centimetres may be apart."""

RATIO_CONTRAST = 1.35
"""Long ticks and those with a number carry more ink than others, by at least this factor."""

REACH_PX = 24
"""Columns beside the ruler in which a long tick or its number may stand."""


GROUND_SHARE = 0.4
"""Between its ticks, a ruler's background varies by less than this share of the ticks' contrast."""

Map = NDArray[np.float32]
Columns = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Ticks:
    """The ticks of a ruler.

    Attributes:
        comb: spacing and place; index 0 is the tick at the picture's top.
        columns: first and last column, half-open, in which all ticks stand.
        ratio: every how many ticks a long one stands, 1 when all are alike.
        is_bright: ticks are brighter than what is around them.
    """

    comb: Comb
    columns: tuple[int, int]
    ratio: int
    is_bright: bool


def find_ticks(level: NDArray[np.float32], box: PixelBox) -> tuple[Ticks, ...]:
    """Find rulers at the left and right of the picture.

    Args:
        level: median greys of the screen (H, W).
        box: the picture.

    Returns:
        At most one ruler a side, the better supported first.
    """
    x0, y0, x1, y1 = box
    margin = (y1 - y0) // 30 + 3
    rows = slice(max(0, y0 - margin), min(level.shape[0], y1 + margin))
    found = []
    for columns in (slice(0, x0), slice(x1, level.shape[1])):
        if columns.stop - columns.start < 3:
            continue
        side = level[rows, columns].astype(np.float32)
        for is_bright in (True, False):
            kind = cv2.MORPH_TOPHAT if is_bright else cv2.MORPH_BLACKHAT
            window = np.ones((STROKE_WINDOW_PX, 1), np.uint8)
            ink = np.asarray(cv2.morphologyEx(side, kind, window), np.float32)
            ticks = _find_on_side(ink, side, rows.start, columns.start, (y0, y1), is_bright)
            if ticks is not None:
                found.append(ticks)
    found.sort(key=lambda pair: -pair[0])
    return tuple(ticks for _, ticks in found)


def _find_on_side(
    ink: Map, side: Map, first_row: int, first_column: int, picture: tuple[int, int], is_bright: bool
) -> tuple[float, Ticks] | None:
    """Return the ruler on one side and how well it is supported.

    Args:
        ink: strokes of one polarity (rows, columns), grey levels.
        side: greys of the same rows and columns.
        first_row: screen row of the first.
        first_column: screen column of the first.
        picture: top and bottom of the picture.
        is_bright: polarity.
    """
    found = _group(_fit_columns(ink, first_row, picture))
    groups = [
        (comb, run)
        for comb, run in found
        # A few columns alone are an accident of letters below each other, the more so the fewer the teeth.
        if _count_columns(comb, run, found) >= (2 if comb.count >= MANY_TICKS else 4)
        and _is_on_plain_ground(ink, side, comb, run, first_row)
    ]
    if not groups:
        return None
    comb, run = max(groups, key=lambda group: _support(*group))
    ratio = 0
    for finer, its_run in groups:
        steps = round(comb.pitch_px / finer.pitch_px)
        apart = max(int(its_run[0]) - int(run[-1]), int(run[0]) - int(its_run[-1]))
        if steps in RATIOS and apart <= REACH_PX and comb.is_every(finer, steps):
            comb, run, ratio = finer, its_run, steps
            break
    ticks = Ticks(
        comb=comb,
        columns=(first_column + int(run[0]), first_column + int(run[-1]) + 1),
        ratio=ratio if ratio else _find_ratio(ink, comb, run, first_row),
        is_bright=is_bright,
    )
    return _support(comb, run), ticks


def _count_columns(comb: Comb, run: Columns, groups: list[tuple[Comb, Columns]]) -> int:
    """Return how many columns a ruler has, those included in which only its long ticks go on."""
    count = int(run.size)
    for coarser, its_run in groups:
        steps = round(coarser.pitch_px / comb.pitch_px)
        touches = its_run[0] <= run[-1] + 1 and run[0] <= its_run[-1] + 1
        if steps in RATIOS and touches and coarser.is_every(comb, steps):
            count += int(its_run.size)
    return count


def _support(comb: Comb, run: Columns) -> float:
    return comb.score * float(np.sqrt(min(run.size, 6)))


def _is_on_plain_ground(ink: Map, side: Map, comb: Comb, run: Columns, first_row: int) -> bool:
    """Whether there is nothing between the ticks: between lines of text there are letters."""
    column = int(run[run.size // 2])
    between, on = [], []
    for index in range(comb.first, comb.last + 1):
        at = round(comb.place(index)) - first_row
        half = round(comb.place(index) + 0.5 * comb.pitch_px) - first_row
        if 0 <= at < ink.shape[0]:
            on.append(float(ink[max(at - 1, 0) : at + 2, column].max()))
        if 0 <= half < side.shape[0]:
            between.append(float(side[half, column]))
    spread = np.percentile(between, 80) - np.percentile(between, 20)
    return bool(spread <= GROUND_SHARE * np.median(on))


def _fit_columns(ink: Map, first_row: int, picture: tuple[int, int]) -> list[tuple[int, Comb]]:
    """Fit a comb to each column of ink that has strokes: (column, comb counted from the picture's top)."""
    top, bottom = picture
    known: dict[bytes, Comb | None] = {}
    combs = []
    for column in np.flatnonzero(ink.max(axis=0) >= CONTRAST_LEVELS):
        strokes = ink[:, column].astype(np.float64)
        tried: set[int] = set()
        for share in THRESHOLDS:
            peaks, n_thick = find_peaks(strokes, max(FAINTEST_LEVELS, share * float(strokes.max())))
            # Several thick pieces are letters; one or two may be marks of the focus.
            if peaks.size in tried or not 3 <= peaks.size <= MOST_PEAKS or n_thick > 2:
                continue
            tried.add(peaks.size)
            key = np.rint(4 * peaks).astype(np.int32).tobytes()
            if key not in known:
                comb = fit_comb(peaks + first_row, bottom - top)
                known[key] = None if comb is None else comb.count_from(float(top), TOP_SHARE)
            aligned = known[key]
            if aligned is not None:
                combs.append((int(column), aligned))
    return combs


def find_peaks(strokes: NDArray[np.float64], least: float) -> tuple[NDArray[np.float64], int]:
    """Return the centres of thin pieces above a level, weighted by ink, and the number of thick pieces."""
    above = np.concatenate([[0], (strokes > least).astype(np.int8), [0]])
    starts, ends = np.flatnonzero(np.diff(above) == 1), np.flatnonzero(np.diff(above) == -1)
    centres = []
    for start, end in zip(starts, ends, strict=True):
        if end - start <= THICKEST_PX:
            weights = strokes[start:end]
            centres.append(float((weights * np.arange(start, end)).sum() / weights.sum()))
    return np.asarray(centres, np.float64), int(starts.size - len(centres))


def _group(combs: list[tuple[int, Comb]]) -> list[tuple[Comb, Columns]]:
    """Join columns whose combs agree: (best comb, longest run of neighbouring columns)."""
    groups: list[tuple[Comb, set[int]]] = []
    for column, comb in sorted(combs, key=lambda pair: -pair[1].score):
        for known, columns in groups:
            if known.is_like(comb):
                columns.add(column)
                break
        else:
            groups.append((comb, {column}))
    found = []
    for comb, columns in groups:
        at = np.asarray(sorted(columns), np.intp)
        runs = np.split(at, np.flatnonzero(np.diff(at) > 1) + 1)
        found.append((comb, max(runs, key=len)))
    return found


def _find_ratio(ink: Map, comb: Comb, run: Columns, first_row: int) -> int:
    """Return every how many ticks from the picture's top there is a longer one; 1 when there is none."""
    near = ink[:, max(int(run[0]) - REACH_PX, 0) : int(run[-1]) + 1 + REACH_PX]
    indexes = np.arange(comb.first, comb.last + 1)
    masses = []
    for index in indexes:
        row = round(comb.place(int(index))) - first_row
        masses.append(float(np.maximum(near[max(row - 1, 0) : row + 2], 0.0).max(axis=0, initial=0.0).sum()))
    weights = np.asarray(masses)
    for ratio in RATIOS:
        is_long = indexes % ratio == 0
        if np.count_nonzero(is_long) < 2 or np.count_nonzero(~is_long) < 2:
            continue
        least, most = np.sort(weights[is_long]), np.sort(weights[~is_long])
        # One tick of many may be hidden, or have a word or a mark of the focus beside it.
        allowed = 1 if indexes.size >= 8 else 0
        if any(
            least[low] > RATIO_CONTRAST * most[most.size - 1 - high]
            for low in range(min(allowed, least.size - 2) + 1)
            for high in range(min(allowed - low, most.size - 2) + 1)
        ):
            return ratio
    return 1
