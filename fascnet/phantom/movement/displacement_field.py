"""The displacement field of a clip, written frame by frame: where each resting place of the tissue goes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fascnet.data.whole_file import write_whole
from fascnet.phantom.movement.tissue_motion import TissueMotion
from fascnet.phantom.outline import PictureFrame
from fascnet.phantom.script import Script

GRID_STEP_PX = 4
"""Distance of the resting places, which start at the picture's top-left pixel."""

_MM_PER_UNIT = 0.001


def write_displacement_field(path: Path, script: Script, frame: PictureFrame) -> Path:
    """Write an array file of int16 (T, h, w, 2): displacement (x, z) in µm of resting places, frame by frame.

    Place (i, j) rests at pixel (j, i) * `GRID_STEP_PX` of the picture. All movements count: twitches,
    confounders, probe, and what never rests. `np.load(path, mmap_mode="r")` reads it without loading it.

    Args:
        path: the file to write, `.npy`.
        script: what happens in the clip.
        frame: the picture.

    Raises:
        OutputError: the file cannot be written.
    """
    x = np.arange(0, frame.width_px, GRID_STEP_PX)
    y = np.arange(0, frame.height_px, GRID_STEP_PX)
    columns, rows = np.meshgrid(x, y)
    places = (np.stack([columns.ravel(), rows.ravel()], axis=-1) * frame.mm_per_px).astype(np.float32)
    motion = TissueMotion(script, places)
    source_s = script.timeline.source_s
    with write_whole(path) as part:
        field: NDArray[np.int16] = np.lib.format.open_memmap(
            part, mode="w+", dtype=np.int16, shape=(len(source_s), len(y), len(x), 2)
        )
        for index, t_s in enumerate(source_s):
            moved = (motion.displace(float(t_s)) - places) / _MM_PER_UNIT
            field[index] = np.rint(np.clip(moved, -32767, 32767)).reshape(len(y), len(x), 2)
        field.flush()  # type: ignore[attr-defined]  # a memory map
        del field
    return path
