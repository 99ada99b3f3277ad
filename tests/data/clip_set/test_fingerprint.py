from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fascnet.data.clip_set.fingerprint import (
    GRID,
    SKETCH_SIZE,
    TIMES,
    FrameSketch,
    MovementSignature,
    hash_frame,
    is_flat,
)
from fascnet.data.recording.recordings import open_recording

from .moving import encode, make_moving


def sign(frames: NDArray[np.uint8]) -> NDArray[np.float16] | None:
    signature = MovementSignature()
    for frame in frames:
        signature.add(frame)
    return signature.vector()


def compare(one: NDArray[np.float16] | None, other: NDArray[np.float16] | None) -> float:
    assert one is not None and other is not None
    return float(one.astype(np.float64) @ other.astype(np.float64))


@given(st.lists(st.integers(0, 2**64 - 1), max_size=40), st.integers(1, 40))
def test_a_sketch_keeps_the_smallest_different_hashes(keys: list[int], repeat: int) -> None:
    sketch = FrameSketch()
    for key in keys * repeat:
        sketch.add(key)
    assert sketch.keys().tolist() == sorted(set(keys))[:SKETCH_SIZE]


def test_a_sketch_of_a_long_clip_stays_small() -> None:
    keys = np.random.default_rng(0).integers(0, 2**63, 20_000).tolist()
    sketch = FrameSketch()
    for key in keys:
        sketch.add(key)
    assert sketch.keys().tolist() == sorted(set(keys))[:SKETCH_SIZE]


def test_a_signature_is_a_unit_vector_however_long_the_clip() -> None:
    for n_frames in (2, 3, 63, 64, 65, 300):
        vector = sign(make_moving(0, n_frames, 32, 32))
        assert vector is not None and vector.shape == (TIMES * GRID * GRID,)
        assert np.linalg.norm(vector.astype(np.float64)) == pytest.approx(1.0, abs=1e-3)


def test_copies_keep_their_signature_and_others_have_another(tmp_path: Path) -> None:
    frames = make_moving(0)
    own = sign(frames)
    for name, codec, options, scale in (
        ("a.mp4", "libx264", {"crf": "28"}, 1.0),
        ("b.avi", "mpeg4", {"qscale": "6", "flags": "+qscale"}, 1.0),
        ("c.mp4", "libx264", {"crf": "23"}, 0.5),
    ):
        path = encode(tmp_path / name, frames, codec, options, scale)
        copied = sign(np.stack([frame.image for frame in open_recording(path).frames()]))
        assert compare(own, copied) > 0.93, name
    assert compare(own, sign((frames * 0.6 + 30).astype(np.uint8))) > 0.99, "contrast is no content"
    for seed in range(1, 6):
        assert abs(compare(own, sign(make_moving(seed)))) < 0.5


def test_shading_that_comes_and_goes_is_no_content() -> None:
    # Two trials of one protocol: the probe is pressed on and the whole picture brightens in the same way.
    shade = np.outer(np.linspace(0, 1, 64), np.ones(96)) * 60
    ramp = np.sin(np.linspace(0, np.pi, 45))[:, None, None]
    one, other = (np.clip(make_moving(seed) * 0.5 + ramp * shade, 0, 255).astype(np.uint8) for seed in (1, 2))
    assert abs(compare(sign(one), sign(other))) < 0.4


def test_a_still_clip_has_no_signature() -> None:
    still = np.repeat(make_moving(0, 1), 20, axis=0)
    assert sign(still) is None
    noise = np.random.default_rng(0).integers(0, 3, still.shape, dtype=np.uint8)
    assert sign(np.minimum(still, 250) + noise) is None, "noise of a codec is no movement"
    assert sign(still[:1]) is None


def test_hashes_tell_size_and_pixels() -> None:
    image = np.arange(48, dtype=np.uint8).reshape(6, 8)
    other = image.copy()
    other[3, 3] += 1
    assert hash_frame(image) == hash_frame(image.copy()) == hash_frame(np.asfortranarray(image))
    assert len({hash_frame(image), hash_frame(other), hash_frame(image.reshape(8, 6))}) == 3
    assert is_flat(np.full((40, 40), 17, np.uint8)) and not is_flat(make_moving(0, 1)[0])
