from __future__ import annotations

from pathlib import Path

from fascnet.data.label_forms.export_clip import ExportClip
from fascnet.data.label_forms.table_export import export_tables
from fascnet.evaluation.sources.label_table import load_label_table
from fascnet.types import Box, ClipSource, Event, Labels, Point

from . import forms


def test_the_benchmark_reads_the_tables(tmp_path: Path) -> None:
    """By its own reader of raters' tables, which was written apart from this."""
    events = (
        Event(0.5, 0.9, 0.6, certainty="definite", region=Box(10, 10, 20, 30), peak_mm=0.4),
        Event(1.0, 1.25, label="breathing"),
    )
    source = ClipSource("clip_a", Path("clip_a.mp4"), "s")
    clip = ExportClip(source, forms.make_clock(), Labels("clip_a", "anna", ((0.0, 3.0),), events), False)
    empty = ExportClip(source, forms.make_clock(), Labels("clip_b", "anna", ((0.0, 2.0),), ()), False)
    written = export_tables([clip, empty], tmp_path)
    assert [path.name for path in written] == ["events.csv", "scores.csv"]
    found = load_label_table(*written)
    first, second = found["clip_a"]["anna"].events
    assert (first.onset_s, first.offset_s, first.peak_s, first.certainty) == (0.5, 0.9, 0.6, "definite")
    assert first.region == Point(15, 20) and first.area_px == 200 and first.peak_mm == 0.4
    assert second.label == "breathing" and second.region is None
    assert found["clip_b"]["anna"].examined == ((0.0, 2.0),)
