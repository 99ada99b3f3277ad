from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from fascnet.evaluation.figures.boundary import mean_distance_mm, measure_boundary, sum_boundary


def draw_square(y: int, x: int, size: int, shape: tuple[int, int] = (40, 40)) -> np.ndarray:
    mask = np.zeros(shape, dtype=bool)
    mask[y : y + size, x : x + size] = True
    return mask


def test_equal_outlines_are_not_apart() -> None:
    square = draw_square(10, 10, 8)
    assert measure_boundary(square, square, (0.5, 0.5)).mean_mm == 0


def test_a_worked_example() -> None:
    """A cell against one 3 columns and 4 rows away, in cells of 0.5 x 1 mm: sqrt(2² + 3²) both ways."""
    found = measure_boundary(draw_square(10, 10, 1), draw_square(14, 13, 1), (0.5, 1.0))
    assert found.mean_mm == found.p95_mm == pytest.approx(13**0.5)


def test_against_all_pairs_of_boundary_cells() -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        masks = []
        for _ in range(2):
            y, x, size = rng.integers(2, 20), rng.integers(2, 20), rng.integers(2, 12)
            masks.append(draw_square(int(y), int(x), int(size)) | draw_square(int(x), int(y), 3))
        edges = []
        for mask in masks:
            padded = np.pad(mask, 1)
            inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
            edges.append(np.argwhere(mask & ~inner) * (0.3, 0.7))
        apart = cdist(*edges)
        every = np.concatenate([apart.min(axis=1), apart.min(axis=0)])
        found = measure_boundary(*masks, (0.3, 0.7))
        assert found.mean_mm == pytest.approx(every.mean(), abs=1e-9)
        assert found.p95_mm == pytest.approx(np.quantile(every, 0.95), abs=1e-9)


def test_moments_without_an_outline_do_not_count_and_the_ring_is_no_error() -> None:
    core, ring = draw_square(10, 10, 8), draw_square(8, 8, 12)
    truth = np.stack([core, core, np.zeros_like(core)])
    found = np.stack([ring, np.zeros_like(core), core])
    valid = np.repeat((~ring | core)[None], 3, axis=0)
    assert sum_boundary(truth, found, valid, (1.0, 1.0)).tolist() == [0, 0, 1]
    without_ring = sum_boundary(truth, found, np.ones_like(valid), (1.0, 1.0))
    assert mean_distance_mm(without_ring) > 1
    assert np.isnan(mean_distance_mm(np.zeros(3)))


def test_empty_masks_are_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        measure_boundary(draw_square(1, 1, 3), np.zeros((40, 40), bool), (1, 1))
