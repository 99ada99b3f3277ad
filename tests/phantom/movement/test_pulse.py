from __future__ import annotations

import numpy as np
import pytest

from fascnet.phantom.movement.pulse import HALF_LEVEL, TENTH_LEVEL, add_pulses, find_level_time, shape_pulse

TIMES = np.arange(-0.05, 1.5, 0.0005)


@pytest.mark.parametrize("tail", [0.0, 0.15, 0.3])
@pytest.mark.parametrize("skew", [0.85, 1.0, 1.2])
def test_velocity_has_two_lobes_without_a_jump(tail: float, skew: float) -> None:
    pulse = shape_pulse(TIMES, 0.08, 0.2, tail, skew)
    velocity = np.gradient(pulse, TIMES)
    assert pulse.max() == pytest.approx(1.0, abs=1e-3)
    assert velocity.max() > -velocity.min() > 0, "contraction is faster"
    signs = np.sign(velocity[np.abs(velocity) > 1e-3 * velocity.max()])
    assert np.count_nonzero(np.diff(signs)) == 1
    assert np.abs(np.diff(velocity)).max() < 0.06 * velocity.max()


def test_a_tail_brings_the_half_forward_against_the_tenth() -> None:
    shares = [
        find_level_time(HALF_LEVEL, tail) / find_level_time(TENTH_LEVEL, tail) for tail in (0.0, 0.15, 0.3)
    ]
    assert shares[0] == pytest.approx(1.678 / 3.89, rel=1e-3)  # roots of (1 + s) exp(-s) = 1/2 and 1/10
    assert shares[0] > shares[1] > shares[2] > 0.3


def test_pulses_add_up_less_than_linearly_and_one_stays_as_it_is() -> None:
    one, other = np.array([0.3, 0.0, 1.0]), np.array([0.3, 0.5, 1.0])
    np.testing.assert_allclose(add_pulses([one]), one)
    np.testing.assert_allclose(add_pulses([one, other]), [0.3 * 2 ** (2 / 3), 0.5, 2 ** (2 / 3)])
