from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fascnet.evaluation.figures.picture_noise import MOST_FRAMES, measure_picture_bound_um
from fascnet.types import Frame, RecordingInfo

PERIOD_PX = 16.0
SIZE = 160
KERNEL_MM = 3.2
"""32 px at 0.1 mm: whole periods, so that every block has the same texture."""


class Waves:
    """Stripes that move steadily down, with noise; each frame as often as asked."""

    path = Path("waves")

    def __init__(self, sigma, n_frames=50, speed_px=0.0, amplitude=60.0, level=128.0, repeat=1):
        rng = np.random.default_rng(0)
        rows = np.arange(SIZE)[:, None]
        self.images = []
        for index in range(n_frames):
            clean = level + amplitude * np.sin(2 * np.pi * (rows - speed_px * index) / PERIOD_PX)
            noisy = clean + rng.normal(0, sigma, (SIZE, SIZE))
            self.images += repeat * [np.clip(np.rint(noisy), 0, 255).astype(np.uint8)]
        self.info = RecordingInfo(SIZE, SIZE, len(self.images), 30.0, 1.0, 0.1, (0, 0, SIZE, SIZE))
        self.read = 0

    def frames(self):
        for index, image in enumerate(self.images):
            self.read += 1
            yield Frame(index, index / 30, image)


def expect_um(sigma, amplitude=60.0):
    """By hand: mean squared slope of a sine by central differences, noise with that of rounding."""
    slope = amplitude * np.sin(2 * np.pi / PERIOD_PX)
    energy = 32**2 * slope**2 / 2
    return 1000 * 0.1 * np.sqrt(2 * (sigma**2 + 1 / 12) / energy)


@pytest.mark.parametrize("sigma", [1.0, 3.0, 8.0])
def test_noise_and_texture_of_a_known_picture(sigma):
    assert measure_picture_bound_um(Waves(sigma), KERNEL_MM) == pytest.approx(expect_um(sigma), rel=0.03)


def test_steady_movement_is_no_noise():
    moving = measure_picture_bound_um(Waves(3.0, speed_px=0.3), KERNEL_MM)
    assert moving == pytest.approx(expect_um(3.0), rel=0.1)


def test_a_frame_stored_twice_counts_once():
    once, twice = (measure_picture_bound_um(Waves(3.0, 20, repeat=r), KERNEL_MM) for r in (1, 2))
    assert twice == pytest.approx(once, rel=1e-9)


def test_no_more_frames_are_read_than_needed():
    waves = Waves(3.0, n_frames=MOST_FRAMES + 40)
    measure_picture_bound_um(waves, KERNEL_MM)
    assert waves.read <= MOST_FRAMES + 1


def test_nothing_to_see():
    assert measure_picture_bound_um(Waves(1.0, level=4.0, amplitude=2.0), KERNEL_MM) is None
    assert measure_picture_bound_um(Waves(1.0, n_frames=4), KERNEL_MM) is None
    assert measure_picture_bound_um(Waves(0.0, amplitude=0.0), KERNEL_MM) is None
    assert measure_picture_bound_um(Waves(1.0), 100.0) is None
