from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import correlate1d, gaussian_filter1d

from fascnet.baselines.time_filter import filter_in_time, smooth_in_time


@pytest.mark.parametrize("n", [0, 1, 2, 5, 9, 40])
@pytest.mark.parametrize("sigma", [0.0, 0.1, 1.0, 2.5])
def test_streamed_smoothing_equals_scipy(n, sigma):
    maps = np.random.default_rng(n).random((n, 3, 4)).astype(np.float32)
    streamed = list(smooth_in_time(iter(maps), sigma))
    assert len(streamed) == n
    if n:
        expected = gaussian_filter1d(maps, sigma, axis=0, mode="nearest") if sigma else maps
        np.testing.assert_allclose(np.stack(streamed), expected, atol=1e-6)


def test_any_symmetric_kernel_equals_scipy():
    maps = np.random.default_rng(0).random((20, 3, 4, 2)).astype(np.float32)
    kernel = np.array([-0.25, 0.5, -0.25], dtype=np.float32)
    streamed = np.stack(list(filter_in_time(maps, kernel)))
    np.testing.assert_allclose(streamed, correlate1d(maps, kernel, axis=0, mode="nearest"), atol=1e-6)


def test_no_more_maps_are_taken_than_the_kernel_needs():
    taken = []

    def count():
        for k in range(50):
            taken.append(k)
            yield np.zeros((2, 2), np.float32)

    stream = filter_in_time(count(), np.full(5, 0.2, dtype=np.float32))
    next(stream)
    assert len(taken) == 3
