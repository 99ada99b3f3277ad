"""Speckle on screens of known geometry."""

from __future__ import annotations

import cv2
import numpy as np

from fascnet.types import PixelBox


def make_speckle(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Return a picture of speckle, uint8 (height, width)."""
    rng = np.random.default_rng(seed)
    envelope = np.hypot(*(cv2.GaussianBlur(rng.normal(size=(height, width)), (0, 0), 1.5) for _ in range(2)))
    return np.clip(255 * envelope / envelope.max(), 0, 255).astype(np.uint8)


def make_screen(
    box: PixelBox, shape: tuple[int, int] = (400, 560), frames: int = 3, ground: int = 0
) -> np.ndarray:
    """Return frames (N, H, W) with speckle in a box, text around it and a grey bar."""
    x0, y0, x1, y1 = box
    screen = np.full((frames, *shape), ground, np.uint8)
    for index, frame in enumerate(screen):
        frame[y0:y1, x0:x1] = np.maximum(make_speckle(y1 - y0, x1 - x0, index), 1)
        write(frame, "NAME X 01.02.1950", (6, 14))
        write(frame, "GN 60", (4, y0 + 40))
        frame[y0 + 60 : y0 + 140, 6:14] = np.linspace(255, 0, 80)[:, None].astype(np.uint8)
    return screen


def write(frame: np.ndarray, text: str, at: tuple[int, int], grey: int = 210) -> None:
    """Write text with its lower left corner at (x, y)."""
    cv2.putText(frame, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, grey, 1, cv2.LINE_AA)


def find_sector(
    shape: tuple[int, int], apex: tuple[float, float], half_rad: float, inner: float, outer: float
) -> np.ndarray:
    """Return bool (H, W): an upright part of a ring."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    angle, radius = np.arctan2(x - apex[0], y - apex[1]), np.hypot(x - apex[0], y - apex[1])
    return (np.abs(angle) <= half_rad) & (radius >= inner) & (radius <= outer)


def overlap(a: PixelBox, b: PixelBox) -> float:
    """Intersection over union of two boxes."""
    width = max(min(a[2], b[2]) - max(a[0], b[0]), 0)
    height = max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return width * height / (areas - width * height)


def overlap_masks(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two masks."""
    return float((a & b).sum() / (a | b).sum())
