"""Speckle that moves as told: what a test draws is what has to be found."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.inference.movement.trace import Course
from fascnet.types import Frame

SIDE = 160
MM = 0.2
FPS = 30.0


def make_speckle(seed: int = 0, side: int = SIDE) -> NDArray[np.float32]:
    """Grey levels about 100 with speckle of 3 px, (side, side)."""
    noise = np.random.default_rng(seed).standard_normal((side, side)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.5)
    return (100 + 30 * smooth / smooth.std()).astype(np.float32)


def shift(picture: NDArray[np.float32], dx: NDArray | float, dy: NDArray | float) -> NDArray[np.float32]:
    """Move a picture by (dx, dy) px, numbers or fields of its size."""
    rows, cols = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    return cv2.remap(
        picture,
        (cols - dx).astype(np.float32),
        (rows - dy).astype(np.float32),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT,
    )


def spot(x: float, y: float, radius: float = 20.0, side: int = SIDE) -> NDArray[np.float32]:
    """Weight 1 at (x, y) px that falls off over `radius`."""
    rows, cols = np.mgrid[:side, :side]
    return np.exp(-((cols - x) ** 2 + (rows - y) ** 2) / (2 * radius**2)).astype(np.float32)


def film(
    draw: Callable[[float], NDArray[np.float32]], seconds: float, fps: float = FPS, noise: float = 1.0
) -> list[Frame]:
    """Frames of what `draw` shows at each moment, with electronic noise."""
    rng = np.random.default_rng(7)
    frames = []
    for k in range(round(seconds * fps)):
        picture = draw(k / fps)
        picture = picture + noise * rng.standard_normal(picture.shape)
        frames.append(Frame(k, k / fps, np.clip(np.rint(picture), 0, 255).astype(np.uint8)))
    return frames


def course_of(
    velocity: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    seconds: float = 14.0,
    fps: float = FPS,
    noise: float = 0.05,
) -> Course:
    """A course of 3 x 3 blocks that all move along x with a velocity in mm/s."""
    times_s = (np.arange(round(seconds * fps)) + 0.5) / fps
    mm_per_s = noise * np.random.default_rng(5).standard_normal((times_s.size, 3, 3, 2))
    mm_per_s[..., 0] += velocity(times_s)[:, None, None]
    return Course(times_s, mm_per_s.astype(np.float32))


def twitch_velocity(
    times_s: NDArray[np.float64], onset_s: float, peak_mm: float = 0.4
) -> NDArray[np.float64]:
    """Velocity in mm/s of a movement that goes out in 0.1 s and comes back over 0.3 s."""
    t = times_s - onset_s
    out = np.where((t >= 0) & (t < 0.1), np.sin(np.pi * t / 0.1) * np.pi / 0.2, 0.0)
    back = np.where((t >= 0.1) & (t < 0.4), -np.sin(np.pi * (t - 0.1) / 0.3) * np.pi / 0.6, 0.0)
    return peak_mm * (out + back)
