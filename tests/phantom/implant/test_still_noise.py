from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from fascnet.phantom.implant.still_noise import StillNoise, measure_grain_px, roughen_still

from .test_subpixel import make_speckle

SHAPE = (200, 220)


@pytest.mark.parametrize("level", [0.5, 1.0, 1.5])
def test_frames_differ_by_the_level_after_rounding(level: float) -> None:
    rng = np.random.default_rng(0)
    still = roughen_still(make_speckle(1.5, shape=SHAPE).astype(np.uint8), rng)
    noise = StillNoise(still, level, rng)
    frames = [np.rint(np.clip(still + noise.draw(), 0, 255)) for _ in range(6)]
    assert np.mean([np.abs(b - a).mean() for a, b in pairwise(frames)]) == pytest.approx(level, rel=0.06)


def test_moved_and_resting_parts_differ_alike() -> None:
    # A part that was moved by half a pixel has values between whole numbers; the noise must not tell.
    rng = np.random.default_rng(1)
    whole = make_speckle(1.5, shape=SHAPE).astype(np.uint8)
    still, noise = roughen_still(whole, rng), StillNoise(whole.astype(np.float32), 0.5, rng)
    drawn = [noise.draw() for _ in range(8)]
    changes = []
    for picture in (still, (still + np.roll(still, 1, 1)) / 2):
        frames = [np.rint(picture + grain) for grain in drawn]
        changes.append(np.mean([np.abs(b - a).mean() for a, b in pairwise(frames)]))
    assert changes[1] == pytest.approx(changes[0], rel=0.03)


def test_grains_are_as_coarse_as_the_speckle() -> None:
    fine, coarse = (make_speckle(s, shape=SHAPE) for s in (1.0, 2.0))
    assert measure_grain_px(coarse)[0] > 1.5 * measure_grain_px(fine)[0]
    grains = [StillNoise(p, 1.0, np.random.default_rng(0)).draw() for p in (fine, coarse)]
    widths = [measure_grain_px(g)[0] for g in grains]
    assert widths[1] > 1.4 * widths[0]
    wide = cv2.resize(fine, None, fx=2, fy=1, interpolation=cv2.INTER_CUBIC)
    assert measure_grain_px(wide)[0] > 1.5 * measure_grain_px(wide)[1]


def test_black_stays_nearly_still() -> None:
    picture = make_speckle(1.5, shape=SHAPE)
    picture[:, :100] = 0
    grain = StillNoise(picture, 1.0, np.random.default_rng(0)).draw()
    assert grain[:, :70].std() < 0.25 * grain[:, 140:].std()
