from __future__ import annotations

import numpy as np
import pytest

from fascnet.phantom.card.patches import PATCH_PX, cut_patches
from tests.phantom.card.fakes import make_source, make_speckle


def make_frames(seed: int, shape: tuple[int, int] = (100, 140), count: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([make_speckle(rng, shape, 1.0, 2.0) for _ in range(count)])


def test_every_subject_gives_as_many_patches() -> None:
    sources = [
        make_source("a", make_frames(0), is_real=True, name="a1"),
        make_source("a", make_frames(1), is_real=True, name="a2"),
        make_source("b", make_frames(2, count=5), is_real=False),
    ]
    patches = cut_patches(sources, np.random.default_rng(0), per_group=10)
    assert patches.images.shape == (20, PATCH_PX, PATCH_PX) and patches.images.dtype == np.uint8
    assert (patches.group == "a").sum() == 10 and patches.real.sum() == 10
    assert sorted(np.unique(patches.source, return_counts=True)[1].tolist()) == [5, 5, 10]
    assert patches.left_out == ()


def test_patches_are_of_one_pitch() -> None:
    stripes = np.tile(np.repeat([60, 180], 8), (200, 13))[:, :200].astype(np.uint8)
    sources = [
        make_source("fine", stripes[None], is_real=True, mm_per_px=0.1),
        make_source("coarse", stripes[None, ::2, ::2], is_real=True, mm_per_px=0.2),
    ]
    patches = cut_patches(sources, np.random.default_rng(0), pitch_mm=0.15, per_group=2)
    periods = []
    for image in patches.images:
        spectrum = np.abs(np.fft.rfft(image.mean(axis=0) - image.mean()))
        periods.append(int(np.argmax(spectrum)))
    # 16 px of 0.1 mm are 1.6 mm: six of them in 9.6 mm, whichever source.
    assert periods == [6, 6, 6, 6]


@pytest.mark.parametrize(
    ("frames", "mm_per_px", "says"),
    [
        (make_frames(0), 0.3, "coarser"),
        (make_frames(0, (40, 140)), 0.15, "smaller than a patch of 9.6 mm"),
        (np.full((1, 100, 140), 3, np.uint8), 0.15, "dark or flat"),
    ],
)
def test_what_gives_no_patch_is_named(frames: np.ndarray, mm_per_px: float, says: str) -> None:
    source = make_source("a", frames, is_real=True, mm_per_px=mm_per_px)
    patches = cut_patches([source], np.random.default_rng(0))
    assert len(patches.images) == 0
    assert len(patches.left_out) == 1 and says in patches.left_out[0]


def test_gain_and_contrast_are_taken_off() -> None:
    one = make_frames(4).astype(np.float32)
    other = np.rint(one * 0.5 + 20).astype(np.uint8)
    sources = [make_source("a", one.astype(np.uint8), is_real=True), make_source("b", other, is_real=False)]
    first = cut_patches(sources[:1], np.random.default_rng(1), per_group=3).standardise()
    second = cut_patches(sources[1:], np.random.default_rng(1), per_group=3).standardise()
    assert np.abs(first.mean(axis=(1, 2))).max() < 1e-4
    assert first.std(axis=(1, 2)) == pytest.approx(1, abs=1e-4)
    assert np.abs(first - second).max() < 0.05
