from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fascnet.data.labelling.labels import check_against_clip
from fascnet.data.labelling.regions import find_centre, measure_area_px, rasterise_region
from fascnet.phantom.movement.confounders import Pseudotremor
from fascnet.phantom.movement.motion import Twitch
from fascnet.phantom.movement.picture_motion import ProbeDrift
from fascnet.phantom.movement.restlessness import draw_restlessness
from fascnet.phantom.movement.tissue_motion import TissueMotion
from fascnet.phantom.outline import MAX_CORNERS
from fascnet.phantom.recording.timeline import Timeline
from fascnet.phantom.scene import draw_scene, draw_subject
from fascnet.phantom.settings import PhantomSettings
from fascnet.phantom.truth import find_times, make_truth
from fascnet.types import FASCICULATION, Event, Polygon

from .tiny import CONTACT_LOSS, FPS, FRAME, JOLT, TWITCH, make_places, make_script, measure_size, switch

SHAPE = (FRAME.height_px, FRAME.width_px)
BOX = (0, 0, FRAME.width_px, FRAME.height_px)
CRESCENT = replace(TWITCH, semi_short_mm=1.6, bend_mm=2.0)
SPLIT = replace(TWITCH, semi_long_mm=6.0, semi_short_mm=2.0, lobe_mm=4.0)
DOUBLET = replace(TWITCH, second_delay_s=0.12, second_gain=0.9)


def find_event(twitch: Twitch, frame: object = FRAME, **changes: object) -> Event:
    """The one twitch's event."""
    (event,) = make_truth(make_script(twitches=(twitch,), **changes), frame, "clip").fasciculations()  # type: ignore[arg-type]
    return event


def list_events(label: str, **changes: object) -> list[tuple[float, float]]:
    events = make_truth(make_script(**changes), FRAME, "clip").events  # type: ignore[arg-type]
    return [(event.onset_s, event.offset_s) for event in events if event.label == label]


@pytest.mark.parametrize("twitch", [TWITCH, DOUBLET, replace(TWITCH, tail=0.3, skew=1.2)])
def test_times_are_where_the_course_crosses_the_levels(twitch: Twitch) -> None:
    fine = np.arange(twitch.start_s, twitch.active_s[1], 0.0001)
    course = twitch.course(fine)
    onset_s, peak_s, offset_s = find_times(twitch)
    assert onset_s == pytest.approx(fine[np.argmax(course >= 0.05)], abs=0.001)
    assert peak_s == pytest.approx(fine[int(course.argmax())], abs=0.002)
    assert offset_s == pytest.approx(fine[np.flatnonzero(course >= 0.1)[-1]], abs=0.001)
    event = find_event(twitch)
    assert (event.onset_s, event.peak_s, event.offset_s) == (onset_s, peak_s, offset_s)


@pytest.mark.parametrize("twitch", [TWITCH, CRESCENT, SPLIT], ids=["ellipse", "crescent", "split"])
def test_core_and_ring_are_where_the_displacement_says(twitch: Twitch) -> None:
    event = find_event(twitch)
    size = measure_size(twitch, find_times(twitch)[1])
    assert size.max() == pytest.approx(1.0, abs=0.03)
    for region, level in ((event.region, 0.5), (event.ignore_region, 0.15)):
        assert isinstance(region, Polygon)
        # Two lobes, and the bridge there and back.
        assert 3 <= len(region.points) <= (2 * MAX_CORNERS + 2 if twitch is SPLIT else MAX_CORNERS)
        inside = rasterise_region(region, BOX, SHAPE)
        expected = size >= level
        assert np.count_nonzero(inside & expected) > 0.93 * np.count_nonzero(inside | expected)
    assert event.region is not None and event.ignore_region is not None
    core, ring = (rasterise_region(r, BOX, SHAPE) for r in (event.region, event.ignore_region))
    assert np.all(ring[core]) and np.count_nonzero(ring) > 2 * np.count_nonzero(core)


def test_a_split_core_is_two_lobes_of_the_right_area() -> None:
    region = find_event(SPLIT).region
    assert region is not None
    expected = measure_size(SPLIT, find_times(SPLIT)[1]) >= 0.5
    row = expected[round(15.0 / FRAME.mm_per_px), :]
    assert np.count_nonzero(np.diff(row.astype(int)) == 1) == 2, "not split: this test would show nothing"
    inside = rasterise_region(region, BOX, SHAPE)
    assert np.count_nonzero(inside) == pytest.approx(np.count_nonzero(expected), rel=0.06)
    assert measure_area_px(region) == pytest.approx(np.count_nonzero(expected), rel=0.06)


def test_peak_mm_is_what_the_tissue_does() -> None:
    """One alone moves tissue by its own peak; of two that meet, each by less than it would alone."""
    other = replace(TWITCH, start_s=0.52, focus=1)
    for twitches in ((TWITCH,), (TWITCH, other)):
        script = make_script(twitches=twitches)
        motion = TissueMotion(script, make_places())
        events = make_truth(script, FRAME, "clip").fasciculations()
        found = [event.peak_mm for event in events]
        largest = max(
            float(np.hypot(*(motion.displace(float(t_s)) - make_places()).T).max())
            for t_s in np.arange(0.5, 0.8, 0.01)
        )
        assert None not in found
        if len(twitches) == 1:
            assert found == [pytest.approx(largest, rel=0.02)]
        else:
            assert all(0.25 < size < TWITCH.peak_mm for size in found if size is not None)
            assert largest == pytest.approx(sum(size for size in found if size is not None), rel=0.1)


def test_the_core_is_carried_along_by_the_probe() -> None:
    shift = np.subtract(
        find_centre(find_event(TWITCH, confounders=(JOLT,)).region), find_centre(find_event(TWITCH).region)
    )
    np.testing.assert_allclose(shift, [0.6 / FRAME.mm_per_px, -0.4 / FRAME.mm_per_px], atol=0.05)


def test_what_never_rests_carries_the_core_and_is_no_event() -> None:
    restless = draw_restlessness(0.4, 0.0, 30.0, 2.0, np.random.default_rng(1))
    move_mm = restless.displacement(np.float32([TWITCH.centre_mm]), find_times(TWITCH)[1])[0]
    assert np.hypot(*move_mm) > 0.2, "hardly moves: this test would show nothing"
    labels = make_truth(make_script(twitches=(TWITCH,), background=(restless,)), FRAME, "clip")
    (event,) = labels.events
    shift = np.subtract(find_centre(event.region), find_centre(find_event(TWITCH).region))
    np.testing.assert_allclose(shift, move_mm / FRAME.mm_per_px, atol=0.1)


@pytest.mark.parametrize(("x_mm", "is_seen"), [(8.0, True), (26.0, False)])
def test_a_twitch_under_a_lifted_probe_is_not_labelled(x_mm: float, is_seen: bool) -> None:
    """The right side is off the skin at the twitch's peak, the left is not."""
    loss = replace(CONTACT_LOSS, start_s=0.2, fade_s=0.2, hold_s=1.0, from_side=1, reach=0.5)
    script = make_script(twitches=(replace(TWITCH, centre_mm=(x_mm, 15.0)),), contact_losses=(loss,))
    labels = make_truth(script, FRAME, "clip")
    assert len(labels.fasciculations()) == is_seen
    assert [event.label for event in labels.events if event.label != FASCICULATION] == ["lift_off"]


def test_the_core_is_where_it_is_at_its_peak() -> None:
    """A drift that stands at 0.9 mm to the right at the peak and elsewhere at other moments."""
    peak_s = find_times(TWITCH)[1]
    drift = ProbeDrift((0.9, 0.0), (0.25 / peak_s, 0.1), 0.0, 2.0)
    moved = find_centre(find_event(TWITCH, confounders=(drift,)).region)
    shift = np.subtract(moved, find_centre(find_event(TWITCH).region))
    np.testing.assert_allclose(shift, [0.9 / FRAME.mm_per_px, 0], atol=0.05)


def test_a_core_at_the_edge_is_cut_there() -> None:
    width_mm = FRAME.width_px * FRAME.mm_per_px
    region = find_event(replace(TWITCH, centre_mm=(width_mm, 15.0))).region
    assert isinstance(region, Polygon)
    assert np.array(region.points)[:, 0].max() == FRAME.width_px - 1


def test_labels_shift_with_the_screen() -> None:
    tremor = Pseudotremor((TWITCH,), ((0.2, 0.35, 0.5),))
    script = make_script(twitches=(TWITCH, SPLIT), confounders=(tremor,))
    bare = make_truth(script, FRAME, "clip")
    framed = make_truth(script, replace(FRAME, offset_px=(213, 57)), "clip")
    assert len(bare.events) == len(framed.events) == 3
    for first, second in zip(bare.events, framed.events, strict=True):
        assert replace(first, region=None, ignore_region=None) == replace(
            second, region=None, ignore_region=None
        )
        for before, after in ((first.region, second.region), (first.ignore_region, second.ignore_region)):
            if before is None:
                assert after is None and first.label != FASCICULATION
                continue
            assert isinstance(before, Polygon) and isinstance(after, Polygon)
            np.testing.assert_allclose(np.subtract(after.points, before.points) - (213, 57), 0, atol=0.011)


# File time. The twitch moves in frames 10-19 or so of the scan: onset 0.514 s, peak 0.6 s.
def test_frames_missing_before_a_twitch_make_it_earlier() -> None:
    plain = find_event(TWITCH)
    event = find_event(TWITCH, timeline=Timeline.make(40, FPS, dropped=[(5, 3)]))
    for name in ("onset_s", "peak_s", "offset_s"):
        assert getattr(event, name) == pytest.approx(getattr(plain, name) - 3 / FPS)
    assert event.region == plain.region and event.peak_mm == plain.peak_mm


def test_doubled_frames_before_a_twitch_make_it_later() -> None:
    plain = find_event(TWITCH)
    event = find_event(TWITCH, timeline=Timeline.make(40, FPS, doubled=[3, 7]))
    for name in ("onset_s", "peak_s", "offset_s"):
        assert getattr(event, name) == pytest.approx(getattr(plain, name) + 2 / FPS)


def test_frames_missing_within_a_twitch_make_it_shorter() -> None:
    plain = find_event(TWITCH)
    event = find_event(TWITCH, timeline=Timeline.make(40, FPS, dropped=[(13, 2)]))
    assert event.onset_s == plain.onset_s
    assert event.offset_s == pytest.approx(plain.offset_s - 2 / FPS)
    assert event.peak_s is not None and event.onset_s <= event.peak_s <= event.offset_s


def test_what_comes_after_a_twitch_does_not_matter() -> None:
    late = Timeline.make(40, FPS, freezes=[(30, 34)], doubled=[35], dropped=[(37, 2)])
    assert find_event(TWITCH, timeline=late) == find_event(TWITCH)


@pytest.mark.parametrize(
    "timeline",
    [
        Timeline.make(40, FPS, freezes=[(8, 30)]),
        Timeline.make(40, FPS, dropped=[(9, 15)]),
    ],
    ids=["frozen", "dropped"],
)
def test_a_twitch_that_no_frame_shows_is_not_labelled(timeline: Timeline) -> None:
    labels = make_truth(make_script(timeline=timeline, twitches=(TWITCH,)), FRAME, "clip")
    assert labels.fasciculations() == ()
    assert [event.label for event in labels.events] in (["freeze"], ["dropped_frames"])


def test_a_twitch_that_begins_under_a_freeze_and_outlives_it_is_labelled() -> None:
    event = find_event(TWITCH, timeline=Timeline.make(40, FPS, freezes=[(8, 14)]))
    assert event.onset_s == find_event(TWITCH).onset_s


def test_a_twitch_past_the_end_is_not_labelled_and_one_cut_by_it_ends_there() -> None:
    script = make_script(n_frames=10, twitches=(replace(TWITCH, start_s=0.6),))
    assert make_truth(script, FRAME, "clip").events == ()
    (event,) = make_truth(make_script(n_frames=13, twitches=(TWITCH,)), FRAME, "clip").events
    assert event.offset_s == pytest.approx(0.65)
    assert event.peak_s is not None and event.peak_s <= event.offset_s


def test_a_twitch_that_began_before_the_clip_starts_with_it() -> None:
    event = find_event(replace(TWITCH, start_s=-0.05))
    assert event.onset_s == 0.0
    assert event.peak_s == pytest.approx(0.05, abs=0.01)
    late = find_event(replace(TWITCH, start_s=-0.15))
    assert late.onset_s == 0.0 and late.peak_s is None and late.region is not None


def test_confounders_are_events_of_their_name_and_time() -> None:
    assert list_events("probe_motion", confounders=(JOLT,)) == [pytest.approx((0.1, 0.3))]
    assert list_events("lift_off", contact_losses=(CONTACT_LOSS,)) == [pytest.approx((1.0, 1.7))]
    assert list_events("gain_step", gain_steps=((0.7, 3.0), (1.2, -2.0))) == [
        pytest.approx((0.7, 0.8)),
        pytest.approx((1.2, 1.3)),
    ]
    shifted = Timeline.make(40, FPS, doubled=[2, 4])
    assert list_events("gain_step", gain_steps=((0.7, 3.0),), timeline=shifted) == [pytest.approx((0.8, 0.9))]


def test_what_the_export_does_is_in_file_time() -> None:
    timeline = Timeline.make(40, FPS, freezes=[(8, 11)], doubled=[20], dropped=[(30, 4)])
    assert list_events("freeze", timeline=timeline) == [pytest.approx((0.4, 0.55))]
    assert list_events("doubled_frames", timeline=timeline) == [pytest.approx((1.0, 1.05))]
    assert list_events("dropped_frames", timeline=timeline) == [pytest.approx((1.5, 1.55))]
    jumps = list_events("codec_keyframe", codec=(50.0, 15, False))
    assert jumps == [pytest.approx((0.75, 0.8)), pytest.approx((1.5, 1.55))]


def test_a_local_confounder_is_one_event_at_each_place() -> None:
    units = (replace(TWITCH, peak_mm=0.1), replace(TWITCH, centre_mm=(22.0, 22.0), semi_long_mm=3.0))
    tremor = Pseudotremor(units, ((0.3, 0.45), (0.35, 0.5, 0.65)))
    events = make_truth(make_script(confounders=(tremor,)), FRAME, "clip").events
    assert [event.label for event in events] == ["pseudotremor"] * 2
    for event, unit in zip(events, units, strict=True):
        assert event.onset_s == pytest.approx(0.3)
        assert event.region == find_event(unit).region
        assert event.peak_mm is None and event.ignore_region is None


@pytest.mark.parametrize("seed", range(8))
def test_labels_of_drawn_clips_fit_the_clip(seed: int) -> None:
    shares = switch(1.0)
    shares["recording"] |= {"keyframe_period": [12, 50], "freeze_s": [0.1, 0.2]}  # type: ignore[dict-item]
    settings = PhantomSettings.from_mapping(shares)
    subject = draw_subject(settings, "s0", np.random.default_rng(seed))
    scene = draw_scene(settings, subject, True, np.random.default_rng(1000 + seed))
    labels = make_truth(scene.script, scene.picture_frame, "clip")
    height, width = scene.stored_size
    check_against_clip(labels, scene.script.duration_s, width, height)
    assert labels.examined == ((0.0, scene.script.duration_s),)
    assert (labels.clip_id, labels.rater) == ("clip", "truth")
    onsets = [event.onset_s for event in labels.events]
    assert onsets == sorted(onsets)
    found = labels.fasciculations()
    assert 0 <= len(scene.script.twitches) - len(found) <= 3
    low, high = settings.twitches.peak_mm
    for event in found:
        assert 0 < event.offset_s - event.onset_s <= 1.2
        assert event.peak_mm is not None and 0 < event.peak_mm <= high
        assert low > 0
