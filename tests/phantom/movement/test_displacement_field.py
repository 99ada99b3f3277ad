from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fascnet.errors import OutputError
from fascnet.phantom.movement.displacement_field import GRID_STEP_PX, write_displacement_field
from fascnet.phantom.movement.motion import superpose
from fascnet.phantom.outline import PictureFrame
from fascnet.phantom.recording.timeline import Timeline

from ..tiny import FPS, FRAME, JOLT, TWITCH, make_places, make_script

OTHER = replace(TWITCH, centre_mm=(20.0, 17.0), start_s=0.55)


def make_grid(frame: PictureFrame = FRAME) -> tuple[np.ndarray, tuple[int, int]]:
    places = make_places(frame).reshape(frame.height_px, frame.width_px, 2)[::GRID_STEP_PX, ::GRID_STEP_PX]
    return places.reshape(-1, 2), places.shape[:2]


def test_equals_the_movements_at_the_grid(tmp_path: Path) -> None:
    script = make_script(n_frames=30, twitches=(TWITCH, OTHER), confounders=(JOLT,))
    path = write_displacement_field(tmp_path / "clip.npy", script, FRAME)
    field = np.load(path, mmap_mode="r")
    places, shape = make_grid()
    assert field.dtype == np.int16
    assert field.shape == (30, *shape, 2)
    largest = 0.0
    for k in range(30):
        t_s = k / FPS
        twitches = superpose([TWITCH.displacement(places, t_s), OTHER.displacement(places, t_s)])
        expected_mm = (JOLT.displacement(places, t_s) + twitches).reshape(*shape, 2)
        # Half a unit of rounding, and the last thousandth of a twitch, which is left out.
        np.testing.assert_allclose(field[k] / 1000, expected_mm, atol=0.0011)
        largest = max(largest, float(np.abs(twitches).max()))
    assert largest > 0.3
    assert not field[0].any()


def test_shows_the_moments_that_the_file_shows(tmp_path: Path) -> None:
    timeline = Timeline.make(30, FPS, freezes=[(11, 14)], doubled=[18], dropped=[(22, 3)])
    cut = write_displacement_field(
        tmp_path / "a.npy", make_script(timeline=timeline, twitches=(TWITCH,)), FRAME
    )
    plain = write_displacement_field(tmp_path / "b.npy", make_script(40, twitches=(TWITCH,)), FRAME)
    field, whole = np.load(cut), np.load(plain)
    shown = np.rint(timeline.source_s * FPS).astype(int)
    np.testing.assert_array_equal(field, whole[shown])
    assert [*shown[10:15]] == [10, 10, 10, 10, 14]
    assert whole[14].any() and not np.array_equal(whole[10], whole[14])


def test_the_grid_begins_at_the_picture_not_at_the_screen(tmp_path: Path) -> None:
    script = make_script(n_frames=16, twitches=(TWITCH,))
    bare = write_displacement_field(tmp_path / "bare.npy", script, FRAME)
    framed = write_displacement_field(tmp_path / "framed.npy", script, replace(FRAME, offset_px=(200, 90)))
    assert bare.read_bytes() == framed.read_bytes()


@pytest.mark.parametrize(("height", "width"), [(64, 64), (65, 67), (150, 161)])
def test_any_size(tmp_path: Path, height: int, width: int) -> None:
    frame = PictureFrame(height, width, 0.2)
    path = write_displacement_field(tmp_path / "clip.npy", make_script(n_frames=3), frame)
    assert np.load(path).shape == (3, -(-height // 4), -(-width // 4), 2)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("dear")
    with pytest.raises(OutputError, match="file"):
        write_displacement_field(tmp_path / "file" / "clip.npy", make_script(n_frames=3), FRAME)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
