"""Small pictures for the real-or-phantom classifier: one pitch, one size, greys made alike on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.phantom.card.sources import Source
from fascnet.phantom.card.texture import resample

PATCH_PX = 64

PITCH_MM = 0.15
"""The network's working pitch: the classifier sees what the network sees, 9.6 x 9.6 mm at a time."""

COARSEST_FACTOR = 1.34
"""Sources coarser than this times the pitch are left out: enlarging would make them soft, a give-away."""

PATCHES_PER_GROUP = 48
FRAMES_PER_SOURCE = 4

DARKEST_MEAN = 10.0
LEAST_SD = 3.0
"""Patches darker or flatter than this hold a shadow or nothing, on either side. Model choice."""


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """Patches of all sources.

    Attributes:
        images: uint8 (n, 64, 64), as shown.
        real: (n,), whether it is real.
        group: (n,), subject.
        source: (n,), index of its source.
        left_out: a line for each source that gives no patch, and why.
    """

    images: NDArray[np.uint8]
    real: NDArray[np.bool_]
    group: NDArray[np.str_]
    source: NDArray[np.int64]
    left_out: tuple[str, ...]

    def standardise(self) -> NDArray[np.float32]:
        """Return float32 (n, 64, 64) of mean 0 and deviation 1 each: gain and contrast tell nothing."""
        plain = self.images.astype(np.float32)
        mean = plain.mean(axis=(1, 2), keepdims=True)
        return np.asarray((plain - mean) / np.maximum(plain.std(axis=(1, 2), keepdims=True), 1e-3))


def cut_patches(
    sources: Sequence[Source],
    rng: np.random.Generator,
    pitch_mm: float = PITCH_MM,
    per_group: int = PATCHES_PER_GROUP,
) -> Patches:
    """Cut patches at random places, about as many from every group.

    Args:
        sources: real and phantom.
        rng: source of the places.
        pitch_mm: pitch of the patches.
        per_group: at most so many of one subject.
    """
    members: dict[str, list[int]] = {}
    for index, source in enumerate(sources):
        members.setdefault(source.group, []).append(index)
    images: list[NDArray[np.uint8]] = []
    origin: list[int] = []
    left_out: list[str] = []
    for indices in members.values():
        share = -(-per_group // len(indices))
        for index in indices:
            found = _cut_source(sources[index], share, pitch_mm, rng)
            images += found
            origin += [index] * len(found)
            if not found:
                left_out.append(_explain(sources[index], pitch_mm))
    return Patches(
        images=np.stack(images) if images else np.zeros((0, PATCH_PX, PATCH_PX), dtype=np.uint8),
        real=np.array([sources[index].is_real for index in origin], dtype=bool),
        group=np.array([sources[index].group for index in origin], dtype=np.str_),
        source=np.array(origin, dtype=np.int64),
        left_out=tuple(left_out),
    )


def _cut_source(
    source: Source, count: int, pitch_mm: float, rng: np.random.Generator
) -> list[NDArray[np.uint8]]:
    if source.mm_per_px > COARSEST_FACTOR * pitch_mm:
        return []
    chosen = np.unique(np.linspace(0, len(source.frames) - 1, FRAMES_PER_SOURCE).astype(int))
    pictures = [resample(source.frames[i], source.mm_per_px, pitch_mm) for i in chosen]
    height, width = pictures[0].shape
    if min(height, width) < PATCH_PX:
        return []
    found: list[NDArray[np.uint8]] = []
    for attempt in range(4 * count):
        if len(found) == count:
            break
        picture = pictures[attempt % len(pictures)]
        top, left = (int(rng.integers(length - PATCH_PX + 1)) for length in (height, width))
        patch = picture[top : top + PATCH_PX, left : left + PATCH_PX]
        if patch.mean() >= DARKEST_MEAN and patch.std() >= LEAST_SD:
            found.append(np.clip(np.rint(patch), 0, 255).astype(np.uint8))
    return found


def _explain(source: Source, pitch_mm: float) -> str:
    if source.mm_per_px > COARSEST_FACTOR * pitch_mm:
        return f"{source.name}: its pitch of {source.mm_per_px:.3f} mm is coarser than the classifier's"
    if min(source.frames.shape[1:]) * source.mm_per_px < PATCH_PX * pitch_mm:
        return f"{source.name}: its region is smaller than a patch of {PATCH_PX * pitch_mm:.1f} mm"
    return f"{source.name}: its region is dark or flat"
