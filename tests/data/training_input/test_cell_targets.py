from __future__ import annotations

import numpy as np
import pytest

from fascnet.data.labelling.targets import BACKGROUND, SOMEWHERE, TWITCH, UNKNOWN
from fascnet.data.training_input.cell_targets import is_known, pool_cells


@pytest.mark.parametrize(
    ("shares", "code"),
    [
        ({TWITCH: 8}, TWITCH),
        ({TWITCH: 7}, BACKGROUND),
        ({TWITCH: 8, UNKNOWN: 8}, TWITCH),
        ({UNKNOWN: 8}, UNKNOWN),
        ({UNKNOWN: 7, TWITCH: 7}, BACKGROUND),
        ({SOMEWHERE: 8, UNKNOWN: 8}, SOMEWHERE),
        ({SOMEWHERE: 4, UNKNOWN: 4}, UNKNOWN),
        ({SOMEWHERE: 4, UNKNOWN: 3}, BACKGROUND),
    ],
)
def test_half_of_a_cell_decides(shares: dict[int, int], code: int) -> None:
    pixels = np.full(16, BACKGROUND, np.uint8)
    start = 0
    for value, n in shares.items():
        pixels[start : start + n] = value
        start += n
    painted = np.full((2, 8, 4), BACKGROUND, np.uint8)
    painted[1, 4:] = pixels.reshape(4, 4)
    cells = pool_cells(painted)
    assert cells.tolist() == [[[BACKGROUND], [BACKGROUND]], [[BACKGROUND], [code]]]


def test_what_is_known() -> None:
    assert is_known(np.array([BACKGROUND, TWITCH, UNKNOWN, SOMEWHERE])).tolist() == [True, True, False, False]
