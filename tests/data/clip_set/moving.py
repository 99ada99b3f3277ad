"""Clips whose content is easy to tell apart and easy to encode: drifting speckle."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from tests.data.tiny import make_texture, shift


def make_moving(seed: int, n_frames: int = 45, height: int = 64, width: int = 96) -> NDArray[np.uint8]:
    """Speckle that drifts along a drawn path; uint8 (T, H, W)."""
    rng = np.random.default_rng(seed)
    texture = make_texture(height, width, seed, sigma_px=3.0)
    path = np.cumsum(rng.normal(0.0, 1.2, (n_frames, 2)), axis=0)
    return np.stack([shift(texture, dx, dy) for dx, dy in path]).clip(0, 255).astype(np.uint8)


def encode(
    path: Path, frames: NDArray[np.uint8], codec: str, options: dict[str, str], scale: float = 1.0
) -> Path:
    """Write frames with loss, scaled when asked for."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(30))
        stream.height, stream.width = (int(n * scale) // 2 * 2 for n in frames.shape[1:])
        stream.pix_fmt, stream.options = "yuv420p", options
        for frame in frames:
            small = cv2.resize(frame, (stream.width, stream.height), interpolation=cv2.INTER_AREA)
            colour = cv2.cvtColor(small, cv2.COLOR_GRAY2RGB)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(colour, format="rgb24")))
        container.mux(stream.encode())
    return path
