from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fascnet.phantom.tissue import MARGIN_MM, Anatomy, Layer, Vessel, make_tissue, scatter_evenly

ANATOMY = Anatomy(
    False, 1.2, 4.0, 15.0, 0.02, 0.0, 0.001, 0.3, 23.0, 0.1, 0.9, Vessel((20.0, 12.0), 1.5, 0.0, None)
)


def make(anatomy: Anatomy = ANATOMY, seed: int = 0):
    return make_tissue(anatomy, 32.0, 32.0, 20.0, np.random.default_rng(seed))


def test_density_and_reach() -> None:
    places = scatter_evenly(32.0, 30.0, 25.0, np.random.default_rng(0))
    inside = np.all((places >= 0) & (places < [32.0, 30.0]), axis=-1)
    assert inside.sum() == pytest.approx(32 * 30 * 25, rel=0.01)
    assert places.min() < -MARGIN_MM + 0.5
    assert places[:, 0].max() > 32 + MARGIN_MM - 0.5


def test_the_same_seed_gives_the_same_tissue_and_another_seed_another() -> None:
    first, again, other = make(), make(), make(seed=1)
    np.testing.assert_array_equal(first.amplitudes, again.amplitudes)
    np.testing.assert_array_equal(first.positions_mm, again.positions_mm)
    assert not np.array_equal(first.positions_mm, other.positions_mm)


def test_layers_lie_where_the_anatomy_says() -> None:
    tissue = make()
    x, z = tissue.positions_mm.T
    assert set(np.unique(tissue.layers)) == {int(layer) for layer in Layer}
    assert z[tissue.layers == Layer.SKIN].max() <= 1.2
    assert np.all(z[tissue.layers == Layer.FAT] <= ANATOMY.muscle_top(x[tissue.layers == Layer.FAT]))
    assert z[tissue.layers == Layer.BONE].min() >= 23.0
    blood = tissue.positions_mm[tissue.layers == Layer.BLOOD]
    assert np.linalg.norm(blood - [20.0, 12.0], axis=-1).max() <= 1.5


def test_aponeuroses_are_brighter_than_muscle_and_blood_is_dark() -> None:
    tissue = make()

    def power(layer: Layer) -> float:
        return float(np.mean(np.abs(tissue.amplitudes[tissue.layers == layer]) ** 2))

    assert power(Layer.APONEUROSIS) > 20 * power(Layer.MUSCLE) > 20 * power(Layer.BLOOD)


def test_the_slice_beside_is_independent_speckle_of_the_same_brightness() -> None:
    tissue = make()
    muscle = tissue.layers == Layer.MUSCLE
    here, beside = tissue.amplitudes[muscle].real, tissue.slice_amplitudes[muscle].real
    assert abs(np.corrcoef(here, beside)[0, 1]) < 0.05
    assert np.mean(here**2) == pytest.approx(np.mean(beside**2), rel=0.1)


def test_fascicles_are_streaks_along_the_fibres_only_in_longitudinal_planes() -> None:
    def elongation(anatomy: Anatomy) -> float:
        tissue = make(anatomy)
        chosen = tissue.layers == Layer.MUSCLE
        places, level = tissue.positions_mm[chosen], np.log(np.abs(tissue.amplitudes[chosen]) + 1e-6)
        bright = places[level > np.quantile(level, 0.9)]
        near = bright[:, None] - bright[None, :]
        c, s = np.cos(anatomy.fibre_rad), np.sin(anatomy.fibre_rad)
        u, v = near[..., 0] * c + near[..., 1] * s, near[..., 1] * c - near[..., 0] * s
        along = np.count_nonzero((np.abs(u) > 1.0) & (np.abs(u) < 2.5) & (np.abs(v) < 0.2))
        across = np.count_nonzero((np.abs(v) > 1.0) & (np.abs(v) < 2.5) & (np.abs(u) < 0.2))
        return along / across

    plain = replace(ANATOMY, vessel=None, bone_mm=None, streak=1.2)
    assert elongation(plain) > 1.3
    assert elongation(plain) > elongation(replace(plain, transverse=True)) + 0.2
