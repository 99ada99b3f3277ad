from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fascnet.data.label_forms.export_clip import ExportClip
from fascnet.data.label_forms.rater_events import MaskPixels
from fascnet.errors import LabelError
from fascnet.types import ClipSource, Event, Labels, MaskFile, Point

from . import forms


def make(*events: Event) -> ExportClip:
    labels = Labels("a", "r", ((0.0, 3.0),), events)
    return ExportClip(ClipSource("a", Path("a.mp4"), "s"), forms.make_clock(), labels, False)


def test_frames_of_events() -> None:
    clip = make()
    assert clip.size == (64, 48) and clip.frames_of(Event(0.5, 0.9)) == (15, 27)
    with pytest.raises(LabelError, match=r"begins at 9 s, the recording ends at 3\.003 s"):
        clip.frames_of(Event(9, 10))


def test_mask_files_become_their_pixels(tmp_path: Path) -> None:
    picture = np.zeros((48, 64), np.uint8)
    picture[10:12, 20:25] = 255
    path = tmp_path / "m.png"
    assert cv2.imwrite(str(path), picture)
    mask = make().shape_of(Event(0, 1, region=MaskFile(path)))
    assert isinstance(mask, MaskPixels) and (mask.x0, mask.y0, mask.inside.shape) == (20, 10, (2, 5))
    assert make().shape_of(Event(0, 1, region=Point(1, 2))) == Point(1, 2)
    assert cv2.imwrite(str(path), picture * 0)
    with pytest.raises(LabelError, match="mask is empty"):
        make().shape_of(Event(0, 1, region=MaskFile(path)))
