from __future__ import annotations

import numpy as np

from fascnet.inference.kinematics.background import remove_background_motion


def make_field():
    rows, columns = np.mgrid[:20, :30]
    plane = np.stack([0.1 + 0.01 * columns - 0.004 * rows, -0.2 + 0.02 * rows], axis=-1)
    event = np.zeros((20, 30, 2))
    event[8:12, 12:18] = (0.3, -0.1)
    elsewhere = np.hypot(rows - 10, columns - 15) > 6
    return plane, event, elsewhere


def test_a_sliding_pressing_and_tilting_probe_leaves_the_event_alone():
    plane, event, elsewhere = make_field()
    moved = np.stack([event, event + plane, event - 3 * plane]).astype(np.float32)
    left = remove_background_motion(moved, elsewhere)
    np.testing.assert_allclose(left, np.stack([event] * 3), atol=2e-3)


def test_another_movement_in_the_surroundings_counts_little():
    plane, event, elsewhere = make_field()
    disturbed = event + plane
    disturbed[:4, :6] += 0.8
    left = remove_background_motion(disturbed[None].astype(np.float32), elsewhere)[0]
    np.testing.assert_allclose(left[8:12, 12:18], event[8:12, 12:18], atol=0.02)


def test_without_surroundings_nothing_is_removed():
    plane, event, _ = make_field()
    moved = (event + plane)[None].astype(np.float32)
    left = remove_background_motion(moved, np.zeros((20, 30), dtype=bool))
    np.testing.assert_array_equal(left, moved)
