"""Collects the furniture of a scanner's screen: text, rulers, bars, marks, at places given in pixels."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from fascnet.phantom.recording.screen_ink import measure_text
from fascnet.phantom.recording.screen_layout import Clock, Line, Panel, ScreenLayout, Text
from fascnet.types import PixelBox


@dataclass
class Desk:
    """Collects what is drawn on one screen. Size, spacing and rate are the picture's."""

    height_px: int
    width_px: int
    mm_per_px: float
    fps: float
    rng: np.random.Generator
    panels: list[Panel] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    clock: Clock | None = None

    def __post_init__(self) -> None:
        # Real letters are 1/60 to 1/40 of the screen's height; below 7 pixels ours cannot be read.
        self.letter = int(np.clip(round(self.height_px / 36), 7, 12))
        self.grey = int(self.rng.integers(150, 225))

    def draw(self, low: float, high: float) -> float:
        """Draw evenly from a range."""
        return float(self.rng.uniform(low, high))

    def is_drawn(self, share: float) -> bool:
        """Whether something that stands on this share of screens stands on this one."""
        return bool(self.rng.random() < share)

    def write(self, text: str, x: int, y: int, bold: bool = False) -> int:
        """Write and return the x behind the text."""
        self.texts.append(Text(text, x, y, self.letter, self.grey, bold))
        return x + measure_text(text, self.letter, bold) + self.letter

    def show_clock(self, kind: str, x: int, y: int, bold: bool = False) -> int:
        """Set the clock, a time of day or what has passed, and return the x behind it."""
        start_s = float(self.rng.integers(8 * 3600, 17 * 3600)) if kind == "time" else 0.0
        self.clock = Clock(kind, x, y, self.letter, self.grey, start_s, self.fps, bold)
        return x + measure_text("00:00:00", self.letter, bold) + self.letter

    def list_parameters(self) -> list[str]:
        """Return five to nine lines of settings; depth and frame rate are true, the others invented."""
        depth_cm = self.height_px * self.mm_per_px / 10
        values = [
            f"Frq {self.draw(6, 13):.1f} MHz",
            f"Gn {round(self.draw(35, 85))}",
            f"D {depth_cm:.1f} cm",
            f"DR {round(self.draw(50, 75))}",
            f"FR {round(self.fps)} Hz",
            f"AO {round(self.draw(6, 10)) * 10} %",
            f"Map {round(self.draw(1, 8))}",
            f"Avg {round(self.draw(0, 5))}",
            f"Rej {round(self.draw(0, 9))}",
        ]
        return values[: int(self.rng.integers(5, 10))]

    def write_list(self, values: list[str], x: int, y: int, bottom: int) -> None:
        """Write lines below each other; those that would pass `bottom` are left out."""
        for index, value in enumerate(values):
            top = y + index * round(1.35 * self.letter)
            if top + self.letter <= bottom:
                self.write(value, x, top)

    def rule_depth(
        self, x: int, box: PixelBox, sign: int, length: int, numbers: bool, unit_mm: float
    ) -> None:
        """Draw ticks every 5 and 10 mm beside the picture at true scale, towards `sign`, with numbers."""
        for half_cm in range(int((box[3] - box[1]) * self.mm_per_px / 5) + 1):
            y = box[1] + round(half_cm * 5 / self.mm_per_px)
            reach = length if half_cm % 2 == 0 else max(length // 2, 1)
            self.lines.append(Line((x, y), (x + sign * reach, y), self.grey))
            if numbers and half_cm % 2 == 0 and half_cm > 0:
                text = f"{half_cm * 5 / unit_mm:.0f}"
                left = x + sign * (length + 3) - (measure_text(text, self.letter) if sign < 0 else 0)
                self.write(text, left, y - self.letter // 2)

    def rule_width(self, y: int, box: PixelBox, sign: int, length: int, whole_only: bool = False) -> None:
        """Draw ticks every 5 and 10 mm above (sign -1) or below (+1) the picture at true scale."""
        for half_cm in range(int((box[2] - box[0]) * self.mm_per_px / 5) + 1):
            x = box[0] + round(half_cm * 5 / self.mm_per_px)
            if half_cm % 2 == 0 or not whole_only:
                reach = length if half_cm % 2 == 0 else max(length // 2, 1)
                self.lines.append(Line((x, y), (x, y + sign * reach), self.grey))

    def add_grey_bar(self, x: int, y: int, width: int, height: int) -> None:
        """Add a bar from white to black."""
        self.panels.append(Panel((x, y, x + width, y + height), 255, 0))

    def add_grey_map(self, x: int, y: int, size: int) -> None:
        """Add the curve of the grey map in its frame."""
        corners = [(x, y), (x + size, y), (x + size, y + size), (x, y + size), (x, y)]
        curve = [(x + step, y + size - step * step // size) for step in range(size + 1)]
        for start, end in [*pairwise(corners), *pairwise(curve)]:
            self.lines.append(Line(start, end, self.grey))

    def add_focus(self, x: int, y: int, size: int) -> None:
        """Add the mark of a focal zone, an hourglass."""
        for row in range(-size, size + 1):
            reach = abs(row) * 2 // 3
            self.lines.append(Line((x - reach, y + row), (x + reach, y + row), 200))

    def add_logo(self, x: int, y: int, size: int) -> None:
        """Add a diamond or a ring with a zigzag: nobody's mark."""
        corners = 4 if self.is_drawn(0.5) else 16
        turn = 2 * np.pi * np.arange(corners) / corners
        ring = [(x + round(size * float(np.cos(a))), y + round(size * float(np.sin(a)))) for a in turn]
        half = size // 2
        zigzag = [(x - size, y), (x - half, y), (x - half // 2, y - half), (x + half // 2, y + half)]
        zigzag += [(x + half, y), (x + size, y)]
        for start, end in [*pairwise([*ring, ring[0]]), *pairwise(zigzag)]:
            self.lines.append(Line(start, end, self.grey))

    def finish(self, style: str, box: PixelBox, right: int, bottom: int, background: int) -> ScreenLayout:
        """Close the screen `right` and `bottom` pixels beyond the picture; even, as 4:2:0 video wants it."""
        height, width = box[3] + bottom, box[2] + right
        return ScreenLayout(
            style=style,
            height_px=height + height % 2,
            width_px=width + width % 2,
            box=box,
            background=background,
            panels=tuple(self.panels),
            lines=tuple(self.lines),
            texts=tuple(self.texts),
            clock=self.clock,
        )
