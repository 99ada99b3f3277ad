from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fascnet.errors import RecordingError, SettingError
from fascnet.models.preprocessing import CELL_PX, Preprocessor, choose_frames
from fascnet.types import Frame, PixelBox, Polygon, RecordingInfo


@dataclass
class Film:
    """A recording in memory that counts the frames asked for."""

    times_s: list[float]
    mm_per_px: float | None = 0.15
    size: tuple[int, int] = (64, 48)
    box: PixelBox | None = None
    outline: Polygon | None = None
    pulled: int = 0
    path: Path = field(default_factory=lambda: Path("film.mp4"))

    @property
    def info(self) -> RecordingInfo:
        height, width = self.size
        box = (0, 0, width, height) if self.box is None else self.box
        return RecordingInfo(
            height, width, len(self.times_s), 30.0, None, self.mm_per_px, box, outline=self.outline
        )

    def frames(self) -> Iterator[Frame]:
        for index, time_s in enumerate(self.times_s):
            self.pulled += 1
            yield Frame(index, time_s, np.full(self.size, index % 256, np.uint8))


def choose(times_s: list[float], rate_hz: float) -> list[int]:
    """Frame index shown at each tick."""
    film = Film(times_s)
    return [frame.index for frame, count in choose_frames(film.frames(), rate_hz) for _ in range(count)]


def choose_by_search(times_s: list[float], rate_hz: float) -> tuple[list[int], list[bool]]:
    """The nearest frame for each tick, by brute force, and whether two frames are (almost) equally near."""
    chosen, tied = [], []
    tick = 0
    while tick / rate_hz <= times_s[-1] + 0.5 / rate_hz + 1e-9:
        distances = sorted((abs(t - tick / rate_hz), i) for i, t in enumerate(times_s))
        chosen.append(distances[0][1])
        tied.append(len(distances) > 1 and distances[1][0] - distances[0][0] < 1e-5)
        tick += 1
    return chosen, tied


@pytest.mark.parametrize("fps", [30.0, 29.97, 61.0, 60.0, 25.0, 11.6, 100.0])
def test_each_tick_shows_the_nearest_frame(fps: float) -> None:
    times_s = [k / fps for k in range(round(4 * fps))]
    wanted, tied = choose_by_search(times_s, 30.0)
    got = choose(times_s, 30.0)
    assert abs(len(got) - len(wanted)) <= 1
    wrong = [k for k, (a, b, tie) in enumerate(zip(got, wanted, tied, strict=False)) if a != b and not tie]
    assert wrong == []


@given(
    steps=st.lists(st.floats(0.004, 0.4), min_size=0, max_size=40),
    rate_hz=st.sampled_from([10.0, 25.0, 30.0, 60.0]),
)
def test_each_tick_shows_the_nearest_frame_at_variable_rates(steps: list[float], rate_hz: float) -> None:
    times_s = [0.0, *np.cumsum(steps).tolist()]
    wanted, tied = choose_by_search(times_s, rate_hz)
    got = choose(times_s, rate_hz)
    assert abs(len(got) - len(wanted)) <= 1
    assert got == sorted(got)
    assert all(a == b or tie for a, b, tie in zip(got, wanted, tied, strict=False))


def test_a_tie_takes_the_earlier_frame() -> None:
    assert choose([0.0, 0.2], 10.0) == [0, 0, 1]


def test_same_rate_shows_every_frame_once_for_minutes() -> None:
    # Times as a 30 fps file with a 1/1000 time base tells them.
    assert choose([round(k / 30, 3) for k in range(5000)], 30.0) == list(range(5000))


def test_low_rates_hold_frames_and_high_rates_drop_them() -> None:
    preprocessor = Preprocessor()
    low = Film([k / 25 for k in range(50)])
    held = [tick.dt_s for tick in preprocessor.ticks(low, preprocessor.plan(low.info))]
    assert len(held) == 60
    assert held.count(0.0) == 60 - 50 + 1
    assert [dt for dt in held if dt] == pytest.approx([0.04] * 49)
    high = Film([k / 60 for k in range(119)])
    assert [tick.dt_s for tick in preprocessor.ticks(high, preprocessor.plan(high.info))][
        1:
    ] == pytest.approx([1 / 30] * 59)


@pytest.mark.parametrize("fps", [30.0, 29.97, 61.0, 25.0, 11.6])
def test_spacings_sum_to_the_time_of_the_last_frame_shown(fps: float) -> None:
    preprocessor = Preprocessor()
    film = Film([k / fps for k in range(200)])
    total = sum(tick.dt_s for tick in preprocessor.ticks(film, preprocessor.plan(film.info)))
    assert total == pytest.approx(film.times_s[-1], abs=1 / 30 + 1e-9)


def test_one_frame_is_one_tick() -> None:
    preprocessor = Preprocessor()
    film = Film([0.0])
    ticks = list(preprocessor.ticks(film, preprocessor.plan(film.info)))
    assert [tick.dt_s for tick in ticks] == [0.0]
    assert ticks[0].image.shape == (64, 48)


def test_frames_are_pulled_one_by_one() -> None:
    preprocessor = Preprocessor()
    film = Film([k / 30 for k in range(1000)])
    ticks = preprocessor.ticks(film, preprocessor.plan(film.info))
    for _ in range(10):
        next(ticks)
    # Whether a frame is the nearest is known once the next one is here.
    assert film.pulled <= 11


@given(
    height=st.integers(60, 700),
    width=st.integers(60, 700),
    mm_per_px=st.floats(0.1, 0.3),
    pitch=st.floats(0.1, 0.2),
)
def test_grid_is_in_whole_cells_and_true_to_scale(
    height: int, width: int, mm_per_px: float, pitch: float
) -> None:
    grid = Preprocessor(pitch_mm=pitch).plan(Film([0.0], mm_per_px, (height, width)).info)
    assert grid.height % CELL_PX == grid.width % CELL_PX == 0
    assert grid.cells == (grid.height // CELL_PX, grid.width // CELL_PX)
    assert abs(grid.height * pitch - height * mm_per_px) <= pitch * CELL_PX / 2 + 1e-9
    assert abs(grid.width * pitch - width * mm_per_px) <= pitch * CELL_PX / 2 + 1e-9


def test_spacing_is_assumed_only_where_none_is_known() -> None:
    preprocessor = Preprocessor(assumed_mm_per_px=0.3)
    unknown = preprocessor.plan(Film([0.0], None).info)
    assert (unknown.mm_per_px, unknown.assumed_mm_per_px, unknown.height) == (None, 0.3, 128)
    known = preprocessor.plan(Film([0.0], 0.15).info)
    assert (known.mm_per_px, known.assumed_mm_per_px, known.height) == (0.15, None, 64)
    assert (unknown.chosen_mm_per_px, known.chosen_mm_per_px) == (0.3, 0.15)


@pytest.mark.parametrize("mm_per_px", [0.001, 50.0])
def test_impossible_spacing_is_refused_in_one_line(mm_per_px: float) -> None:
    with pytest.raises(RecordingError, match="no muscle image; give the right mm_per_px") as caught:
        Preprocessor().plan(Film([0.0], mm_per_px).info)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pitch_mm", 0.01),
        ("pitch_mm", float("nan")),
        ("rate_hz", 0.0),
        ("rate_hz", 500.0),
        ("assumed_mm_per_px", 1.0),
    ],
)
def test_settings_out_of_range_are_refused(key: str, value: float) -> None:
    with pytest.raises(SettingError, match=key):
        Preprocessor(**{key: value})


def test_resize_crops_to_the_imaging_area() -> None:
    image = np.zeros((100, 120), np.uint8)
    image[10:74, 20:84] = 200
    preprocessor = Preprocessor(pitch_mm=0.15)
    for mm_per_px, side in ((0.15, 64), (0.1, 44), (0.3, 128)):
        grid = preprocessor.plan(Film([0.0], mm_per_px, (100, 120), (20, 10, 84, 74)).info)
        small = preprocessor.resize(image, grid)
        assert small.shape == (side, side)
        assert small.dtype == np.uint8
        assert (small == 200).all()


def test_cells_outside_the_outline_are_silent() -> None:
    # A triangle over the left lower half of the imaging area, which is resampled to twice its size.
    outline = Polygon(((20, 10), (84, 74), (20, 74)))
    film = Film([0.0], 0.3, (100, 120), (20, 10, 84, 74), outline)
    grid = Preprocessor(pitch_mm=0.15).plan(film.info)
    assert grid.covered is not None and grid.covered.shape == grid.cells == (32, 32)
    rows, columns = np.mgrid[:32, :32]
    assert grid.covered[columns < rows].all() and not grid.covered[columns > rows].any()
    heatmaps = np.full((5, 32, 32), 0.9, np.float32)
    silent = grid.silence(heatmaps)
    assert silent.dtype == np.float32 and (silent[:, columns > rows] == 0).all()
    assert (silent[:, columns < rows] == np.float32(0.9)).all()
    whole = Preprocessor().plan(Film([0.0]).info)
    assert whole.covered is None and whole.silence(heatmaps) is heatmaps
