from __future__ import annotations

import numpy as np
import pytest

from fascnet.phantom.movement.firing import draw_interval_s, find_run_in_s, share_rate


def test_intervals_have_their_mean_and_a_heavier_tail_than_chance_alone() -> None:
    rng = np.random.default_rng(0)
    intervals = np.array([draw_interval_s(2.0, rng) for _ in range(40_000)])
    assert intervals.min() > 0
    assert intervals.mean() == pytest.approx(2.0, rel=0.04)
    # An exponential exceeds five times its mean in exp(-5) = 0.7 % of cases.
    assert np.mean(intervals > 10.0) > 0.015


def test_foci_have_rates_of_their_own_that_add_up() -> None:
    rates = share_rate(30.0, 4, np.random.default_rng(0))
    assert sum(rates) == pytest.approx(30.0)
    assert max(rates) > 1.5 * min(rates) > 0


def test_a_slow_focus_starts_long_before_the_clip() -> None:
    assert find_run_in_s(60.0) == 240.0
    assert find_run_in_s(0.5) == 30.0
