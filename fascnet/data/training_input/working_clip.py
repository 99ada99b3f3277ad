"""Clips on the working grid, prepared once and kept on disk, so that an epoch decodes nothing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fascnet.data.labelling.labels import check_against_clip
from fascnet.data.labelling.targets import Stencil, cut_stencils
from fascnet.data.recording.fingerprint import stamp_files
from fascnet.data.recording.recordings import open_recording
from fascnet.data.whole_file import write_whole
from fascnet.models.preprocessing import Preprocessor, WorkingGrid
from fascnet.types import ClipSource, Labels

CACHE_FORMAT = 2


@dataclass(frozen=True, slots=True, eq=False)
class WorkingClip:
    """A labelled clip on the working grid.

    Attributes:
        source: which clip.
        labels: what is known about it.
        grid: its working grid.
        frames_path: NumPy file of the frames.
        dt_s: float32 (T,), as `Tick.dt_s`.
    """

    source: ClipSource
    labels: Labels
    grid: WorkingGrid
    frames_path: Path
    dt_s: NDArray[np.float32]

    @property
    def frames(self) -> NDArray[np.uint8]:
        """The frames, uint8 (T, height, width), as a read-only memory map.

        Opened anew each time, so that a worker process is sent a path and not the pixels.
        """
        frames: NDArray[np.uint8] = np.load(self.frames_path, mmap_mode="r", allow_pickle=False)
        return frames

    @property
    def times_s(self) -> NDArray[np.float64]:
        """(T,) moments of the ticks."""
        return np.arange(len(self.dt_s)) / self.grid.rate_hz

    def cut_stencils(self) -> list[Stencil]:
        """Rasterise the fasciculations at working pixels, so that they are warped with the images."""
        shape = (self.grid.height, self.grid.width)
        return cut_stencils(self.labels, self.grid.box, shape, self.grid.mm_per_px)


def prepare_clip(
    source: ClipSource, labels: Labels, preprocessor: Preprocessor, cache_dir: Path
) -> WorkingClip:
    """Resample a recording to the working grid, or find it already done in the cache.

    The cache is keyed by what decides its content: files, their sizes and times of change, overrides and
    preprocessing. It holds a plain NumPy array, nothing executable.

    Raises:
        RecordingError: the recording cannot be read.
        LabelError: the labels lie outside the recording.
    """
    recording = open_recording(source.path, fps=source.fps, mm_per_px=source.mm_per_px)
    grid = preprocessor.plan(recording.info)
    identity: list[object] = [CACHE_FORMAT, *stamp_files(source.path), source.fps, recording.info.fps]
    identity += [grid.rate_hz, grid.height, grid.width, list(grid.box)]
    key = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:24]
    frames_path, dt_path = cache_dir / f"{key}.frames.npy", cache_dir / f"{key}.dt.npy"
    if not frames_path.exists() or not dt_path.exists():
        cache_dir.mkdir(parents=True, exist_ok=True)
        images, dt_s = [], []
        for tick in preprocessor.ticks(recording, grid):
            images.append(tick.image)
            dt_s.append(tick.dt_s)
        for path, array in ((dt_path, np.asarray(dt_s, np.float32)), (frames_path, np.stack(images))):
            with write_whole(path) as beside, beside.open("wb") as file:
                np.save(file, array, allow_pickle=False)
    dt_s = np.load(dt_path, allow_pickle=False)
    # The last frame is seen for a moment after the last tick.
    duration_s = (len(dt_s) + 1) / grid.rate_hz
    check_against_clip(labels, duration_s, recording.info.width, recording.info.height)
    return WorkingClip(source, labels, grid, frames_path, dt_s)
