from __future__ import annotations

import av
import numpy as np
import pytest

from fascnet.data.recording.recordings import open_recording
from fascnet.inference.heatmap_store import HeatmapStore
from fascnet.inference.overlay import FAINTEST_P, blend_heatmap, make_colours, write_overlay
from fascnet.types import Event, Point

from .fakes import paint_twitch, write_video


def luminance(rgb):
    return rgb.astype(float) @ [0.2126, 0.7152, 0.0722]


def test_colours_are_ordered_and_faint_ones_invisible():
    colours = make_colours()
    assert (np.diff(luminance(colours.rgb)) >= -0.5).all()
    assert (np.diff(colours.alpha) >= 0).all()
    assert (colours.alpha[: int(FAINTEST_P * 255)] == 0).all()
    assert colours.alpha[255] == pytest.approx(0.75)


def test_untouched_below_a_tenth_and_coloured_above():
    image = np.random.default_rng(0).integers(0, 256, (40, 60), dtype=np.uint8)
    grey = np.repeat(image[..., None], 3, axis=2)
    assert np.array_equal(blend_heatmap(image, np.full((4, 6), 25, np.uint8)), grey)
    heat = np.zeros((4, 6), np.uint8)
    heat[1, 4] = 255
    blended = blend_heatmap(image, heat)
    assert np.array_equal(blended[:, :20], grey[:, :20])
    assert (blended[15, 45] != grey[15, 45]).any()


def read(path):
    with av.open(str(path)) as video:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)])


def test_shows_the_heatmap_at_the_recordings_own_times_inside_the_box(tmp_path):
    frames = np.full((12, 60, 80), 100, np.uint8)
    frames[:, :8] = 255  # furniture outside the imaging area
    recording = open_recording(write_video(tmp_path / "clip.avi", frames, fps=60.0))
    heat = np.zeros((6, 5, 7))
    heat[3] = 1.0  # at 0.1 s, which is frames 5 to 7 of 60 per second
    event = Event(0.1, 4 / 30, 0.1, region=Point(40.0, 30.0), area_px=30.0)
    with HeatmapStore(tmp_path, (5, 7)) as store:
        store.append(heat)
        written = write_overlay(
            tmp_path / "o.mp4", recording, store, box=(0, 10, 80, 60), heatmap_fps=30.0, events=[event]
        )
    pictures = read(tmp_path / "o.mp4")
    assert written == len(pictures) == 12
    assert pictures.shape[1] % 2 == pictures.shape[2] % 2 == 0
    assert pictures.shape[2] >= 480
    image = pictures[:, : pictures.shape[1] - 40]
    colour = np.ptp(image[:, 4:40, 4:40].astype(int), axis=3).mean(axis=(1, 2)) > 20
    assert np.flatnonzero(colour).tolist() == [k for k in range(12) if round(k / 2) == 3]
    assert image[0].max() < 140  # the white strip above the box is not in the picture


@pytest.mark.parametrize("size", [(33, 47), (501, 1203), (1001, 77)])
def test_any_size_becomes_a_legible_even_picture(tmp_path, size):
    frames = np.full((2, *size), 90, np.uint8)
    recording = open_recording(write_video(tmp_path / "clip.avi", frames))
    with HeatmapStore(tmp_path, (4, 4)) as store:
        store.append(np.full((2, 4, 4), 0.9))
        box = (0, 0, size[1], size[0])
        event = Event(0.0, 1.0, region=Point(size[1] - 1.0, 0.0))
        write_overlay(tmp_path / "o.mp4", recording, store, box=box, heatmap_fps=30.0, events=[event])
    shape = read(tmp_path / "o.mp4").shape
    assert shape[1] % 2 == shape[2] % 2 == 0
    assert shape[2] <= 960 and shape[1] <= 1000
    assert shape[2] / (shape[1] - 40) == pytest.approx(size[1] / size[0], rel=0.05)


def test_more_ticks_than_a_batch_and_fewer_than_frames(tmp_path):
    recording = open_recording(write_video(tmp_path / "clip.avi", paint_twitch(150)))
    with HeatmapStore(tmp_path, (6, 8)) as store:
        store.append(np.zeros((140, 6, 8)))
        box = (0, 0, 64, 48)
        assert (
            write_overlay(tmp_path / "o.mp4", recording, store, box=box, heatmap_fps=30.0, events=[]) == 150
        )
