from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from fascnet.data.labelling.targets import TWITCH, UNKNOWN
from fascnet.data.training_input.dataset import WindowDataset, WindowSettings
from fascnet.data.training_input.motion_cache import MotionClip, MotionWindowDataset, measure_clip
from fascnet.data.training_input.sight import END_TICKS, FirstSight
from fascnet.data.training_input.transforms import Augmentation
from fascnet.data.training_input.working_clip import WorkingClip
from fascnet.models.motion import MotionFrontEnd
from fascnet.models.unet import FasciculationUNet
from fascnet.types import MaskFile
from tests.data.tiny import make_frames, make_labels, make_working_clip

WINDOW = WindowSettings(n_ticks=16, size_px=32, event_fraction=1.0, warm_up_ticks=4)


@pytest.fixture
def clip(tmp_path: Path) -> WorkingClip:
    return make_working_clip(tmp_path, make_frames(60, 0, range(18, 27)))


def measure(clip: WorkingClip, folder: Path, version: int = 0, varied: bool = False) -> MotionClip:
    sight = FirstSight(MotionFrontEnd())
    return measure_clip(clip, version, Augmentation() if varied else None, WINDOW, folder, 0, sight)


def test_kept_motion_is_what_the_network_measures(clip: WorkingClip, tmp_path: Path) -> None:
    kept = np.load(measure(clip, tmp_path).motion_path)
    with torch.inference_mode():
        grey = torch.from_numpy(np.array(clip.frames)[None]).float() / 255
        fresh = MotionFrontEnd()(grey, torch.from_numpy(clip.dt_s[None]), {})[0].numpy()
    assert kept.shape == (60 + END_TICKS, MotionFrontEnd.N_CHANNELS, 16, 16)
    np.testing.assert_allclose(kept[:60], fresh, atol=2e-3 * np.abs(fresh).max())


def test_a_network_judges_kept_motion_as_it_judges_pictures(clip: WorkingClip, tmp_path: Path) -> None:
    network = FasciculationUNet((4, 8), (1, 1), (), look_ahead=0).eval()
    kept = torch.from_numpy(np.load(measure(clip, tmp_path).motion_path)[None, :60]).float()
    with torch.inference_mode():
        from_motion = network.judge_motion(kept, {})
        from_pictures, _ = network(
            torch.from_numpy(np.array(clip.frames)[None]), torch.from_numpy(clip.dt_s[None])
        )
    torch.testing.assert_close(from_motion, from_pictures, atol=5e-3, rtol=5e-3)


def test_memory_does_not_grow_with_the_clip(tmp_path: Path) -> None:
    peaks = []
    for n_frames in (60, 600):
        folder = tmp_path / f"{n_frames}"
        folder.mkdir()
        frames = np.resize(make_frames(60, 0, range(18, 27)), (n_frames, 64, 64))
        long = make_working_clip(folder, frames)
        measure(long, folder / "before", varied=True)  # what is allocated once
        tracemalloc.start()
        measure(long, folder, varied=True)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]
    assert peaks[1] < 600 * 64 * 64


def test_targets_equal_those_of_windows_cut_from_pictures(clip: WorkingClip, tmp_path: Path) -> None:
    codes = np.load(measure(clip, tmp_path).codes_path)
    window = WindowSettings(n_ticks=60, size_px=64, event_fraction=0.0, warm_up_ticks=0)
    from_pictures = WindowDataset([clip], window, None, seed=0)[0]
    np.testing.assert_array_equal(codes[:60] == TWITCH, from_pictures["target"].numpy() == 1)
    np.testing.assert_array_equal(codes[:60] != UNKNOWN, from_pictures["valid"].numpy())
    assert (codes[60:] == UNKNOWN).all()


def test_windows_around_events_hold_a_twitch_and_have_one_shape(clip: WorkingClip, tmp_path: Path) -> None:
    windows = MotionWindowDataset([measure(clip, tmp_path)], WINDOW, Augmentation(), seed=0)
    for index in range(8):
        window = windows[index]
        assert window["target"].sum() > 0
        assert window["motion"].shape == (16, MotionFrontEnd.N_CHANNELS, 8, 8)
        assert window["target"].shape == window["valid"].shape == (16, 8, 8)
        assert not window["valid"][: WINDOW.warm_up_ticks].any()


def test_the_first_ticks_count_only_where_the_clip_begins(tmp_path: Path) -> None:
    ticks = np.arange(60, dtype=np.float16)[:, None, None, None]
    kept = MotionClip(tmp_path / "motion.npy", tmp_path / "codes.npy", np.zeros((0, 3), np.int64))
    np.save(kept.motion_path, np.broadcast_to(ticks, (60, MotionFrontEnd.N_CHANNELS, 8, 8)))
    np.save(kept.codes_path, np.zeros((60, 8, 8), np.uint8))
    windows = MotionWindowDataset([kept], WINDOW, None, seed=0)
    starts = []
    for index in range(300):
        window = windows[index]
        starts.append(int(window["motion"][0, 0, 0, 0]))
        known = window["valid"].flatten(1).all(dim=1)
        assert known[4:].all()
        assert known[:4].all() if starts[-1] == 0 else not window["valid"][:4].any()
    assert set(starts) == set(range(45))
    # 5 draws of 49 come to the start.
    assert 15 <= starts.count(0) <= 50


def test_the_same_index_gives_the_same_window(clip: WorkingClip, tmp_path: Path) -> None:
    kept = measure(clip, tmp_path)
    first, again = (MotionWindowDataset([kept], WINDOW, Augmentation(), seed=3)[5] for _ in range(2))
    other = MotionWindowDataset([kept], WINDOW, Augmentation(), seed=4)[5]
    assert torch.equal(first["motion"], again["motion"])
    assert not torch.equal(first["motion"], other["motion"])


def test_a_window_larger_than_the_clip_is_filled_with_what_is_unknown(
    clip: WorkingClip, tmp_path: Path
) -> None:
    larger = replace(WINDOW, n_ticks=90, size_px=96)
    window = MotionWindowDataset([measure(clip, tmp_path)], larger, None, seed=0)[0]
    assert window["motion"].shape == (90, MotionFrontEnd.N_CHANNELS, 24, 24)
    assert not window["valid"][60:].any()
    assert not window["valid"][:, 16:].any()


@pytest.mark.parametrize(
    ("augmentation", "rows", "columns"),
    [
        (Augmentation(flip_p=1.0), 1, -1),
        (Augmentation(flip_p=0.0, upside_down_p=1.0), -1, 1),
        (Augmentation(flip_p=1.0, upside_down_p=1.0), -1, -1),
    ],
)
def test_a_mirrored_window_is_the_motion_of_the_mirrored_picture(
    clip: WorkingClip, tmp_path: Path, augmentation: Augmentation, rows: int, columns: int
) -> None:
    whole = replace(WINDOW, n_ticks=60 + END_TICKS, size_px=64)
    window = MotionWindowDataset([measure(clip, tmp_path)], whole, augmentation, seed=0)[0]
    (tmp_path / "turned").mkdir()
    turned = make_working_clip(tmp_path / "turned", np.array(clip.frames)[:, ::rows, ::columns])
    fresh = measure(turned, tmp_path / "turned")
    mirrored, motion = window["motion"].numpy()[5:60], np.load(fresh.motion_path)[5:60].astype(np.float32)
    # The blur's edges aside, which are replicated on either side alike.
    np.testing.assert_allclose(mirrored, motion, atol=0.02 * np.abs(motion).max())
    twitching = np.load(measure(clip, tmp_path).codes_path)[5:60, ::rows, ::columns] == TWITCH
    np.testing.assert_array_equal(window["target"].numpy()[5:60], twitching)


def test_variations_differ_and_are_found_again(clip: WorkingClip, tmp_path: Path) -> None:
    first, second = (measure(clip, tmp_path, version, varied=True) for version in (0, 1))
    written = first.motion_path.stat().st_mtime_ns
    assert first.motion_path != second.motion_path
    assert not np.array_equal(np.load(first.motion_path)[:40], np.load(second.motion_path)[:40])
    assert measure(clip, tmp_path, 0, varied=True).motion_path.stat().st_mtime_ns == written


def test_a_mask_that_was_drawn_anew_is_measured_anew(tmp_path: Path) -> None:
    mask = np.zeros((64, 64), np.uint8)
    labels = make_labels("w", 60, range(18, 27))
    masked = replace(labels, events=(replace(labels.events[0], region=MaskFile(tmp_path / "m.png")),))
    clip = make_working_clip(tmp_path, make_frames(60, 0, range(18, 27)), masked)
    painted = []
    for rows in (slice(10, 20), slice(40, 50)):
        mask[:], mask[rows, 10:20] = 0, 255
        cv2.imwrite(str(tmp_path / "m.png"), mask)
        painted.append(np.load(measure(clip, tmp_path).codes_path) == TWITCH)
    assert painted[0].any() and painted[1].any() and not (painted[0] & painted[1]).any()


def test_an_event_without_a_place_is_somewhere_in_a_window_that_shows_all(tmp_path: Path) -> None:
    labels = make_labels("w", 60, range(18, 27))
    placeless = replace(labels, events=(replace(labels.events[0], region=None),))
    clip = make_working_clip(tmp_path, make_frames(60, 0, range(18, 27)), placeless)
    kept = measure(clip, tmp_path)
    shows_all = MotionWindowDataset([kept], replace(WINDOW, n_ticks=60, size_px=64), None, seed=0)[0]
    assert not (shows_all["somewhere"] & shows_all["valid"]).any() and shows_all["target"].sum() == 0
    during = shows_all["somewhere"].flatten(1).any(1).nonzero()[:, 0]
    assert len(during) == 9 and torch.equal(during, torch.arange(9) + during[0])
    part = MotionWindowDataset([kept], replace(WINDOW, n_ticks=60), None, seed=0)[0]
    assert not part["somewhere"].any() and (~part["valid"].flatten(1).any(1)).sum() >= 9
