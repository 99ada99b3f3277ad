from __future__ import annotations

import pytest

from fascnet.phantom.movement.out_of_plane import OutOfPlane
from tests.phantom.moving import PLACES, WANDER


def test_nothing_moves_in_the_plane_but_the_plane_does() -> None:
    assert not WANDER.displacement(PLACES, 2.5).any()
    assert not WANDER.modes(PLACES).any()
    assert abs(WANDER.slice_angle(2.5)) > 0.5


def test_steps_stay_and_bound_the_active_interval() -> None:
    steps = OutOfPlane((), ((1.0, 0.2, 0.5), (3.0, 0.1, -0.2)), 5.0)
    assert steps.active_s == (1.0, pytest.approx(3.1))
    assert steps.slice_angle(2.0) == pytest.approx(0.5)
    assert steps.slice_angle(4.0) == pytest.approx(0.3)
