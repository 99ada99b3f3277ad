"""Clips whose motion is measured once, so that an epoch computes the network's learning part only.

Measuring motion takes as long as the rest of a training step on a CPU, and it learns nothing. So each clip is
varied (`WindowAugmenter`) a few times, its motion is measured as the network will see it, and windows are
cut from the result. What is lost: every epoch sees the same few variations, mirrored or upside down or
as they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from fascnet.data.array_writer import ArrayWriter, write_array
from fascnet.data.labelling.targets import SOMEWHERE, TWITCH, UNKNOWN, mark_somewhere, paint_stencils
from fascnet.data.training_input.cell_targets import is_known, pool_cells
from fascnet.data.training_input.dataset import Window, WindowSettings, draw_start, place_window
from fascnet.data.training_input.sight import Piece, Sight
from fascnet.data.training_input.transforms import Augmentation, WindowAugmenter
from fascnet.data.training_input.working_clip import WorkingClip
from fascnet.data.whole_file import write_whole
from fascnet.models.motion import MotionFrontEnd
from fascnet.models.preprocessing import CELL_PX
from fascnet.models.unet import BLOCK_CELLS
from fascnet.types import Labels, MaskFile

CACHE_FORMAT = 3
CHUNK_TICKS = 16


@dataclass(frozen=True, slots=True, eq=False)
class MotionClip:
    """One variation of a clip, measured.

    Attributes:
        motion_path: float16 (T, C, h, w), the channels that a network sees.
        codes_path: uint8 (T, h, w) of `BACKGROUND`, `TWITCH`, `UNKNOWN`, `SOMEWHERE`.
        events: (n, 3) tick of onset, row and column of the middle, in cells.
    """

    motion_path: Path
    codes_path: Path
    events: NDArray[np.int64]


class MotionWindowDataset(Dataset[Window]):
    """Draws windows from measured clips; index i always gives the same window.

    Args:
        clips: measured clips.
        window: shape of the windows.
        augmentation: its mirror images, which cost nothing, are drawn anew for each window; None for none.
        seed: of all draws.
    """

    def __init__(
        self,
        clips: Sequence[MotionClip],
        window: WindowSettings,
        augmentation: Augmentation | None,
        seed: int,
    ) -> None:
        self.clips = list(clips)
        self.window = window
        self.augmentation = augmentation
        self.seed = seed
        self.events = [(i, k) for i, clip in enumerate(self.clips) for k in range(len(clip.events))]

    def __len__(self) -> int:
        """Return the number of clips; a sampler decides how many windows make an epoch."""
        return len(self.clips)

    def __getitem__(self, index: int) -> Window:
        """Draw window `index`: `motion` float32 (T, C, h, w), `target` and `valid` as in `WindowDataset`."""
        rng = np.random.default_rng((self.seed, index))
        w = self.window
        around_event = bool(self.events) and rng.random() < w.event_fraction
        chosen, event = self.events[int(rng.integers(len(self.events)))] if around_event else (0, -1)
        if not around_event:
            chosen = int(rng.integers(len(self.clips)))
        clip = self.clips[chosen]
        motion = np.load(clip.motion_path, mmap_mode="r", allow_pickle=False)
        n_ticks, _, height, width = motion.shape
        middle: tuple[float | None, float | None] = (None, None)
        start = draw_start(n_ticks, w.n_ticks, w.warm_up_ticks, rng)
        if event >= 0:
            onset, row, column = clip.events[event]
            start = draw_start(n_ticks, w.n_ticks, w.warm_up_ticks, rng, int(onset))
            middle = (float(row), float(column))
        size = w.size_px // CELL_PX
        rows, columns = (
            _align(place_window(n, size, m, rng)) for n, m in zip((height, width), middle, strict=True)
        )
        part = (slice(start, start + w.n_ticks), slice(None), rows, columns)
        piece = np.asarray(motion[part], np.float32)
        codes = np.array(np.load(clip.codes_path, mmap_mode="r", allow_pickle=False)[part[0], rows, columns])
        w.forget_warm_up(codes, start)
        if height > size or width > size:
            codes[codes == SOMEWHERE] = UNKNOWN  # the event may lie beside the window
        lacking = (w.n_ticks - len(piece), size - piece.shape[-2], size - piece.shape[-1])
        if any(lacking):
            t, y, x = ((0, n) for n in lacking)
            piece = np.pad(piece, (t, (0, 0), y, x))
            codes = np.pad(codes, (t, y, x), constant_values=UNKNOWN)
        if self.augmentation is not None:
            if rng.random() < self.augmentation.flip_p:
                piece = piece[..., ::-1] * MotionFrontEnd.MIRROR_SIGNS[:, None, None]
                codes = codes[..., ::-1]
            if rng.random() < self.augmentation.upside_down_p:
                piece = piece[..., ::-1, :] * MotionFrontEnd.UPSIDE_DOWN_SIGNS[:, None, None]
                codes = codes[..., ::-1, :]
        return {
            "motion": torch.from_numpy(np.ascontiguousarray(piece, np.float32)),
            "target": torch.from_numpy((codes == TWITCH).astype(np.float32)),
            "valid": torch.from_numpy(is_known(codes)),
            "somewhere": torch.from_numpy(codes == SOMEWHERE),
        }


def measure_clip(
    clip: WorkingClip,
    version: int,
    augmentation: Augmentation | None,
    window: WindowSettings,
    cache_dir: Path,
    seed: int,
    sight: Sight,
) -> MotionClip:
    """Vary a clip, measure its motion and keep both; found again when nothing that decides has changed.

    Args:
        clip: the working clip.
        version: which variation, from 0.
        augmentation: how to vary it; None for not at all.
        window: for `part_s`.
        cache_dir: where the measured clips are kept.
        seed: of the variation.
        sight: how the network that is to learn from it sees clips.
    """
    settings = None if augmentation is None else asdict(augmentation)
    identity: list[Any] = [CACHE_FORMAT, *sight.identity, clip.frames_path.name, version, settings, seed]
    identity += [window.part_s, repr(clip.labels), *_hash_masks(clip.labels)]
    key = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:24]
    motion_path, codes_path, events_path = (
        cache_dir / f"{key}.{kind}.npy" for kind in ("motion", "codes", "events")
    )
    if not (motion_path.exists() and codes_path.exists() and events_path.exists()):
        rng = np.random.default_rng((seed, int(key[:12], 16)))
        with write_array(motion_path) as motion, write_array(codes_path) as codes:
            events = _measure(clip, augmentation, window, rng, sight, motion, codes)
        with write_whole(events_path) as beside, beside.open("wb") as file:
            np.save(file, events, allow_pickle=False)
    return MotionClip(motion_path, codes_path, np.load(events_path, allow_pickle=False))


def _hash_masks(labels: Labels) -> list[str]:
    """Return what the mask files hold: a mask that is drawn anew keeps its name."""
    regions = [region for event in labels.events for region in (event.region, event.ignore_region)]
    masks = [region.path for region in regions if isinstance(region, MaskFile)]
    return [hashlib.sha256(mask.read_bytes()).hexdigest() for mask in masks]


def _measure(
    clip: WorkingClip,
    augmentation: Augmentation | None,
    window: WindowSettings,
    rng: np.random.Generator,
    sight: Sight,
    motion: ArrayWriter,
    codes: ArrayWriter,
) -> NDArray[np.int64]:
    """Write a variation's channels and codes a few ticks at a time; return its events as in `MotionClip`."""
    cv2.setNumThreads(1)
    frames, rate_hz = clip.frames, clip.grid.rate_hz
    n_clip, height, width = frames.shape
    shown = passed = np.arange(n_clip)
    speed = 1.0
    variation = None
    if augmentation is not None:
        augmenter = WindowAugmenter(augmentation)
        shown, passed, speed = augmenter.choose_ticks(2 * n_clip, rate_hz, rng)
        shown, passed = (ticks[passed < n_clip] for ticks in (shown, passed))
        variation = augmenter.draw(len(shown), rng)
    times_s = shown / rate_hz
    clock_s = np.cumsum(clip.dt_s, dtype=np.float64)
    dt_s = np.diff(clock_s[passed], prepend=clock_s[passed[:1]]) / speed
    stencils = clip.cut_stencils()
    # A twitch is in the middle of its cells one tick after its onset.
    onsets = [int(np.searchsorted(times_s, stencil.onset_s)) for stencil in stencils]
    middles: dict[int, tuple[int, int]] = {}
    whole = slice(0, height), slice(0, width)

    def vary() -> Iterator[Piece]:
        """Yield the variation, whose codes and events' middles are noted on the way."""
        for first in range(0, len(shown), CHUNK_TICKS):
            part = slice(first, first + CHUNK_TICKS)
            images = np.ascontiguousarray(frames[shown[part]])
            painted = paint_stencils(stencils, clip.labels.examined, times_s[part], *whole, window.part_s)
            mark_somewhere(painted, clip.labels, times_s[part])
            if variation is not None:
                images, painted = variation.apply(images, painted)
            cells = pool_cells(painted)
            codes.append(cells)
            for tick in {onset + 1 for onset in onsets} & set(range(first, first + len(cells))):
                twitching = np.argwhere(cells[tick - first] == TWITCH)
                if len(twitching):
                    row, column = np.rint(twitching.mean(axis=0)).astype(int)
                    middles[tick] = int(row), int(column)
            yield images, dt_s[part]

    for channels in sight.show(vary()):
        motion.append(channels)
    codes.append(np.full((sight.n_behind, height // CELL_PX, width // CELL_PX), UNKNOWN, np.uint8))
    events = [(onset, *middles[onset + 1]) for onset in onsets if onset + 1 in middles]
    return np.asarray(events, np.int64).reshape(-1, 3)


def _align(part: slice) -> slice:
    """Move a span of cells to the network's blocks."""
    start = part.start - part.start % BLOCK_CELLS
    return slice(start, start + part.stop - part.start)
