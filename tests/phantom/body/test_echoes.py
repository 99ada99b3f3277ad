from __future__ import annotations

import numpy as np
import pytest

from fascnet.phantom.body.anatomy import Layer
from fascnet.phantom.body.echoes import STEP_MM, Echoes, face_probe, join_echoes, trace_line

WAVELENGTH_MM = 0.2


def trace(slope: float, seed: int = 0) -> Echoes:
    x = np.arange(0, 20, STEP_MM)
    line = np.ones_like(x)
    return trace_line(x, 10 + slope * x, line, Layer.FAT, WAVELENGTH_MM, np.random.default_rng(seed))


def add_up(echoes: Echoes, half_mm: float) -> float:
    """Mean size of what a beam of some width receives from a line, over places along it."""
    x, z = echoes.positions_mm.astype(float).T
    turned = echoes.amplitudes * np.exp(-4j * np.pi / WAVELENGTH_MM * z)
    sums = [abs(turned[np.abs(x - centre) < half_mm].sum()) for centre in np.arange(2, 18, 0.5)]
    return float(np.mean(sums))


def test_a_smooth_surface_answers_in_phase_even_when_it_is_tilted() -> None:
    half_mm = 0.25
    assert add_up(trace(0.0), half_mm) > 0.85 * 2 * half_mm
    assert add_up(trace(0.3), half_mm) == pytest.approx(add_up(trace(0.0), half_mm), rel=0.1)
    turned = trace(0.3)
    plain = Echoes(turned.positions_mm, np.abs(turned.amplitudes).astype(np.complex64), *turned_rest(turned))
    # Equal signs without the phase would cancel over the beam.
    assert add_up(plain, half_mm) < 0.5 * add_up(turned, half_mm)


def turned_rest(echoes: Echoes) -> tuple[np.ndarray, np.ndarray]:
    return echoes.slice_amplitudes, echoes.layers


def test_strength_is_per_length_and_roughness_turns_the_phase() -> None:
    nothing, line = np.zeros(5), np.full(5, 2.0)
    flat = face_probe(nothing, nothing, line, np.ones(5), np.zeros((2, 5)), Layer.BONE, WAVELENGTH_MM)
    np.testing.assert_allclose(flat.amplitudes, 2.0 * STEP_MM, rtol=1e-6)
    rough = face_probe(nothing, nothing, line, np.ones(5), np.ones((2, 5)), Layer.BONE, WAVELENGTH_MM)
    assert np.angle(rough.amplitudes[0]) == pytest.approx(0.8, rel=1e-5)
    assert np.angle(rough.slice_amplitudes[0]) == pytest.approx(2.8, rel=1e-5)


def test_choosing_scaling_and_joining_keep_points_together() -> None:
    line = trace(0.1)
    left = line.choose(line.positions_mm[:, 0] < 5)
    weaker = left.scale(np.full(len(left.layers), 0.5))
    both = join_echoes([left, weaker])
    assert len(both.layers) == 2 * len(left.layers)
    np.testing.assert_allclose(
        np.abs(weaker.slice_amplitudes), 0.5 * np.abs(left.slice_amplitudes), rtol=1e-6
    )
    np.testing.assert_allclose(np.angle(weaker.amplitudes), np.angle(left.amplitudes), atol=1e-6)
    np.testing.assert_array_equal(left.amplitudes, line.amplitudes[: len(left.layers)])
