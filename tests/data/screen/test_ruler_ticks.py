from __future__ import annotations

import numpy as np
import pytest

from fascnet.data.screen.ruler_ticks import find_peaks, find_ticks
from tests.data.screen.drawn_rulers import draw_ruler
from tests.data.screen.drawn_screens import make_screen, write


@pytest.mark.parametrize(("step_mm", "long_every"), [(5, 2), (2.5, 4), (2, 5), (1, 10), (10, 1)])
@pytest.mark.parametrize("is_left", [False, True])
@pytest.mark.parametrize("is_light", [False, True])
def test_pitch_ratio_and_side(step_mm: float, long_every: int, is_left: bool, is_light: bool) -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        drawn = draw_ruler(rng, 38.0, step_mm, long_every, "", is_left, is_light)
        ticks = find_ticks(drawn.level.astype(np.float32), drawn.box)[0]
        assert ticks.comb.pitch_px * drawn.mm_per_px == pytest.approx(step_mm, rel=0.005)
        assert ticks.comb.place(0) == pytest.approx(drawn.box[1], abs=1)
        assert ticks.ratio == long_every
        assert ticks.is_bright != is_light
        assert (ticks.columns[0] < drawn.box[0]) == is_left


def test_a_list_of_settings_is_no_ruler() -> None:
    """Lines of text are as evenly spaced as ticks."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        frame = make_screen((150, 40, 420, 380), (420, 600))[0]
        pitch = int(rng.integers(12, 18))
        for index, y in enumerate(range(52, 380, pitch)):
            word = f"{'FGDMAR'[index % 6]}{rng.choice(['n', 'rq', 'R'])}"
            write(frame, f"{word} {rng.integers(0, 99)}", (440, y))
        assert find_ticks(frame.astype(np.float32), (150, 40, 420, 380)) == ()


def test_ticks_that_do_not_count_from_the_skin_are_none() -> None:
    frame = make_screen((150, 40, 420, 380), (420, 600))[0]
    for y in range(60, 380, 40):
        frame[y, 430:438] = 220
    assert find_ticks(frame.astype(np.float32), (150, 40, 420, 380)) == ()


def test_no_room_beside_the_picture_no_ruler() -> None:
    frame = make_screen((0, 0, 560, 400))[0]
    assert find_ticks(frame.astype(np.float32), (0, 0, 560, 400)) == ()


def test_peaks_are_placed_by_their_weight() -> None:
    strokes = np.zeros(60)
    strokes[10:12] = 50, 100
    strokes[30:45] = 90
    strokes[50] = 5
    centres, n_thick = find_peaks(strokes, 8.0)
    assert centres == pytest.approx([10 + 2 / 3])
    assert n_thick == 1
