from __future__ import annotations

import pytest

from fascnet.errors import SettingError
from fascnet.inference.movement.unscored import (
    FROZEN,
    GROSS_MOVEMENT,
    IMAGE_LOST,
    PLANE_CHANGED,
    PROBE_MOVED,
    REDRAWN,
    Look,
    RejectRule,
    UnscoredFinder,
    join_unscored,
)

STEP_S = 1 / 30


def watch(facts_of, seconds=6.0, **rule):
    """Push looks whose facts depend on the time of the frame."""
    finder = UnscoredFinder(RejectRule(**rule))
    for k in range(1, round(seconds / STEP_S)):
        facts = facts_of(k * STEP_S)
        finder.push(Look((k - 1) * STEP_S, k * STEP_S, **{"is_still": False, **facts}))
    return finder.finish(seconds)


def during(start_s, end_s, facts, otherwise=None):
    quiet = {} if otherwise is None else otherwise
    return lambda time_s: facts if start_s < time_s <= end_s else quiet


def test_quiet_is_scored_whole():
    assert watch(lambda _: {}) == ()


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"rigid_mm_per_s": 5.0, "agreement": 0.9}, PROBE_MOVED),
        ({"median_mm_per_s": 20.0}, GROSS_MOVEMENT),
        ({"lost_share": 0.5}, IMAGE_LOST),
        ({"is_still": True}, FROZEN),
    ],
)
def test_each_condition_gives_its_seconds_with_a_reason(facts, reason):
    (found,) = watch(during(2.0, 2.6, facts))
    assert found.reason == reason
    assert found.start_s == pytest.approx(2.0, abs=STEP_S + 1e-3)
    settle_s = 0.0 if reason == FROZEN else RejectRule().settle_s
    assert found.end_s == pytest.approx(2.6 + settle_s, abs=STEP_S + 1e-3)


@pytest.mark.parametrize(
    "facts",
    [
        {"rigid_mm_per_s": 3.5, "agreement": 0.9},
        {"rigid_mm_per_s": 30.0, "agreement": 0.4},
        {"median_mm_per_s": 8.0},
        {"lost_share": 0.2},
    ],
)
def test_what_stays_below_a_threshold_is_scored(facts):
    assert watch(during(2.0, 3.0, facts)) == ()


def test_too_short_is_scored():
    assert watch(during(2.0, 2.2, {"is_still": True})) == ()
    assert watch(during(2.0, 2.07, {"median_mm_per_s": 20.0})) == ()


def test_the_slow_flanks_of_a_quick_movement_go_with_it():
    def jolt(time_s):
        speed = {2.1: 2.0, 2.2: 6.0, 2.3: 2.0}.get(round(time_s, 1), 0.0)
        return {"rigid_mm_per_s": speed, "agreement": 1.0}

    (found,) = watch(jolt, settle_s=0.0)
    assert found.start_s == pytest.approx(2.05, abs=2 * STEP_S)
    assert found.end_s == pytest.approx(2.35, abs=2 * STEP_S)


def test_a_plane_that_changes_for_long_is_left_out_from_where_it_began():
    def leave(time_s):
        if not 2.0 < time_s <= 3.0:
            return {"correlation": 0.97, "correlation_from_s": time_s - 0.25}
        return {"correlation": 0.7, "correlation_from_s": time_s - 0.25}

    (found,) = watch(leave)
    assert found.reason == PLANE_CHANGED
    assert found.start_s == pytest.approx(1.78, abs=0.05)
    assert found.end_s == pytest.approx(3.15, abs=0.05)


@pytest.mark.parametrize(("lasting_s", "expected"), [(0.8, 0), (1.4, 1)])
def test_a_plane_that_changes_slowly_is_left_out_when_it_goes_on(lasting_s, expected):
    def sweep(time_s):
        changes = 2.0 < time_s <= 2.0 + lasting_s
        return {"correlation": 0.8 if changes else 0.97, "correlation_from_s": time_s - 0.25}

    found = watch(sweep)
    assert [span.reason for span in found] == expected * [PLANE_CHANGED]


def test_a_picture_drawn_anew_once_is_left_out_and_what_is_usual_is_not():
    jump = {"redraw": 3.0, "usual_redraw": 0.8}
    (found,) = watch(during(2.0, 2.0 + STEP_S, jump, {"redraw": 0.5, "usual_redraw": 0.8}))
    assert (found.reason, found.n_events) == (REDRAWN, 0)
    assert found.end_s - found.start_s < 0.3
    assert watch(during(2.0, 2.0 + STEP_S, {"redraw": 3.0, "usual_redraw": 2.9})) == ()
    assert watch(during(2.0, 2.0 + STEP_S, {**jump, "shift_px": 1.0})) == ()
    assert watch(during(2.0, 2.0 + STEP_S, {"redraw": 3.0, "usual_redraw": None})) == ()


def test_spans_are_joined_when_no_twitch_fits_between_and_cut_to_the_clip():
    spans = [(4.0, 9.0, FROZEN), (0.1, 0.5, REDRAWN), (1.0, 2.0, IMAGE_LOST), (2.2, 2.5, PROBE_MOVED)]
    found = join_unscored(spans, 5.0)
    assert [(part.start_s, part.end_s, part.reason) for part in found] == [
        (0.0, 0.5, "redrawn"),
        (1.0, 2.5, "probe_moved+image_lost"),
        (4.0, 5.0, "frozen"),
    ]
    assert join_unscored([(6.0, 7.0, FROZEN)], 5.0) == ()


@pytest.mark.parametrize(
    "setting",
    [
        {"probe_mm_per_s": 0.0},
        {"lost_share": 2.0},
        {"settle_s": float("nan")},
        {"slow_plane_s": 6.0},
        {"slow_plane_correlation": -0.1},
    ],
)
def test_settings_outside_their_range_are_refused(setting):
    with pytest.raises(SettingError, match=next(iter(setting))):
        RejectRule(**setting)
