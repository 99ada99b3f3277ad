from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from fascnet.data.labels import check_against_clip
from fascnet.phantom.picture_motion import ProbeDrift
from fascnet.phantom.scene import Scene, draw_scene, draw_subject
from fascnet.phantom.settings import PhantomSettings
from fascnet.phantom.truth import MAX_CORNERS, find_times, make_truth, make_twitch_event
from fascnet.types import FASCICULATION, Polygon


def make_scene(seed: int, **changes: object) -> Scene:
    settings = PhantomSettings(**changes)
    subject = draw_subject(settings, "s0", np.random.default_rng(seed))
    return draw_scene(settings, subject, True, np.random.default_rng(1000 + seed))


def fill(polygon: Polygon, shape: tuple[int, int], scale: int = 8) -> np.ndarray:
    big = np.zeros((shape[0] * scale, shape[1] * scale), dtype=np.uint8)
    cv2.fillPoly(big, [np.rint((np.array(polygon.points) + 0.5) * scale).astype(np.int32)], 1)
    return big[scale // 2 :: scale, scale // 2 :: scale].astype(bool)


def find_centroid(mask: np.ndarray) -> np.ndarray:
    return np.array([axis.mean() for axis in np.nonzero(mask)[::-1]])


@pytest.mark.parametrize("seed", range(6))
def test_core_and_ring_are_where_the_displacement_says(seed: int) -> None:
    scene = replace(make_scene(seed), confounders=())
    scan, twitch = scene.subject.scan, scene.twitches[0]
    event = make_twitch_event(scene, twitch)
    columns, rows = np.meshgrid(np.arange(scan.width_px), np.arange(scan.height_px))
    places = (np.stack([columns, rows], axis=-1).reshape(-1, 2) * scan.mm_per_px).astype(np.float32)
    move = twitch.displacement(places, find_times(twitch)[1]).reshape(scan.height_px, scan.width_px, 2)
    size = np.linalg.norm(move, axis=-1) / twitch.peak_mm
    for region, level in ((event.region, 0.5), (event.ignore_region, 0.15)):
        assert isinstance(region, Polygon)
        assert 3 <= len(region.points) <= MAX_CORNERS
        inside = fill(region, size.shape)
        _, parts, stats, _ = cv2.connectedComponentsWithStats((size >= level).astype(np.uint8))
        expected = parts == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
        assert np.count_nonzero(inside & expected) > 0.95 * np.count_nonzero(inside | expected)


@pytest.mark.parametrize("seed", range(6))
def test_times_are_where_the_course_crosses_the_levels(seed: int) -> None:
    twitch = make_scene(seed).twitches[0]
    onset_s, peak_s, offset_s = find_times(twitch)
    fine = np.arange(twitch.start_s, twitch.active_s[1], 0.0001)
    course = twitch.course(fine)
    assert onset_s == pytest.approx(fine[np.argmax(course >= 0.05)], abs=0.001)
    assert peak_s == pytest.approx(fine[int(course.argmax())], abs=0.001)
    assert offset_s == pytest.approx(fine[np.flatnonzero(course >= 0.1)[-1]], abs=0.001)


def test_the_core_is_carried_along_by_the_drift() -> None:
    still = replace(make_scene(0), confounders=())
    twitch = replace(still.twitches[0], centre_mm=(17.0, 16.0))
    peak_s = find_times(twitch)[1]
    scan = still.subject.scan
    # A drift that stands at its largest, 0.9 mm to the right, at the twitch's peak.
    drift = ProbeDrift((0.9, 0.0), (0.25 / peak_s, 0.1), 0.0, still.duration_s)
    still_event = make_twitch_event(still, twitch)
    moved_event = make_twitch_event(replace(still, confounders=(drift,)), twitch)
    shape = (scan.height_px, scan.width_px)
    shift = find_centroid(fill(moved_event.region, shape)) - find_centroid(fill(still_event.region, shape))
    np.testing.assert_allclose(shift, [0.9 / scan.mm_per_px, 0], atol=0.2)


def test_a_core_carried_out_of_view_is_cut_at_the_edge() -> None:
    still = replace(make_scene(0), confounders=())
    scan = still.subject.scan
    width_mm = scan.width_px * scan.mm_per_px
    twitch = replace(still.twitches[0], centre_mm=(width_mm, still.twitches[0].centre_mm[1]))
    region = make_twitch_event(still, twitch).region
    points = np.array(region.points)
    assert points[:, 0].max() == scan.width_px - 1
    assert np.count_nonzero(points[:, 0] == scan.width_px - 1) == 2


@pytest.mark.parametrize("seed", range(25))
def test_labels_fit_the_clip_and_twitches_last_as_published(seed: int) -> None:
    everything = {
        f"{name}_share": 1.0
        for name in (
            "drift",
            "jolt",
            "pulsation",
            "contraction",
            "breathing",
            "pseudotremor",
            "gain_step",
            "lost_frame",
        )
    }
    scene = make_scene(seed, **everything)
    labels = make_truth(scene, "clip")
    scan = scene.subject.scan
    check_against_clip(labels, scene.duration_s, scan.width_px, scan.height_px)
    found = labels.fasciculations()
    assert len(found) == len(scene.twitches) >= 1
    for event in found:
        assert 0.1 <= event.offset_s - event.onset_s <= 0.85
        assert event.onset_s < event.peak_s < event.offset_s <= scene.duration_s
    names = {event.label for event in labels.events} - {FASCICULATION}
    assert names == {
        "probe_motion",
        "arterial_pulsation",
        "voluntary_contraction",
        "breathing",
        "pseudotremor",
        "gain_step",
        "freeze",
    }
    assert labels.examined == ((0.0, scene.duration_s),)
