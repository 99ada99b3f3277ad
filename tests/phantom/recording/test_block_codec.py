from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.fft import dctn

from fascnet.data.recording.recordings import open_recording
from fascnet.errors import SettingError
from fascnet.phantom.recording.block_codec import _BASIS, BlockCodec


def make_frames(n_frames: int, height: int = 96, width: int = 120, noise: float = 3.0) -> np.ndarray:
    """A still speckle picture with noise, which the dead zone hides between key frames."""
    rng = np.random.default_rng(5)
    still = cv2.GaussianBlur(rng.normal(0, 1, (height, width)), (0, 0), 1.4)
    still = 90 + 30 * still / still.std()
    return np.clip(still + rng.normal(0, noise, (n_frames, height, width)), 0, 255).astype(np.uint8)


def measure_changes(frames: list[np.ndarray]) -> np.ndarray:
    return np.abs(np.diff(np.stack(frames).astype(int), axis=0)).mean(axis=(1, 2))


def test_the_transform_is_the_orthonormal_dct() -> None:
    block = np.random.default_rng(0).integers(0, 256, (8, 8)).astype(np.float64)
    expected = dctn(block, norm="ortho")
    np.testing.assert_allclose((_BASIS @ block.ravel()).reshape(8, 8) / 2**24, expected, atol=0.5)
    np.testing.assert_allclose(_BASIS @ _BASIS.T / 2**48, np.eye(64), atol=1e-3)


def test_sums_stay_exact_in_float64() -> None:
    """The bits may not depend on the order of a sum: every partial sum stays below 2^53."""
    assert np.all(np.rint(_BASIS) == _BASIS)
    largest_wave = np.abs(_BASIS).sum(axis=1).max() * 255
    assert largest_wave < 2**53
    # A decoded wave is a whole number of half steps, at most half a step beyond the largest wave.
    assert 2 * (largest_wave / 2**24 + 128) * np.abs(_BASIS).sum(axis=0).max() < 2**53


@pytest.mark.parametrize("deblock", [False, True])
def test_bits_are_known(deblock: bool) -> None:
    codec = BlockCodec(45, 3, deblock)
    rng = np.random.default_rng(1)
    digest = hashlib.sha256()
    for _ in range(5):
        digest.update(codec.store(rng.integers(0, 256, (37, 50), dtype=np.uint8)).tobytes())
    known = {False: "98c08363d9a8dc55", True: "46c00962d51e2a18"}
    assert digest.hexdigest()[:16] == known[deblock]


@pytest.mark.parametrize("shape", [(8, 8), (1, 1), (3, 200), (97, 121), (64, 7)])
@pytest.mark.parametrize("deblock", [False, True])
def test_any_size_comes_back(shape: tuple[int, int], deblock: bool) -> None:
    codec = BlockCodec(60, 2, deblock)
    for value in (0, 255, 130):
        stored = codec.store(np.full(shape, value, np.uint8))
        assert stored.shape == shape and stored.dtype == np.uint8
        np.testing.assert_allclose(stored, value, atol=4)


def test_better_quality_means_less_error() -> None:
    frames = make_frames(12)
    errors = []
    for quality in (10, 30, 50, 70, 90, 100):
        codec = BlockCodec(quality, 6, False)
        errors.append(np.mean([np.abs(codec.store(frame).astype(int) - frame).mean() for frame in frames]))
    assert np.all(np.diff(errors) < 0)
    assert errors[-1] < 0.6 and errors[0] > 6


def test_the_whole_picture_jumps_at_key_frames_only() -> None:
    frames = make_frames(40)
    codec = BlockCodec(60, 15, False)
    changes = measure_changes([codec.store(frame) for frame in frames])
    assert list(codec.find_keyframes(40)) == [15, 30]
    jumps = {int(index) + 1 for index in np.argsort(changes)[-2:]}
    assert jumps == {15, 30}
    quiet = np.delete(changes, [14, 29])
    assert changes[[14, 29]].min() > 3 * quiet.max()
    # The jump is everywhere, not at one place as a twitch is.
    codec = BlockCodec(60, 15, False)
    stored = np.stack([codec.store(frame) for frame in frames]).astype(int)
    jump = np.abs(stored[15] - stored[14])[:96, :120].reshape(4, 24, 4, 30).mean(axis=(1, 3))
    assert jump.min() > 0.5 * jump.max()


def test_a_still_background_keeps_its_error_until_the_next_key_frame() -> None:
    frames = make_frames(10, noise=0.0)
    codec = BlockCodec(40, 10, False)
    stored = [codec.store(frame) for frame in frames]
    assert np.abs(stored[0].astype(int) - frames[0]).mean() > 2
    assert measure_changes(stored)[2:].max() < 0.2


def test_deblocking_softens_block_edges_and_keeps_real_ones() -> None:
    ramp = np.tile(np.linspace(90, 120, 128), (64, 1))
    frame = np.clip(ramp + np.random.default_rng(2).normal(0, 3, ramp.shape), 0, 255).astype(np.uint8)
    plain, smooth = BlockCodec(15, 5, False).store(frame), BlockCodec(15, 5, True).store(frame)

    def measure_edges(picture: np.ndarray) -> float:
        steps = np.abs(np.diff(picture.astype(int), axis=1))
        return float(steps[:, 7::8].mean())

    assert measure_edges(smooth) < 0.7 * measure_edges(plain)
    step = np.where(np.arange(128) < 64, 40, 200)[None].repeat(64, axis=0).astype(np.uint8)
    np.testing.assert_allclose(BlockCodec(70, 5, True).store(step)[:, 60:68], step[:, 60:68], atol=6)


@pytest.mark.parametrize(
    ("quality", "period", "says"),
    [(0, 10, "quality"), (101, 10, "quality"), (float("nan"), 10, "quality"), (50, 0, "keyframe_period")],
)
def test_settings_are_checked(quality: float, period: int, says: str) -> None:
    with pytest.raises(SettingError, match=says):
        BlockCodec(quality, period, False)


def test_all_frames_have_one_size() -> None:
    codec = BlockCodec(50, 10, False)
    codec.store(np.zeros((16, 16), np.uint8))
    with pytest.raises(ValueError, match="unlike"):
        codec.store(np.zeros((32, 16), np.uint8))


@pytest.mark.real
def test_jumps_are_as_large_as_a_real_one(real_data: Path) -> None:
    """Real frames 200-248, coded again: the jump at frame 250 of the recording lies within what we make."""
    images = [
        frame.image[48:386, 30:497]
        for index, frame in enumerate(
            open_recording(real_data / "muscle/flowave_brachial_DemoBMode.mov").frames()
        )
        if 200 <= index < 260
    ]
    changes = measure_changes(images)
    real_jump, real_quiet = changes[49], np.median(np.delete(changes, 49))
    assert real_jump > 4 * real_quiet
    speckle = make_frames(16, 160, 160)
    jumps = [
        measure_changes([codec.store(frame) for frame in speckle])[14]
        for codec in (BlockCodec(quality, 15, False) for quality in (25, 85))
    ]
    assert jumps[1] < real_jump < jumps[0]
