from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from fascnet.models.normal_equations import average_neighbourhoods, pool_moments, solve_equations


def draw_pictures(n: int, height: int, width: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(4).random((1, n, height, width), dtype=np.float32))


@pytest.mark.parametrize("cell_px", [2, 4])
def test_a_neighbourhood_is_a_cell_and_its_neighbours_weighed_by_a_binomial(cell_px: int) -> None:
    pictures = draw_pictures(2, 6 * cell_px, 9 * cell_px)
    cells = torch.nn.functional.avg_pool2d(pictures, cell_px).numpy()
    row = np.array([1, 4, 6, 4, 1]) / 16
    expected = ndimage.convolve1d(cells, row, axis=2, mode="nearest")
    expected = ndimage.convolve1d(expected, row, axis=3, mode="nearest")
    averaged = average_neighbourhoods([pictures], cell_px)
    assert averaged.shape == (1, 2, 1, 6, 9)
    np.testing.assert_allclose(averaged[:, :, 0], expected, atol=1e-5)


def test_moments_are_those_of_each_pair_of_pictures() -> None:
    pictures = draw_pictures(4, 16, 24)
    together = pool_moments(pictures, 4)
    pairs = [pool_moments(pictures[:, k : k + 2], 4) for k in range(3)]
    assert together.shape == (1, 3, 9, 4, 6)
    assert torch.equal(together, torch.cat(pairs, dim=1))


def test_the_shift_is_that_of_least_squares() -> None:
    rng = np.random.default_rng(5)
    slopes, noise = rng.normal(size=(200, 2)), rng.normal(0, 0.1, 200)
    change = -slopes @ [0.3, -0.7] + noise
    (xx, xy), (_, yy) = slopes.T @ slopes / 200
    xt, yt = slopes.T @ change / 200
    moments = [
        torch.full((1, 1, 1, 1), value, dtype=torch.float64)
        for value in (xx, yy, xy, xt, yt, (change**2).mean())
    ]
    shift, smaller, unexplained = solve_equations(moments, 0.0)
    expected, left, *_ = np.linalg.lstsq(slopes, -change)
    np.testing.assert_allclose(shift.flatten(), expected, rtol=1e-9)
    np.testing.assert_allclose(smaller.item(), np.linalg.eigvalsh(slopes.T @ slopes / 200)[0], rtol=1e-9)
    np.testing.assert_allclose(unexplained.item(), left[0] / 200, rtol=1e-9)


def test_without_texture_there_is_no_shift() -> None:
    shift, smaller, unexplained = solve_equations([torch.zeros(1, 1, 2, 2)] * 6, 1e-4)
    assert not shift.any() and not smaller.any() and not unexplained.any()
