"""Reads the depth ruler: how many millimetres a pixel is. No reading rather than a wrong one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.data.screen.label_shapes import compare
from fascnet.data.screen.ruler_labels import Label, find_labels
from fascnet.data.screen.ruler_ticks import Ticks, find_ticks
from fascnet.types import PixelBox

STEPS_MM = (0.5, 1.0, 2.0, 2.5, 5.0, 10.0, 20.0, 50.0)
"""What may lie between two ticks."""

LONG_STEPS_MM = (1.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""What may lie between two long ticks, or ticks that are all alike."""

HABITS_MM = {4: (2.5,), 5: (1.0, 2.0, 10.0), 10: (1.0, 10.0)}
"""Steps by the number of ticks to a long one, as scanners draw them: quarters, fifths and tenths of
a centimetre; fifths may also be millimetres of half centimetres or centimetres of five. Halves are left out:
half centimetres of one and centimetres of two look the same and make pictures of possible depths."""

LINEAR_DEPTH_MM, SECTOR_DEPTH_MM = (14.0, 130.0), (25.0, 350.0)
LINEAR_WIDTH_MM = (10.0, 90.0)
"""How deep and wide a picture can be. Muscle is scanned 15-100 mm deep, hearts 60-250 mm; linear probes are
15-65 mm wide and steer a little beyond (choice of this project, wide enough for every probe it knows of)."""

LEAST_MATCH = 0.55
LEAST_LONE_MATCH = 0.6
LEAST_MARGIN = 0.1
"""How much numbers have to look like those expected, one number alone, and how much more than like those of
any other step (correlation, from compressed screens)."""

AGREED_SHARE = 0.03
"""Readings that differ by more than this share contradict each other."""

LEAST_ALIKE_SHARE = 1 / 3
"""Of what stands beside the ticks, so much at least has to look like the numbers expected."""

READ_CONFIDENCE, LONE_CONFIDENCE, HABIT_CONFIDENCE = 0.98, 0.9, 0.7


@dataclass(frozen=True, slots=True)
class RulerReading:
    """What a depth ruler says.

    Attributes:
        mm_per_px: downwards.
        confidence: 0-1 that it is right within 2 %.
        by: `numbers` beside the ticks, or `habit`: long and short ticks as scanners draw them.
        step_mm: between neighbouring ticks.
        pitch_px: between neighbouring ticks.
        ticks: how many were seen.
        columns: first and last column of the ruler, half-open.
        numbers: boxes of the numbers that were compared.
    """

    mm_per_px: float
    confidence: float
    by: str
    step_mm: float
    pitch_px: float
    ticks: int
    columns: tuple[int, int]
    numbers: tuple[PixelBox, ...]


def read_depth_ruler(level: NDArray[np.float32], box: PixelBox, kind: str) -> RulerReading | None:
    """Read the ruler beside the picture.

    Args:
        level: median greys of the screen (H, W).
        box: the picture.
        kind: `linear`, `trapezoid`, `sector` or `whole`: says which depths are possible.

    Returns:
        The reading; None without ruler, or when more than one is possible.
    """
    readings = []
    for ticks in find_ticks(level, box):
        matches = _match_numbers(level, ticks, box, kind)
        readings += [reading for match in matches if (reading := _read_numbers(ticks, match)) is not None]
        by_habit = _read_habit(ticks, box, kind)
        # Numbers that look like those of another step, not clearly enough to be read, speak against a habit.
        if by_habit is not None and all(match.allows(by_habit.step_mm) for match in matches):
            readings.append(by_habit)
    if not readings:
        return None
    best = max(readings, key=lambda reading: (reading.confidence, reading.ticks))
    # Two rulers that contradict each other are no reading.
    if any(abs(other.mm_per_px / best.mm_per_px - 1) > AGREED_SHARE for other in readings):
        return None
    return best


@dataclass(frozen=True, slots=True)
class _Match:
    """How much the numbers at one side of a ruler look like those of each possible step.

    Attributes:
        labels: the numbers.
        ranked: (mean correlation, step in mm), the best first.
        scores: correlation of each number with that of the best step.
    """

    labels: tuple[Label, ...]
    ranked: tuple[tuple[float, float], ...]
    scores: tuple[float, ...]

    @property
    def n_alike(self) -> int:
        """Numbers that look like those of the best step."""
        return sum(score >= LEAST_MATCH for score in self.scores)

    @property
    def is_wide(self) -> bool:
        """Whether the number most alike has two characters or more: one digit alone may be any mark."""
        tall, wide = self.labels[int(np.argmax(self.scores))].shape.shape
        return bool(wide > tall)

    def allows(self, step_mm: float) -> bool:
        """Whether these numbers may be those of a step: it is the best, or nothing looks like a number."""
        return self.n_alike == 0 or self.ranked[0][1] == step_mm


def _match_numbers(level: NDArray[np.float32], ticks: Ticks, box: PixelBox, kind: str) -> list[_Match]:
    """Compare the numbers at either side of a ruler with those that each possible step would have."""
    steps = [step for step in STEPS_MM if _is_possible(step, ticks, box, kind)]
    matches = []
    for side in find_labels(level, ticks, box):
        # 0 stands at the top whatever the step; numbers stand at long ticks.
        labels = tuple(label for label in side if label.index > 0 and label.index % ticks.ratio == 0)
        scores = {step: tuple(_match_one(label, step) for label in labels) for step in steps}
        if labels and steps:
            # Words and marks beside ticks look alike for every step: they lower all means by as much.
            ranked = sorted(((float(np.mean(scores[step])), step) for step in steps), reverse=True)
            matches.append(_Match(labels, tuple(ranked), scores[ranked[0][1]]))
    return matches


def _read_numbers(ticks: Ticks, match: _Match) -> RulerReading | None:
    """Return the step whose numbers the ruler has; None when unlike, or as much like another's."""
    margin = match.ranked[0][0] - match.ranked[1][0] if len(match.ranked) > 1 else 1.0
    # What does not look like a number of this step may be a word or a mark.
    if margin < LEAST_MARGIN or match.n_alike < max(1, LEAST_ALIKE_SHARE * len(match.labels)):
        return None
    if match.n_alike == 1 and not (match.is_wide and max(match.scores) >= LEAST_LONE_MATCH):
        return None
    confidence = READ_CONFIDENCE if match.n_alike > 1 else LONE_CONFIDENCE
    numbers = tuple(label.box for label in match.labels)
    return _make_reading(ticks, match.ranked[0][1], confidence, "numbers", numbers)


def _match_one(label: Label, step_mm: float) -> float:
    depth_mm = label.index * step_mm
    texts = []
    for value, unit in ((depth_mm, "mm"), (depth_mm / 10, "cm")):
        if abs(value - round(value)) < 1e-6:
            texts += [f"{value:.0f}", f"{value:.0f}{unit}"]
        if abs(10 * value - round(10 * value)) < 1e-6:
            texts += [f"{value:.1f}", f"{value:.1f}{unit}"]
    return max(compare(label.shape, text) for text in texts) if texts else -1.0


def _read_habit(ticks: Ticks, box: PixelBox, kind: str) -> RulerReading | None:
    """Tell the step by every how many ticks a long one stands, if only one depth is possible."""
    if kind == "sector" or ticks.comb.count < 5:
        return None
    steps = [step for step in HABITS_MM.get(ticks.ratio, ()) if _is_possible(step, ticks, box, kind)]
    return _make_reading(ticks, steps[0], HABIT_CONFIDENCE, "habit", ()) if len(steps) == 1 else None


def _is_possible(step_mm: float, ticks: Ticks, box: PixelBox, kind: str) -> bool:
    """Whether a step makes the picture as deep and wide as one of its kind can be."""
    if step_mm * ticks.ratio not in LONG_STEPS_MM:
        return False
    mm_per_px = step_mm / ticks.comb.pitch_px
    depth_mm, width_mm = (box[3] - box[1]) * mm_per_px, (box[2] - box[0]) * mm_per_px
    if kind == "sector":
        return SECTOR_DEPTH_MM[0] <= depth_mm <= SECTOR_DEPTH_MM[1]
    is_deep = LINEAR_DEPTH_MM[0] <= depth_mm <= LINEAR_DEPTH_MM[1]
    return is_deep and LINEAR_WIDTH_MM[0] <= width_mm <= LINEAR_WIDTH_MM[1]


def _make_reading(
    ticks: Ticks, step_mm: float, confidence: float, by: str, numbers: tuple[PixelBox, ...]
) -> RulerReading:
    return RulerReading(
        mm_per_px=step_mm / ticks.comb.pitch_px,
        confidence=confidence,
        by=by,
        step_mm=step_mm,
        pitch_px=ticks.comb.pitch_px,
        ticks=ticks.comb.count,
        columns=ticks.columns,
        numbers=numbers,
    )
