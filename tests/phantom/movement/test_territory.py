from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from fascnet.phantom.movement.territory import Territory

STEP_MM = 0.05
ELLIPSE = Territory(5.0, 2.2, 0.0, 0.0, 5.0, 0.3)
CRESCENT = replace(ELLIPSE, semi_short_mm=1.4, bend_mm=3.0)
SPLIT = replace(ELLIPSE, lobe_mm=3.1)


def map_size(territory: Territory) -> np.ndarray:
    axis = np.arange(-12, 12, STEP_MM, dtype=np.float32)
    u, v = np.meshgrid(axis, axis)
    core, halo = territory.measure(u.ravel(), v.ravel())
    return (core + halo).reshape(u.shape)


@pytest.mark.parametrize(
    ("territory", "area_mm2"),
    [
        (ELLIPSE, np.pi * 5.0 * 2.2),
        (CRESCENT, np.pi * 5.0 * 1.4),
        (SPLIT, 2 * np.pi * 1.9 * 2.2),
    ],
    ids=["ellipse", "crescent", "split"],
)
def test_half_of_the_peak_lies_at_the_outline(territory: Territory, area_mm2: float) -> None:
    size = map_size(territory)
    assert np.count_nonzero(size >= 0.5 * size.max()) * STEP_MM**2 == pytest.approx(area_mm2, rel=0.25)


def test_a_crescent_is_bent_and_a_split_core_has_two_lobes() -> None:
    masks = [(map_size(t) >= 0.5).astype(np.uint8) for t in (ELLIPSE, CRESCENT, SPLIT)]
    parts = [cv2.connectedComponents(mask)[0] - 1 for mask in masks]
    assert parts == [1, 1, 2]
    contours = [cv2.findContours(m, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0][0] for m in masks[:2]]
    solid = [cv2.contourArea(c) / cv2.contourArea(cv2.convexHull(c)) for c in contours]
    assert solid[0] > 0.97
    assert solid[1] < 0.9


def test_the_halo_reaches_far_beyond_the_core() -> None:
    for territory in (ELLIPSE, CRESCENT, SPLIT):
        size = map_size(territory)
        assert np.count_nonzero(size >= 0.15) > 3 * np.count_nonzero(size >= 0.5)
