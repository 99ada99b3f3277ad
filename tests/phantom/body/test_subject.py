from __future__ import annotations

import numpy as np
import pytest

from fascnet.phantom.body.anatomy import Anatomy
from fascnet.phantom.body.muscles import MUSCLES
from fascnet.phantom.body.subject import draw_anatomy, draw_muscle_place, draw_subject, draw_vein, draw_vessel
from fascnet.phantom.settings import PhantomSettings

SETTINGS = PhantomSettings()


def subject(seed: int):
    return draw_subject(SETTINGS, "s01", np.random.default_rng(seed))


def draw_many(disease: float, count: int = 60) -> list[Anatomy]:
    build = MUSCLES["biceps_brachii"]
    rng = np.random.default_rng(0)
    return [draw_anatomy(build, disease, False, 40.0, 45.0, rng) for _ in range(count)]


def test_the_same_seed_gives_the_same_subject() -> None:
    assert subject(3) == subject(3)
    assert subject(3) != subject(4)


def test_every_muscle_turns_up_and_fits_into_the_picture() -> None:
    drawn = [subject(seed) for seed in range(150)]
    assert {each.muscle for each in drawn} == set(MUSCLES)
    for each in drawn:
        depth_mm = each.scan.height_px * each.scan.mm_per_px
        anatomy = each.anatomy
        assert anatomy.thickness_mm >= 6.0
        if depth_mm > 25:
            assert float(anatomy.muscle_top(0.5 * each.scan.width_px * each.scan.mm_per_px)) < 0.7 * depth_mm
        if anatomy.bone_mm is not None:
            assert anatomy.bone_mm > anatomy.skin_mm + anatomy.fat_mm + anatomy.thickness_mm
    shares = np.mean([each.anatomy.transverse for each in drawn])
    assert shares == pytest.approx(SETTINGS.body.transverse_share, abs=0.12)


def test_disease_makes_muscle_thin_and_bright_and_bone_faint() -> None:
    healthy, ill = draw_many(0.0), draw_many(0.9)

    def median(anatomies: list[Anatomy], name: str) -> float:
        return float(np.median([getattr(each, name) for each in anatomies]))

    assert median(ill, "thickness_mm") < 0.85 * median(healthy, "thickness_mm")
    assert median(ill, "muscle_echo") > 2 * median(healthy, "muscle_echo")
    assert median(ill, "bone_echo") < 0.5 * median(healthy, "bone_echo")
    assert median(ill, "streak") < median(healthy, "streak")
    assert max(each.loss_db_per_mm for each in healthy) == 0.0


def test_places_and_vessels_lie_inside_the_muscle() -> None:
    for seed in range(40):
        each, rng = subject(seed), np.random.default_rng(seed)
        x, z = draw_muscle_place(each.anatomy, each.scan, 1.0, rng)
        assert float(each.anatomy.muscle_top(x)) < z < float(each.anatomy.muscle_bottom(x))
        vessel = draw_vessel(each.anatomy, each.scan, rng)
        assert 0 < vessel.centre_mm[0] < each.scan.width_px * each.scan.mm_per_px


def test_a_vein_lies_beside_its_artery_and_is_flat() -> None:
    veins = 0
    for seed in range(60):
        each, rng = subject(seed), np.random.default_rng(seed)
        vessel = draw_vessel(each.anatomy, each.scan, rng)
        vein = draw_vein(vessel, rng)
        if vein is None:
            continue
        veins += 1
        assert vessel.half_length_mm is None
        assert vein.half_length_mm is not None
        assert vein.half_length_mm > vein.radius_mm
        gap = abs(vein.centre_mm[0] - vessel.centre_mm[0]) - vessel.radius_mm - vein.half_length_mm
        assert gap > 0.3
    assert 10 < veins < 50
