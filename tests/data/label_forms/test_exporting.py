from __future__ import annotations

from pathlib import Path

import pytest

from fascnet.data.label_forms.export_clip import ExportClip
from fascnet.data.label_forms.exporting import EXPORT_FORMS, export_clips
from fascnet.errors import LabelError, SettingError
from fascnet.types import ClipSource, Event, Labels, Point

from . import forms


@pytest.mark.parametrize("form", EXPORT_FORMS)
def test_every_form_writes_files(form: str, tmp_path: Path) -> None:
    labels = Labels("a", "r", ((0.0, 3.0),), (Event(0.5, 0.9, region=Point(3, 4)),))
    clip = ExportClip(ClipSource("a", Path("a.mp4"), "s"), forms.make_clock(), labels, False)
    written = export_clips([clip], form, tmp_path / "out")
    assert written and all(path.stat().st_size > 0 for path in written)
    assert sorted((tmp_path / "out").iterdir()) == sorted(written)


def test_what_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="form=word must be one of"):
        export_clips([], "word", tmp_path)
    with pytest.raises(LabelError, match="nothing to export"):
        export_clips([], "cvat", tmp_path)
