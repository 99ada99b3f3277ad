from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fascnet.phantom.movement.twitch import Twitch

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


CRESCENT = replace(TWITCH, semi_short_mm=1.5, bend_mm=2.5)
SPLIT = replace(TWITCH, lobe_mm=3.2)


def make_grid(step_mm: float = 0.25) -> np.ndarray:
    axis = np.arange(0, 32, step_mm, dtype=np.float32)
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)


def find_sizes(twitch: Twitch, t_s: float) -> np.ndarray:
    return np.linalg.norm(twitch.displacement(make_grid(), t_s), axis=-1)


@settings(max_examples=25)
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


@pytest.mark.parametrize("tail", [0.0, 0.3])
def test_relaxation_reaches_a_tenth_when_it_says(tail: float) -> None:
    twitch = replace(TWITCH, tail=tail)
    assert twitch.course(np.array([1.08]))[0] == pytest.approx(1.0, abs=1e-4)
    assert twitch.course(np.array([1.28]))[0] == pytest.approx(0.1, abs=2e-3)


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
    shallow = replace(TWITCH, centre_mm=(15.0, 3.0))
    surface = np.stack([np.linspace(0, 30, 50), np.zeros(50)], axis=-1).astype(np.float32)
    assert np.abs(shallow.displacement(surface, 1.08)).max() == 0.0
    assert find_sizes(shallow, 1.08).max() == pytest.approx(shallow.peak_mm, rel=0.02)


@pytest.mark.parametrize("twitch", [TWITCH, CRESCENT, SPLIT], ids=["ellipse", "crescent", "split"])
def test_steepness_is_the_largest_slope_of_the_pattern(twitch: Twitch) -> None:
    step_mm = 0.1
    axis = np.arange(5, 25, step_mm, dtype=np.float32)
    places = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    pattern = twitch.modes(places)[0].reshape(len(axis), len(axis), 2)
    down, right = np.gradient(pattern, step_mm, axis=(0, 1))
    steepest = np.linalg.norm(np.stack([right, down], axis=-1), ord=2, axis=(2, 3)).max()
    assert twitch.find_steepness() == pytest.approx(steepest, rel=0.1)
