from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fascnet.phantom.body.anatomy import MARGIN_MM, Anatomy, Layer, Vessel, label_layers
from fascnet.phantom.body.texture import (
    draw_echo,
    draw_shading,
    draw_unit_echoes,
    sample_texture,
    scatter_evenly,
    smooth_noise,
)

ANATOMY = Anatomy(False, 1.2, 4.0, 15.0, 0.0, 0.0, 0.0, 0.3, None, 0.03, 1.0)


def test_density_and_reach() -> None:
    places = scatter_evenly(32.0, 30.0, 25.0, np.random.default_rng(0))
    inside = np.all((places >= 0) & (places < [32.0, 30.0]), axis=-1)
    assert inside.sum() == pytest.approx(32 * 30 * 25, rel=0.01)
    assert places.min() < -MARGIN_MM + 0.5
    assert places[:, 0].max() > 32 + MARGIN_MM - 0.5


def test_unit_echoes_have_power_one_and_no_mean() -> None:
    echoes = draw_unit_echoes(40_000, np.random.default_rng(0))
    assert np.mean(echoes**2) == pytest.approx(1.0, abs=0.03)
    assert abs(echoes.mean()) < 0.02


def test_smooth_noise_has_the_stated_length() -> None:
    noise = smooth_noise((4000,), (10.0,), np.random.default_rng(0))
    assert noise.std() == pytest.approx(1.0, abs=1e-6)
    # White noise smoothed by s correlates as exp(-d² / 4 s²): 1/e at 2 s.
    assert np.corrcoef(noise[:-20], noise[20:])[0, 1] == pytest.approx(np.exp(-1), abs=0.15)


def test_texture_is_smooth_along_its_axis_only() -> None:
    rng = np.random.default_rng(0)
    places = scatter_evenly(20.0, 20.0, 20.0, rng)
    axis = np.array([np.cos(0.5), np.sin(0.5)])
    along, across = places + 1.0 * axis, places + 1.0 * np.array([-axis[1], axis[0]])
    values = sample_texture(np.concatenate([places, along, across]), 0.5, 3.0, 0.3, rng)
    here, there, aside = values.reshape(3, -1)
    assert np.corrcoef(here, there)[0, 1] > 0.9
    assert abs(np.corrcoef(here, aside)[0, 1]) < 0.2


def test_no_places_no_texture() -> None:
    assert sample_texture(np.zeros((0, 2)), 0.0, 1.0, 1.0, np.random.default_rng(0)).shape == (0,)


def test_disease_darkens_what_lies_deeper() -> None:
    column = np.stack([np.full(50, 10.0), np.linspace(6, 19, 50)], axis=-1)
    rngs = (np.random.default_rng(3), np.random.default_rng(3))
    clear = draw_shading(ANATOMY, 30.0, rngs[0]).factor(column)
    lossy = draw_shading(replace(ANATOMY, loss_db_per_mm=0.5), 30.0, rngs[1]).factor(column)
    ratio_db = 20 * np.log10(lossy / clear)
    assert ratio_db[-1] == pytest.approx(-0.5 * (19 - 5.2), abs=0.01)
    assert np.all(np.diff(ratio_db) < 0)


def test_tissue_behind_a_vessel_is_brighter_and_beside_its_edge_darker() -> None:
    vessel = Vessel((15.0, 10.0), 1.5, 0.0, None)
    places = np.array([[15.0, 15.0], [15.0 + 1.1 * 1.5, 15.0], [15.0, 7.0]])
    with_vessel, without = (
        draw_shading(each, 30.0, np.random.default_rng(1)).factor(places)
        for each in (replace(ANATOMY, vessel=vessel), ANATOMY)
    )
    behind, beside, above = 20 * np.log10(with_vessel / without)
    assert behind > 1.5
    assert beside < -1.0
    assert above == pytest.approx(0.0, abs=1e-9)


def test_echo_rises_with_muscle_echo_and_the_near_field_is_clouded() -> None:
    places = scatter_evenly(30.0, 25.0, 20.0, np.random.default_rng(0))
    layers = label_layers(ANATOMY, places)

    def level(anatomy: Anatomy) -> tuple[float, float]:
        echo = draw_echo(anatomy, places, layers, np.random.default_rng(5))
        fat = layers == Layer.FAT
        inner = (layers == Layer.MUSCLE) & (places[:, 1] > 10) & (places[:, 1] < 15)
        return float(np.median(echo[inner])), float(np.median(echo[fat]))

    plain, bright = level(ANATOMY), level(replace(ANATOMY, muscle_echo=0.12))
    clouded = level(replace(ANATOMY, haze=0.3))
    assert bright[0] > 3 * plain[0]
    assert clouded[1] > 2 * plain[1]
    assert clouded[0] < 1.5 * plain[0]
