"""Finds recordings that are in a data set twice, by what they show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAME_MOVEMENT = 0.85
"""Correlation of two signatures from which they are one recording: between the copies and the trials of one
subject that it was chosen on (see `FINE_SIGMA` in fingerprint.py). No other clips have tested it."""

LEAST_SHARE = 0.3
"""Share of equal frames, of the shorter clip, from which two clips overlap."""

LEAST_FRAMES = 4
"""Fewer equal frames are a chance (a title, a frozen start), not an overlap."""

COMMON = 20
"""A frame that more clips hold than this is a title or a test picture."""

_BLOCK = 512


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """The marks of a clip's content, as `fingerprint.py` makes them.

    Attributes:
        digest: hash of every frame in order; empty when the clip cannot be decoded to its end.
        sketch: smallest hashes of its different frames, sorted.
        signature: unit vector of its coarse movement, None when it hardly moves.
    """

    digest: str
    sketch: NDArray[np.uint64]
    signature: NDArray[np.float16] | None


@dataclass(frozen=True, slots=True)
class Copy:
    """Two clips that show the same.

    Attributes:
        first: index of the earlier clip.
        second: index of the later one.
        how: `frames` (all equal), `part` (some equal) or `movement` (encoded again).
        share: share of equal frames, or the correlation.
    """

    first: int
    second: int
    how: str
    share: float


def find_copies(marks: Sequence[Marks]) -> list[Copy]:
    """Find every pair of clips that show the same; a third copy is paired with the first only.

    Args:
        marks: of all clips, in their order.

    Returns:
        Pairs in order of the second clip.
    """
    found: dict[tuple[int, int], Copy] = {}
    first_with: dict[str, int] = {}
    for index, one in enumerate(marks):
        twin = first_with.setdefault(one.digest, index) if one.digest else index
        if twin != index:
            found[twin, index] = Copy(twin, index, "frames", 1.0)
    # A whole copy stands for itself: its overlaps with others are those of the first.
    alone = [index for index in range(len(marks)) if index not in {second for _, second in found}]
    for copy in (*_find_parts(marks, alone), *_find_movement(marks, alone)):
        found.setdefault((copy.first, copy.second), copy)
    return sorted(found.values(), key=lambda copy: (copy.second, copy.first))


def _find_parts(marks: Sequence[Marks], alone: Sequence[int]) -> Iterator[Copy]:
    holders: dict[int, list[int]] = {}
    for index in alone:
        for key in marks[index].sketch.tolist():
            holders.setdefault(key, []).append(index)
    shared: Counter[tuple[int, int]] = Counter()
    for clips in holders.values():
        if len(clips) <= COMMON:
            shared.update((a, b) for i, a in enumerate(clips) for b in clips[i + 1 :])
    for (a, b), count in shared.items():
        share = _measure_share(marks[a].sketch, marks[b].sketch)
        if count >= LEAST_FRAMES and share >= LEAST_SHARE:
            yield Copy(a, b, "part", share)


def _measure_share(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> float:
    """Share of equal frames, of the clip with fewer, below the largest hash that both sketches reach."""
    reach = min(a[-1], b[-1])
    a, b = a[a <= reach], b[b <= reach]
    return len(np.intersect1d(a, b, assume_unique=True)) / min(len(a), len(b))


def _find_movement(marks: Sequence[Marks], alone: Sequence[int]) -> Iterator[Copy]:
    moving = [index for index in alone if marks[index].signature is not None]
    signatures = [marks[index].signature for index in moving]
    for start in range(0, len(moving), _BLOCK):
        later = _stack(signatures[start : start + _BLOCK])
        for before in range(0, start + 1, _BLOCK):
            alike = later @ _stack(signatures[before : before + _BLOCK]).T
            for row, column in np.argwhere(alike >= SAME_MOVEMENT).tolist():
                second, first = start + row, before + column
                if first < second:
                    yield Copy(moving[first], moving[second], "movement", float(alike[row, column]))


def _stack(signatures: Sequence[NDArray[np.float16] | None]) -> NDArray[np.float32]:
    return np.stack([one for one in signatures if one is not None]).astype(np.float32)
