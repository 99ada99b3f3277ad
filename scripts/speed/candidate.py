"""What every candidate of the benchmark has in common: uint8 frames in, a heatmap a frame out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.errors import SettingError
from speed.frames import Image

Map = NDArray[np.float32]

Run = Callable[[Sequence[Image]], Iterator[Map]]
"""Frames uint8 (T, H, W) to heatmaps float32 (H, W), one for each frame, in order; normalising, differences,
sigmoid and upsampling are part of it, decoding is not. Optical flow answers |flow - median flow|."""


@dataclass(frozen=True)
class Candidate:
    """Something to be timed.

    Attributes:
        name: in tables.
        run: the work.
        n_frames: frames of one call.
        size: key of the frames that it gets.
        rounds: in how many of the rounds it takes part; slow ones in fewer.
        n_free: frames of each call that cost nothing, such as the first of a flow between neighbours.
        note: what a reader must know of it.
    """

    name: str
    run: Run
    n_frames: int
    size: str = "256x256"
    rounds: int = 99
    n_free: int = 0
    note: str = ""


@dataclass(frozen=True)
class Missing:
    """A candidate that cannot be timed here, and why: named in every table, never dropped."""

    name: str
    reason: str


def check_contract(candidate: Candidate, images: Sequence[Image]) -> None:
    """Run a candidate once and refuse one that gives no heatmap of the input's size for each frame.

    Raises:
        SettingError: the contract is broken.
    """
    count = 0
    for found in candidate.run(images):
        count += 1
        if found.shape != images[0].shape or found.dtype != np.float32:
            raise SettingError(
                f"{candidate.name}: gives {found.dtype} {found.shape}, not float32 of the input"
            )
    if count != len(images):
        raise SettingError(f"{candidate.name}: gives {count} heatmaps for {len(images)} frames")
