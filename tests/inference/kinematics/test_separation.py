from __future__ import annotations

import numpy as np
import pytest

from fascnet.inference.kinematics.separation import find_connected, separate_twitch

TIMES_S = np.arange(60) / 60
COURSE = np.clip(np.sin(np.pi * (TIMES_S - 0.3) / 0.4), 0, None) * (TIMES_S > 0.3) * (TIMES_S < 0.7)
ROWS, COLUMNS = np.mgrid[:24, :30]
SIZE = 0.3 * np.exp(-0.5 * (np.square(ROWS - 12) + np.square(COLUMNS - 14)) / 16)
FIELD = np.stack([0.8 * SIZE, -0.6 * SIZE], axis=-1)
NEAR = np.hypot(ROWS - 12, COLUMNS - 14) <= 8


def separate(moved, near=NEAR, elsewhere=~NEAR):
    return separate_twitch(
        moved,
        TIMES_S,
        quiet=TIMES_S < 0.28,
        span_s=(0.28, 0.72),
        start_s=0.45,
        near=near,
        elsewhere=elsewhere,
    )


def test_takes_field_and_waveform_apart():
    found = separate(COURSE[:, None, None, None] * FIELD)
    assert found.peak_cell == (12, 14)
    np.testing.assert_allclose(found.waveform / found.waveform.max(), COURSE / COURSE.max(), atol=1e-6)
    # The smoothing takes off a little: 16 cells² of the field against 0.64 of the kernel.
    assert found.size_mm.max() * found.waveform.max() == pytest.approx(0.3, rel=0.05)
    assert found.explained == pytest.approx(1.0, abs=0.01)
    assert found.core.sum() == pytest.approx(np.pi * 2 * np.log(2) * 16, rel=0.1)


def test_a_constant_offset_before_the_event_is_no_movement():
    moved = COURSE[:, None, None, None] * FIELD
    one, other = separate(moved), separate(moved + 0.7)
    np.testing.assert_allclose(one.waveform, other.waveform, atol=1e-9)


def test_noise_lowers_what_is_explained_and_widens_the_smoothing():
    rng = np.random.default_rng(0)
    clear = separate(COURSE[:, None, None, None] * FIELD)
    noisy = separate(COURSE[:, None, None, None] * FIELD + 0.15 * rng.standard_normal((60, 24, 30, 2)))
    assert noisy.explained < clear.explained - 0.1
    assert noisy.elsewhere_ratio > clear.elsewhere_ratio
    assert np.hypot(noisy.peak_cell[0] - 12, noisy.peak_cell[1] - 14) <= 2


def test_a_larger_movement_far_away_is_not_the_event():
    moved = COURSE[:, None, None, None] * FIELD
    moved[:, :4, 24:] += 2 * COURSE[:, None, None, None]
    assert separate(moved).peak_cell == (12, 14)


def test_two_lobes_of_a_field_are_one_core_only_where_they_touch():
    mask = np.zeros((6, 8), dtype=bool)
    mask[1:3, 1:3] = mask[4:, 5:] = True
    assert find_connected(mask, (1, 1)).sum() == 4
    mask[3, 3] = mask[4, 4] = True
    assert find_connected(mask, (1, 1)).sum() == mask.sum()


def test_nothing_moves_gives_nothing():
    assert separate(np.zeros((60, 24, 30, 2))) is None
    assert separate(COURSE[:, None, None, None] * FIELD, near=np.zeros_like(NEAR)) is None
