from __future__ import annotations

import numpy as np
import pytest

from fascnet.data.labelling.targets import BACKGROUND, TWITCH, UNKNOWN
from fascnet.data.training_input.cell_targets import pool_cells


@pytest.mark.parametrize(
    ("twitching", "unknown", "cell"),
    [
        (0, 0, BACKGROUND),
        (7, 0, BACKGROUND),
        (8, 0, TWITCH),
        (8, 8, TWITCH),
        (7, 7, BACKGROUND),
        (7, 9, UNKNOWN),
        (0, 16, UNKNOWN),
    ],
)
def test_a_cell_is_what_half_of_its_pixels_are(twitching: int, unknown: int, cell: int) -> None:
    pixels = np.array([TWITCH] * twitching + [UNKNOWN] * unknown + [BACKGROUND] * (16 - twitching - unknown))
    painted = np.zeros((2, 8, 4), np.uint8)
    painted[1, 4:] = pixels.reshape(4, 4)
    cells = pool_cells(painted)
    assert cells.shape == (2, 2, 1)
    assert cells[1, 1, 0] == cell
    assert cells.sum() == cell
