from __future__ import annotations

import pytest

from fascnet.models.pooling_rule import count_top_cells


@pytest.mark.parametrize(("n_cells", "k"), [(1, 1), (3, 3), (100, 4), (800, 4), (1000, 5), (10_000, 50)])
def test_number_of_cells_pooled(n_cells: int, k: int) -> None:
    assert count_top_cells(n_cells) == k
