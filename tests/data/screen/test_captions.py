from __future__ import annotations

import numpy as np

from fascnet.data.screen.captions import cut_captions


def make_frames() -> np.ndarray:
    rng = np.random.default_rng(5)
    frames = np.zeros((4, 300, 320), np.uint8)
    frames[:, 40:265] = rng.integers(60, 200, (4, 225, 320))
    return frames


def test_lines_of_text_are_cut() -> None:
    frames = make_frames()
    for row in (12, 285):
        frames[:, row : row + 10, 20:150:3] = 230
    x0, y0, x1, y1 = cut_captions(frames, (0, 0, 320, 300))
    assert (x0, x1) == (0, 320)
    assert 30 <= y0 <= 40 and 265 <= y1 <= 275


def test_dark_rows_without_text_stay() -> None:
    assert cut_captions(make_frames(), (0, 0, 320, 300)) == (0, 0, 320, 300)
