from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from fascnet.phantom.body.tissue import Anatomy, Layer, Scatterers, Vessel, make_tissue
from fascnet.phantom.scan.acquisition import Scanner, ScanSettings

ANATOMY = Anatomy(
    False, 1.2, 4.0, 15.0, 0.02, 0.0, 0.001, 0.3, 23.0, 0.03, 0.9, Vessel((20.0, 12.0), 1.5, 0.0, None)
)


def make(anatomy: Anatomy = ANATOMY, seed: int = 0, density: float = 20.0) -> Scatterers:
    return make_tissue(anatomy, 32.0, 32.0, density, np.random.default_rng(seed))


def digest(tissue: Scatterers) -> str:
    arrays = (tissue.positions_mm, tissue.amplitudes, tissue.slice_amplitudes, tissue.layers)
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


def test_the_same_seed_gives_the_same_tissue_and_another_seed_another() -> None:
    for transverse in (False, True):
        anatomy = replace(ANATOMY, transverse=transverse)
        assert digest(make(anatomy)) == digest(make(anatomy))
        assert digest(make(anatomy)) != digest(make(anatomy, seed=1))


def test_arrays_fit_together_and_are_finite() -> None:
    tissue = make()
    count = len(tissue.layers)
    assert tissue.positions_mm.shape == (count, 2)
    assert (tissue.positions_mm.dtype, tissue.amplitudes.dtype) == (np.float32, np.complex64)
    assert (tissue.slice_amplitudes.dtype, tissue.layers.dtype) == (np.complex64, np.uint8)
    assert np.all(np.isfinite(tissue.positions_mm))
    assert np.all(np.isfinite(tissue.amplitudes))
    assert set(np.unique(tissue.layers)) == {int(layer) for layer in Layer}


def test_blood_stays_in_the_vessel_and_bone_below_its_front() -> None:
    tissue = make()
    blood = tissue.positions_mm[tissue.layers == Layer.BLOOD]
    assert np.linalg.norm(blood - [20.0, 12.0], axis=-1).max() <= 1.5
    bone = tissue.positions_mm[tissue.layers == Layer.BONE]
    assert np.all(bone[:, 1] > ANATOMY.bone_depth(bone[:, 0]) - 0.6)


def test_aponeuroses_are_brighter_than_muscle_and_blood_is_dark() -> None:
    tissue = make()

    def power(layer: Layer) -> float:
        return float(np.mean(np.abs(tissue.amplitudes[tissue.layers == layer]) ** 2))

    assert power(Layer.APONEUROSIS) > 3 * power(Layer.MUSCLE) > 30 * power(Layer.BLOOD)


def test_the_slice_beside_has_the_same_brightness_and_its_speckle_is_independent() -> None:
    tissue = make(replace(ANATOMY, streak=0.0))
    muscle = tissue.layers == Layer.MUSCLE
    here, beside = tissue.amplitudes[muscle].real, tissue.slice_amplitudes[muscle].real
    assert abs(np.corrcoef(here, beside)[0, 1]) < 0.05
    assert np.mean(here**2) == pytest.approx(np.mean(beside**2), rel=0.1)


def test_surfaces_do_not_depend_on_the_density() -> None:
    sparse, dense = make(density=10.0), make(density=30.0)
    added = len(dense.layers) - len(sparse.layers)
    lines = 1000
    np.testing.assert_array_equal(sparse.positions_mm[-lines:], dense.positions_mm[-lines:])
    assert added > 20_000


def test_brightness_does_not_depend_on_the_density() -> None:
    def level(density: float) -> float:
        scan = ScanSettings(160, 160, 0.2, looks=1)
        tissue = make(replace(ANATOMY, patchiness=0.0, streak=0.3), density=density)
        image = Scanner(scan).form_envelope(tissue.positions_mm, tissue.amplitudes)
        return float(np.sqrt(np.mean(np.square(image[45:85, 10:70]))))

    assert level(60.0) == pytest.approx(level(15.0), rel=0.12)


def test_perimysia_stand_out_less_in_brighter_muscle() -> None:
    scan = ScanSettings(160, 160, 0.2, looks=3, dynamic_range_db=60.0)
    plain = replace(ANATOMY, vessel=None, bone_mm=None, patchiness=0.2)

    def contrast(anatomy: Anatomy) -> float:
        tissue = make(anatomy)
        scanner = Scanner(scan)
        envelope = scanner.form_envelope(tissue.positions_mm, tissue.amplitudes)
        level = 20 * np.log10(envelope[45:85, 20:140])
        return float(level.std())

    assert contrast(replace(plain, muscle_echo=0.01)) > contrast(replace(plain, muscle_echo=0.2)) + 1.0
