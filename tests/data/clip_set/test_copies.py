from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fascnet.data.clip_set import copies
from fascnet.data.clip_set.copies import Copy, Marks, find_copies

RNG = np.random.default_rng(7)


def mark(digest: str, keys: NDArray[np.uint64], signature: NDArray[np.float64] | None = None) -> Marks:
    unit = None if signature is None else (signature / np.linalg.norm(signature)).astype(np.float16)
    return Marks(digest, np.sort(keys), unit)


def draw_keys(n: int) -> NDArray[np.uint64]:
    return RNG.integers(0, 2**63, n).astype(np.uint64)


def keep_smallest(keys: NDArray[np.uint64], n: int = 512) -> NDArray[np.uint64]:
    return np.sort(keys)[:n]


def test_equal_frames_are_found_once_each() -> None:
    keys, others = draw_keys(50), draw_keys(50)
    found = find_copies([mark("x", keys), mark("y", others), mark("x", keys), mark("x", keys)])
    assert found == [Copy(0, 2, "frames", 1.0), Copy(0, 3, "frames", 1.0)]


def test_clips_that_broke_off_are_no_copies_of_each_other() -> None:
    assert find_copies([mark("", draw_keys(0)), mark("", draw_keys(0))]) == []


def test_an_excerpt_is_found_in_a_longer_clip() -> None:
    keys = draw_keys(300)
    (copy,) = find_copies([mark("a", keys), mark("b", draw_keys(300)), mark("c", keys[100:180])])
    assert (copy.first, copy.second, copy.how) == (0, 2, "part")
    assert copy.share == pytest.approx(1.0)


def test_an_overlap_of_long_clips_is_estimated_from_their_sketches() -> None:
    keys = draw_keys(30_000)
    first, second = keys[:18_000], keys[9_000:27_000]
    (copy,) = find_copies([mark("a", keep_smallest(first)), mark("b", keep_smallest(second))])
    assert copy.share == pytest.approx(0.5, abs=0.1)


def test_a_common_title_is_no_overlap() -> None:
    title = draw_keys(3)
    clips = [mark(f"{k}", np.concatenate([title, draw_keys(6)])) for k in range(3)]
    assert find_copies(clips) == []
    title = draw_keys(8)
    clips = [mark(f"{k}", np.concatenate([title, draw_keys(4)])) for k in range(copies.COMMON + 1)]
    assert find_copies(clips) == []
    assert len(find_copies(clips[:2])) == 1


def test_alike_movement_is_found_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "_BLOCK", 3)
    signatures = [RNG.normal(size=500) for _ in range(10)]
    signatures[8] = signatures[1] + 0.3 * RNG.normal(size=500)
    clips = [mark(f"{k}", draw_keys(5), s) for k, s in enumerate(signatures)]
    clips.insert(4, mark("still", draw_keys(5)))
    (copy,) = find_copies(clips)
    assert (copy.first, copy.second, copy.how) == (1, 9, "movement")
    expected = np.corrcoef(signatures[1], signatures[8])[0, 1]
    assert copy.share == pytest.approx(expected, abs=0.02)


def test_a_pair_is_reported_once_by_its_strongest_mark() -> None:
    keys, movement = draw_keys(20), RNG.normal(size=100)
    for digest, how in (("a", "frames"), ("b", "part")):
        found = find_copies([mark("a", keys, movement), mark(digest, keys, movement)])
        assert [copy.how for copy in found] == [how]
