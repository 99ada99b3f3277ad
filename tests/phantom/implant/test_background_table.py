from __future__ import annotations

import csv
from pathlib import Path

from fascnet.phantom.implant.background import BackgroundSettings, open_background
from fascnet.phantom.implant.background_sources import find_backgrounds
from fascnet.phantom.implant.background_table import write_background_table

from ..backgrounds import write_recording


def test_a_row_says_what_was_assumed(tmp_path: Path) -> None:
    source = find_backgrounds(write_recording(tmp_path / "DOE_JANE.avi", border=30))[0]
    background = open_background(source, BackgroundSettings(muscle_box=(50, 60, 120, 130)))
    path = write_background_table(tmp_path / "set", {4: background})
    (row,) = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    assert (row["background"], row["subject_id"], row["kind"]) == ("4", source.subject_id, "recording")
    assert row["mm_per_px_from"] == "assumed_depth"
    assert row["muscle_box"] == "50 60 120 130"
    assert row["imaging_area"] == " ".join(map(str, background.box))
    assert "DOE" not in path.read_text(encoding="utf-8")
