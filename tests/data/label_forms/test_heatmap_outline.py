from __future__ import annotations

import numpy as np
import pytest

from fascnet.data.label_forms.heatmap_outline import outline_event
from fascnet.data.labelling.regions import find_centre, measure_area_px, rasterise_region
from fascnet.types import Event, Point, Polygon

BOX = (100, 50, 164, 98)


def make_heatmap() -> np.ndarray:
    """60 heatmaps of 12x16 cells of 4 pixels: two places at 1 s, and one of them at 1.5 s again."""
    values = np.zeros((60, 12, 16), np.uint8)
    values[30:42, 3:6, 4:8] = 200
    values[33:36, 2, 4] = 200
    values[30:50, 8:11, 12:14] = 120
    return values


def outline(event: Event, threshold: float = 0.3) -> Polygon | Point | None:
    return outline_event(event, make_heatmap(), 30.0, BOX, threshold)


def test_the_outline_holds_the_events_own_cells() -> None:
    region = outline(Event(1.0, 1.4, region=Point(123, 66)))
    assert isinstance(region, Polygon)
    inside = rasterise_region(region, BOX, (12, 16))
    wanted = np.zeros((12, 16), bool)
    wanted[3:6, 4:8] = wanted[2, 4] = True
    assert (inside != wanted).sum() <= 1, "steps are cut off by half a cell"
    assert len(region.points) <= 8
    assert measure_area_px(region) == pytest.approx(13 * 16, rel=0.2)
    assert find_centre(region) == pytest.approx((123, 67), abs=2)


def test_only_the_events_time_and_threshold_count() -> None:
    between = Point(130, 74)
    one, other = outline(Event(1.0, 1.4, region=between)), outline(Event(1.5, 1.6, region=between))
    assert isinstance(one, Polygon) and find_centre(one)[0] < 130
    assert isinstance(other, Polygon) and find_centre(other)[0] > 145
    strict = outline(Event(1.0, 1.4, region=Point(145, 84)), threshold=0.6)
    assert isinstance(strict, Polygon) and find_centre(strict)[0] < 130
    assert outline(Event(1.5, 1.6, region=Point(123, 66)), threshold=0.6) == Point(123, 66)
    assert outline(Event(0.2, 0.4)) is None and outline(Event(50, 51, region=Point(1, 2))) == Point(1, 2)


def test_cells_far_away_are_another_events() -> None:
    # What was named after a rhythm has no cells any more; a twitch elsewhere may have some at that moment.
    assert outline(Event(1.5, 1.6, region=Point(123, 66))) == Point(123, 66)


def test_without_a_place_the_largest_group_is_meant() -> None:
    region = outline(Event(1.0, 1.4))
    assert isinstance(region, Polygon) and find_centre(region)[0] < 130
