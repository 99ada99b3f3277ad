"""What a network is shown of a clip: channels of motion, measured once and kept for training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fascnet.data.training_input.front_end_run import FrontEndRun
from fascnet.models.motion import END_OF_CLIP, MotionFrontEnd

END_TICKS = 8
"""Empty ticks behind a clip's end: the largest look-ahead of a network."""

Piece = tuple[NDArray[np.uint8], NDArray[np.floating]]
"""Ticks of a working clip that follow one another: images (T, H, W) and, as `Tick.dt_s`, (T,)."""


class Sight(Protocol):
    """Shows a clip as some network sees it."""

    @property
    def identity(self) -> Sequence[str | int]:
        """What decides what is shown, for the names of kept files."""
        ...

    @property
    def n_behind(self) -> int:
        """Empty ticks behind a clip's end that are shown too, in which a network's last answers come."""
        ...

    def show(self, pieces: Iterable[Piece]) -> Iterator[NDArray[np.float16]]:
        """Yield the channels (t, C, h, w) of every tick of a clip and of `n_behind` after it.

        Args:
            pieces: the clip; read as the channels are asked for.
        """
        ...


class FirstSight:
    """What a network's front end measures, at constant memory.

    Args:
        front_end: the one of the network that is to learn from it.
    """

    def __init__(self, front_end: MotionFrontEnd) -> None:
        self._front_end = front_end

    @property
    def identity(self) -> Sequence[str | int]:
        """As the front end's."""
        return self._front_end.identity

    @property
    def n_behind(self) -> int:
        """`END_TICKS`, whatever the network's look-ahead."""
        return END_TICKS

    def show(self, pieces: Iterable[Piece]) -> Iterator[NDArray[np.float16]]:
        """Yield channels (t, C, h, w), as `Sight` says."""
        running = FrontEndRun(self._front_end)
        images: NDArray[np.uint8] | None = None
        for images, dt_s in pieces:
            yield running.measure(images, dt_s)
        if images is not None:
            yield running.measure(np.repeat(images[-1:], END_TICKS, axis=0), np.full(END_TICKS, END_OF_CLIP))
