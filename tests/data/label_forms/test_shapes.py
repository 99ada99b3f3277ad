from __future__ import annotations

import numpy as np
import pytest

from fascnet.data.label_forms.rater_events import FrameSpan, MaskPixels, PercentBox
from fascnet.data.label_forms.shapes import (
    FrameShape,
    crop_mask,
    fill_mask,
    join_regions,
    join_shapes,
    span_frames,
)
from fascnet.errors import LabelError
from fascnet.types import Box, Point, Polygon

HERE, THERE = Box(0, 0, 10, 10), Box(30, 0, 40, 10)


def shape(
    frame: int, region: object = HERE, label: str = "fasciculation", identity: str | None = None
) -> FrameShape:
    return FrameShape(frame, region, label, "t", identity)  # type: ignore[arg-type]


def spans(shapes: list[FrameShape], step: int = 1) -> list[tuple[float, float]]:
    return [(e.span.start, e.span.stop) for e in join_shapes(shapes, step) if isinstance(e.span, FrameSpan)]


def test_following_frames_that_overlap_are_one_event() -> None:
    assert spans([shape(4), shape(3), shape(5)]) == [(3, 6)]
    assert spans([shape(3), shape(5)]) == [(3, 4), (5, 6)]
    assert spans([shape(3), shape(5)], step=2) == [(3, 7)]
    assert spans([shape(3), shape(4, THERE)]) == [(3, 4), (4, 5)]
    assert spans([shape(3), shape(4, label="breathing")]) == [(3, 4), (4, 5)]


def test_two_in_one_frame_are_two_unless_the_form_says_otherwise() -> None:
    near = Box(8, 0, 18, 10)
    two = [shape(3), shape(3, near), shape(4, near), shape(4)]
    events = join_shapes(two)
    assert [event.region for event in events] == [HERE, near]
    assert spans([shape(3, identity="1"), shape(3, THERE, identity="1")]) == [(3, 4)]
    assert spans([shape(3, identity="1"), shape(4, identity="2")]) == [(3, 4), (4, 5)]


def test_what_moves_becomes_what_it_ever_covers() -> None:
    assert join_regions([HERE, HERE], "t") == HERE
    assert join_regions([HERE, THERE], "t") == Box(0, 0, 40, 10)
    assert join_regions([Point(0, 2), Point(4, 4)], "t") == Point(2, 3)
    assert join_regions([PercentBox(1, 2, 3, 4), PercentBox(2, 2, 3, 4)], "t") == PercentBox(1, 2, 4, 4)
    with pytest.raises(LabelError, match="turned rectangle moves"):
        join_regions([PercentBox(1, 2, 3, 4, 30), PercentBox(2, 2, 3, 4, 30)], "t")
    square = Polygon(((-0.5, -0.5), (3.5, -0.5), (3.5, 3.5), (-0.5, 3.5)))
    mask = join_regions([square, MaskPixels(6, 1, np.ones((2, 2), bool))], "t")
    assert isinstance(mask, MaskPixels)
    whole = fill_mask(mask, 10, 5, "t")
    assert whole[:4, :4].all() and whole[1:3, 6:8].all() and whole.sum() == 20


def test_areas_larger_than_images_are_refused() -> None:
    huge = Polygon(((0, 0), (1e6, 0), (1e6, 1e6)))
    with pytest.raises(LabelError, match="more than an image"):
        join_regions([huge, HERE], "t")


def test_masks_are_cut_and_laid_back() -> None:
    whole = np.zeros((6, 9), bool)
    whole[2:4, 5] = True
    mask = crop_mask(whole)
    assert mask is not None and (mask.x0, mask.y0, mask.inside.shape) == (5, 2, (2, 1))
    assert np.array_equal(fill_mask(mask, 9, 6, "t"), whole)
    assert crop_mask(np.zeros((3, 3), bool)) is None
    with pytest.raises(LabelError, match="outside the image of 5x6"):
        fill_mask(mask, 5, 6, "t")


def test_following_frames_are_spans() -> None:
    assert span_frames([1, 2, 3, 7, 8], 1) == [FrameSpan(1, 4), FrameSpan(7, 9)]
    assert span_frames([0, 5, 10], 5) == [FrameSpan(0, 15)]
    assert span_frames([], 1) == []
