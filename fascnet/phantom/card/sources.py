"""What is compared: the muscle region of a recording, a set of stills or a phantom clip, cut by one rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.types import PixelBox

SIDE_INSET = 0.08
"""Share of the imaging area's width left out on either side: edge shadows, rulers. Model choice."""

DEPTH_SHARE = (0.15, 0.65)
"""Part of the imaging area's depth that is taken as muscle: below skin and fat, above the far field.

Model choice. Without labels nobody knows where the muscle is; the same rule cuts real and simulated pictures,
so that both hold about the same mixture of muscle, fascia and deeper tissue.
"""

REGION_RULE = (
    f"imaging area, {100 * SIDE_INSET:.0f} % off either side, "
    f"{100 * DEPTH_SHARE[0]:.0f}-{100 * DEPTH_SHARE[1]:.0f} % of its depth; the same for real and phantom"
)


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The muscle region of one recording, or of a still or two.

    Attributes:
        name: unique name, for tables.
        group: subject (or scanner) it belongs to; cross-validation and intervals never split a group.
        is_real: real, or phantom.
        is_clip: frames follow each other in time; stills do not and have no temporal statistics.
        frames: uint8 (T, H, W), the region only, T >= 1.
        fps: frames per second; None for stills.
        mm_per_px: pixel spacing.
        is_assumed: the spacing is an assumption, not known from the file or a table.
        corner_px: (x, y) of the region's first pixel in the stored picture, for the codec's 8 x 8 blocks.
    """

    name: str
    group: str
    is_real: bool
    is_clip: bool
    frames: NDArray[np.uint8]
    fps: float | None
    mm_per_px: float
    is_assumed: bool
    corner_px: tuple[int, int]


def find_region(box: PixelBox) -> PixelBox:
    """Return the region (x0, y0, x1, y1) of an imaging area that is taken as muscle, see `REGION_RULE`."""
    x0, y0, x1, y1 = box
    width, height = x1 - x0, y1 - y0
    left, right = x0 + round(SIDE_INSET * width), x1 - round(SIDE_INSET * width)
    top, bottom = y0 + round(DEPTH_SHARE[0] * height), y0 + round(DEPTH_SHARE[1] * height)
    return (left, top, max(right, left + 1), max(bottom, top + 1))


def cut(image: NDArray[np.uint8], region: PixelBox) -> NDArray[np.uint8]:
    """Return a copy of a region of an image (H, W)."""
    x0, y0, x1, y1 = region
    return image[y0:y1, x0:x1].copy()
