from __future__ import annotations

import numpy as np
import pytest

from fascnet.inference.kinematics.tracking import CELL_MM, DisplacementTracker, track_displacement

from .moving_speckle import MovingSpeckle


@pytest.mark.parametrize("shift", [(0.03, 0.0), (-0.011, 0.024), (0.15, -0.1)])
def test_reads_a_shift_of_a_fraction_of_a_pixel(shift):
    scene = MovingSpeckle(peak_mm=0.0, noise=0.0, shift_mm=lambda t_s: shift if t_s > 0 else (0.0, 0.0))
    frames = [scene.frame(0.0), scene.frame(0.1)]
    found, tracker = track_displacement(frames, 0, scene.mm_per_px)
    assert found.shape == (2, *tracker.shape, 2)
    np.testing.assert_array_equal(found[0], 0.0)
    inner = found[1, 3:-3, 3:-3].reshape(-1, 2)
    assert np.median(inner, axis=0) == pytest.approx(shift, abs=0.002)


def test_a_local_movement_is_read_at_its_place_and_size():
    scene = MovingSpeckle(noise=0.0)
    frames = [scene.frame(0.0), scene.frame(scene.peak_s)]
    found, tracker = track_displacement(frames, 0, scene.mm_per_px)
    y, x = np.mgrid[: tracker.shape[0], : tracker.shape[1]] * tracker.cell_px + (tracker.cell_px - 1) / 2
    true = np.stack(scene.displace(x, y, scene.peak_s), axis=-1)
    size = np.hypot(true[..., 0], true[..., 1])
    core = size >= 0.5 * size.max()
    gain = (found[1][core] * true[core]).sum() / np.square(true[core]).sum()
    assert gain == pytest.approx(1.0, abs=0.06)
    assert np.hypot(*(found[1] - true)[core].T).mean() < 0.1 * scene.peak_mm


def test_tracks_backwards_from_the_reference_too():
    scene = MovingSpeckle(noise=0.0, peak_mm=0.0, shift_mm=lambda t_s: (0.5 * t_s, 0.0))
    frames = [scene.frame(t) for t in (0.0, 0.1, 0.2)]
    found, _ = track_displacement(frames, 1, scene.mm_per_px)
    assert np.median(found[..., 0], axis=(1, 2)) == pytest.approx([-0.05, 0.0, 0.05], abs=0.002)


def test_cells_have_the_stated_size_at_any_spacing():
    for mm_per_px in (0.1, 0.125, 0.25):
        tracker = DisplacementTracker(np.zeros((100, 120), np.uint8), mm_per_px)
        assert tracker.cell_mm == pytest.approx(CELL_MM)
        assert tracker.shape == (100 // tracker.cell_px, 120 // tracker.cell_px)


def test_a_black_picture_does_not_move():
    found, tracker = track_displacement([np.zeros((60, 80), np.uint8)] * 2, 0, 0.1)
    np.testing.assert_array_equal(found, 0.0)
    np.testing.assert_array_equal(tracker.texture, 0.0)
