"""Speckle that is moved by a known twitch, with sub-pixel accuracy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

Shift = Callable[[float], tuple[float, float]]


@dataclass(frozen=True)
class MovingSpeckle:
    """A twitch of one direction with a Gaussian field, over a shift of the whole picture.

    Onset, peak, half and tenth follow from the course: sin² up, exponential down.
    """

    fps: float = 60.0
    mm_per_px: float = 0.1
    height: int = 180
    width: int = 220
    peak_mm: float = 0.3
    sigma_mm: float = 2.5
    x: float = 110.0
    y: float = 90.0
    direction: tuple[float, float] = (0.8, 0.6)
    start_s: float = 0.5
    rise_s: float = 0.12
    decay_s: float = 0.1
    duration_s: float = 1.4
    noise: float = 1.0
    shift_mm: Shift | None = None
    seed: int = 1

    @property
    def times_s(self):
        return np.arange(round(self.duration_s * self.fps)) / self.fps

    def course(self, t_s):
        since = np.asarray(t_s, dtype=np.float64) - self.start_s
        rise = np.sin(0.5 * np.pi * np.clip(since / self.rise_s, 0, 1)) ** 2
        return np.where(since < self.rise_s, rise, np.exp(-np.maximum(since - self.rise_s, 0) / self.decay_s))

    @property
    def onset_s(self):
        return self.start_s + self.rise_s * 2 / np.pi * np.arcsin(np.sqrt(0.05))

    @property
    def peak_s(self):
        return self.start_s + self.rise_s

    @property
    def core_mm2(self):
        return np.pi * 2 * np.log(2) * self.sigma_mm**2

    @property
    def peak_velocity_mm_per_s(self):
        return self.peak_mm * np.pi / 2 / self.rise_s

    @cached_property
    def _texture(self):
        rng = np.random.default_rng(self.seed)
        waves = [
            cv2.GaussianBlur(rng.standard_normal((self.height, self.width)).astype(np.float32), (0, 0), 1.5)
            for _ in range(2)
        ]
        level = 20 * np.log10(np.hypot(*waves) + 0.01)
        return (128 + 60 * (level - level.mean()) / level.std() / 2).astype(np.float32)

    def displace(self, x, y, t_s):
        """Displacement in mm of resting places in px."""
        r2 = (np.square(x - self.x) + np.square(y - self.y)) * self.mm_per_px**2
        size = self.peak_mm * float(self.course(t_s)) * np.exp(-0.5 * r2 / self.sigma_mm**2)
        dx, dy = (0.0, 0.0) if self.shift_mm is None else self.shift_mm(t_s)
        return size * self.direction[0] + dx, size * self.direction[1] + dy

    def frame(self, t_s):
        y, x = np.mgrid[: self.height, : self.width].astype(np.float64)
        at_x, at_y = x, y
        for _ in range(4):
            dx, dy = self.displace(at_x, at_y, t_s)
            at_x, at_y = x - dx / self.mm_per_px, y - dy / self.mm_per_px
        picture = cv2.remap(
            self._texture,
            at_x.astype(np.float32),
            at_y.astype(np.float32),
            cv2.INTER_LANCZOS4,
            borderMode=cv2.BORDER_REFLECT,
        )
        rng = np.random.default_rng((self.seed, round(t_s * 1e6)))
        return np.clip(picture + self.noise * rng.standard_normal(picture.shape), 0, 255).astype(np.uint8)

    def frames(self):
        return [self.frame(float(t)) for t in self.times_s]
