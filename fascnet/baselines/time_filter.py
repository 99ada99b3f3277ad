"""Filters along time over a stream of maps: symmetric, so they look ahead, and at constant memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray


def smooth_in_time(maps: Iterable[NDArray[np.float32]], sigma_frames: float) -> Iterator[NDArray[np.float32]]:
    """Smooth a stream with a Gaussian over past and future maps, repeating the first and last at the ends.

    Equals `scipy.ndimage.gaussian_filter1d(maps, sigma, axis=0, mode="nearest")`, holding 8 sigma + 1 maps.
    """
    radius = int(4 * sigma_frames + 0.5)
    if radius == 0:
        yield from maps
        return
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma_frames) ** 2)
    yield from filter_in_time(maps, (kernel / kernel.sum()).astype(np.float32))


def filter_in_time(
    maps: Iterable[NDArray[np.float32]], kernel: NDArray[np.float32]
) -> Iterator[NDArray[np.float32]]:
    """Filter a stream with a symmetric kernel, repeating the first and last map at the ends.

    Args:
        maps: arrays of one shape, one a tick.
        kernel: (2 r + 1,) weights, symmetric.

    Yields:
        As many arrays as came in; r later, so that 2 r + 1 are held.
    """
    radius = kernel.size // 2
    window: deque[NDArray[np.float32]] = deque(maxlen=2 * radius + 1)
    n_maps = 0
    for item in maps:
        window.extend([item] * (radius + 1 if n_maps == 0 else 1))
        n_maps += 1
        if len(window) == 2 * radius + 1:
            yield _weigh(kernel, window)
    if n_maps == 0:
        return
    # The first `radius` maps came without output; the last map stands in for the future that is missing.
    missing = min(n_maps, radius)
    last = window[-1]
    for _ in range(radius - missing):
        window.append(last)
    for _ in range(missing):
        window.append(last)
        yield _weigh(kernel, window)


def _weigh(kernel: NDArray[np.float32], window: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.asarray(np.tensordot(kernel, np.stack(list(window)), axes=1), dtype=np.float32)
