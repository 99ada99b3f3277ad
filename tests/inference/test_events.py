from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from fascnet.errors import SettingError
from fascnet.inference.events import EventFinder
from fascnet.types import Event, EventDefinition, Point

FPS = 10.0
PLAIN = EventDefinition(0.5, 0.3, 0.0, 0.0)


def find(heatmaps, definition=PLAIN, fps=FPS, box=None, mm_per_px=None, end_s=None):
    _, h, w = heatmaps.shape
    finder = EventFinder(definition, fps, (h, w), (0, 0, w, h) if box is None else box, mm_per_px)
    events = [event for heatmap in heatmaps for event in finder.push(heatmap)]
    return [*events, *finder.finish(end_s)], finder


def test_one_known_event():
    heat = np.zeros((20, 4, 6))
    heat[5:9, 1:3, 2:4] = [[[0.4]], [[0.8]], [[0.9]], [[0.35]]]
    events, finder = find(heat, box=(10, 20, 70, 60), mm_per_px=0.1)
    (event,) = events
    assert (event.onset_s, event.offset_s, event.peak_s) == pytest.approx((0.5, 0.9, 0.7))
    # Cells are 10 px wide: columns 2-3 cover pixels 30..49, rows 1-2 pixels 30..49; their middle is 39.5.
    assert (event.region.x, event.region.y) == pytest.approx((39.5, 39.5))
    assert event.score == pytest.approx(0.9)
    assert event.area_px == pytest.approx(400.0)
    assert event.area_mm2 == pytest.approx(4.0)
    assert finder.measure_covered(events) == pytest.approx(4 / 24)
    assert (finder.footprint(event).cells() == (heat.max(axis=0) > 0)).all()
    assert (finder.footprint(dataclasses.replace(event, label="pseudotremor")).cells().sum()) == 4


def test_centroid_is_weighted_by_probability():
    heat = np.zeros((3, 3, 5))
    heat[1, 1, 1], heat[1, 1, 2] = 0.9, 0.3
    (event,), _ = find(heat)
    assert event.region.x == pytest.approx((1 * 0.9 + 2 * 0.3) / 1.2)
    assert event.region.y == pytest.approx(1.0)
    assert event.area_mm2 is None


def test_two_foci_at_one_moment_are_two_events():
    heat = np.zeros((10, 5, 9))
    heat[3:6, 1:3, 1:3] = 0.8
    heat[3:6, 1:3, 6:8] = 0.7
    events, _ = find(heat)
    assert [(e.onset_s, e.offset_s) for e in events] == [(0.3, 0.6)] * 2
    assert sorted(e.region.x for e in events) == pytest.approx([1.5, 6.5])


def test_cells_that_touch_by_a_corner_are_one_event():
    heat = np.zeros((3, 4, 4))
    heat[1, 1, 1] = heat[1, 2, 2] = 0.8
    assert len(find(heat)[0]) == 1


def test_foci_that_grow_together_become_one_event_with_the_earlier_onset():
    heat = np.zeros((8, 3, 7))
    heat[1:4, 1, 1] = 0.8
    heat[2:4, 1, 5] = 0.6
    heat[4, 1, 1:6] = 0.7
    events, _ = find(heat)
    (event,) = events
    assert (event.onset_s, event.offset_s, event.peak_s) == pytest.approx((0.1, 0.5, 0.4))


def test_three_events_joined_at_once():
    heat = np.zeros((4, 3, 9))
    heat[1, 1, [0, 4, 8]] = 0.8
    heat[2, 1, :] = 0.6
    assert len(find(heat)[0]) == 1


def test_weak_activity_is_no_event_and_extends_a_strong_one():
    heat = np.zeros((10, 3, 3))
    heat[1:4, 0, 0] = 0.4
    heat[5:9, 2, 2] = [0.35, 0.6, 0.4, 0.2]
    events, finder = find(heat)
    assert [(e.onset_s, e.offset_s) for e in events] == [pytest.approx((0.5, 0.8))]
    assert finder.measure_covered(events) == pytest.approx(1 / 9)


@pytest.mark.parametrize(("gap", "n_events"), [(1, 1), (2, 2), (3, 2)])
def test_gaps_shorter_than_min_off_are_bridged(gap, n_events):
    heat = np.zeros((20, 3, 3))
    heat[4:7, 1, 1] = heat[7 + gap : 10 + gap, 1, 1] = 0.9
    events, _ = find(heat, dataclasses.replace(PLAIN, min_off_s=0.2))
    assert len(events) == n_events


def test_a_gap_is_bridged_at_one_place_only():
    heat = np.zeros((20, 3, 9))
    heat[4:7, 1, 1] = heat[8:11, 1, 7] = 0.9
    assert len(find(heat, dataclasses.replace(PLAIN, min_off_s=0.5))[0]) == 2


@pytest.mark.parametrize(("ticks", "kept"), [(1, False), (2, True), (3, True)])
def test_min_on_of_67_ms_is_two_ticks_at_30_hz(ticks, kept):
    heat = np.zeros((12, 3, 3))
    heat[4 : 4 + ticks, 1, 1] = 0.9
    events, _ = find(heat, dataclasses.replace(PLAIN, min_on_s=0.067), fps=30.0)
    assert bool(events) is kept


def test_padding_is_clipped_to_the_clip():
    heat = np.zeros((10, 3, 3))
    heat[0:2, 0, 0] = heat[8:10, 2, 2] = 0.9
    events, _ = find(heat, dataclasses.replace(PLAIN, pad_onset_s=0.15, pad_offset_s=0.5), end_s=0.95)
    assert [(e.onset_s, e.offset_s) for e in events] == [
        pytest.approx((0.0, 0.7)),
        pytest.approx((0.65, 0.95)),
    ]


@pytest.mark.parametrize(("pad_peak_s", "peak_s"), [(0.0, 0.5), (0.1, 0.4), (0.4, 0.2)])
def test_the_peak_moves_to_the_onset_at_most(pad_peak_s, peak_s):
    heat = np.zeros((10, 3, 3))
    heat[2:7, 1, 1] = (0.6, 0.7, 0.8, 0.9, 0.8)
    events, _ = find(heat, dataclasses.replace(PLAIN, pad_peak_s=pad_peak_s))
    assert [(e.onset_s, e.peak_s) for e in events] == [pytest.approx((0.2, peak_s))]


def test_padding_does_not_reach_beyond_the_end_for_an_event_closed_earlier():
    heat = np.zeros((10, 3, 3))
    heat[4:6, 0, 0] = 0.9
    events, _ = find(heat, dataclasses.replace(PLAIN, pad_offset_s=3.0))
    assert events[0].offset_s == pytest.approx(1.0)


def test_clips_without_ticks_or_activity_have_no_events():
    assert find(np.zeros((0, 3, 3)))[0] == []
    assert find(np.zeros((5, 3, 3)))[0] == []
    assert len(find(np.ones((5, 3, 3)))[0]) == 1


def test_events_come_out_as_soon_as_they_are_over():
    finder = EventFinder(PLAIN, FPS, (2, 2), (0, 0, 2, 2))
    assert finder.push(np.full((2, 2), 0.9)) == []
    assert len(finder.push(np.zeros((2, 2)))) == 1
    assert finder.finish() == []


@pytest.mark.parametrize(
    "change",
    [{"onset_threshold": 0.2}, {"offset_threshold": 0.0}, {"min_on_s": -1.0}, {"pad_offset_s": float("nan")}],
)
def test_impossible_definitions_are_refused(change):
    with pytest.raises(SettingError):
        EventFinder(dataclasses.replace(PLAIN, **change), FPS, (2, 2), (0, 0, 2, 2))


grids = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 7), st.integers(1, 5), st.integers(1, 5)),
    elements=st.sampled_from([0.0, 0.1, 0.35, 0.4, 0.6, 0.9]),
)


@settings(max_examples=150)
@given(grids)
def test_equals_components_of_the_whole_clip(heat):
    """With `min_off_s` 0 an event is a connected component in space and time."""
    touching = np.zeros((3, 3, 3), dtype=bool)
    touching[1] = True
    touching[:, 1, 1] = True
    labels, count = ndimage.label(heat >= 0.3, structure=touching)
    strong = [k for k in range(1, count + 1) if heat[labels == k].max() >= 0.5]
    spans = []
    for k in strong:
        t = np.nonzero(labels == k)[0]
        spans.append((t.min() / FPS, (t.max() + 1) / FPS))
    events, finder = find(heat)
    assert sorted((e.onset_s, e.offset_s) for e in events) == sorted(spans)
    assert finder.measure_covered(events) == pytest.approx(
        np.isin(labels, strong).any(axis=0).mean() if strong else 0.0
    )


@settings(max_examples=50)
@given(grids, st.sampled_from([0.0, 0.2, 0.35]))
def test_events_are_sound_and_ordered(heat, min_off_s):
    rule = EventDefinition(0.5, 0.3, 0.15, min_off_s, 0.05, 0.05)
    events, _ = find(heat, rule)
    end = len(heat) / FPS
    for event in events:
        assert isinstance(event, Event)
        assert isinstance(event.region, Point)
        assert 0.0 <= event.onset_s <= event.peak_s < event.offset_s <= end + 1e-9
        assert 0.3 <= event.score <= 1.0
        assert -0.5 <= event.region.x <= heat.shape[2] - 0.5


@pytest.mark.parametrize(("join_cells", "n_events"), [(0, 2), (2, 2), (3, 1), (4, 1)])
def test_parts_as_near_as_join_cells_are_one_event(join_cells: int, n_events: int) -> None:
    heat = np.zeros((10, 5, 9))
    heat[3:6, 1:3, 1:3] = 0.8
    heat[3:6, 1:3, 6:8] = 0.7  # three cells lie between them
    events, finder = find(heat, dataclasses.replace(PLAIN, join_cells=join_cells))
    assert len(events) == n_events
    # What lies between is not covered.
    assert finder.measure_covered(events) == pytest.approx(8 / 45)


@pytest.mark.parametrize(("min_cells", "n_events"), [(1, 1), (4, 1), (5, 0)])
def test_an_event_must_cover_min_cells_at_one_tick(min_cells: int, n_events: int) -> None:
    heat = np.zeros((10, 5, 9))
    heat[3, 1, 1] = 0.8
    heat[4, 1:3, 1:3] = 0.8
    heat[5, 2, 1:3] = 0.8
    assert len(find(heat, dataclasses.replace(PLAIN, min_cells=min_cells))[0]) == n_events


@pytest.mark.parametrize("wrong", [{"join_cells": -1}, {"min_cells": 0}, {"min_cells": 2.5}])
def test_wrong_cell_counts_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(SettingError, match="give a whole number"):
        EventFinder(dataclasses.replace(PLAIN, **wrong), FPS, (4, 4), (0, 0, 4, 4))


def test_areas_of_pixels_that_are_not_square() -> None:
    heatmaps = np.zeros((20, 4, 4), np.float32)
    heatmaps[5:12, 1:3, 1:3] = 0.9
    areas = []
    for aspect in (1.0, 2.0):
        finder = EventFinder(EventDefinition(), 30.0, (4, 4), (0, 0, 32, 32), 0.1, aspect)
        found = [event for heatmap in heatmaps for event in finder.push(heatmap)] + finder.finish()
        areas.append((found[0].area_px, found[0].area_mm2))
    assert areas[0][0] == areas[1][0]
    assert areas[1][1] == pytest.approx(2 * areas[0][1])
