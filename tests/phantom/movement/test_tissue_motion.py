from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fascnet.phantom.movement.motion import superpose
from fascnet.phantom.movement.restlessness import draw_restlessness
from fascnet.phantom.movement.tissue_motion import TissueMotion

from ..tiny import JOLT, TWITCH, make_script

PLACES = np.random.default_rng(0).uniform((0, 0), (32, 30), (500, 2)).astype(np.float32)
OTHER = replace(TWITCH, centre_mm=(22.0, 18.0), start_s=0.55, peak_mm=0.3)


def test_at_rest_nothing_moves() -> None:
    motion = TissueMotion(make_script(twitches=(TWITCH,), confounders=(JOLT,)), PLACES)
    np.testing.assert_array_equal(motion.displace(0.0), PLACES)


def test_all_movements_together_are_probe_plus_superposed_twitches() -> None:
    motion = TissueMotion(make_script(twitches=(TWITCH, OTHER), confounders=(JOLT,)), PLACES)
    for t_s in (0.15, 0.52, 0.6, 0.65, 0.7):
        twitches = superpose([TWITCH.displacement(PLACES, t_s), OTHER.displacement(PLACES, t_s)])
        expected = PLACES + JOLT.displacement(PLACES, t_s) + twitches
        np.testing.assert_allclose(motion.displace(t_s), expected, atol=1e-5)
        assert (np.abs(twitches).max() > 0.1) == (t_s > 0.52)


def test_the_places_given_are_left_alone() -> None:
    before = PLACES.copy()
    moved = TissueMotion(make_script(confounders=(JOLT,)), PLACES).displace(1.5)
    np.testing.assert_array_equal(PLACES, before)
    np.testing.assert_allclose(moved - PLACES, np.tile([0.6, -0.4], (500, 1)), atol=1e-5)


def test_modes_of_past_twitches_are_let_go() -> None:
    twitches = tuple(replace(TWITCH, start_s=0.2 + 3 * k) for k in range(4))
    motion = TissueMotion(make_script(twitches=twitches), PLACES)
    for t_s in np.arange(0, 15, 0.05):
        motion.displace(float(t_s))
        assert len(motion._modes) <= 1
    np.testing.assert_array_equal(motion.displace(15.0), PLACES)


def test_out_of_plane_angles_add_up() -> None:
    half = replace(JOLT, slice_rad=0.1)
    assert TissueMotion(make_script(), PLACES).slice_angle(1.0) == 0.0
    motion = TissueMotion(make_script(confounders=(JOLT, half), twitches=(TWITCH,)), PLACES)
    assert motion.slice_angle(0.0) == 0.0
    # 0.4 + 0.1 rad, bent a little so that the sum never reaches a right angle.
    quarter = np.pi / 2
    assert motion.slice_angle(1.0) == pytest.approx(quarter * np.tanh(0.5 / quarter))


def test_what_never_rests_adds_to_everything_else() -> None:
    restless = draw_restlessness(0.05, 0.3, 30.0, 2.0, np.random.default_rng(0))
    events = {"twitches": (TWITCH, OTHER), "confounders": (JOLT,)}
    plain = TissueMotion(make_script(**events), PLACES)
    both = TissueMotion(make_script(**events, background=(restless,)), PLACES)
    for t_s in (0.0, 0.15, 0.6, 1.9):
        own = both.displace(t_s) - plain.displace(t_s)
        np.testing.assert_allclose(own, restless.displacement(PLACES, t_s), atol=1e-5)
        assert np.abs(own).max() > 1e-3
    assert both.slice_angle(0.05) == pytest.approx(restless.slice_angle(0.05), rel=0.1)
    assert both.slice_angle(0.05) != 0.0
