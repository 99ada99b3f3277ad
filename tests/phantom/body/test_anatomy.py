from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fascnet.phantom.body.anatomy import Anatomy, Layer, Vessel, label_layers

ANATOMY = Anatomy(False, 1.2, 4.0, 15.0, 0.02, 0.01, 0.001, 0.3, None, 0.03, 1.0)
X = np.linspace(0, 40, 81)


def label(anatomy: Anatomy, *places: tuple[float, float]) -> list[int]:
    return list(label_layers(anatomy, np.array(places, dtype=np.float32)))


def test_the_deep_aponeurosis_lies_a_thickness_below_the_upper_one_in_the_middle() -> None:
    assert float(ANATOMY.muscle_bottom(16.0)) - float(ANATOMY.muscle_top(16.0)) == pytest.approx(15.0)
    assert float(ANATOMY.muscle_top(16.0)) == pytest.approx(1.2 + 4.0 + 0.02 * 16)


def test_waves_move_one_border_and_not_the_other() -> None:
    wavy = replace(ANATOMY, top_waves=((0.4, 20.0, 0.0),))
    moved = wavy.muscle_top(X) - ANATOMY.muscle_top(X)
    assert np.ptp(moved) == pytest.approx(0.8, rel=0.02)
    np.testing.assert_allclose(wavy.muscle_bottom(X), ANATOMY.muscle_bottom(X))


def test_however_steep_the_borders_fat_and_muscle_stay() -> None:
    steep = replace(ANATOMY, slope=-0.5, deep_slope=-0.9)
    assert np.all(steep.muscle_top(X) >= 1.2 + 0.5)
    assert np.all(steep.muscle_bottom(X) >= steep.muscle_top(X) + 2.0)


def test_the_central_aponeurosis_divides_the_muscle_and_defaults_to_the_deep_one() -> None:
    np.testing.assert_array_equal(ANATOMY.muscle_centre(X), ANATOMY.muscle_bottom(X))
    halved = replace(ANATOMY, central_share=0.5)
    middle = (halved.muscle_top(X) + halved.muscle_bottom(X)) / 2
    np.testing.assert_allclose(halved.muscle_centre(X), middle)


def test_bone_is_a_disc_that_ends_at_its_radius() -> None:
    bony = replace(ANATOMY, bone_mm=25.0, bone_x_mm=20.0, bone_radius_mm=10.0)
    assert float(bony.bone_depth(20.0)) == pytest.approx(25.0)
    assert float(bony.bone_depth(26.0)) == pytest.approx(25.0 + 10 - 8)
    assert np.isinf(bony.bone_depth(31.0))
    assert np.isinf(ANATOMY.bone_depth(20.0))
    assert label(bony, (20.0, 25.5), (31.0, 30.0)) == [Layer.BONE, Layer.DEEP_MUSCLE]


def test_layers_follow_each_other_down_a_column() -> None:
    deep = replace(ANATOMY, deep_fascia_mm=8.0)
    bottom = float(deep.muscle_bottom(16.0))
    places = [(16.0, z) for z in (0.5, 3.0, 5.52, 12.0, bottom, bottom + 4, bottom + 8)]
    expected = ["SKIN", "FAT", "APONEUROSIS", "MUSCLE", "APONEUROSIS", "DEEP_MUSCLE", "APONEUROSIS"]
    assert [Layer(value).name for value in label(deep, *places)] == expected


def test_a_vessel_and_its_vein_are_walls_around_blood() -> None:
    both = replace(
        ANATOMY, vessel=Vessel((16.0, 12.0), 1.5, 0.0, None), vein=Vessel((20.0, 12.0), 1.0, 0.0, 1.6)
    )
    found = label(both, (16.0, 12.0), (16.0, 13.7), (16.0, 14.5), (20.0, 12.0), (21.4, 12.0), (20.0, 13.2))
    expected = ["BLOOD", "VESSEL_WALL", "MUSCLE", "BLOOD", "BLOOD", "VESSEL_WALL"]
    assert [Layer(value).name for value in found] == expected


def test_a_bowed_vessel_leaves_its_straight_axis() -> None:
    straight = Vessel((16.0, 12.0), 1.0, 0.0, 40.0)
    bowed = replace(straight, bow_per_mm=0.02)
    place = np.array([[26.0, 12.0 + 0.5 * 0.02 * 100]], dtype=np.float32)
    assert float(bowed.distance(place)[0]) == pytest.approx(10 / 40, abs=1e-5)
    assert float(straight.distance(place)[0]) > 1.0
