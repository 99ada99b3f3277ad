from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from fascnet.data.recording.recordings import open_recording
from fascnet.errors import RecordingError, SettingError
from fascnet.phantom.implant.background import (
    MOVING_MM_PER_S,
    Background,
    BackgroundSettings,
    fold_index,
    open_background,
)
from fascnet.phantom.implant.background_sources import find_backgrounds
from tests.data.recording.test_video import write_shown

from ..backgrounds import SHAPE, make_muscle, write_recording, write_still


def open_one(path: Path, **changes: object) -> Background:
    return open_background(find_backgrounds(path)[0], BackgroundSettings(**changes))


def test_a_recording(tmp_path: Path) -> None:
    path = write_recording(tmp_path / "a.avi", border=30)
    background = open_one(path, mm_per_px=0.2)
    assert (background.n_frames, background.fps) == (36, 24.0)
    assert (background.mm_per_px, background.mm_per_px_from) == (0.2, "setting")
    assert np.abs(np.array(background.box) - (30, 30, 180, 170)).max() <= 3
    assert background.speed_mm_per_s < MOVING_MM_PER_S
    stored = [frame.image for frame in open_recording(path).frames()]
    assert all(np.array_equal(a, b) for a, b in zip(background.frames(5, 7), stored[5:12], strict=True))
    anatomy = background.make_anatomy()
    assert float(anatomy.muscle_top(3.0)) == pytest.approx(background.muscle[1] * 0.2, abs=0.01)
    assert float(anatomy.muscle_bottom(3.0)) == pytest.approx(background.muscle[3] * 0.2, abs=0.01)


def test_an_unknown_spacing_is_assumed_from_the_depth(tmp_path: Path) -> None:
    background = open_one(write_recording(tmp_path / "a.avi"), assumed_depth_mm=28.0)
    assert background.mm_per_px == pytest.approx(28.0 / background.area_shape[0])
    assert background.mm_per_px_from == "assumed_depth"


def test_a_still_is_repeated(tmp_path: Path) -> None:
    background = open_one(write_still(tmp_path / "a.png"), still_fps=50.0)
    frames = list(background.frames(0, 3))
    assert all(np.array_equal(frame, make_muscle(0)) for frame in frames)
    assert (background.fps, background.n_frames, background.speed_mm_per_s) == (50.0, 1, 0.0)


def test_a_short_recording_is_played_forth_and_back_only_if_asked(tmp_path: Path) -> None:
    assert [fold_index(k, 4) for k in range(10)] == [0, 1, 2, 3, 2, 1, 0, 1, 2, 3]
    background = open_one(write_recording(tmp_path / "a.avi"))
    frames = list(background.frames(0, 80, forth_and_back=True))
    assert np.array_equal(frames[36], frames[34]) and np.array_equal(frames[71], frames[1])
    with pytest.raises(RecordingError, match="36 frames, fewer than 80"):
        list(background.frames(0, 80))


def test_own_motion_is_measured(tmp_path: Path) -> None:
    background = open_one(write_recording(tmp_path / "a.avi"), mm_per_px=0.1)
    muscle = cv2.GaussianBlur(np.tile(make_muscle(2), (1, 3)), (0, 0), 1.0)
    moving = tmp_path / "b.avi"
    writer = cv2.VideoWriter(str(moving), cv2.VideoWriter_fourcc(*"FFV1"), 24.0, SHAPE[::-1], False)
    for k in range(36):
        writer.write(np.ascontiguousarray(muscle[:, 4 * k : 4 * k + SHAPE[1]]))
    writer.release()
    # 4 px a frame of 0.1 mm at 24 frames a second.
    assert open_one(moving, mm_per_px=0.1).speed_mm_per_s == pytest.approx(9.6, rel=0.5)
    assert background.speed_mm_per_s < 3


def test_the_muscle_box_is_given_in_stored_pixels(tmp_path: Path) -> None:
    path = write_recording(tmp_path / "a.avi", border=30)
    background = open_one(path, muscle_box=(50, 60, 120, 130))
    x0, y0 = background.box[:2]
    assert background.muscle == (50 - x0, 60 - y0, 120 - x0, 130 - y0)
    with pytest.raises(RecordingError, match="muscle_box lies outside"):
        open_one(path, muscle_box=(0, 0, 12, 12))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"mm_per_px": 5.0}, "mm_per_px=5.0"),
        ({"still_fps": 0}, "still_fps=0"),
        ({"muscle_box": [1, 2, 3]}, "muscle_box"),
        ({"muscle_box": [9, 2, 3, 8]}, "muscle_box"),
        ({"transverse": "yes"}, "transverse=yes"),
    ],
)
def test_wrong_settings(changes: dict[str, object], says: str) -> None:
    with pytest.raises(SettingError, match=says):
        BackgroundSettings(**changes)


def test_what_cannot_be_used_says_why(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"lasts 0\.42 s"):
        open_one(write_recording(tmp_path / "short.avi", n_frames=10))
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(RecordingError, match="not a readable picture"):
        open_one(tmp_path / "bad.png")
    cv2.imwrite(str(tmp_path / "tiny.png"), make_muscle(0, (40, 60)))
    with pytest.raises(RecordingError, match="too small"):
        open_one(tmp_path / "tiny.png")
    write_shown(tmp_path / "wide.mp4", aspect=Fraction(4, 3))
    with pytest.raises(RecordingError, match=r"1\.33 times as wide as high; resample"):
        open_one(tmp_path / "wide.mp4")
