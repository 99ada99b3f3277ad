from __future__ import annotations

import numpy as np
import pytest

from fascnet.data.screen.ruler_labels import find_labels
from fascnet.data.screen.ruler_ticks import find_ticks
from tests.data.screen.drawn_rulers import draw_ruler


@pytest.mark.parametrize("is_left", [False, True])
@pytest.mark.parametrize("is_light", [False, True])
def test_numbers_are_cut_out_beside_their_ticks(is_left: bool, is_light: bool) -> None:
    drawn = draw_ruler(np.random.default_rng(3), 45.0, 5, 2, "mm", is_left, is_light)
    level = drawn.level.astype(np.float32)
    ticks = find_ticks(level, drawn.box)[0]
    left, right = find_labels(level, ticks, drawn.box)
    labels = {label.index: label for label in (left if is_left else right)}
    assert {2, 4, 6, 8} <= set(labels)
    for index in (2, 4, 6, 8):
        x0, y0, x1, y1 = labels[index].box
        assert 0.5 * (y0 + y1) == pytest.approx(ticks.comb.place(index), abs=4)
        assert 6 <= y1 - y0 <= 20 and x1 - x0 > y1 - y0, "two digits"
        assert labels[index].shape.shape == (y1 - y0, x1 - x0)
        assert labels[index].shape.max() == pytest.approx(1.0, abs=0.1)


def test_bare_ticks_have_no_numbers() -> None:
    drawn = draw_ruler(np.random.default_rng(4), 45.0, 5, 2, "")
    level = drawn.level.astype(np.float32)
    ticks = find_ticks(level, drawn.box)[0]
    assert find_labels(level, ticks, drawn.box) == ((), ())
