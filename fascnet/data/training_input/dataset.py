"""Training windows: pieces of working clips with their targets.

Each window is drawn from a generator seeded with (seed, index), and every epoch uses indices of its own. So
no two windows are the same whatever the number of workers, and a run that is killed and resumed sees what it
would have seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset, Sampler

from fascnet.data.labelling.targets import SOMEWHERE, TWITCH, UNKNOWN, mark_somewhere, paint_stencils
from fascnet.data.training_input.cell_targets import is_known, pool_cells
from fascnet.data.training_input.transforms import WindowAugmenter
from fascnet.data.training_input.working_clip import WorkingClip
from fascnet.errors import SettingError
from fascnet.models.motion import END_OF_CLIP

Window = dict[str, Any]
"""`images` uint8 (T, H, W), `dt_s` float32 (T,), `target` float32 (T, h, w), `valid` bool (T, h, w);
`somewhere` bool (T, h, w): cells of which some twitch at their tick, for events without a place."""


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """The shape of a training window.

    Attributes:
        n_ticks: ticks, 16-512.
        size_px: rows and columns in working pixels, a multiple of 16.
        event_fraction: share of windows laid around a fasciculation; the rest fall anywhere, 0-1.
        warm_up_ticks: first ticks of a window that do not count, unless the clip begins there: the network
            has not seen what came before.
        part_s: seconds of stillness painted before a twitch where another one has not ended yet, 0-0.5: it
            teaches to tell the two apart.
    """

    n_ticks: int = 48
    size_px: int = 144
    event_fraction: float = 0.6
    warm_up_ticks: int = 6
    part_s: float = 0.08

    def __post_init__(self) -> None:
        if not 16 <= self.n_ticks <= 512:
            raise SettingError(f"window.n_ticks is {self.n_ticks}; give 16 to 512")
        if self.size_px < 32 or self.size_px % 16:
            raise SettingError(f"window.size_px is {self.size_px}; give a multiple of 16, at least 32")
        if not 0 <= self.event_fraction <= 1:
            raise SettingError(f"window.event_fraction is {self.event_fraction}; give 0 to 1")
        if not 0 <= self.warm_up_ticks < self.n_ticks:
            raise SettingError(f"window.warm_up_ticks is {self.warm_up_ticks}; give 0 to n_ticks - 1")
        if not 0 <= self.part_s <= 0.5:
            raise SettingError(f"window.part_s is {self.part_s}; give 0 to 0.5 seconds")

    def forget_warm_up(self, codes: NDArray[np.uint8], start: int) -> None:
        """Make the first ticks of (T, h, w) unknown in place, unless the clip begins there (`start` 0)."""
        if start > 0:
            codes[: self.warm_up_ticks] = UNKNOWN


class WindowDataset(Dataset[Window]):
    """Draws windows from clips; index i always gives the same window.

    Args:
        clips: labelled working clips.
        window: shape of the windows.
        augmenter: variation, or None for none.
        seed: of all draws.
    """

    def __init__(
        self,
        clips: Sequence[WorkingClip],
        window: WindowSettings,
        augmenter: WindowAugmenter | None,
        seed: int,
    ) -> None:
        self.clips = list(clips)
        self.window = window
        self.augmenter = augmenter
        self.seed = seed
        self.stencils = [clip.cut_stencils() for clip in self.clips]
        self.events = [(i, k) for i, stencils in enumerate(self.stencils) for k in range(len(stencils))]

    def __len__(self) -> int:
        """Return the number of clips; a sampler decides how many windows make an epoch."""
        return len(self.clips)

    def __getitem__(self, index: int) -> Window:
        """Draw window `index`, any integer from 0."""
        cv2.setNumThreads(1)
        rng = np.random.default_rng((self.seed, index))
        w = self.window
        around_event = bool(self.events) and rng.random() < w.event_fraction
        if around_event:
            clip_index, event_index = self.events[int(rng.integers(len(self.events)))]
            stencil = self.stencils[clip_index][event_index]
        else:
            clip_index, stencil = int(rng.integers(len(self.clips))), None
        clip = self.clips[clip_index]
        frames = clip.frames
        n_clip, height, width = frames.shape
        rate_hz = clip.grid.rate_hz

        if self.augmenter is None:
            shown = passed = np.arange(w.n_ticks)
            speed = 1.0
        else:
            shown, passed, speed = self.augmenter.choose_ticks(w.n_ticks, rate_hz, rng)
        span = int(passed[-1]) + 1
        if stencil is None:
            start = draw_start(n_clip, span, w.warm_up_ticks, rng)
            rows, columns = (place_window(size, w.size_px, None, rng) for size in (height, width))
        else:
            onset = round(stencil.onset_s * rate_hz)
            start = draw_start(n_clip, span, w.warm_up_ticks, rng, onset)
            centre = np.argwhere(stencil.place == TWITCH)
            middle = centre.mean(axis=0) if len(centre) else (height / 2, width / 2)
            rows, columns = (
                place_window(n, w.size_px, float(m), rng)
                for n, m in zip((height, width), middle, strict=True)
            )
        ticks = np.minimum(start + shown, n_clip - 1)
        beyond = start + passed >= n_clip
        # The recording's own clock: frames that it held or spaced otherwise mean the same here.
        clock_s = np.cumsum(clip.dt_s[start : start + span], dtype=np.float64)
        dt_s = np.diff(clock_s[np.minimum(passed, len(clock_s) - 1)], prepend=clock_s[:1]) / speed
        dt_s[beyond] = END_OF_CLIP

        images = np.ascontiguousarray(frames[np.ix_(ticks, _indices(rows), _indices(columns))])
        painted = paint_stencils(
            self.stencils[clip_index], clip.labels.examined, ticks / rate_hz, rows, columns, w.part_s
        )
        # A part of the image may miss an event that has no place.
        if height <= w.size_px and width <= w.size_px:
            mark_somewhere(painted, clip.labels, ticks / rate_hz)
        painted[beyond] = UNKNOWN
        w.forget_warm_up(painted, start)
        images, painted = (_fill(a, w.size_px, v) for a, v in ((images, 0), (painted, UNKNOWN)))
        if self.augmenter is not None:
            images, painted = self.augmenter.warp(images, painted, rng)
        cells = pool_cells(painted)
        return {
            "images": torch.from_numpy(images),
            "dt_s": torch.from_numpy(dt_s.astype(np.float32)),
            "target": torch.from_numpy((cells == TWITCH).astype(np.float32)),
            "valid": torch.from_numpy(is_known(cells)),
            "somewhere": torch.from_numpy(cells == SOMEWHERE),
        }


def draw_start(
    n_clip: int, n_ticks: int, warm_up_ticks: int, rng: np.random.Generator, onset: int | None = None
) -> int:
    """Draw the first tick of a window, within the clip.

    A window that would begin up to `warm_up_ticks` before the clip begins with it: only there do a window's
    first ticks count, and one draw in many would hardly ever begin there.

    Args:
        n_clip: ticks of the clip.
        n_ticks: ticks of the window; 0 is returned when the clip has fewer.
        warm_up_ticks: of the window's settings.
        rng: of the window.
        onset: tick that is to lie behind the warm-up and before the window's end; None for anywhere.
    """
    if onset is None:
        start = int(rng.integers(-warm_up_ticks, max(1, n_clip - n_ticks + 1)))
    else:
        start = onset - int(rng.integers(warm_up_ticks, max(warm_up_ticks + 1, n_ticks - 10)))
    return min(max(start, 0), max(0, n_clip - n_ticks))


class WindowSampler(Sampler[int]):
    """Gives each epoch, and each process of a distributed run, window indices of its own.

    Args:
        n_windows: windows per epoch, over all processes.
        rank: this process, from 0.
        world_size: number of processes.
    """

    def __init__(self, n_windows: int, rank: int = 0, world_size: int = 1) -> None:
        self.n_windows = n_windows
        self.rank = rank
        self.world_size = world_size
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Move to an epoch; the trainer calls this, also when it resumes."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Return the windows of this process in an epoch."""
        return self.n_windows // self.world_size

    def __iter__(self) -> Iterator[int]:
        """Yield this process's indices of the current epoch."""
        first = self.epoch * self.n_windows + self.rank
        yield from range(first, first + len(self) * self.world_size, self.world_size)


def place_window(size: int, wanted: int, around: float | None, rng: np.random.Generator) -> slice:
    """Choose where along one axis a window lies: anywhere, or so that `around` is well inside."""
    if size <= wanted:
        return slice(0, size)
    if around is None:
        start = int(rng.integers(0, size - wanted + 1))
    else:
        start = round(around - rng.uniform(0.25, 0.75) * wanted)
    start = min(max(start, 0), size - wanted)
    return slice(start, start + wanted)


def _indices(part: slice) -> NDArray[np.int64]:
    return np.arange(part.start, part.stop)


def _fill(window: NDArray[np.uint8], size_px: int, value: int) -> NDArray[np.uint8]:
    """Fill a window that is smaller than asked for at the bottom and right."""
    _, height, width = window.shape
    pad = ((0, 0), (0, size_px - height), (0, size_px - width))
    return np.pad(window, pad, constant_values=value) if height < size_px or width < size_px else window
