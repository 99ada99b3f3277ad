"""A network's motion front end over a working clip, at constant memory."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from fascnet.models.blocks import State
from fascnet.models.motion import MotionFrontEnd
from fascnet.models.preprocessing import CELL_PX
from fascnet.models.unet import pad_to_stride


class FrontEndRun:
    """Measures the motion of a working clip, piece after piece.

    Args:
        front_end: the one of some network.
    """

    def __init__(self, front_end: MotionFrontEnd) -> None:
        self._front_end = front_end
        self._state = State()

    def measure(self, images: NDArray[np.uint8], dt_s: NDArray[np.floating]) -> NDArray[np.float16]:
        """Return the channels of the next ticks, (T, C, H / `CELL_PX`, W / `CELL_PX`).

        Args:
            images: (T, H, W).
            dt_s: (T,), as `Tick.dt_s`.
        """
        with torch.inference_mode():
            grey = torch.from_numpy(images[None]).float() / 255.0
            grey = pad_to_stride(grey, 2 * CELL_PX)
            channels = self._front_end(grey, torch.from_numpy(dt_s[None]).float(), self._state)[0]
        rows, columns = (size // CELL_PX for size in images.shape[1:])
        measured: NDArray[np.float16] = channels.to(torch.float16).numpy()[..., :rows, :columns]
        return measured
