from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fascnet.data.labelling.targets import (
    BACKGROUND,
    TWITCH,
    UNKNOWN,
    Stencil,
    cut_stencils,
    paint_stencils,
    rasterise_truth,
)
from fascnet.types import Box, Event, Interval, Labels

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
    stencils = cut_stencils(labels, BOX, SHAPE)
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
