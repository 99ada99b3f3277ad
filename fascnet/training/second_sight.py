"""What the second look sees of a clip, for a network to learn from that is to judge in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from fascnet.data.training_input.sight import Piece
from fascnet.inference.second_look import SecondLook, show_again
from fascnet.models.preprocessing import Preprocessor, Tick, WorkingGrid
from fascnet.models.unet import FasciculationUNet


@dataclass(frozen=True, slots=True, eq=False)
class FirstLook:
    """What looks first, and stays as it is, while another network learns to judge in the second look.

    Attributes:
        network: in evaluation mode.
        second: what makes an event in the first look; what the mean of both looks is worth comes later.
    """

    network: FasciculationUNet
    second: SecondLook


class SecondSight:
    """Shows clips as the second look sees them (`Sight`).

    What is taken away is learned from the ticks in which the first look finds nothing.

    Args:
        first: the first look, its network on the CPU.
        preprocessor: of the working clips.
        names: what tells this first look from others, such as the hashes of its model files.
    """

    def __init__(self, first: FirstLook, preprocessor: Preprocessor, names: Sequence[str]) -> None:
        self._first, self._preprocessor, self._names = first, preprocessor, names

    @property
    def identity(self) -> Sequence[str | int]:
        """Whose first look it is, and how many modes are taken away."""
        return ["second look", self._first.second.n_modes, *self._names]

    @property
    def n_behind(self) -> int:
        """The look-ahead of the network."""
        return self._first.network.look_ahead

    def show(self, pieces: Iterable[Piece]) -> Iterator[NDArray[np.float16]]:
        """Yield channels (t, C, h, w), as `Sight` says, once the clip has been read."""
        rest = iter(pieces)
        begin = next(rest, None)
        if begin is None:
            return
        height, width = begin[0].shape[1:]
        p = self._preprocessor
        grid = WorkingGrid(height, width, p.rate_hz, (0, 0, width, height), p.pitch_mm, None)
        ticks = (
            Tick(image, float(dt_s))
            for images, spacing_s in chain([begin], rest)
            for image, dt_s in zip(images, spacing_s, strict=True)
        )
        yield from show_again(self._first.network, ticks, self._first.second, grid)
