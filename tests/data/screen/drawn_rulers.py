"""Screens with rulers of known scale, drawn with OpenCV's typefaces, which the reader does not know."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from fascnet.types import PixelBox

FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_PLAIN)


@dataclass(frozen=True)
class DrawnRuler:
    """A screen with a ruler.

    Attributes:
        level: greys (H, W).
        box: the picture.
        mm_per_px: true spacing.
    """

    level: np.ndarray
    box: PixelBox
    mm_per_px: float


def draw_ruler(
    rng: np.random.Generator,
    depth_mm: float,
    step_mm: float,
    long_every: int,
    numbers: str,
    is_left: bool = False,
    is_light: bool = False,
) -> DrawnRuler:
    """Draw a picture with a ruler beside it and a list of settings at the other side.

    Args:
        rng: source of sizes, typeface and clutter.
        depth_mm: of the picture.
        step_mm: between ticks.
        long_every: a long tick every so many, 1 for all alike.
        numbers: `mm`, `cm` or empty; at long ticks.
        is_left: the ruler's side.
        is_light: dark ink on light ground.
    """
    height = int(rng.integers(320, 620))
    mm_per_px = depth_mm / height
    # No linear probe is wider than 65 mm.
    width = int(np.clip(rng.uniform(25, 60) / mm_per_px, 200, 700))
    top, side = int(rng.integers(20, 60)), 110
    ground, ink = (215, 20) if is_light else (int(rng.integers(0, 60)), int(rng.integers(150, 255)))
    screen = np.full((height + top + 40, width + 2 * side), ground, np.uint8)
    tissue = cv2.GaussianBlur(rng.rayleigh(60, (height, width)).astype(np.float32), (0, 0), 1.5)
    screen[top : top + height, side : side + width] = np.clip(tissue, 0, 255)
    sign = -1 if is_left else 1
    foot = side - 6 if is_left else side + width + 5
    font, size = FONTS[int(rng.integers(3))], float(rng.uniform(0.4, 0.6))
    if font == cv2.FONT_HERSHEY_PLAIN:
        size *= 2
    long_px, short_px = int(rng.integers(7, 12)), int(rng.integers(3, 6))
    for index in range(int(depth_mm / step_mm) + 1):
        y = round(top + index * step_mm / mm_per_px)
        is_long = index % long_every == 0
        reach = long_px if is_long else short_px
        cv2.line(screen, (foot, y), (foot + sign * (reach - 1), y), ink, 1)
        value = index * step_mm / (10 if numbers == "cm" else 1)
        if numbers and is_long and index and abs(value - round(value)) < 1e-6:
            text = f"{value:.0f}"
            (wide, tall), _ = cv2.getTextSize(text, font, size, 1)
            x = foot + sign * (long_px + 4) - (wide if is_left else 0)
            cv2.putText(screen, text, (x, y + tall // 2), font, size, ink, 1, cv2.LINE_AA)
    x = width + side + 20 if is_left else 8
    for line, text in enumerate(("Frq 12", "Gn 55", "DR 70", "FR 31 Hz", "AO 100 %", "Map 3", "MI 0.9")):
        cv2.putText(screen, text, (x, top + 20 + 16 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.4, ink, 1)
    return DrawnRuler(screen, (side, top, side + width, top + height), mm_per_px)
