"""The table of an implanted set's backgrounds: what was read, found out or assumed about each."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from fascnet.data.whole_file import write_whole
from fascnet.phantom.implant.background import Background

TABLE_FILE = "backgrounds.csv"


def write_background_table(output: Path, backgrounds: Mapping[int, Background]) -> Path:
    """Write `backgrounds.csv`; boxes are in pixels of the input, and no cell names a file or a person.

    Args:
        output: folder of the set.
        backgrounds: those that are used, by their index among all that were found.

    Raises:
        OutputError: it cannot be written.
    """
    rows = [_describe(index, background) for index, background in backgrounds.items()]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path = output / TABLE_FILE
    with write_whole(path) as part:
        part.write_text(text.getvalue(), encoding="utf-8", newline="")
    return path


def _describe(index: int, background: Background) -> dict[str, str]:
    x0, y0 = background.box[:2]
    muscle = [edge + (x0, y0)[place % 2] for place, edge in enumerate(background.muscle)]
    return {
        "background": f"{index}",
        "subject_id": background.source.subject_id,
        "kind": "still" if background.source.is_still else "recording",
        "fingerprint": background.source.fingerprint,
        "frames": f"{background.n_frames}",
        "fps": f"{background.fps:g}",
        "mm_per_px": f"{background.mm_per_px:.5f}",
        "mm_per_px_from": background.mm_per_px_from,
        "imaging_area": " ".join(map(str, background.box)),
        "muscle_box": " ".join(map(str, muscle)),
        "fibres_deg": f"{np.rad2deg(background.fibres.overall_rad):.0f}",
        "own_speed_mm_per_s": f"{background.speed_mm_per_s:.1f}",
    }
