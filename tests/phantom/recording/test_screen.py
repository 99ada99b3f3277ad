from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fascnet.phantom.recording.screen import Screen
from fascnet.phantom.recording.screen_layout import Clock, ColourBox, Line, Panel, ScreenLayout, Text

LAYOUT = ScreenLayout("test", 100, 160, (20, 30, 120, 90), background=5)
FLOW = ColourBox(
    corners=((20, 5), (80, 5), (80, 50), (20, 50)),
    centre=(50.0, 28.0),
    radius_px=12.0,
    axis_rad=0.0,
    half_length_px=None,
    outline_grey=150,
    flow_grey=70,
    rate_hz=1.2,
    phase=0.0,
    colour_fps=12.0,
    seed=1,
)


def make_picture() -> np.ndarray:
    return np.random.default_rng(0).integers(90, 250, (60, 100), dtype=np.uint8)


def test_the_picture_stands_in_its_box() -> None:
    picture = make_picture()
    shown = Screen(LAYOUT).compose(picture, 0.0)
    assert shown.shape == (100, 160) and shown.dtype == np.uint8
    np.testing.assert_array_equal(shown[30:90, 20:120], picture)
    shown[30:90, 20:120] = 5
    assert np.all(shown == 5)


def test_furniture_is_drawn_around_it() -> None:
    layout = replace(
        LAYOUT,
        panels=(Panel((2, 30, 10, 80), 255, 0),),
        lines=(Line((125, 30), (130, 30), 200),),
        texts=(Text("MSK", 30, 10, 7, 180),),
    )
    shown = Screen(layout).compose(make_picture(), 0.0)
    bar = shown[30:80, 2].astype(int)
    assert bar[0] == 255 and bar[-1] == 0 and np.all(np.diff(bar) <= 0)
    assert np.all(shown[30, 125:131] == 200)
    assert shown[10:17, 30:50].max() == 180


def test_what_was_composed_before_leaves_no_trace() -> None:
    layout = replace(LAYOUT, clock=Clock("time", 30, 5, 7, 200, 36000.0, 30.0), colour_box=FLOW)
    picture = make_picture()
    screen = Screen(layout)
    first = screen.compose(picture, 0.0)
    kept = first.copy()
    screen.compose(picture, 3.2)
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(screen.compose(picture, 0.0), kept)
    np.testing.assert_array_equal(Screen(layout).compose(picture, 0.0), kept)
    np.testing.assert_array_equal(picture, make_picture())


def test_the_clock_runs_outside_the_picture_only() -> None:
    layout = replace(LAYOUT, clock=Clock("time", 30, 5, 7, 200, 36000.0, 30.0))
    screen, picture = Screen(layout), make_picture()
    first, same, later = (screen.compose(picture, t_s) for t_s in (0.0, 0.9, 1.0))
    np.testing.assert_array_equal(first, same)
    changed = np.nonzero(first != later)
    assert changed[0].size and changed[0].max() < 12 and changed[1].min() >= 30


@pytest.mark.parametrize(
    ("kind", "t_s", "says"),
    [
        ("time", 0.0, "10:00:00"),
        ("time", 61.0, "10:01:01"),
        ("seconds", 0.0, "0.0 s"),
        ("seconds", 1.3, "1.3 s"),
        ("frames", 0.0, "1"),
        ("frames", 41 / 29.97, "42"),
    ],
)
def test_clocks_read_what_they_should(kind: str, t_s: float, says: str) -> None:
    start_s = 36000.0 if kind == "time" else 0.0
    assert Clock(kind, 0, 0, 7, 200, start_s, 29.97).read(t_s) == says


def test_a_frame_counter_counts_every_frame() -> None:
    clock = Clock("frames", 0, 0, 7, 200, 0.0, 61.0)
    assert [clock.read(index / 61.0) for index in range(500)] == [str(index + 1) for index in range(500)]


def test_marks_lie_on_the_picture_in_its_own_pixels() -> None:
    layout = replace(
        LAYOUT, inside_texts=(Text("FDI", 10, 20, 7, 0),), inside_lines=(Line((70, 10), (70, 40), 0),)
    )
    picture = make_picture()
    shown = Screen(layout).compose(picture, 0.0)
    assert np.all(shown[40:71, 90] == 0)
    text = shown[50:57, 30:50]
    assert np.count_nonzero(text == 0) > 20
    assert np.count_nonzero(shown[30:90, 20:120] != picture) < 120


def test_flow_flickers_inside_vessel_and_box() -> None:
    picture = np.full((60, 100), 200, np.uint8)
    screen = Screen(replace(LAYOUT, colour_box=FLOW))
    frames = np.stack([screen.compose(picture, index / 30)[30:90, 20:120] for index in range(30)]).astype(int)
    painted = (frames != 200) & (frames != 150)
    y, x = np.nonzero(painted.any(axis=0))
    assert np.hypot(x - 50, y - 28).max() <= 12
    assert painted.sum(axis=(1, 2)).min() > 50
    areas = painted.sum(axis=(1, 2))
    assert areas.max() > 1.3 * areas.min(), "wider in systole"
    assert abs(frames[painted].mean() - 70) < 15
    changes = np.abs(np.diff(frames, axis=0)).max(axis=(1, 2))
    assert 8 <= np.count_nonzero(changes) <= 13, "12 colour frames a second"
    corners = [frames[0][5, 20], frames[0][50, 80]]
    assert corners == [150, 150]


def test_flow_keeps_within_its_box_along_a_vessel_in_the_plane() -> None:
    strip = replace(FLOW, half_length_px=200.0, corners=((40, 5), (60, 5), (60, 50), (40, 50)))
    shown = Screen(replace(LAYOUT, colour_box=strip)).compose(np.full((60, 100), 200, np.uint8), 0.1)
    flow = shown[30:90, 20:120] < 140
    columns = np.nonzero(flow.any(axis=0))[0]
    assert columns.min() == 41 and columns.max() == 59


def test_sizes_are_checked() -> None:
    with pytest.raises(ValueError, match="box"):
        Screen(replace(LAYOUT, box=(20, 30, 170, 90)))
    with pytest.raises(ValueError, match="frame"):
        Screen(LAYOUT).compose(np.zeros((60, 99), np.uint8), 0.0)
