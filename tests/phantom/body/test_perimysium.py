from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fascnet.phantom.body.anatomy import Anatomy, Layer, Vessel
from fascnet.phantom.body.echoes import Echoes
from fascnet.phantom.body.perimysium import Bed, Order, trace_lines, trace_perimysium

ANATOMY = Anatomy(False, 1.2, 4.0, 18.0, 0.0, 0.0, 0.0, 0.3, None, 0.03, 1.0)


def trace(anatomy: Anatomy, seed: int = 0) -> Echoes:
    return trace_perimysium(anatomy, 40.0, 35.0, 0.2, np.random.default_rng(seed))


def find_direction(echoes: Echoes, chosen: np.ndarray) -> float:
    """Direction in which bright points have most neighbours at 0.8-2.5 mm."""
    level = np.abs(echoes.amplitudes)
    bright = np.flatnonzero(chosen & (level > np.quantile(level[chosen], 0.6)))[:6000]
    places = echoes.positions_mm[np.random.default_rng(0).permutation(bright)[:2500]].astype(np.float64)
    gap = places[:, None] - places[None, :]
    distance = np.hypot(gap[..., 0], gap[..., 1])
    near = (distance > 0.8) & (distance < 2.5)
    angle = np.arctan2(gap[..., 1], gap[..., 0])[near]
    return float(np.angle(np.exp(2j * angle).mean()) / 2)


@pytest.mark.parametrize("fibre_rad", [-0.35, 0.1, 0.35])
def test_lines_run_along_the_fibres(fibre_rad: float) -> None:
    found = []
    for seed in range(3):
        echoes = trace(replace(ANATOMY, fibre_rad=fibre_rad), seed)
        found.append(find_direction(echoes, echoes.layers == Layer.MUSCLE))
    # Sheets wander: one section's mean is off by a few degrees.
    assert np.mean(found) == pytest.approx(fibre_rad, abs=0.06)


def test_below_a_central_aponeurosis_fibres_run_the_mirrored_way() -> None:
    anatomy = replace(ANATOMY, central_share=0.5)
    found = []
    for seed in range(3):
        echoes = trace(anatomy, seed)
        x, z = echoes.positions_mm.astype(np.float64).T
        lower = (echoes.layers == Layer.MUSCLE) & (z > anatomy.muscle_centre(x))
        found.append(find_direction(echoes, lower))
    assert np.mean(found) == pytest.approx(-0.3, abs=0.08)


def test_deeper_muscle_has_its_own_direction_and_fainter_lines() -> None:
    found = []
    for seed in range(3):
        echoes = trace(replace(ANATOMY, deep_fibre_rad=-0.2), seed)
        deep, muscle = echoes.layers == Layer.DEEP_MUSCLE, echoes.layers == Layer.MUSCLE
        found.append(find_direction(echoes, deep))
    assert np.mean(found) == pytest.approx(-0.2, abs=0.08)
    strong = [np.quantile(np.abs(echoes.amplitudes[each]), 0.95) for each in (muscle, deep)]
    assert strong[0] > 1.5 * strong[1]


def test_across_the_fibres_borders_that_face_the_probe_are_the_bright_ones() -> None:
    found = []
    for seed in range(3):
        echoes = trace(replace(ANATOMY, transverse=True, fibre_rad=0.35), seed)
        found.append(find_direction(echoes, echoes.layers == Layer.MUSCLE))
    # The direction of the fibres has no part in it; the section's own tilt has.
    assert abs(np.mean(found)) < 0.15


def test_perimysia_keep_out_of_fat_bone_and_vessels() -> None:
    vessel = Vessel((20.0, 14.0), 2.0, 0.0, None)
    anatomy = replace(ANATOMY, vessel=vessel, bone_mm=26.0, bone_x_mm=10.0, bone_radius_mm=8.0)
    for transverse in (False, True):
        echoes = trace(replace(anatomy, transverse=transverse))
        x, z = echoes.positions_mm.astype(np.float64).T
        assert np.all(z > anatomy.muscle_top(x))
        assert np.all(z < anatomy.bone_depth(x))
        assert vessel.distance(echoes.positions_mm).min() > 2.0


def test_sheets_are_visible_over_the_stated_length_and_at_the_stated_distance() -> None:
    bed = Bed(ANATOMY, 120.0, ANATOMY.muscle_top, ANATOMY.muscle_bottom, 0.0, Layer.MUSCLE, 0.2)
    rng = np.random.default_rng(0)
    short, long = (trace_lines(bed, Order(1.0, 2.0, reach, 0.0, 0.0), 0.0, rng) for reach in (4.0, 16.0))
    assert find_run_mm(long) > 2.0 * find_run_mm(short)
    assert 2.0 < find_run_mm(short) < 8.0
    dense = trace_lines(bed, Order(1.0, 1.0, 4.0, 0.0, 0.0), 0.0, rng)
    assert len(dense.layers) == pytest.approx(2 * len(short.layers), rel=0.35)


def find_run_mm(echoes: Echoes) -> float:
    """Mean length of unbroken runs of points, which are stored line by line."""
    steps = np.abs(np.diff(echoes.positions_mm[:, 0].astype(np.float64)))
    runs = np.count_nonzero(steps > 0.2) + 1
    return float(len(steps) * 0.08 / runs)
