from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fascnet.data.labelling.targets import (
    BACKGROUND,
    SOMEWHERE,
    TWITCH,
    UNKNOWN,
    Stencil,
    cut_stencils,
    mark_somewhere,
    paint_stencils,
    rasterise_truth,
)
from fascnet.types import Box, Event, Interval, Labels, Point, Polygon

BOX = (0, 0, 40, 32)
SHAPE = (8, 10)
WHOLE = (slice(0, 8), slice(0, 10))


def make(*events: Event, examined: tuple[Interval, ...] = ((0.0, 1.0),)) -> Labels:
    return Labels("c", "r", examined, events)


def at(*times_s: float) -> NDArray[np.float64]:
    return np.array(times_s)


def test_truth_is_in_the_region_during_the_event() -> None:
    event = Event(0.2, 0.5, region=Box(-0.5, -0.5, 15.5, 7.5))
    truth, valid = rasterise_truth(make(event), at(0.19, 0.2, 0.49, 0.5), BOX, SHAPE)
    wanted = np.zeros(SHAPE, bool)
    wanted[:2, :4] = True
    assert [frame.any() for frame in truth] == [False, True, True, False]
    assert np.array_equal(truth[1], wanted)
    assert valid.all()


def test_outside_the_examined_seconds_nothing_is_known() -> None:
    event = Event(0.0, 1.0, region=Box(0, 0, 16, 8))
    labels = make(event, examined=((0.2, 0.4), (0.6, 0.8)))
    truth, valid = rasterise_truth(labels, at(0.1, 0.2, 0.39, 0.4, 0.6, 0.79, 0.8), BOX, SHAPE)
    assert [frame.all() for frame in valid] == [False, True, True, False, True, True, False]
    assert [frame.any() for frame in valid] == [False, True, True, False, True, True, False]
    assert not (truth & ~valid).any()


def test_an_event_without_region_may_be_anywhere() -> None:
    truth, valid = rasterise_truth(make(Event(0.2, 0.5)), at(0.1, 0.3), BOX, SHAPE)
    assert not truth.any()
    assert valid[0].all() and not valid[1].any()


def test_one_with_region_is_known_beside_one_without() -> None:
    here = Event(0.2, 0.5, region=Box(-0.5, -0.5, 15.5, 7.5))
    truth, valid = rasterise_truth(make(Event(0.2, 0.5), here), at(0.3), BOX, SHAPE)
    assert truth[0, :2, :4].all() and truth.sum() == 8
    assert np.array_equal(truth, valid)


def test_the_ring_is_unknown_and_the_core_wins_over_any_ring() -> None:
    ringed = Event(0.2, 0.5, region=Box(-0.5, -0.5, 7.5, 7.5), ignore_region=Box(-0.5, -0.5, 23.5, 15.5))
    neighbour = Event(0.3, 0.6, region=Box(15.5, -0.5, 23.5, 7.5))
    for events in ((ringed, neighbour), (neighbour, ringed)):
        truth, valid = rasterise_truth(make(*events), at(0.25, 0.4, 0.55), BOX, SHAPE)
        assert truth.sum(axis=(1, 2)).tolist() == [4, 8, 4]
        assert valid[:, 0, 0].all() and truth[:2, 0, 0].all()
        assert not valid[0, 0, 4] and truth[1:, 0, 4].all()
        assert not valid[1, 3, 0] and valid[2, 3, 0]


def test_confounders_are_background() -> None:
    truth, valid = rasterise_truth(
        make(Event(0.0, 1.0, label="voluntary_contraction", region=Box(0, 0, 40, 32))), at(0.5), BOX, SHAPE
    )
    assert valid.all() and not truth.any()


def test_no_event_is_a_statement_too() -> None:
    truth, valid = rasterise_truth(make(), at(0.5, 1.5), BOX, SHAPE)
    assert not truth.any()
    assert valid[0].all() and not valid[1].any()


def test_a_part_of_the_grid_is_painted_like_the_whole() -> None:
    labels = make(Event(0.0, 1.0, region=Box(8, 8, 30, 20), ignore_region=Box(4, 4, 36, 26)))
    stencils = cut_stencils(labels, BOX, SHAPE, weak=False)
    whole = paint_stencils(stencils, labels.examined, at(0.5, 2.0), *WHOLE)
    part = paint_stencils(stencils, labels.examined, at(0.5, 2.0), slice(2, 6), slice(1, 9))
    assert set(np.unique(whole)) == {BACKGROUND, TWITCH, UNKNOWN}
    assert np.array_equal(part, whole[:, 2:6, 1:9])


def test_stencils_stand_in_order_of_onset() -> None:
    stencils = cut_stencils(make(Event(0.5, 0.6), Event(0.1, 0.2)), BOX, SHAPE)
    assert [(s.onset_s, s.offset_s) for s in stencils] == [(0.1, 0.2), (0.5, 0.6)]
    assert all(isinstance(s, Stencil) and (s.place == UNKNOWN).all() for s in stencils)


def test_regions_are_laid_over_the_imaging_area() -> None:
    event = Event(0.0, 1.0, region=Box(99.5, 49.5, 109.5, 59.5))
    truth, _ = rasterise_truth(make(event), at(0.5), (100, 50, 140, 82), SHAPE)
    assert truth[0, 0, 0] and truth[0, 1, 1]
    assert not truth[0, 4:].any() and not truth[0, :, 4:].any()


def places(event: Event, mm_per_px: float | None, weak: bool = True) -> NDArray[np.uint8]:
    """A stencil on cells of one pixel, 300x200."""
    (stencil,) = cut_stencils(make(event), (0, 0, 300, 200), (200, 300), mm_per_px, weak=weak)
    return stencil.place


def test_a_click_is_a_small_disc_in_a_wide_ring_of_the_unknown() -> None:
    place = places(Event(0.2, 0.5, region=Point(150, 100)), 0.1)
    row = place[100]
    assert (row[150 - 10 : 150 + 11] == TWITCH).all() and row[150 + 11] == UNKNOWN
    assert row[150 + 80] == UNKNOWN and row[150 + 81] == BACKGROUND and row[150 - 81] == BACKGROUND
    assert (place == TWITCH).sum() == pytest.approx(np.pi * 10.5**2, rel=0.03)


def test_in_pixels_that_are_not_square_sizes_are_round_on_tissue() -> None:
    """Pixels of 0.1 mm down and 0.2 mm across."""
    click, box = Event(0.2, 0.5, region=Point(150, 100)), Event(0.2, 0.5, region=Box(9.5, 9.5, 289.5, 189.5))
    (place,) = (s.place for s in cut_stencils(make(click), (0, 0, 300, 200), (200, 300), 0.1, 2.0))
    row, column = place[100], place[:, 150]
    assert (row == TWITCH).sum() == 11 and (column == TWITCH).sum() == 21
    assert (row != BACKGROUND).sum() == 81 and (column != BACKGROUND).sum() == 161
    (place,) = (s.place for s in cut_stencils(make(box), (0, 0, 300, 200), (200, 300), 0.1, 2.0))
    rows, columns = np.nonzero(place == TWITCH)
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (pytest.approx(45, abs=1), pytest.approx(22.5, abs=1))
    (truth,), _ = rasterise_truth(make(click), at(0.3), (0, 0, 300, 200), (200, 300), None, 2.0)
    assert (truth[:, 150].sum(), truth[100].sum()) == (31, 15)


def test_without_a_scale_a_click_is_the_published_tolerance() -> None:
    row = places(Event(0.2, 0.5, region=Point(150, 100)), None)[100]
    assert (row[150 - 15 : 150 + 16] == TWITCH).all() and row[150 + 16] == UNKNOWN
    assert row[150 + 114] == UNKNOWN and row[150 + 115] == BACKGROUND


def test_a_box_is_known_in_its_middle_and_outside() -> None:
    place = places(Event(0.2, 0.5, region=Box(99.5, 79.5, 139.5, 99.5)), 0.1)
    inside = np.zeros((200, 300), bool)
    inside[80:100, 100:140] = True
    assert (place[~inside] == BACKGROUND).all() and (place[inside] != BACKGROUND).all()
    # An ellipse of half its sides: 20 by 10 pixels.
    assert place[89, 111] == TWITCH and place[89, 108] == UNKNOWN and place[83, 119] == UNKNOWN
    assert (place == TWITCH).sum() == pytest.approx(np.pi * 10 * 5, rel=0.06)


def test_a_large_box_is_not_known_all_through_its_middle() -> None:
    place = places(Event(0.2, 0.5, region=Box(9.5, 9.5, 289.5, 189.5)), 0.05)
    # Half the short axis of a motor unit, 2.25 mm, is 45 pixels.
    assert (place == TWITCH).sum() == pytest.approx(np.pi * 45**2, rel=0.02)


def test_outlines_say_all_and_boxes_can_be_taken_at_their_word() -> None:
    corners = ((99.5, 79.5), (139.5, 79.5), (139.5, 99.5), (99.5, 99.5))
    outline = places(Event(0.2, 0.5, region=Polygon(corners)), 0.1)
    word = places(Event(0.2, 0.5, region=Box(99.5, 79.5, 139.5, 99.5)), 0.1, weak=False)
    assert np.array_equal(outline, word) and set(np.unique(word)) == {BACKGROUND, TWITCH}
    clicked = places(Event(0.2, 0.5, region=Point(150, 100)), 0.1, weak=False)
    assert (clicked[100] == TWITCH).sum() == 21 and UNKNOWN not in clicked


def test_a_tiny_box_or_click_still_teaches_a_cell() -> None:
    for region in (Box(20.1, 20.1, 20.2, 20.2), Point(20, 20)):
        (stencil,) = cut_stencils(make(Event(0.2, 0.5, region=region)), (0, 0, 400, 320), SHAPE, 0.5)
        assert (stencil.place == TWITCH).sum() >= 1


def test_the_benchmark_takes_boxes_at_their_word_unless_asked() -> None:
    labels = make(Event(0.2, 0.5, region=Box(-0.5, -0.5, 15.5, 15.5)))
    truth, valid = rasterise_truth(labels, at(0.3), BOX, SHAPE)
    assert truth.sum() == 16 and valid.all()
    truth, valid = rasterise_truth(labels, at(0.3), BOX, SHAPE, weak=True)
    assert 0 < truth.sum() < 16 and valid.sum() == truth.sum() + 80 - 16


def find_somewhere(labels: Labels, *times_s: float) -> list[list[int]]:
    """Which of two cells, one unknown and one known, is `SOMEWHERE`."""
    painted = np.tile(np.array([UNKNOWN, BACKGROUND], np.uint8), (len(times_s), 1, 1))
    mark_somewhere(painted, labels, at(*times_s))
    return (painted[:, 0] == SOMEWHERE).astype(int).tolist()


def test_events_without_a_place_still_say_when() -> None:
    labels = make(
        Event(0.2, 0.4),
        Event(0.3, 0.5, region=Point(1, 1)),
        Event(0.6, 0.7, label="breathing"),
        examined=((0.0, 0.45), (0.6, 1.0)),
    )
    found = find_somewhere(labels, 0.1, 0.2, 0.39, 0.4, 0.44, 0.65, 1.0)
    assert found == [[0, 0], [1, 0], [1, 0], [0, 0], [0, 0], [0, 0], [0, 0]]
    cut = make(Event(0.4, 0.7), examined=((0.0, 0.45), (0.6, 1.0)))
    assert find_somewhere(cut, 0.4, 0.5, 0.65) == [[1, 0], [0, 0], [1, 0]], "only where examined"
