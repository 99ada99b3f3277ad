from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fascnet.errors import SettingError
from fascnet.phantom.recording.timeline import Timeline


@st.composite
def draw_timeline(draw: st.DrawFn) -> Timeline:
    n_frames = draw(st.integers(2, 80))
    fps = draw(st.sampled_from([10.0, 25.0, 29.97, 30.0, 61.0]))
    cuts = draw(st.lists(st.integers(1, n_frames - 1), unique=True, max_size=6))
    kinds = draw(st.lists(st.integers(0, 5), min_size=len(cuts), max_size=len(cuts)))
    freezes: list[tuple[int, int]] = []
    start = 1
    for gap, length in draw(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 9)), max_size=3)):
        first = start + gap
        if first + length <= n_frames:
            freezes.append((first, first + length))
            start = first + length + 1
    return Timeline.make(
        n_frames,
        fps,
        freezes,
        doubled=[cut for cut, kind in zip(cuts, kinds, strict=True) if kind == 0],
        dropped=[(cut, kind) for cut, kind in zip(cuts, kinds, strict=True) if kind > 0],
    )


@given(draw_timeline())
@settings(max_examples=200)
def test_time_never_runs_backwards(timeline: Timeline) -> None:
    assert np.all(np.diff(timeline.source_s) >= 0)
    moments = np.linspace(-0.5, timeline.scan_duration_s + 0.5, 2000)
    stored = timeline.to_stored_s(moments)
    # What rounding may take back.
    assert np.all(np.diff(stored) >= -1e-12)
    assert timeline.to_stored_s(timeline.scan_duration_s) == pytest.approx(timeline.n_frames / timeline.fps)


@given(draw_timeline())
@settings(max_examples=200)
def test_round_trip_at_frame_times(timeline: Timeline) -> None:
    stored = timeline.to_stored_s(timeline.source_s)
    fresh = ~timeline.repeats
    np.testing.assert_array_equal(stored[fresh], np.arange(timeline.n_frames)[fresh] / timeline.fps)


@given(draw_timeline())
@settings(max_examples=100)
def test_repeats_are_exactly_the_frames_that_show_no_new_moment(timeline: Timeline) -> None:
    assert not timeline.repeats[0]
    np.testing.assert_array_equal(timeline.repeats[1:], np.diff(timeline.source_s) == 0)


@given(st.integers(1, 200), st.sampled_from([10.0, 29.97, 61.0]))
def test_nothing_changes_without_effects(n_frames: int, fps: float) -> None:
    timeline = Timeline.make(n_frames, fps)
    np.testing.assert_array_equal(timeline.source_s, np.arange(n_frames) / fps)
    moments = np.random.default_rng(n_frames).uniform(-1, 9, 50)
    np.testing.assert_array_equal(timeline.to_stored_s(moments), moments)
    assert timeline.to_stored_s(0.3) == 0.3
    assert timeline.scan_duration_s == n_frames / fps
    assert timeline.events() == []


def test_a_freeze_repeats_while_time_goes_on() -> None:
    timeline = Timeline.make(6, 10.0, freezes=[(2, 4)])
    np.testing.assert_allclose(timeline.source_s, [0, 0.1, 0.1, 0.1, 0.4, 0.5])
    assert timeline.repeats.tolist() == [False, False, True, True, False, False]
    assert timeline.to_stored_s(0.4) == 0.4
    assert timeline.scan_duration_s == pytest.approx(0.6)
    assert timeline.events() == [("freeze", 0.2, 0.4)]


def test_a_doubled_frame_delays_what_follows() -> None:
    timeline = Timeline.make(5, 10.0, doubled=[2])
    np.testing.assert_allclose(timeline.source_s, [0, 0.1, 0.1, 0.2, 0.3])
    assert timeline.to_stored_s(0.1) == 0.1
    assert timeline.to_stored_s(0.25) == pytest.approx(0.35)
    assert timeline.scan_duration_s == pytest.approx(0.4)
    assert timeline.events() == [("doubled_frames", 0.2, pytest.approx(0.3))]


def test_dropped_moments_map_to_the_cut() -> None:
    timeline = Timeline.make(5, 10.0, dropped=[(2, 3)])
    np.testing.assert_allclose(timeline.source_s, [0, 0.1, 0.5, 0.6, 0.7])
    np.testing.assert_allclose(
        timeline.to_stored_s(np.array([0.15, 0.2, 0.3, 0.45, 0.5])), [0.15] + [0.2] * 4
    )
    assert timeline.to_stored_s(0.65) == pytest.approx(0.35)
    assert timeline.scan_duration_s == pytest.approx(0.8)
    assert timeline.events() == [("dropped_frames", 0.2, pytest.approx(0.3))]


def test_a_doubled_frame_behind_a_freeze_prolongs_it() -> None:
    timeline = Timeline.make(7, 10.0, freezes=[(2, 4)], doubled=[4])
    np.testing.assert_allclose(timeline.source_s, [0, 0.1, 0.1, 0.1, 0.1, 0.4, 0.5])
    assert timeline.repeats.tolist() == [False, False, True, True, True, False, False]


def test_what_freeze_and_drop_hide_is_not_shown() -> None:
    timeline = Timeline.make(20, 10.0, freezes=[(5, 9)], dropped=[(12, 4)])
    assert timeline.count_shown(0.0, 0.5) == 5
    assert timeline.count_shown(0.5, 0.9) == 0
    assert timeline.count_shown(1.2, 1.6) == 0
    assert timeline.count_shown(0.0, 99.0) == int((~timeline.repeats).sum())


@pytest.mark.parametrize(
    "effects",
    [
        {"freezes": [(0, 3)]},
        {"freezes": [(3, 3)]},
        {"freezes": [(3, 11)]},
        {"freezes": [(3, 6), (5, 8)]},
        {"doubled": [0]},
        {"doubled": [10]},
        {"doubled": [4, 4]},
        {"dropped": [(4, 0)]},
        {"doubled": [4], "dropped": [(4, 2)]},
    ],
)
def test_impossible_effects_are_refused(effects: dict[str, list[tuple[int, int]]]) -> None:
    with pytest.raises(SettingError):
        Timeline.make(10, 30.0, **effects)


def test_a_file_needs_frames_and_a_rate() -> None:
    with pytest.raises(SettingError, match="n_frames"):
        Timeline.make(0, 30.0)
    with pytest.raises(SettingError, match="fps"):
        Timeline.make(5, float("nan"))
