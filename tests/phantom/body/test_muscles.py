from __future__ import annotations

from dataclasses import fields

from fascnet.phantom.body.muscles import MUSCLES


def test_the_muscles_that_clinics_scan_are_there() -> None:
    assert {
        "biceps_brachii",
        "first_dorsal_interosseous",
        "thoracic_paraspinal",
        "vastus_lateralis",
        "tibialis_anterior",
        "gastrocnemius_medialis",
        "trapezius",
        "rectus_abdominis",
        "tongue",
    } == set(MUSCLES)


def test_every_range_is_in_order_and_every_share_a_share() -> None:
    for build in MUSCLES.values():
        for spec in fields(build):
            value = getattr(build, spec.name)
            if isinstance(value, tuple):
                assert 0 <= value[0] <= value[1], spec.name
            elif value is not None:
                assert 0 <= value <= 1, spec.name


def test_pennation_of_limb_muscles_holds_the_published_means() -> None:
    for muscle, mean_deg in (("vastus_lateralis", 18.4), ("tibialis_anterior", 9.6)):
        low, high = MUSCLES[muscle].pennation_deg
        assert low < mean_deg < high


def test_the_usual_depth_shows_the_whole_muscle() -> None:
    for build in MUSCLES.values():
        low, high = build.depth_mm
        assert build.fat_mm[0] + build.thickness_mm[0] < low < high
        assert build.fat_mm[1] + build.thickness_mm[1] < high
    assert MUSCLES["first_dorsal_interosseous"].depth_mm[1] < 30.0
