from __future__ import annotations

import numpy as np

from fascnet.phantom.card.statistics import (
    PICTURE_STATISTICS,
    STATISTICS,
    measure_picture,
    measure_pictures,
    measure_source,
)
from tests.phantom.card.fakes import make_source, make_speckle


def test_every_statistic_is_measured_and_none_is_forgotten() -> None:
    rng = np.random.default_rng(0)
    frames = np.stack([make_speckle(rng, (120, 160), 1.0, 2.0) for _ in range(25)])
    values = measure_source(make_source("a", frames, is_real=True))
    assert set(values) == {statistic.name for statistic in STATISTICS}
    assert all(np.isfinite(value) for value in values.values())
    assert len({statistic.name for statistic in STATISTICS}) == len(STATISTICS)


def test_stills_have_no_temporal_statistics() -> None:
    image = make_speckle(np.random.default_rng(1), (120, 160), 1.0, 2.0)
    values = measure_source(make_source("a", image[None], is_real=True))
    assert set(values) == {statistic.name for statistic in PICTURE_STATISTICS}


def test_a_source_is_the_median_of_its_pictures() -> None:
    rng = np.random.default_rng(2)
    frames = np.stack([np.clip(make_speckle(rng, (90, 90), 1.0, 2.0) * s, 0, 255) for s in (0.2, 0.8, 1.0)])
    source = make_source("a", frames.astype(np.uint8), is_real=True)
    means = sorted(picture["grey_mean"] for picture in measure_pictures(source))
    assert len(means) == 3
    assert measure_source(source)["grey_mean"] == means[1]


def test_a_black_picture_is_measured_without_an_error() -> None:
    values = measure_picture(np.zeros((80, 100), np.uint8), 0.1)
    assert values["black_share"] == 1
    assert np.isnan(values["grain_axial_mm"])
