from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fascnet.errors import SettingError
from fascnet.evaluation.matching.distance import measure_distance_px
from fascnet.evaluation.matching.match import (
    MatchingRule,
    build_rule,
    match_by_rules,
    match_events,
    rank_events,
)
from fascnet.types import Box, Event, MaskFile, Point, Polygon

OVERLAP = MatchingRule("main")


def event(onset_s: float, offset_s: float, x: float | None = None, certainty: str | None = None) -> Event:
    region = None if x is None else Point(x, 50)
    return Event(onset_s, offset_s, (onset_s + offset_s) / 2, certainty=certainty, region=region)


def measure_difference_s(first: Event, second: Event) -> float:
    """Time between peaks, or between onsets where either has no peak, plainly."""
    if first.peak_s is not None and second.peak_s is not None:
        return abs(first.peak_s - second.peak_s)
    return abs(first.onset_s - second.onset_s)


def test_takes_the_most_matches_where_greedy_loses_one():
    # Nearest first pairs found 0 with reference 1 and leaves the others alone.
    reference = [event(0, 1), event(0.9, 1.9)]
    found = [event(0.8, 1.7), event(1.8, 2.5)]
    matching = match_events(reference, found, OVERLAP)
    assert {(m.reference, m.found) for m in matching.matches} == {(0, 0), (1, 1)}
    assert matching.missed == () and matching.false == ()


def test_prefers_the_smaller_time_difference_among_equally_many():
    reference = [event(0, 2)]
    matching = match_events(reference, [event(0, 0.4), event(0.8, 1.3)], OVERLAP)
    assert matching.matches[0].found == 1
    assert matching.false == (0,)


def test_touching_half_open_intervals_do_not_overlap():
    matching = match_events([event(0, 1)], [event(1, 2)], OVERLAP)
    assert matching.missed == (0,) and matching.false == (0,)


@pytest.mark.parametrize(("difference_s", "matched"), [(0.0, True), (0.167, True), (0.168, False)])
def test_tolerance_is_inclusive(difference_s, matched):
    rule = MatchingRule("t", "tolerance", tolerance_s=0.167)
    matching = match_events([event(1, 1.4)], [event(1 + difference_s, 1.4 + difference_s)], rule)
    assert bool(matching.matches) is matched


def test_tolerance_uses_onsets_where_a_peak_is_unknown():
    one, other = Event(1.0, 2.0, peak_s=1.9), Event(1.1, 3.0)
    for first, second in ((one, other), (other, one)):
        (match,) = match_events([first], [second], OVERLAP).matches
        assert match.difference_s == pytest.approx(0.1)


def test_one_frame_depends_on_the_frame_rate():
    rule = MatchingRule("f", "tolerance", tolerance_frames=1)
    pair = [event(1, 1.4)], [event(1.033, 1.433)]
    assert match_events(*pair, rule, fps=30).matches
    assert not match_events(*pair, rule, fps=50).matches
    with pytest.raises(SettingError, match="frame rate"):
        match_events(*pair, rule)


def test_space_must_hold_too():
    rule = MatchingRule("s", max_distance_px=15)
    box = Event(0, 1, region=Box(0, 0, 100, 100))
    for x, matched in ((50, True), (114.9, True), (115.2, False)):
        assert bool(match_events([box], [event(0, 1, x)], rule).matches) is matched
    assert match_events([Event(0, 1)], [event(0, 1, 999)], rule).matches, "no place: time only"


def test_millimetres_need_a_spacing():
    rule = MatchingRule("mm", max_distance_mm=2)
    pair = [event(0, 1, 10)], [event(0, 1, 29)]
    assert match_events(*pair, rule, mm_per_px=0.1).matches
    assert not match_events(*pair, rule, mm_per_px=0.2).matches
    with pytest.raises(SettingError, match="mm_per_px"):
        match_events(*pair, rule)


def test_two_foci_at_one_moment_are_told_apart_by_place():
    reference = [event(0, 1, 10), event(0, 1, 200)]
    found = [event(0, 1, 201), event(0, 1, 11)]
    matching = match_events(reference, found, MatchingRule("s", max_distance_px=15))
    assert {(m.reference, m.found) for m in matching.matches} == {(0, 1), (1, 0)}


def test_only_examined_seconds_count():
    matching = match_events([], [event(1, 2), event(7, 8)], OVERLAP, examined=[(0, 5)])
    assert matching.false == (0,) and matching.left_out_found == (1,)


def test_ignorable_event_is_neither_miss_nor_false_alarm():
    ignored = frozenset({"possible"})
    reference = [event(0, 1, certainty="possible"), event(5, 6, certainty="definite")]
    with_it = match_events(
        reference, [event(0, 1), event(5, 6), event(8, 9)], OVERLAP, ignored_certainty=ignored
    )
    assert len(with_it.matches) == 1 and with_it.missed == () and with_it.false == (2,)
    assert with_it.left_out_found == (0,) and with_it.left_out_reference == (0,)
    without = match_events(reference, [], OVERLAP, ignored_certainty=ignored)
    assert without.missed == (1,)
    counted = match_events(reference, [], OVERLAP)
    assert counted.missed == (0, 1)


def test_ignorable_event_does_not_take_a_match_from_a_definite_one():
    reference = [event(0, 1, certainty="possible"), event(0.5, 1.5)]
    matching = match_events(reference, [event(0, 1)], OVERLAP, ignored_certainty=frozenset({"possible"}))
    assert [(m.reference, m.found) for m in matching.matches] == [(1, 0)]


def test_empty_sides():
    nothing = match_events([], [], OVERLAP)
    assert nothing.matches == nothing.missed == nothing.false == ()


@pytest.mark.parametrize(
    "settings_",
    [{"mode": "nearest"}, {"mode": "tolerance"}, {"max_distance_px": -1.0}, {"max_distance_px": float("nan")},
     {"max_distance_px": 1.0, "max_distance_mm": 1.0}],
)  # fmt: skip
def test_refuses_a_wrong_rule(settings_):
    with pytest.raises(SettingError):
        MatchingRule("main", **settings_)


spans = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 6), st.integers(0, 5), st.sampled_from(["", "possible"])),
    max_size=5,
)


def build(rows) -> list[Event]:
    return [event(a / 10, (a + n) / 10, 20.0 * x, certainty) for a, n, x, certainty in rows]


@settings(max_examples=150)
@given(spans, spans, st.booleans())
def test_is_optimal_and_symmetric(first, second, in_space):
    one, two = build(first), build(second)
    rule = MatchingRule("r", max_distance_px=25.0 if in_space else None)
    matching = match_events(one, two, rule)

    def fits(a: Event, b: Event) -> bool:
        return bool(match_events([a], [b], rule).matches)

    best = (0, 0.0)
    small, large = (one, two) if len(one) <= len(two) else (two, one)
    for order in permutations(range(len(large)), len(small)):
        chosen = [(a, large[j]) for a, j in zip(small, order, strict=True) if fits(a, large[j])]
        best = max(best, (len(chosen), -sum(measure_difference_s(a, b) for a, b in chosen)))
    assert len(matching.matches) == best[0]
    assert sum(m.difference_s for m in matching.matches) == pytest.approx(-best[1], abs=1e-9)
    assert len(matching.matches) + len(matching.missed) == len(one)
    assert len(matching.matches) + len(matching.false) == len(two)

    ignored = frozenset({"possible"})
    there = match_events(one, two, rule, ignored_certainty=ignored)
    back = match_events(two, one, rule, ignored_certainty=ignored)
    assert len(there.matches) == len(back.matches)
    # Which of several equally good pairings is taken is free; how many events count is not.
    assert len(there.missed) + len(there.left_out_reference) == len(back.false) + len(back.left_out_found)


def test_mm_count_across_what_a_pixel_is_wide():
    """A pixel is 0.1 mm high and 0.2 mm wide: 15 px down are 1.5 mm, 15 px across are 3 mm."""
    rule, in_px = MatchingRule("mm", max_distance_mm=2), MatchingRule("px", max_distance_px=15)
    here = [Event(1, 2, region=Point(50, 50))]
    down, across = [Event(1, 2, region=Point(50, 65))], [Event(1, 2, region=Point(65, 50))]
    for found, near in ((down, True), (across, False)):
        spot = {"mm_per_px": 0.1, "pixel_aspect": 2.0}
        assert bool(match_events(here, found, rule, **spot).matches) is near
        assert bool(match_events(found, here, rule, **spot).matches) is near
        scored = [replace(event, score=0.5) for event in found]
        assert rank_events(here, scored, rule, **spot).is_hit.tolist() == [near]
        # Both match under pixels, and distances in tables stay pixels, in whichever order rules come.
        for rules in ((in_px, rule), (rule, in_px)):
            both = dict(zip((r.name for r in rules), match_by_rules(here, found, rules, **spot), strict=True))
            assert both["px"].matches[0].distance_px == 15
            assert [m.distance_px for m in both["mm"].matches] == [15] * near
    assert match_events(here, across, rule, mm_per_px=0.1).matches


def test_wide_pixels_stretch_every_kind_of_region(tmp_path):
    """Distances in wide pixels are those of the same regions drawn on pixels of a square shape."""
    corners = ((2.0, 3.0), (9.0, 4.0), (6.0, 11.0))
    wide = Polygon(tuple((3 * x, y) for x, y in corners))
    for x, y in ((0.0, 0.0), (12.0, 6.0), (6.0, 6.0)):
        stretched = measure_distance_px(wide, Point(3 * x, y))
        assert measure_distance_px(Polygon(corners), Point(x, y), 3.0) == pytest.approx(stretched)
    assert measure_distance_px(Box(0, 0, 10, 10), Point(13, 14), 3.0) == pytest.approx(np.hypot(9, 4))
    assert measure_distance_px(Box(0, 0, 10, 10), Box(13, 0, 15, 10), 3.0) == pytest.approx(12)
    mask = np.zeros((9, 9), np.uint8)
    mask[4, 4] = 255
    cv2.imwrite(str(tmp_path / "m.png"), mask)
    region = MaskFile(tmp_path / "m.png")
    assert measure_distance_px(region, Point(7, 4), 3.0) == pytest.approx(7.5), "half a pixel is 1.5 heights"


def test_distances_of_all_kinds_of_region(tmp_path):
    square = Polygon(((0, 0), (10, 0), (10, 10), (0, 10)))
    assert measure_distance_px(square, Point(5, 5)) == 0
    assert measure_distance_px(Point(13, 14), square) == pytest.approx(5)
    assert measure_distance_px(Box(0, 0, 10, 10), Point(13, 14)) == pytest.approx(5)
    assert measure_distance_px(Point(0, 0), Point(3, 4)) == pytest.approx(5)
    hollow = Polygon(((0, 0), (20, 0), (20, 20), (15, 20), (15, 5), (5, 5), (5, 20), (0, 20)))
    assert measure_distance_px(hollow, Point(10, 10)) == pytest.approx(5), "in the bay, not in the outline"
    mask = np.zeros((30, 30), np.uint8)
    mask[10:20, 10:20] = 255
    cv2.imwrite(str(tmp_path / "m.png"), mask)
    region = MaskFile(tmp_path / "m.png")
    assert measure_distance_px(region, Point(15, 15)) == 0
    assert measure_distance_px(region, Point(24.5, 15)) == pytest.approx(5)
    assert (
        measure_distance_px(region, Box(21, 0, 41, 30)) == measure_distance_px(Box(21, 0, 41, 30), region) > 0
    )


@pytest.mark.parametrize(
    ("shift_s", "level", "matched"), [(0.25, 0.6, True), (0.25, 0.61, False), (1, 0.1, False)]
)
def test_temporal_iou(shift_s, level, matched):
    # One second each, shifted by a quarter: 0.75 shared, 1.25 together, 0.6.
    rule = MatchingRule("iou", "iou", min_iou=level)
    matching = match_events([event(0, 1)], [event(shift_s, 1 + shift_s)], rule)
    assert bool(matching.matches) is matched


def test_rules_by_name():
    assert build_rule("any_overlap") == MatchingRule("any_overlap")
    assert build_rule("167ms_15px").max_distance_px == 15 and build_rule("1_frame").tolerance_frames == 1
    assert build_rule("iou_0.3").min_iou == 0.3 and build_rule("overlap_2.5mm").max_distance_mm == 2.5
    assert build_rule("any_overlap", "once").describe()["simultaneous"] == "once"
    for name in ("iou_2", "iou_..", "nearest", "iou_0"):
        with pytest.raises(SettingError):
            build_rule(name)


@pytest.mark.parametrize("settings_", [{"mode": "iou"}, {"min_iou": 0.0}, {"simultaneous": "thrice"}])
def test_refuses_a_wrong_new_setting(settings_):
    with pytest.raises(SettingError):
        MatchingRule("main", **settings_)


def test_simultaneous_foci_count_twice_or_once():
    reference = [event(0, 1, 10), event(0.5, 1.5, 200), event(5, 6, 10)]
    found = [event(0.2, 0.9, 201), event(8, 9, 10), event(8.5, 9.5, 300)]
    twice = match_events(reference, found, MatchingRule("t", max_distance_px=15))
    assert (len(twice.matches), len(twice.missed), len(twice.false)) == (1, 2, 2)
    once = match_events(reference, found, MatchingRule("o", max_distance_px=15, simultaneous="once"))
    # The pair that lies near stands for the group; the other focus is left out, not missed.
    assert [(m.reference, m.found) for m in once.matches] == [(1, 0)]
    assert (once.missed, once.false) == ((2,), (1,))
    assert (once.left_out_reference, once.left_out_found) == ((0,), (2,))


def test_touching_events_stay_two_when_counted_once():
    matching = match_events([event(0, 1), event(1, 2)], [], MatchingRule("o", simultaneous="once"))
    assert matching.missed == (0, 1)


def test_excused_events_leave_the_match_to_others():
    # Both found events overlap the definite event; only the nearer one overlaps the possible one too.
    reference = [event(0, 1), event(0.7, 1.1, certainty="possible")]
    found = [event(0.2, 1.0), event(-0.6, 0.2)]
    matching = match_events(reference, found, OVERLAP, ignored_certainty=frozenset({"possible"}))
    assert [(m.reference, m.found) for m in matching.matches] == [(0, 1)]
    assert matching.false == () and matching.left_out_found == (0,)


@settings(max_examples=100, deadline=None)
@given(spans, spans, st.sampled_from(["once", "twice"]))
def test_swapping_swaps_misses_and_false_alarms(first, second, simultaneous):
    rule = MatchingRule("r", max_distance_px=25.0, simultaneous=simultaneous)
    ignored = frozenset({"possible"})
    there = match_events(build(first), build(second), rule, ignored_certainty=ignored)
    back = match_events(build(second), build(first), rule, ignored_certainty=ignored)
    assert len(there.matches) == len(back.matches)
    assert (len(there.missed), len(there.false)) == (len(back.false), len(back.missed))


def test_several_rules_at_once_equal_each_alone():
    rng = np.random.default_rng(0)
    one, two = (
        [
            event(a, a + b, x)
            for a, b, x in zip(*rng.uniform(0.1, 8, (2, 9)), rng.uniform(0, 60, 9), strict=True)
        ]
        for _ in range(2)
    )
    rules = [build_rule(name) for name in ("any_overlap", "167ms_15px", "iou_0.1", "iou_0.5", "overlap_2mm")]
    together = match_by_rules(one, two, rules, fps=30, mm_per_px=0.1)
    assert together == [match_events(one, two, rule, fps=30, mm_per_px=0.1) for rule in rules]
    assert len(together[2].matches) >= len(together[3].matches)


def test_rules_that_let_the_same_pairs_through_stay_rules_of_their_own():
    # One twitch seen as two foci, found once: matched twice or once, with a distance or without.
    reference, found = [event(0, 1, x=50), event(0.5, 1.5, x=52)], [event(0.4, 1.2, x=51)]
    rules = [
        MatchingRule("twice"),
        MatchingRule("once", simultaneous="once"),
        MatchingRule("near", max_distance_px=15),
        MatchingRule("near_once", max_distance_px=15, simultaneous="once"),
    ]
    together = match_by_rules(reference, found, rules)
    assert together == [match_events(reference, found, rule) for rule in rules]
    assert [len(matching.missed) for matching in together] == [1, 0, 1, 0]
    assert [matching.matches[0].distance_px for matching in together] == [None, None, 1.0, 1.0]
