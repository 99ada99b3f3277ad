from __future__ import annotations

import itertools
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fascnet.data.training_input.transforms import Augmentation, WindowAugmenter
from fascnet.errors import SettingError

NONE = Augmentation(
    flip_p=0.0,
    upside_down_p=0.0,
    scale=(1.0, 1.0),
    rotate_deg=0.0,
    shear_deg=0.0,
    gamma=(100.0, 100.0),
    brightness=0.0,
    contrast=0.0,
    blur_p=0.0,
    noise_sd=(0.0, 0.0),
    speckle_sd=(0.0, 0.0),
    gain_step_p=0.0,
    gain_step=0.0,
    speed=(1.0, 1.0),
    low_rate_p=0.0,
    freeze_p=0.0,
)


def make_square(n_ticks: int = 6, size_px: int = 96) -> tuple[np.ndarray, np.ndarray]:
    images = np.full((n_ticks, size_px, size_px), 20, np.uint8)
    images += np.arange(n_ticks, dtype=np.uint8)[:, None, None]
    masks = np.zeros((n_ticks, size_px, size_px), np.uint8)
    images[:, 30:60, 40:80] = 220
    masks[:, 30:60, 40:80] = 1
    return images, masks


def warp(settings: Augmentation, seed: int, n_ticks: int = 6) -> tuple[np.ndarray, np.ndarray]:
    return WindowAugmenter(settings).warp(*make_square(n_ticks), np.random.default_rng(seed))


def test_nothing_asked_nothing_done() -> None:
    images, masks = warp(NONE, 0)
    wanted_images, wanted_masks = make_square()
    assert np.array_equal(images, wanted_images)
    assert np.array_equal(masks, wanted_masks)


def test_images_and_masks_move_together() -> None:
    strong = replace(NONE, flip_p=0.5, scale=(0.7, 1.4), rotate_deg=25.0, shear_deg=10.0, elastic_p=0.5)
    moved = 0
    for seed in range(20):
        images, masks = warp(strong, seed)
        bright, inside = images > 120, masks == 1
        assert set(np.unique(masks)) <= {0, 1}
        assert (bright & inside).sum() / (bright | inside).sum() > 0.9
        # The whole clip moves as one.
        assert (masks == masks[:1]).all()
        moved += not np.array_equal(masks, make_square()[1])
    assert moved > 12


def test_a_flip_mirrors_left_and_right() -> None:
    images, masks = warp(replace(NONE, flip_p=1.0), 0)
    wanted_images, wanted_masks = make_square()
    assert np.array_equal(images, wanted_images[:, :, ::-1])
    assert np.array_equal(masks, wanted_masks[:, :, ::-1])


def test_a_picture_upside_down_is_mirrored_top_to_bottom() -> None:
    images, masks = warp(replace(NONE, upside_down_p=1.0), 0)
    wanted_images, wanted_masks = make_square()
    assert np.array_equal(images, wanted_images[:, ::-1])
    assert np.array_equal(masks, wanted_masks[:, ::-1])


def test_noise_differs_from_frame_to_frame() -> None:
    images, _ = warp(replace(NONE, noise_sd=(5.0, 5.0)), 0)
    noise = images.astype(float) - make_square()[0]
    assert noise.std() == pytest.approx(5.0, rel=0.05)
    related = np.corrcoef(noise.reshape(len(noise), -1))
    assert np.abs(related - np.eye(len(noise))).max() < 0.05


def test_a_frame_shown_again_is_the_same_frame_noise_and_all() -> None:
    images, masks = make_square(6)
    images[3] = images[4] = images[2]
    strong = replace(NONE, noise_sd=(5.0, 5.0), gain_step_p=1.0, gain_step=20.0)
    noisy, _ = WindowAugmenter(strong).warp(images, masks, np.random.default_rng(1))
    assert np.array_equal(noisy[3], noisy[2]) and np.array_equal(noisy[4], noisy[2])
    assert not np.array_equal(noisy[5], noisy[4])


def test_speckle_grows_with_the_echo() -> None:
    images, masks = warp(replace(NONE, speckle_sd=(0.05, 0.05)), 0)
    noise = images.astype(float) - make_square()[0]
    assert noise[masks == 1].std() > 5 * noise[masks == 0].std()


def test_a_gain_step_is_sudden_and_stays() -> None:
    images, _ = warp(replace(NONE, gain_step_p=1.0, gain_step=20.0), 3, n_ticks=20)
    change = (images[:, 0, 0].astype(float) - make_square(20)[0][:, 0, 0]).tolist()
    assert len(set(change)) == 2
    assert sorted(change, key=abs) == change


@given(seed=st.integers(0, 10_000), n_ticks=st.integers(16, 100), rate_hz=st.sampled_from([20.0, 30.0, 50.0]))
def test_time_never_runs_backwards_and_keeps_its_length(seed: int, n_ticks: int, rate_hz: float) -> None:
    strong = replace(NONE, speed=(0.7, 1.4), low_rate_p=0.5, low_rate_hz=(12.0, 28.0), freeze_p=0.1)
    shown, passed, speed = WindowAugmenter(strong).choose_ticks(n_ticks, rate_hz, np.random.default_rng(seed))
    assert shown[0] == passed[0] == 0
    assert (np.diff(shown) >= 0).all() and (np.diff(passed) >= 0).all()
    # A frozen frame shows an older moment; nothing shows a later one.
    assert (shown <= passed).all()
    assert set(shown) <= set(passed)
    # On the scaled clock the window lasts n_ticks ticks, to within half a frame of the lowest rate.
    assert passed[-1] / speed == pytest.approx(n_ticks - 1, abs=0.5 * rate_hz / 12.0 + 0.5 / speed + 1e-9)


def test_a_low_rate_repeats_frames() -> None:
    settings = replace(NONE, low_rate_p=1.0, low_rate_hz=(15.0, 15.0))
    shown, passed, speed = WindowAugmenter(settings).choose_ticks(21, 30.0, np.random.default_rng(0))
    assert speed == 1.0
    assert np.array_equal(shown, passed)
    assert len(set(shown)) == pytest.approx(11, abs=1)


def test_rates_above_the_clips_own_change_nothing() -> None:
    settings = replace(NONE, low_rate_p=1.0, low_rate_hz=(60.0, 90.0))
    shown, _, _ = WindowAugmenter(settings).choose_ticks(20, 30.0, np.random.default_rng(0))
    assert shown.tolist() == list(range(20))


def test_frozen_frames_stop_the_picture_and_not_the_clock() -> None:
    shown, passed, _ = WindowAugmenter(replace(NONE, freeze_p=0.3)).choose_ticks(
        50, 30.0, np.random.default_rng(0)
    )
    assert passed.tolist() == list(range(50))
    assert 5 < (shown != passed).sum() < 30


def test_everything_comes_from_the_generator() -> None:
    same = [warp(Augmentation(), 7)[0] for _ in range(2)]
    assert np.array_equal(*same)
    assert not np.array_equal(same[0], warp(Augmentation(), 8)[0])
    # Also when the augmenter has drawn other things before.
    augmenter = WindowAugmenter(Augmentation())
    augmenter.warp(*make_square(), np.random.default_rng(1))
    assert np.array_equal(augmenter.warp(*make_square(), np.random.default_rng(7))[0], same[0])


@pytest.mark.parametrize("seed", range(4))
def test_a_clip_varied_piece_by_piece_is_the_clip_varied_at_once(seed: int) -> None:
    """Also where a frame shown once more begins a piece, and where the gain steps within one."""
    settings = replace(Augmentation(), elastic_p=0.5, gain_step_p=1.0, upside_down_p=0.5)
    images, masks = make_square(12)
    images[5] = images[4]
    whole = WindowAugmenter(settings).warp(images, masks, np.random.default_rng(seed))
    assert np.array_equal(whole[0][5], whole[0][4])
    assert not np.array_equal(whole[0][6], whole[0][5])
    variation = WindowAugmenter(settings).draw(12, np.random.default_rng(seed))
    ends = (0, 1, 5, 12)
    pieces = [variation.apply(images[a:b], masks[a:b]) for a, b in itertools.pairwise(ends)]
    for varied, wanted in zip(zip(*pieces, strict=True), whole, strict=True):
        assert np.array_equal(np.concatenate(varied), wanted)


@pytest.mark.parametrize(
    "wrong",
    [
        {"flip_p": 1.5},
        {"freeze_p": -0.1},
        {"scale": (1.2, 0.8)},
        {"scale": (0.0, 1.0)},
        {"noise_sd": (-1.0, 2.0)},
        {"speed": (float("nan"), 1.0)},
        {"rotate_deg": -3.0},
        {"gain_step": 300.0},
    ],
)
def test_settings_out_of_range_are_named(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(SettingError, match=rf"augmentation\.{name} is"):
        Augmentation(**wrong)


def test_every_setting_does_something() -> None:
    """A key that nothing reads would lie to whoever tunes it."""
    strong: dict[str, Any] = {
        "flip_p": 1.0,
        "upside_down_p": 1.0,
        "scale": (2.0, 2.0),
        "rotate_deg": 90.0,
        "shear_deg": 40.0,
        "elastic_p": 1.0,
        "gamma": (300.0, 300.0),
        "brightness": 1.0,
        "contrast": 1.0,
        "blur_p": 1.0,
        "noise_sd": (9.0, 9.0),
        "speckle_sd": (0.5, 0.5),
        "speed": (2.0, 2.0),
        "freeze_p": 1.0,
    }
    together = {"gain_step_p": 1.0, "gain_step": 50.0}, {"low_rate_p": 1.0, "low_rate_hz": (10.0, 10.0)}

    def draw(settings: Augmentation) -> list[bytes]:
        drawn = []
        for seed in range(12):
            augmenter, rng = WindowAugmenter(settings), np.random.default_rng(seed)
            drawn += [np.stack(augmenter.choose_ticks(6, 30.0, rng)[:2]).tobytes()]
            drawn += [augmenter.warp(*make_square(), np.random.default_rng(seed))[0].tobytes()]
        return drawn

    still = draw(NONE)
    for change in (*({key: value} for key, value in strong.items()), *together):
        assert draw(replace(NONE, **change)) != still, change
    assert {f.name for f in fields(Augmentation)} == {*strong, *together[0], *together[1]}
