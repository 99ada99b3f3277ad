"""From painted pixels to cells: what a heatmap's cell is told."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fascnet.data.labelling.targets import BACKGROUND, TWITCH, UNKNOWN
from fascnet.models.preprocessing import CELL_PX


def pool_cells(painted: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pool painted pixels (T, H, W) to cells (T, H / 4, W / 4).

    A cell twitches when half of it does; otherwise it is unknown when half of it is.
    """
    n_ticks, height, width = painted.shape
    blocks = painted.reshape(n_ticks, height // CELL_PX, CELL_PX, width // CELL_PX, CELL_PX)
    twitch, unknown = ((blocks == code).mean(axis=(2, 4)) >= 0.5 for code in (TWITCH, UNKNOWN))
    cells = np.where(twitch, TWITCH, np.where(unknown, UNKNOWN, BACKGROUND))
    return cells.astype(np.uint8)
