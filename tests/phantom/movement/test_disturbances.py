from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from fascnet.phantom.body.tissue import Anatomy, Vessel
from fascnet.phantom.movement.confounders import (
    CONFOUNDER_LABELS,
    PSEUDOTREMOR,
    ArterialPulsation,
    ProbePressure,
)
from fascnet.phantom.movement.disturbances import draw_confounders
from fascnet.phantom.movement.motion import Motion
from fascnet.phantom.scene import draw_subject
from fascnet.phantom.settings import ConfounderRanges, PhantomSettings

DURATION_S = 8.0
ALL = {
    spec.name: 1.0
    for spec in fields(ConfounderRanges)
    if spec.name.endswith("_share") and spec.name not in ("lift_off_share", "contraction_local_share")
}
VESSEL = Vessel((12.0, 14.0), 1.3, 0.1, None)


def draw_clip(
    seed: int, shares: dict[str, float], vessel: Vessel | None = None, vein: Vessel | None = None
) -> tuple[tuple[Motion, ...], Anatomy]:
    subject = draw_subject(PhantomSettings(), "s0", np.random.default_rng(seed))
    anatomy = replace(subject.anatomy, vessel=vessel, vein=vein)
    ranges = ConfounderRanges(**shares)
    rng = np.random.default_rng(100 + seed)
    return draw_confounders(ranges, subject.scan, anatomy, DURATION_S, rng), anatomy


def test_shares_of_zero_switch_everything_off() -> None:
    assert draw_clip(0, dict.fromkeys(ALL, 0.0))[0] == ()


@pytest.mark.parametrize("seed", range(8))
def test_shares_of_one_give_every_kind_within_the_clip(seed: int) -> None:
    motions, _ = draw_clip(seed, ALL)
    assert {motion.label for motion in motions} == set(CONFOUNDER_LABELS)
    places = np.random.default_rng(0).uniform(0, 40, (200, 2)).astype(np.float32)
    for motion in motions:
        start_s, end_s = motion.active_s
        assert 0 <= start_s < DURATION_S
        assert end_s > start_s + 0.05
        largest_mm = max(
            float(np.linalg.norm(motion.displacement(places, t), axis=-1).max())
            for t in np.arange(0, DURATION_S, 0.1)
        )
        assert largest_mm < 6.0
        assert np.abs(motion.displacement(places, 0.0)).max() < 1e-6


@pytest.mark.parametrize("name", sorted(ALL))
def test_each_share_switches_its_own_and_leaves_the_others(name: str) -> None:
    whole = draw_clip(1, ALL)[0]
    without = draw_clip(1, ALL | {name: 0.0})[0]
    assert len(without) < len(whole)
    gone = {motion.label for motion in whole} - {motion.label for motion in without}
    assert len(gone) <= 1
    # Drift and jolt share a label; every movement that is left is the same as before.
    assert [repr(m) for m in without] == [repr(m) for m in whole if repr(m) in {repr(w) for w in without}]


def test_the_same_chance_gives_the_same_movements() -> None:
    assert repr(draw_clip(3, ALL)[0]) == repr(draw_clip(3, ALL)[0])


def test_a_pulsation_belongs_to_the_vessel_in_view_or_to_one_out_of_view() -> None:
    only = dict.fromkeys(ALL, 0.0) | {"pulsation_share": 1.0}
    (inside,), _ = draw_clip(0, only, VESSEL)
    assert isinstance(inside, ArterialPulsation)
    assert inside.centre_mm == VESSEL.centre_mm
    assert inside.radius_mm == VESSEL.radius_mm
    for seed in range(10):
        (outside,), _ = draw_clip(seed, only)
        scan = draw_subject(PhantomSettings(), "s0", np.random.default_rng(seed)).scan
        width_mm, depth_mm = scan.width_px * scan.mm_per_px, scan.height_px * scan.mm_per_px
        assert isinstance(outside, ArterialPulsation)
        x, z = outside.centre_mm
        r = outside.radius_mm
        assert x + r < 0 or x - r > width_mm or z - r > depth_mm


def test_pressure_collapses_the_vein_in_view() -> None:
    only = dict.fromkeys(ALL, 0.0) | {"pressure_share": 1.0}
    vein = replace(VESSEL, centre_mm=(16.0, 14.0))
    (pressed,), _ = draw_clip(0, only, VESSEL, vein)
    assert isinstance(pressed, ProbePressure)
    assert pressed.vein == vein
    (plain,), _ = draw_clip(0, only)
    assert isinstance(plain, ProbePressure)
    assert plain.vein is None


def test_sizes_follow_the_ranges() -> None:
    only = dict.fromkeys(ALL, 0.0) | {"pseudotremor_share": 1.0}
    for seed in range(6):
        (tremor,), _ = draw_clip(seed, only | {"pseudotremor_mm": (0.11, 0.12)})
        assert tremor.label == PSEUDOTREMOR
        assert all(0.11 <= unit.peak_mm <= 0.12 for unit in tremor.units)
