from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from fascnet.inference.movement.unscored import RejectRule
from fascnet.inference.movement.watcher import MovementWatcher
from fascnet.types import Frame

from .moving import MM, SIDE, film, make_speckle, shift, spot

BOX = (0, 0, SIDE, SIDE)


def watch(frames, rule=None):
    with MovementWatcher(BOX, MM, RejectRule() if rule is None else rule) as watcher:
        for frame in frames:
            watcher.watch(frame)
        return watcher.list_unscored(frames[-1].time_s + 1 / 30)


def ease(time_s, start_s, length_s):
    part = min(max((time_s - start_s) / length_s, 0.0), 1.0)
    return part * part * (3 - 2 * part)


def test_a_knock_on_the_probe_is_left_out_and_a_slow_drift_is_not():
    speckle = make_speckle()
    # 1.2 mm in 0.12 s: 10 mm/s; 1.2 mm in 4 s: 0.45 mm/s at most.
    (found,) = watch(film(lambda t: shift(speckle, 6 * ease(t, 2.0, 0.12), 0.0), 4.0))
    assert found.reason == "probe_moved"
    assert 1.9 < found.start_s < 2.05
    assert 2.1 < found.end_s < 2.5
    assert watch(film(lambda t: shift(speckle, 6 * ease(t, 0.0, 4.0), 0.0), 4.0)) == ()


def test_a_twitch_is_scored_however_strong():
    speckle = make_speckle(1)
    # 1.2 mm in 0.1 s at one place, and a halo of it around.
    weight = spot(80, 80, 14) + 0.3 * spot(80, 80, 40)
    assert watch(film(lambda t: shift(speckle, 6 * weight * ease(t, 2.0, 0.1), 0.0), 4.0)) == ()


def test_a_frozen_picture_is_left_out_and_a_doubled_frame_is_not():
    frames = film(lambda _: make_speckle(), 5.0)
    frozen = [
        Frame(f.index, f.time_s, frames[60].image if 60 <= k < 90 else f.image) for k, f in enumerate(frames)
    ]
    (found,) = watch(frozen)
    assert found.reason == "frozen"
    assert (found.start_s, found.end_s) == pytest.approx((2.0, 2.97), abs=0.05)
    doubled = [Frame(f.index, f.time_s, frames[k - k % 2].image) for k, f in enumerate(frames)]
    assert watch(doubled) == ()


def test_a_gap_in_the_times_is_left_out_as_a_frozen_picture_is():
    """Screen recorders store only frames that differ from the one before."""
    frames = film(lambda _: make_speckle(), 5.0)
    (found,) = watch([f for k, f in enumerate(frames) if not 61 <= k < 90])
    assert found.reason == "frozen"
    assert (found.start_s, found.end_s) == pytest.approx((2.0, 2.97), abs=0.05)
    assert watch([f for k, f in enumerate(frames) if not 61 <= k < 67]) == ()


def test_a_lost_image_is_left_out_until_it_comes_back():
    speckle = make_speckle(2)

    def draw(time_s):
        return 20 + 0.05 * (speckle - 100) if 2.0 <= time_s < 3.5 else speckle

    (found,) = watch(film(draw, 6.0))
    assert "image_lost" in found.reason
    assert found.start_s == pytest.approx(2.0, abs=0.3)
    assert found.end_s == pytest.approx(3.65, abs=0.4)


def test_a_clip_of_air_is_lost_from_its_first_second():
    (found,) = watch(film(lambda _: np.full((SIDE, SIDE), 15.0, np.float32), 3.0, noise=0.6))
    assert (found.start_s, found.end_s) == (0.0, 3.0)
    assert "image_lost" in found.reason


def test_a_sweep_through_the_tissue_is_left_out():
    planes = [make_speckle(seed) for seed in range(12)]

    def draw(time_s):
        # Speckle is new every 0.4 s while the plane moves, between 2 and 4 s.
        along = min(max(time_s - 2.0, 0.0), 2.0) / 0.4
        k, part = int(along), along % 1
        return 100 + (
            np.cos(part * np.pi / 2) * (planes[k] - 100) + np.sin(part * np.pi / 2) * (planes[k + 1] - 100)
        )

    (found,) = watch(film(draw, 6.0))
    assert "plane_changed" in found.reason
    assert found.start_s == pytest.approx(2.0, abs=0.3)
    assert found.end_s == pytest.approx(4.1, abs=0.4)


def test_a_grey_jump_of_the_whole_picture_is_left_out_once():
    speckle, other = make_speckle(), 4 * (make_speckle(9) - 100) / 30
    (found,) = watch(film(lambda t: speckle + (other if t >= 3.0 else 0.0), 5.0))
    assert found.reason == "redrawn"
    assert (found.start_s, found.end_s) == pytest.approx((2.97, 3.15), abs=0.04)


@pytest.mark.parametrize("fps", [25.0, 30.0, 120.0])
def test_the_velocity_of_a_place_is_that_of_the_tissue_at_any_rate(fps):
    speckle = make_speckle(3)
    weight = spot(55, 105, 15)
    # 2 mm/s = 10 px/s between 1 and 1.3 s.
    frames = film(lambda t: shift(speckle, weight * 10 * min(max(t - 1.0, 0.0), 0.3), 0.0), 2.0, fps)
    with MovementWatcher(BOX, MM, None) as watcher:
        for frame in frames:
            watcher.watch(frame)
        block = watcher.small.find_block(55, 105)
        course = watcher.trace.read(1.05, 1.25)
        quiet = watcher.trace.read(0.2, 0.9)
    assert course.mm_per_s[:, block[0], block[1], 0].mean() == pytest.approx(2.0, abs=0.5)
    assert np.abs(quiet.mm_per_s[:, block[0], block[1]].mean(axis=0)).max() < 0.2
    assert len(course.times_s) <= 65 * 0.2 + 1


def test_without_a_rule_no_picture_is_kept_but_the_last():
    frames = film(lambda t: shift(make_speckle(), 6 * ease(t, 1.0, 0.12), 0.0), 2.0)
    with MovementWatcher(BOX, MM, None) as watcher:
        tracemalloc.start()
        for frame in frames[:20]:
            watcher.watch(frame)
        early, _ = tracemalloc.get_traced_memory()
        for frame in frames[20:]:
            watcher.watch(frame)
        late, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        picture = watcher.small.take(frames[0].image).nbytes
    assert late - early < 5 * picture


def test_beginning_anew_forgets_what_was_seen():
    frames = film(lambda t: shift(make_speckle(), 6 * ease(t, 1.0, 0.12), 0.0), 2.0)
    with MovementWatcher(BOX, MM, RejectRule()) as watcher:
        for frame in frames:
            watcher.watch(frame)
        steps = watcher.trace.read(-1.0, 99.0).times_s.size
        watcher.begin()
        for frame in frames[:20]:
            watcher.watch(frame)
        assert watcher.trace.read(-1.0, 99.0).times_s.size == 19 < steps
        assert watcher.list_unscored(1.0) == ()
