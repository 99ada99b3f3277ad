from __future__ import annotations

import numpy as np
import pytest

from fascnet.inference.movement.trace import MovementTrace


def test_reads_back_the_steps_of_a_span_whatever_their_spacing():
    times_s = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.1, 500))
    with MovementTrace((2, 3)) as trace:
        for k, time_s in enumerate(times_s):
            trace.append(time_s, np.full((2, 3, 2), k, np.float32))
        for start_s, end_s in [
            (0.0, 100.0),
            (3.0, 5.0),
            (times_s[7], times_s[9]),
            (-5.0, 0.0),
            (99.0, 100.0),
        ]:
            course = trace.read(start_s, end_s)
            wanted = np.flatnonzero((times_s >= start_s) & (times_s < end_s))
            assert course.times_s == pytest.approx(times_s[wanted])
            assert course.mm_per_s.shape == (wanted.size, 2, 3, 2)
            assert course.mm_per_s[:, 1, 2, 0].tolist() == wanted.tolist()


def test_appending_goes_on_after_reading_and_clearing_forgets():
    with MovementTrace((1, 1)) as trace:
        for k in range(4):
            trace.append(float(k), np.full((1, 1, 2), k, np.float32))
            assert trace.read(-1.0, 9.0).times_s.tolist() == list(range(k + 1))
        trace.clear()
        assert trace.read(-1.0, 9.0).times_s.size == 0
        trace.append(0.5, np.ones((1, 1, 2), np.float32))
        assert trace.read(0.0, 1.0).times_s.tolist() == [0.5]
