from __future__ import annotations

import numpy as np
import pytest

from fascnet.inference.events import Footprint
from fascnet.inference.heatmap_store import HeatmapStore
from fascnet.inference.pooled_course import Place, PooledCourse
from fascnet.inference.scores import ClipPool, pool_cells
from fascnet.types import NotScored

SHAPE, FPS = (20, 30), 10.0


def pack(rows, cols):
    cells = np.zeros(SHAPE, bool)
    cells[rows, cols] = True
    return Footprint(np.packbits(cells).tobytes(), SHAPE)


@pytest.fixture
def clip(tmp_path):
    """600 ticks, a hot place at 10 s, a hotter one elsewhere at 30 s."""
    heatmaps = np.random.default_rng(0).uniform(0.01, 0.05, (600, *SHAPE)).astype(np.float32)
    heatmaps[100:104, 4:7, 4:7] = 0.8
    heatmaps[300:304, 14:17, 20:23] = 0.95
    with HeatmapStore(tmp_path / "a", SHAPE) as store, PooledCourse() as course:
        store.append(heatmaps)
        for heatmap in heatmaps:
            course.append(pool_cells(heatmap))
        yield course, store, heatmaps


def pool(heatmaps):
    course = ClipPool()
    for heatmap in heatmaps:
        course.push(heatmap)
    return course.finish()


def test_without_anything_left_out_it_is_the_clips_logit(clip):
    course, store, heatmaps = clip
    assert course.pool_again(store, FPS, (), (), ()) == pool(heatmaps)


def test_seconds_left_out_are_as_if_they_were_not_there(clip):
    course, store, heatmaps = clip
    logit = course.pool_again(store, FPS, [NotScored(29.0, 31.0, "frozen")], (), ())
    assert logit == max(pool(heatmaps[:290]), pool(heatmaps[310:]))
    assert course.pool_again(store, FPS, [NotScored(0.0, 60.0, "frozen")], (), ()) is None


def test_a_place_left_out_leaves_the_rest_of_the_picture(clip):
    course, store, heatmaps = clip
    place = Place(pack(slice(14, 17), slice(20, 23)), 29.0, 31.0)
    logit = course.pool_again(store, FPS, (), [place], ())
    assert logit == pool(heatmaps[:290])
    # At another time, or another place, nothing changes.
    for other in (Place(place.footprint, 40.0, 50.0), Place(pack(0, slice(0, 3)), 29.0, 31.0)):
        assert course.pool_again(store, FPS, (), [other], ()) == pytest.approx(pool(heatmaps), abs=0.05)


def test_an_event_that_counts_is_pooled_within_a_place_left_out(clip):
    course, store, heatmaps = clip
    whole = Place(pack(slice(None), slice(None)), 0.0, 60.0)
    counted = Place(pack(slice(14, 17), slice(20, 23)), 30.0, 30.4)
    logit = course.pool_again(store, FPS, (), [whole], [counted])
    alone = np.zeros_like(heatmaps)
    alone[300:304, 14:17, 20:23] = 0.95
    assert logit == pytest.approx(pool(alone), abs=0.05)
    assert course.pool_again(store, FPS, (), [whole], ()) == pytest.approx(
        pool(np.zeros_like(heatmaps)), abs=1e-6
    )
