"""Small made-up recordings and stills, for the tests of implantation."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from fascnet.data.recording.video_writer import VideoWriter

from .implant.test_subpixel import make_speckle

SHAPE = (140, 150)


def make_muscle(seed: int, shape: tuple[int, int] = SHAPE, fibre_deg: float = 12.0) -> np.ndarray:
    """Bright skin and fascia over streaks along a direction, with speckle on top; uint8."""
    rng = np.random.default_rng(seed)
    turn = cv2.getRotationMatrix2D((shape[1] / 2, shape[0] / 2), -fibre_deg, 1.0)
    side = 2 * max(shape)
    streaks = cv2.GaussianBlur(rng.standard_normal((side, side)).astype(np.float32), (0, 0), 9.0, sigmaY=1.2)
    turned = cv2.warpAffine(
        streaks / streaks.std(), turn, (shape[1], shape[0]), borderMode=cv2.BORDER_REFLECT
    )
    picture = 70 + 25 * turned + 0.35 * (make_speckle(1.2, seed, shape) - 140)
    fascia = round(0.1 * shape[0])
    picture[fascia : fascia + 4] += 110
    return np.clip(picture, 5, 255).astype(np.uint8)


def write_recording(
    path: Path, seed: int = 0, n_frames: int = 36, fps: float = 24.0, border: int = 0
) -> Path:
    """Write the muscle with some noise of its own, perhaps inside a grey screen with bright letters."""
    rng = np.random.default_rng(1000 + seed)
    muscle = make_muscle(seed).astype(np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = (side + 2 * border for side in SHAPE)
    with VideoWriter(path, height, width, fps, codec="ffv1") as writer:
        for _ in range(n_frames):
            noise = cv2.GaussianBlur(rng.standard_normal(SHAPE).astype(np.float32), (0, 0), 1.0) * 3
            screen = np.full((height, width), 40, np.uint8)
            screen[border : border + SHAPE[0], border : border + SHAPE[1]] = np.clip(muscle + noise, 0, 255)
            if border:
                cv2.putText(screen, "DOE^JANE", (2, border // 2 + 4), cv2.FONT_HERSHEY_PLAIN, 0.7, 255)
            writer.write(screen)
    return path


def write_still(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), make_muscle(seed))
    return path
