from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fascnet.phantom.movement.motion import combine_modes, find_peaks_mm, share_superposed, superpose
from tests.phantom.movement.test_twitch import TWITCH, make_grid


def test_superposition_is_exact_for_one_and_less_than_additive_for_two() -> None:
    first = TWITCH.displacement(make_grid(), 1.05)
    second = replace(TWITCH, centre_mm=(18.0, 17.0)).displacement(make_grid(), 1.08)
    np.testing.assert_array_equal(superpose([first]), first)
    both = np.linalg.norm(superpose([first, second]), axis=-1)
    plain = np.linalg.norm(first + second, axis=-1)
    assert np.all(both <= plain + 1e-6)
    strong = plain > 0.5 * plain.max()
    assert both[strong].mean() < 0.95 * plain[strong].mean()
    # Where only one moves, nothing is lost.
    np.testing.assert_allclose(superpose([first, np.zeros_like(first)]), first, atol=1e-6)


def test_shares_add_up_to_the_whole() -> None:
    parts = [replace(TWITCH, centre_mm=(x, 15.0)).displacement(make_grid(), 1.06) for x in (10.0, 16.0, 19.0)]
    np.testing.assert_allclose(np.sum(share_superposed(parts), axis=0), superpose(parts), atol=1e-5)
    np.testing.assert_array_equal(share_superposed(parts[:1])[0], parts[0])


def test_overlapping_twitches_of_one_focus_add_up_like_a_doublet() -> None:
    later = replace(TWITCH, start_s=1.12, peak_mm=0.8 * TWITCH.peak_mm)
    doublet = replace(TWITCH, second_delay_s=0.12, second_gain=0.8)
    times = np.arange(*doublet.active_s, 0.01)
    # A doublet states the peak of the whole, two twitches each their own.
    single = TWITCH.course(times)
    scale = (doublet.course(times) / np.maximum(single, 1e-9))[(times > 1.02) & (times < 1.1)].mean()
    for t_s in times:
        two = superpose([TWITCH.displacement(make_grid(1.0), t_s), later.displacement(make_grid(1.0), t_s)])
        np.testing.assert_allclose(scale * two, doublet.displacement(make_grid(1.0), t_s), atol=2e-3)


def test_the_peak_of_a_lone_twitch_is_its_own_and_of_one_among_others_what_it_adds() -> None:
    near = replace(TWITCH, centre_mm=(17.0, 16.0), start_s=1.03, peak_mm=0.3)
    apart = replace(TWITCH, start_s=5.0)
    peaks = find_peaks_mm([TWITCH, near, apart])
    assert peaks[2] == apart.peak_mm
    expected = [0.0, 0.0]
    modes = [twitch.modes(make_grid()) for twitch in (TWITCH, near)]
    for t_s in np.arange(1.0, 2.0, 0.002):
        parts = [combine_modes(m, t.courses(t_s)) for m, t in zip(modes, (TWITCH, near), strict=True)]
        for index, part in enumerate(share_superposed(parts)):
            expected[index] = max(expected[index], float(np.hypot(part[:, 0], part[:, 1]).max()))
    assert peaks[:2] == pytest.approx(expected, rel=0.02)
    assert peaks[0] < 0.97 * TWITCH.peak_mm
