from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from fascnet.data.training_input.dataset import Window, WindowDataset, WindowSampler, WindowSettings
from fascnet.data.training_input.transforms import Augmentation, WindowAugmenter
from fascnet.data.training_input.working_clip import WorkingClip
from fascnet.errors import SettingError
from fascnet.models.motion import END_OF_CLIP
from fascnet.types import Event, Labels
from tests.data.tiny import FPS, circle, make_frames, make_labels, make_texture, make_working_clip
from tests.data.training_input.test_transforms import NONE

WINDOW = WindowSettings(n_ticks=16, size_px=32, event_fraction=0.6, warm_up_ticks=4)


@pytest.fixture
def clip(tmp_path: Path) -> WorkingClip:
    return make_working_clip(tmp_path, make_frames(60, 0, range(18, 27)))


def number_frames(tmp_path: Path, n_frames: int, size_px: int = 32, **kept: Any) -> WorkingClip:
    """A clip whose frame k has grey level k, so that a window tells which frames it shows."""
    frames = np.broadcast_to(np.arange(n_frames, dtype=np.uint8)[:, None, None], (n_frames, size_px, size_px))
    return make_working_clip(tmp_path, frames, **kept)


def load(dataset: WindowDataset, epochs: int, workers: int, batch_size: int = 2) -> list[bytes]:
    """Windows in order, as bytes, over some epochs of 6."""
    sampler = WindowSampler(6)
    loader = DataLoader(
        dataset,
        batch_size,
        sampler=sampler,
        num_workers=workers,
        persistent_workers=workers > 0,
        multiprocessing_context="spawn" if workers else None,
    )
    windows = []
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        for batch in loader:
            windows += [image.numpy().tobytes() for image in batch["images"]]
    return windows


@pytest.mark.slow
def test_workers_and_epochs_give_different_windows_and_the_seed_gives_them_again(clip: WorkingClip) -> None:
    dataset = WindowDataset([clip], WINDOW, WindowAugmenter(Augmentation()), seed=0)
    with_workers = load(dataset, epochs=2, workers=2)
    assert len(with_workers) == len(set(with_workers)) == 12
    assert load(dataset, epochs=2, workers=2) == with_workers
    assert load(dataset, epochs=2, workers=0) == with_workers
    assert not set(load(replace_seed(dataset, 1), epochs=2, workers=0)) & set(with_workers)


def replace_seed(dataset: WindowDataset, seed: int) -> WindowDataset:
    return WindowDataset(dataset.clips, dataset.window, dataset.augmenter, seed)


def test_shapes_and_types(clip: WorkingClip) -> None:
    window = WindowDataset([clip], WINDOW, WindowAugmenter(Augmentation()), seed=0)[3]
    assert {key: (tuple(v.shape), v.dtype) for key, v in window.items()} == {
        "images": ((16, 32, 32), torch.uint8),
        "dt_s": ((16,), torch.float32),
        "target": ((16, 8, 8), torch.float32),
        "valid": ((16, 8, 8), torch.bool),
        "somewhere": ((16, 8, 8), torch.bool),
    }
    assert set(window["target"].unique().tolist()) <= {0.0, 1.0}


def test_windows_around_events_hold_a_twitch(clip: WorkingClip) -> None:
    always = WindowDataset([clip], replace(WINDOW, event_fraction=1.0), None, seed=0)
    assert all((w["target"] * w["valid"]).sum() > 0 for w in take(always, 40))
    never = WindowDataset([clip], replace(WINDOW, event_fraction=0.0), None, seed=0)
    assert 5 < sum(bool(w["target"].sum() > 0) for w in take(never, 40)) < 36


def take(dataset: WindowDataset, n: int) -> Iterator[Window]:
    return (dataset[index] for index in range(n))


def test_bright_squares_keep_their_targets(tmp_path: Path) -> None:
    """A disc that is bright during the event must lie where, and when, the target says."""
    n_frames = 60
    yy, xx = np.mgrid[:96, :96]
    disc = np.hypot(xx - 50, yy - 40) < 16
    frames = np.full((n_frames, 96, 96), 20, np.uint8)
    frames[20:40, disc] = 230
    events = (Event(20 / FPS, 40 / FPS, region=circle(50, 40, 16)),)
    clip = make_working_clip(tmp_path, frames, Labels("w", "r", ((0.0, 2.0),), events))
    settings = replace(
        NONE, flip_p=0.5, scale=(0.8, 1.3), rotate_deg=15.0, shear_deg=5.0, speed=(0.7, 1.4), low_rate_p=0.3
    )
    window = WindowSettings(n_ticks=40, size_px=64, event_fraction=1.0, warm_up_ticks=0)
    dataset = WindowDataset([clip], window, WindowAugmenter(settings), seed=0)
    for sample in take(dataset, 20):
        cells = sample["images"].float().unfold(1, 4, 4).unfold(2, 4, 4).mean(dim=(3, 4))
        bright, target = (cells > 125) & sample["valid"], sample["target"] > 0
        assert target.any()
        assert (bright & target).sum() / (bright | target).sum() > 0.85


def test_the_first_ticks_count_only_where_the_clip_begins(tmp_path: Path) -> None:
    clip = number_frames(tmp_path, 60, labels=make_labels("w", 60, None))
    starts = set()
    for sample in take(WindowDataset([clip], WINDOW, None, seed=0), 300):
        start = int(sample["images"][0, 0, 0])
        starts.add(start)
        known = sample["valid"].flatten(1).all(dim=1)
        assert known[4:].all()
        assert known[:4].all() if start == 0 else not sample["valid"][:4].any()
    assert {0, 44} <= starts <= set(range(45))


def test_unexamined_seconds_are_not_valid(tmp_path: Path) -> None:
    clip = number_frames(tmp_path, 60, labels=Labels("w", "r", ((0.5, 1.0),), ()))
    for sample in take(WindowDataset([clip], WINDOW, None, seed=0), 30):
        shown = sample["images"][:, 0, 0].numpy()
        known = sample["valid"].flatten(1).all(dim=1).numpy()[4:]
        assert np.array_equal(known, ((shown >= 15) & (shown < 30))[4:]) or shown[0] == 0


def test_a_small_clip_is_filled_with_what_is_unknown(tmp_path: Path) -> None:
    frames = make_texture(36, 40, 0).astype(np.uint8)[None].repeat(10, axis=0)
    clip = make_working_clip(tmp_path, frames, make_labels("w", 10, None))
    window = WindowSettings(n_ticks=16, size_px=64, warm_up_ticks=2)
    (sample,) = take(WindowDataset([clip], window, None, seed=0), 1)
    assert sample["images"].shape == (16, 64, 64)
    assert sample["valid"][:10, :9, :10].all()
    assert not sample["valid"][:, 9:].any() and not sample["valid"][:, :, 10:].any()
    assert not sample["valid"][10:].any()
    assert sample["dt_s"][10:].tolist() == [END_OF_CLIP] * 6
    assert sample["target"].sum() == 0
    augmented = WindowDataset(
        [clip], window, WindowAugmenter(replace(Augmentation(), speed=(1.0, 1.0))), seed=0
    )
    assert all(torch.isfinite(w["dt_s"]).all() for w in take(augmented, 5))


def test_without_variation_windows_show_the_clip_as_prediction_does(tmp_path: Path) -> None:
    dt_s = np.tile(np.array([0.04, 0.04, 0.04, 0.04, 0.04, 0.0], np.float32), 10)
    dt_s[0] = 0.0
    clip = number_frames(tmp_path, 60, labels=make_labels("w", 60, None), dt_s=dt_s)
    for sample in take(WindowDataset([clip], WINDOW, None, seed=0), 10):
        shown = sample["images"][:, 0, 0].numpy()
        assert np.array_equal(np.diff(shown.astype(int)), np.ones(15))
        assert sample["dt_s"][0] == 0
        assert sample["dt_s"][1:].numpy() == pytest.approx(dt_s[shown[1:]], abs=1e-6)


def test_bent_time_keeps_the_recordings_own_spacing(tmp_path: Path) -> None:
    """At 25 Hz every sixth tick is held: what time passes between two frames shown is what passed there."""
    dt_s = np.tile(np.array([0.04, 0.04, 0.04, 0.04, 0.04, 0.0], np.float32), 20)
    dt_s[0] = 0.0
    clock_s = np.cumsum(dt_s.astype(np.float64))
    # Two grey levels a frame, because a gamma of 1 rounds some down by one.
    frames = 2 * np.arange(120, dtype=np.uint8)[:, None, None].repeat(32, axis=1).repeat(32, axis=2)
    clip = make_working_clip(tmp_path, frames, make_labels("w", 120, None), dt_s)
    settings = replace(NONE, speed=(0.8, 1.25), low_rate_p=0.5, low_rate_hz=(15.0, 28.0))
    speeds = set()
    for sample in take(WindowDataset([clip], WINDOW, WindowAugmenter(settings), seed=0), 30):
        shown = (sample["images"][:, 0, 0].numpy().astype(int) + 1) // 2
        passed_s = np.diff(clock_s[shown])
        got = sample["dt_s"].numpy()[1:]
        assert (got[passed_s == 0] == 0).all()
        (speed,) = {round(float(s), 3) for s in passed_s[passed_s > 0] / got[passed_s > 0]}
        assert 0.8 <= speed <= 1.25
        speeds.add(speed)
        assert sample["dt_s"].sum() == pytest.approx(
            (clock_s[shown[-1]] - clock_s[shown[0]]) / speed, rel=1e-3
        )
    assert len(speeds) > 10


def test_each_process_and_epoch_has_windows_of_its_own() -> None:
    n_windows, world_size = 14, 4
    seen: list[int] = []
    for epoch in range(3):
        for rank in range(world_size):
            sampler = WindowSampler(n_windows, rank, world_size)
            sampler.set_epoch(epoch)
            indices = list(sampler)
            assert len(indices) == len(sampler) == n_windows // world_size
            assert all(epoch * n_windows <= index < (epoch + 1) * n_windows for index in indices)
            seen += indices
    assert len(seen) == len(set(seen)) == 36


def test_shards_are_complete() -> None:
    shards = [list(WindowSampler(12, rank, 3)) for rank in range(3)]
    assert sorted(index for shard in shards for index in shard) == list(range(12))


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"n_ticks": 8}, "n_ticks"),
        ({"size_px": 40}, "size_px"),
        ({"size_px": 16}, "size_px"),
        ({"event_fraction": 1.5}, "event_fraction"),
        ({"warm_up_ticks": 48}, "warm_up_ticks"),
    ],
)
def test_settings_out_of_range_are_named(wrong: dict[str, Any], key: str) -> None:
    with pytest.raises(SettingError, match=rf"window\.{key} is"):
        WindowSettings(**wrong)


def test_an_event_without_a_place_is_somewhere_in_a_window_that_shows_all(tmp_path: Path) -> None:
    labels = Labels("w", "r", ((0.0, 1.2),), (Event(18 / FPS, 27 / FPS), Event(1.25, 1.4)))
    clip = make_working_clip(tmp_path, make_frames(60, 0, None)[:, :40, :32], labels)
    whole = WindowDataset([clip], WindowSettings(32, 48, 1.0, 4), None, seed=0)
    starts = 0
    for window in take(whole, 20):
        during = window["somewhere"].flatten(1).any(dim=1)
        starts += int(during.sum())
        assert not (window["somewhere"] & window["valid"]).any()
        assert not window["somewhere"][:, 10:].any() and not window["somewhere"][:, :, 8:].any()
        # In place nothing is known while it lasts, and everything is still before and after.
        assert window["somewhere"][during][:, :10, :8].all()
        assert window["target"].sum() == 0
    assert starts > 50
    part = WindowDataset([clip], WindowSettings(32, 32, 1.0, 4), None, seed=0)
    assert not any(window["somewhere"].any() for window in take(part, 20))
