from __future__ import annotations

import numpy as np
import pytest

from fascnet.phantom.movement.confounders import (
    Fibrillation,
    LocalContraction,
    Pseudotremor,
    VoluntaryContraction,
)
from fascnet.phantom.movement.muscle_disturbances import (
    draw_contraction,
    draw_fibrillation,
    draw_pseudotremor,
    draw_swallowing,
)
from fascnet.phantom.scene import draw_subject
from fascnet.phantom.settings import ConfounderRanges, PhantomSettings

SUBJECT = draw_subject(PhantomSettings(), "s0", np.random.default_rng(0))


def draw(drawer, seed: int, **changes: object):
    (motion,) = drawer(
        ConfounderRanges(**changes), SUBJECT.scan, SUBJECT.anatomy, 8.0, np.random.default_rng(seed)
    )
    return motion


@pytest.mark.parametrize("seed", range(10))
def test_pseudotremor_fires_at_one_rate_with_uneven_intervals(seed: int) -> None:
    tremor = draw(draw_pseudotremor, seed)
    assert isinstance(tremor, Pseudotremor)
    means = []
    for moments in tremor.firings_s:
        intervals = np.diff(moments)
        means.append(intervals.mean())
        assert 0.02 < intervals.std() / intervals.mean() < 0.3
        assert moments[-1] <= 8.5
    assert 3.5 <= 1 / np.mean(means) <= 13
    middle_s = np.mean(tremor.active_s)
    course = np.array([tremor.courses(float(t)) for t in np.arange(middle_s - 0.3, middle_s + 0.3, 0.004)])
    assert np.all(np.ptp(course, axis=0) > 0.4 * course.max(axis=0)), "twitches stay apart"
    assert np.ptp(means) < 0.35 * np.mean(means)


def test_a_contraction_takes_in_the_muscle_or_a_part_of_it() -> None:
    assert isinstance(draw(draw_contraction, 0, contraction_local_share=0.0), VoluntaryContraction)
    for seed in range(10):
        local = draw(draw_contraction, seed, contraction_local_share=1.0)
        assert isinstance(local, LocalContraction)
        assert local.place.peak_mm * local.place.find_steepness() < 0.61, "tissue does not fold"
        assert local.effort.ramp_s >= 0.3


def test_a_swallow_is_quick() -> None:
    for seed in range(10):
        start_s, end_s = draw(draw_swallowing, seed).active_s
        assert 0.5 <= end_s - start_s <= 1.2


def test_fibrillation_fills_a_small_patch() -> None:
    for seed in range(10):
        patch = draw(draw_fibrillation, seed)
        assert isinstance(patch, Fibrillation)
        assert np.ptp(np.array(patch.centres_mm), axis=0).max() <= 8.0
        assert all(1 <= rate <= 30 for rates in patch.rates_hz for rate in rates)
        assert 0.01 <= patch.size_mm <= 0.05
