from __future__ import annotations

import pytest

from fascnet.data.screen.confidence import rate_edges, rate_fill


def test_the_faintest_edge_decides() -> None:
    assert rate_edges((0.9, 0.9, 0.9, 0.253)) == pytest.approx(0.5, abs=0.01)
    assert rate_edges((0.6, 0.45, 0.9, 0.5)) == pytest.approx(0.957, abs=0.005)
    assert rate_edges((0.0, 1.0, 1.0, 1.0)) < 0.02


def test_a_fuller_outline_is_surer() -> None:
    assert rate_fill(0.368) == pytest.approx(0.5, abs=0.01)
    assert rate_fill(0.95) == pytest.approx(0.926, abs=0.005)
    assert 0 < rate_fill(0.0) < rate_fill(0.5) < rate_fill(1.0) < 1
