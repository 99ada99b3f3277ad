"""A front end that learns: grey levels in the place of measured motion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from fascnet.data.training_input.dataset import Window, WindowSettings
from fascnet.data.training_input.motion_cache import MotionClip, MotionWindowDataset
from fascnet.data.training_input.sight import END_TICKS, Piece
from fascnet.data.training_input.transforms import Augmentation
from fascnet.models.blocks import State
from fascnet.models.motion import MotionFrontEnd
from fascnet.models.preprocessing import CELL_PX
from fascnet.models.unet import FasciculationUNet

N_PIXELS = CELL_PX**2
HIDDEN_CHANNELS = 48
GREY_MEAN, GREY_SD, CHANGE_SD = 0.25, 0.2, 0.05
"""Roughly those of muscle, grey levels 0-1, and of what changes from tick to tick."""
CHUNK_TICKS = 64


class PixelSight:
    """Shows a clip as it is: the grey levels of each cell's pixels side by side. Satisfies `Sight`."""

    identity: Sequence[str | int] = ("pixels", CELL_PX)
    n_behind = END_TICKS

    def show(self, pieces: Iterable[Piece]) -> Iterator[NDArray[np.float16]]:
        """Yield grey levels 0-1, (t, `N_PIXELS`, h, w)."""
        last: Tensor | None = None
        for images, _ in pieces:
            cells = F.pixel_unshuffle(torch.from_numpy(images).float()[:, None] / 255.0, CELL_PX).half()
            last = cells[-1:]
            yield cells.numpy()
        if last is not None:
            yield last.expand(END_TICKS, -1, -1, -1).numpy()


class PixelWindows(MotionWindowDataset):
    """Windows of what `PixelSight` shows; in a mirror image the pixels of a cell change places too."""

    def __init__(
        self, clips: Sequence[MotionClip], window: WindowSettings, mirrored: Augmentation, seed: int
    ) -> None:
        super().__init__(clips, window, None, seed)
        self.mirrored = mirrored

    def __getitem__(self, index: int) -> Window:
        """Draw window `index`, as the parent does."""
        window = super().__getitem__(index)
        rng = np.random.default_rng((self.seed, index, 1))
        for axis, share in ((-1, self.mirrored.flip_p), (-2, self.mirrored.upside_down_p)):
            if rng.random() < share:
                for key in ("target", "valid", "somewhere"):
                    window[key] = window[key].flip(axis)
                pixels = window["motion"].unflatten(1, (CELL_PX, CELL_PX))
                within = 2 if axis == -1 else 1
                window["motion"] = pixels.flip((within, axis)).flatten(1, 2)
        return window


class PixelUNet(nn.Module):
    """The network with convolutions of grey levels, and of their change, in the place of its front end.

    Args:
        arguments: of `FasciculationUNet`.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__()
        self.unet = FasciculationUNet(**arguments)
        self.look_ahead, self.stride = self.unet.look_ahead, self.unet.stride
        widths = (2 * N_PIXELS, HIDDEN_CHANNELS, HIDDEN_CHANNELS, MotionFrontEnd.N_CHANNELS)
        layers: list[nn.Module] = []
        for c_in, c_out in pairwise(widths):
            layers += [nn.Conv2d(c_in, c_out, 3, padding=1), nn.ReLU()]
        self.stem = nn.Sequential(*layers[:-1])

    def judge_motion(self, pixels: Tensor, state: State) -> Tensor:
        """Tell twitches from everything else in (B, T, `N_PIXELS`, h, w), as `FasciculationUNet` does."""
        change = torch.diff(pixels, dim=1, prepend=pixels[:, :1]) / CHANGE_SD
        seen = torch.cat([(pixels - GREY_MEAN) / GREY_SD, change], dim=2)
        pieces = [seen] if self.training else torch.split(seen, CHUNK_TICKS, dim=1)
        shown = [torch.unflatten(self.stem(piece.flatten(0, 1)), 0, piece.shape[:2]) for piece in pieces]
        return self.unet.judge_motion(torch.cat(shown, dim=1), state)
