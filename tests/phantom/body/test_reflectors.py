from __future__ import annotations

from dataclasses import replace

import numpy as np

from fascnet.phantom.body.anatomy import Anatomy, Layer, Vessel
from fascnet.phantom.body.echoes import Echoes
from fascnet.phantom.body.reflectors import trace_reflectors

ANATOMY = Anatomy(False, 1.2, 5.0, 15.0, 0.02, 0.0, 0.001, 0.3, None, 0.03, 1.0)
BONY = replace(ANATOMY, bone_mm=25.0, bone_x_mm=16.0, bone_radius_mm=8.0)


def trace(anatomy: Anatomy, seed: int = 0) -> Echoes:
    return trace_reflectors(anatomy, 32.0, 0.2, np.random.default_rng(seed))


def power(echoes: Echoes, chosen: np.ndarray) -> float:
    return float(np.sum(np.abs(echoes.amplitudes[chosen]) ** 2))


def test_aponeuroses_lie_on_their_borders() -> None:
    echoes = trace(ANATOMY)
    x, z = echoes.positions_mm[echoes.layers == Layer.APONEUROSIS].T
    off = np.minimum(np.abs(z - ANATOMY.muscle_top(x)), np.abs(z - ANATOMY.muscle_bottom(x)))
    assert np.median(off) < ANATOMY.aponeurosis_mm
    assert off.max() < 2 * ANATOMY.aponeurosis_mm


def test_skin_echoes_come_again_weaker_at_multiples_of_its_depth() -> None:
    echoes = trace(replace(ANATOMY, septa=0))
    z = echoes.positions_mm[:, 1]
    levels = [power(echoes, np.abs(z - 1.2 * repeat) < 0.25) for repeat in (1, 2, 3)]
    assert levels[0] > levels[1] > levels[2] > 0


def test_septa_stay_in_the_fat() -> None:
    bare, crossed = (trace(replace(ANATOMY, septa=count)) for count in (0, 4))
    counts = [np.count_nonzero(each.layers == Layer.FAT) for each in (bare, crossed)]
    assert counts[1] > counts[0] + 1000
    x, z = crossed.positions_mm[crossed.layers == Layer.FAT].T
    assert np.all(z <= np.maximum(crossed_top(x), 5 * 1.2 + 0.6))


def crossed_top(x: np.ndarray) -> np.ndarray:
    return ANATOMY.muscle_top(x) + 1e-3


def test_nothing_but_bone_lies_below_bone_and_its_front_faces_the_probe_brightest() -> None:
    echoes = trace(BONY)
    x, z = echoes.positions_mm.astype(np.float64).T
    below = z > BONY.bone_depth(x) + 0.5
    assert set(echoes.layers[below]) == {Layer.BONE}
    front = (echoes.layers == Layer.BONE) & (np.abs(z - BONY.bone_depth(x)) < 0.5)
    middle, flank = front & (np.abs(x - 16) < 1), front & (np.abs(x - 16) > 6.5)
    assert power(echoes, middle) / middle.sum() > 3 * power(echoes, flank) / flank.sum()


def test_bone_mirrors_what_lies_above_it_and_less_when_it_hears_less() -> None:
    def ghosts(anatomy: Anatomy) -> float:
        echoes = trace(anatomy)
        x, z = echoes.positions_mm.astype(np.float64).T
        # The deep aponeurosis at depth b - d is shown again at b + d.
        mirrored = 2 * BONY.bone_depth(x) - BONY.muscle_bottom(x)
        return power(echoes, (np.abs(z - mirrored) < 1.0) & (np.abs(x - 16) < 2))

    assert ghosts(BONY) > 4 * ghosts(replace(BONY, bone_echo=0.3)) > 0


def test_a_central_aponeurosis_a_deep_fascia_and_walls_are_drawn_where_there_are_any() -> None:
    vessel = Vessel((16.0, 12.0), 1.5, 0.0, None)
    full = trace(replace(ANATOMY, central_share=0.5, deep_fascia_mm=8.0, vessel=vessel))
    x, z = full.positions_mm.astype(np.float64).T
    assert np.count_nonzero(np.abs(z - replace(ANATOMY, central_share=0.5).muscle_centre(x)) < 0.6) > 400
    assert np.count_nonzero(z > ANATOMY.muscle_bottom(x) + 4) > 400
    walls = full.layers == Layer.VESSEL_WALL
    assert np.abs(vessel.distance(full.positions_mm[walls]) - 1.5).max() < 0.4
    upright = walls & (np.abs(z - 12.0) < 0.3)
    level = walls & (np.abs(x - 16.0) < 0.3)
    assert power(full, level) / level.sum() > 10 * power(full, upright) / upright.sum()
