from __future__ import annotations

import numpy as np
import pytest

from fascnet.data.screen.picture_area import find_picture
from fascnet.phantom.recording.block_codec import BlockCodec
from fascnet.phantom.recording.screen import Screen
from fascnet.phantom.recording.screen_styles import STYLES, draw_layout
from tests.data.screen.drawn_screens import find_sector, make_screen, make_speckle, overlap

BOX = (120, 50, 420, 350)


@pytest.mark.parametrize("quality", [None, 55, 30])
@pytest.mark.parametrize("style", STYLES)
def test_phantom_screens(style: str, quality: int | None) -> None:
    """Four styles, plain and after a codec, with text on the picture on every second."""
    overlaps = []
    for seed in range(6):
        size = [(200, 400), (256, 256), (400, 220)][seed % 3]
        layout = draw_layout(*size, 0.125, np.random.default_rng(seed), style, overlay=seed % 2 == 0)
        screen = Screen(layout)
        frames = [screen.compose(np.maximum(make_speckle(*size, seed + k), 1), k / 30) for k in range(4)]
        if quality is not None:
            codec = BlockCodec(quality, 30, deblock=seed % 2 == 0)
            frames = [codec.store(frame) for frame in frames]
        found = find_picture(np.stack(frames))
        # A codec may swallow a border of a few pixels.
        assert found.kind == "linear" or style == "bordered"
        overlaps.append(overlap(found.box, layout.box))
    assert np.median(overlaps) >= 0.97
    assert min(overlaps) >= 0.92


@pytest.mark.parametrize("frames", [1, 4])
def test_a_still_works_too(frames: int) -> None:
    found = find_picture(make_screen(BOX, frames=frames))
    assert np.abs(np.array(found.box) - BOX).max() <= 1
    assert found.confidence > 0.9


@pytest.mark.parametrize("seed", range(20))
def test_no_furniture_means_the_whole_frame(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width = (int(side) for side in rng.integers(120, 500, 2))
    frames = np.stack([make_speckle(height, width, 10 * seed + k) for k in range(1 + seed % 3)])
    found = find_picture(frames)
    assert (found.kind, found.method) == ("whole", "whole")
    assert found.box == (0, 0, width, height)
    assert found.confidence > 0.5


def test_trapezoid_sector_and_zoomed_sector_are_told_apart() -> None:
    y, x = np.mgrid[0:400, 0:560]
    shapes = {
        "trapezoid": (np.abs(x - 280) <= 150 + 0.15 * (y - 40)) & (y >= 40) & (y < 370),
        "sector": find_sector((400, 560), (280, 10), 0.65, 0, 370),
    }
    zoomed = find_sector((400, 560), (280, -150), 0.8, 100, 900)
    for kind, inside in {**shapes, "zoomed": zoomed}.items():
        frames = np.stack([np.where(inside, np.maximum(make_speckle(400, 560, k), 2), 0) for k in range(3)])
        found = find_picture(frames.astype(np.uint8))
        assert found.kind == ("sector" if kind == "zoomed" else kind)
        ys, xs = np.nonzero(inside)
        assert overlap(found.box, (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)) > 0.95


@pytest.mark.parametrize("grey", [0, 60, 255])
def test_nothing_to_be_found_has_no_confidence(grey: int) -> None:
    found = find_picture(np.full((2, 200, 300), grey, np.uint8))
    assert (found.method, found.confidence, found.box) == ("whole", 0.0, (0, 0, 300, 200))
