from __future__ import annotations

import hashlib

import numpy as np
import pytest

from fascnet.phantom.data_set.frame_digest import GREY_TOLERANCE, MEANS, FrameDigest

CLIP = np.random.default_rng(0).integers(0, 256, (5, 12, 16), dtype=np.uint8)


def digest(frames: np.ndarray) -> dict[str, str]:
    taken = FrameDigest()
    for frame in frames:
        taken.add(frame)
    return taken.describe()


def test_says_what_the_frames_are() -> None:
    found = digest(CLIP)
    grey = CLIP.astype(float)
    assert found["frames"] == "5"
    assert found["frames_sha256"] == hashlib.sha256(CLIP.tobytes()).hexdigest()
    assert float(found["grey_mean"]) == pytest.approx(grey.mean(), abs=5e-4)
    assert float(found["grey_sd"]) == pytest.approx(grey.std(), abs=5e-4)
    # The first frame has none before it; it counts as unchanged.
    assert float(found["frame_difference"]) == pytest.approx(
        np.abs(np.diff(grey, axis=0)).mean(axis=(1, 2)).sum() / 5, abs=5e-4
    )
    assert set(MEANS) <= set(found)


def test_one_grey_changes_the_hash_and_hardly_the_means() -> None:
    other = CLIP.copy()
    other[2, 3, 4] ^= 1
    first, second = digest(CLIP), digest(other)
    assert first["frames_sha256"] != second["frames_sha256"]
    assert all(abs(float(first[name]) - float(second[name])) <= GREY_TOLERANCE for name in MEANS)


def test_another_clip_of_the_same_greys_changes_the_means() -> None:
    shifted = np.stack([np.roll(frame, k) for k, frame in enumerate(CLIP)])
    still = np.repeat(CLIP[:1], 5, axis=0)
    assert digest(shifted)["frames_sha256"] != digest(CLIP)["frames_sha256"]
    assert digest(still)["frame_difference"] == "0.000"


def test_how_a_frame_lies_in_memory_does_not_matter() -> None:
    turned = np.asfortranarray(CLIP[0])
    wide = np.zeros((12, 40), np.uint8)
    wide[:, 3:19] = CLIP[0]
    assert digest([CLIP[0]]) == digest([turned]) == digest([wide[:, 3:19]])


def test_no_frames_are_no_fault() -> None:
    assert FrameDigest().describe()["frames"] == "0"
