from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fascnet.data.recording.recordings import list_files, open_recording
from fascnet.data.recording.sidecar import Sidecar, find_sidecar, read_sidecar
from fascnet.errors import RecordingError
from tests.data.recording.test_recordings import write_clip


def test_where_it_stands(tmp_path: Path) -> None:
    assert find_sidecar(tmp_path) == tmp_path / "recording.json"
    assert find_sidecar(tmp_path / "a.mp4") == tmp_path / "a.mp4.recording.json"
    assert read_sidecar(tmp_path / "a.mp4") == Sidecar()


def test_it_goes_before_the_file_and_behind_what_is_given(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.avi")
    sidecar = tmp_path / "a.avi.recording.json"
    sidecar.write_text('\ufeff{"fps": 15, "mm_per_px": 0.07}')
    info = open_recording(tmp_path / "a.avi").info
    assert (info.fps, info.mm_per_px, info.mm_per_px_from) == (15, 0.07, "sidecar")
    info = open_recording(tmp_path / "a.avi", fps=60.0, mm_per_px=0.2).info
    assert (info.fps, info.mm_per_px, info.mm_per_px_from) == (60, 0.2, "manifest")
    assert list_files(tmp_path / "a.avi") == (tmp_path / "a.avi", sidecar)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("fps: 25", "is not JSON"),
        ("[25]", "no JSON object"),
        ('{"FPS": 25}', "there is no key 'FPS'"),
        ('{"fps": "25"}', "must be a number"),
        ('{"fps": true}', "must be a number"),
        ('{"mm_per_px": 0}', "must be a number"),
        ('{"mm_per_px": NaN}', "must be a number"),
        ('{"box": [1, 2, 3]}', "box must be"),
        ('{"box": [1, 2, 30, 2]}', "box must be"),
        ('{"box": [1, 2, 30.5, 20]}', "box must be"),
        ('{"box": [-1, 2, 30, 20]}', "box must be"),
        ('{"box": "1 2 30 20"}', "box must be"),
        ("[" * 20000, "is not JSON|no JSON object"),
        ('{"fps": 25}' + " " * 70000, "too large"),
    ],
)
def test_bad_ones_are_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "a.mp4.recording.json").write_text(text)
    with pytest.raises(RecordingError, match=rf"a\.mp4\.recording\.json: .*({says}).*[;,] "):
        read_sidecar(tmp_path / "a.mp4")


def test_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "recording.json").write_bytes(b'{"fps": 25\xff}')
    with pytest.raises(RecordingError, match="not JSON"):
        read_sidecar(tmp_path)


def test_the_imaging_area_may_be_given(tmp_path: Path) -> None:
    frames = write_clip(tmp_path / "a.avi")
    sidecar = tmp_path / "a.avi.recording.json"
    sidecar.write_text('{"box": [5, 4, 55, 36]}')
    recording = open_recording(tmp_path / "a.avi")
    info = recording.info
    assert (info.box, info.area_from, info.area_confidence) == ((5, 4, 55, 36), "sidecar", 1)
    image = next(recording.frames()).image
    assert np.array_equal(image[4:36, 5:55], frames[0][4:36, 5:55]) and image.sum() == image[4:36, 5:55].sum()
    info = open_recording(tmp_path / "a.avi", box=(0, 0, 60, 20)).info
    assert (info.box, info.area_from) == ((0, 0, 60, 20), "given")
    assert open_recording(tmp_path / "a.avi", find_area=False).info.box == (5, 4, 55, 36)
    sidecar.write_text('{"box": [5, 4, 61, 36]}')
    with pytest.raises(RecordingError, match=r"recording\.json: box .*image of 60x40; correct it"):
        open_recording(tmp_path / "a.avi")
