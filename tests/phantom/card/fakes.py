"""Pictures with known statistics, for the card's tests."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.card.sources import Source


def make_speckle(
    rng: np.random.Generator,
    shape: tuple[int, int],
    axial_px: float,
    lateral_px: float,
    range_db: float = 60.0,
) -> NDArray[np.uint8]:
    """Fully developed speckle of a Gaussian beam (deviations in px), log-compressed without clipping much."""
    parts = [
        cv2.GaussianBlur(rng.standard_normal(shape), (0, 0), sigmaX=lateral_px, sigmaY=axial_px) for _ in "ri"
    ]
    envelope = np.hypot(*parts)
    levels = 20 * np.log10(np.maximum(envelope / np.sqrt(np.mean(envelope**2)), 1e-6))
    return np.clip(np.rint(170 + levels * 255 / range_db), 0, 255).astype(np.uint8)


def make_streaks(
    rng: np.random.Generator, shape: tuple[int, int], long_px: float, short_px: float
) -> NDArray[np.uint8]:
    """Noise that is smooth over different lengths along x and z, grey 128 ± 30."""
    noise = cv2.GaussianBlur(rng.standard_normal(shape), (0, 0), sigmaX=long_px, sigmaY=short_px)
    return np.clip(128 + 30 * (noise - noise.mean()) / noise.std(), 0, 255).astype(np.uint8)


def make_source(
    group: str, frames: NDArray[np.uint8], *, is_real: bool, mm_per_px: float = 0.15, name: str = ""
) -> Source:
    """A source of these frames; a clip of 30 frames/s when there are several."""
    is_clip = len(frames) > 1
    return Source(
        name=name if name else group,
        group=group,
        is_real=is_real,
        is_clip=is_clip,
        frames=frames,
        fps=30.0 if is_clip else None,
        mm_per_px=mm_per_px,
        is_assumed=False,
        corner_px=(0, 0),
    )
