from __future__ import annotations

import numpy as np
import pytest

from fascnet.phantom.movement.artery import draw_beats, shape_beat
from tests.phantom.moving import DISC, TUBE


def test_it_pushes_outward_with_a_fast_rise() -> None:
    around = np.array([[16 + 3, 14], [16 - 3, 14], [16, 17], [16, 11]], dtype=np.float32)
    move = DISC.displacement(around, 0.62) - DISC.displacement(around, 0.5)
    assert np.all(np.sum(move * (around - [16, 14]), axis=-1) > 0)
    wave = np.array([DISC.courses(t)[0] for t in np.arange(0.5, 1.3, 0.001)])
    assert np.ptp(wave) == pytest.approx(0.2 * 1.1, rel=0.01), "the beat's own gain"
    assert int(wave.argmax()) < 0.2 * len(wave)


def test_an_artery_along_the_plane_moves_its_walls_apart() -> None:
    walls = np.array([[16, 12.8], [16, 15.2]], dtype=np.float32)
    upper, lower = TUBE.displacement(walls, 0.62) - TUBE.displacement(walls, 0.5)
    assert upper[1] < 0 < lower[1]
    assert abs(upper[0]) < 1e-6


def test_a_beat_has_a_dicrotic_notch() -> None:
    wave = np.array([shape_beat(part) for part in np.linspace(0, 1, 1001)])
    turns = np.flatnonzero(np.diff(np.sign(np.diff(wave)))) / 1000
    np.testing.assert_allclose(turns, [0.15, 0.36, 0.43], atol=0.003)
    assert wave[430] > wave[360] + 0.05
    assert wave[0] == wave[-1] == 0
    assert np.abs(np.diff(wave)).max() < 0.02


def test_beats_cover_the_clip_and_differ() -> None:
    beats_s, gains = draw_beats(1.3, 20.0, np.random.default_rng(0))
    assert beats_s[0] <= 0
    assert beats_s[-1] > 20.0
    assert len(gains) == len(beats_s) - 1
    intervals = np.diff(beats_s)
    assert intervals.mean() == pytest.approx(1 / 1.3, rel=0.05)
    assert 0.01 < intervals.std() / intervals.mean() < 0.15
    assert 0.5 < min(gains) < max(gains) < 1.5
