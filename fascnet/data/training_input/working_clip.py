"""Clips on the working grid, prepared once and kept on disk, so that an epoch decodes nothing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fascnet import __version__
from fascnet.data.array_writer import write_array
from fascnet.data.labelling.labels import check_against_clip
from fascnet.data.labelling.targets import Stencil, cut_stencils
from fascnet.data.recording.fingerprint import stamp_files
from fascnet.data.recording.recordings import open_clip
from fascnet.data.whole_file import write_whole
from fascnet.models.preprocessing import Preprocessor, WorkingGrid
from fascnet.types import ClipSource, Labels

CACHE_FORMAT = 3
"""Raised whenever the same recording comes to other pixels or another area; 3: the area is kept too."""


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

    def cut_stencils(self, shape: tuple[int, int] | None = None) -> list[Stencil]:
        """Rasterise the fasciculations on a grid (h, w) over the imaging area.

        By default at working pixels, so that they are warped with the images.
        """
        shape = (self.grid.height, self.grid.width) if shape is None else shape
        grid = self.grid
        return cut_stencils(self.labels, grid.box, shape, grid.mm_per_px, grid.pixel_aspect)


def prepare_clip(
    source: ClipSource, labels: Labels, preprocessor: Preprocessor, cache_dir: Path
) -> WorkingClip:
    """Resample a recording to the working grid, or find it already done in the cache.

    The cache is keyed by what decides its content: files, their sizes and times of change, overrides,
    preprocessing and the version of fascnet. What is found there is not looked at again: finding the
    imaging area takes 0.15-0.3 s a clip. It holds plain NumPy arrays, nothing executable.

    Raises:
        RecordingError: the recording cannot be read.
        LabelError: the labels lie outside the recording.
    """
    key = _make_key(source, preprocessor)
    frames_path, facts_path = cache_dir / f"{key}.frames.npy", cache_dir / f"{key}.facts.npz"
    if not frames_path.exists() or not facts_path.exists():
        _fill_cache(source, preprocessor, frames_path, facts_path)
    grid, dt_s, (width, height) = _read_facts(facts_path)
    # The last frame is seen for a moment after the last tick.
    duration_s = (len(dt_s) + 1) / grid.rate_hz
    check_against_clip(labels, duration_s, width, height)
    return WorkingClip(source, labels, grid, frames_path, dt_s)


def _make_key(source: ClipSource, preprocessor: Preprocessor) -> str:
    try:
        stamps = stamp_files(source.path)
    except OSError:
        open_clip(source)  # says what is wrong with the file
        raise
    identity: list[object] = [CACHE_FORMAT, __version__, *stamps, source.fps, source.mm_per_px, source.box]
    identity += [preprocessor.pitch_mm, preprocessor.rate_hz, preprocessor.assumed_mm_per_px]
    return hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:24]


def _fill_cache(source: ClipSource, preprocessor: Preprocessor, frames_path: Path, facts_path: Path) -> None:
    recording = open_clip(source)
    grid = preprocessor.plan(recording.info)
    dt_s = []
    with write_array(frames_path) as frames:
        for tick in preprocessor.ticks(recording, grid):
            frames.append(tick.image[None])
            dt_s.append(tick.dt_s)
    facts = asdict(grid)
    covered = facts.pop("covered")
    if covered is None:
        covered = np.ones(grid.cells, bool)
    size = (recording.info.width, recording.info.height)
    with write_whole(facts_path) as beside, beside.open("wb") as file:
        np.savez(file, dt_s=np.asarray(dt_s, np.float32), covered=covered, size=size, grid=json.dumps(facts))


def _read_facts(path: Path) -> tuple[WorkingGrid, NDArray[np.float32], tuple[int, int]]:
    """Return the grid, seconds between ticks (T,), and (width, height) of the recording as stored."""
    with np.load(path, allow_pickle=False) as kept:
        facts = json.loads(str(kept["grid"]))
        covered, dt_s, (width, height) = kept["covered"], kept["dt_s"], kept["size"].tolist()
    facts |= {"box": tuple(facts["box"]), "covered": None if covered.all() else covered}
    return WorkingGrid(**facts), dt_s, (width, height)
