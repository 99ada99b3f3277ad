"""From painted pixels to cells: what a heatmap's cell is told."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fascnet.data.labelling.targets import BACKGROUND, SOMEWHERE, TWITCH, UNKNOWN
from fascnet.models.preprocessing import CELL_PX


def pool_cells(painted: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pool painted pixels (T, H, W) to cells (T, H / 4, W / 4).

    A cell twitches when half of it does; otherwise it is unknown when half of it is, or one of those of which
    some twitch.
    """
    n_ticks, height, width = painted.shape
    blocks = painted.reshape(n_ticks, height // CELL_PX, CELL_PX, width // CELL_PX, CELL_PX)
    twitch, unknown, somewhere = ((blocks == code).mean(axis=(2, 4)) for code in (TWITCH, UNKNOWN, SOMEWHERE))
    chosen = [twitch >= 0.5, somewhere >= 0.5, unknown + somewhere >= 0.5]
    return np.select(chosen, [TWITCH, SOMEWHERE, UNKNOWN], BACKGROUND).astype(np.uint8)


def is_known(cells: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether it is known of each cell by itself if it twitches."""
    return np.asarray((cells != UNKNOWN) & (cells != SOMEWHERE), np.bool_)
