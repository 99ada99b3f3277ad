from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fascnet.phantom.motion import Twitch, superpose

TWITCH = Twitch(
    centre_mm=(15.0, 15.0),
    semi_long_mm=5.0,
    semi_short_mm=2.5,
    axis_rad=0.2,
    pull=(1.0, 0.1),
    shortening=0.4,
    bulge=0.8,
    halo_mm=4.5,
    halo_level=0.3,
    peak_mm=0.4,
    start_s=1.0,
    contraction_s=0.08,
    relaxation_s=0.2,
)


def make_grid(step_mm: float = 0.25) -> np.ndarray:
    axis = np.arange(0, 32, step_mm, dtype=np.float32)
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)


def find_sizes(twitch: Twitch, t_s: float) -> np.ndarray:
    return np.linalg.norm(twitch.displacement(make_grid(), t_s), axis=-1)


@settings(deadline=None, max_examples=25)
@given(
    peak_mm=st.floats(0.08, 0.9),
    semi_long_mm=st.floats(2.5, 6.0),
    bulge=st.floats(0.2, 1.2),
    axis_rad=st.floats(-1.5, 1.5),
    delay_s=st.one_of(st.none(), st.floats(0.1, 0.2)),
)
def test_peak_is_exact(
    peak_mm: float, semi_long_mm: float, bulge: float, axis_rad: float, delay_s: float | None
) -> None:
    twitch = replace(
        TWITCH,
        peak_mm=peak_mm,
        semi_long_mm=semi_long_mm,
        bulge=bulge,
        axis_rad=axis_rad,
        second_delay_s=delay_s,
    )
    times = np.arange(*twitch.active_s, 0.0005)
    peak_s = times[int(np.argmax(twitch.course(times)))]
    assert find_sizes(twitch, float(peak_s)).max() == pytest.approx(peak_mm, rel=0.02)


def test_nothing_moves_before_the_start_and_almost_nothing_at_the_end() -> None:
    assert find_sizes(TWITCH, 1.0).max() == 0.0
    assert find_sizes(TWITCH, 0.5).max() == 0.0
    assert find_sizes(TWITCH, TWITCH.active_s[1]).max() < 0.0011 * TWITCH.peak_mm


def test_relaxation_reaches_a_tenth_when_it_says() -> None:
    assert TWITCH.course(np.array([1.08]))[0] == pytest.approx(1.0, abs=1e-4)
    assert TWITCH.course(np.array([1.28]))[0] == pytest.approx(0.1, abs=2e-3)


def test_velocity_is_biphasic_smooth_and_contraction_is_faster() -> None:
    times = np.arange(0.9, 1.6, 0.0005)
    velocity = np.gradient(TWITCH.course(times), times)
    signs = np.sign(velocity[np.abs(velocity) > 1e-3 * velocity.max()])
    assert np.count_nonzero(np.diff(signs)) == 1
    assert velocity.max() > 1.3 * -velocity.min() > 0
    assert np.abs(np.diff(velocity)).max() < 0.03 * velocity.max()


def test_core_is_an_area_of_motor_unit_size_within_a_broad_halo() -> None:
    sizes = find_sizes(TWITCH, 1.08) / TWITCH.peak_mm
    core_mm2 = np.count_nonzero(sizes >= 0.5) * 0.25**2
    ring_mm2 = np.count_nonzero(sizes >= 0.15) * 0.25**2
    assert 15.5 < core_mm2 < 60  # Birkbeck 2020: 26.7 +- 11.2 mm², nominal ellipse here 39 mm²
    assert ring_mm2 > 2.5 * core_mm2


def test_directions_differ_over_the_field() -> None:
    move = TWITCH.displacement(make_grid(), 1.08)
    size = np.linalg.norm(move, axis=-1)
    moving = size >= 0.05 * size.max()
    anisotropy = np.linalg.norm((move[moving] / size[moving, None]).mean(axis=0))
    assert 0.28 < anisotropy < 0.85  # 0.53 +- 0.25 and 0.63 +- 0.22, field.md 3a


def test_skin_under_the_probe_stays() -> None:
    shallow = replace(TWITCH, centre_mm=(15.0, 4.0))
    surface = np.stack([np.linspace(0, 30, 50), np.zeros(50)], axis=-1).astype(np.float32)
    assert np.abs(shallow.displacement(surface, 1.08)).max() == 0.0


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
