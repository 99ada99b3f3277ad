from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

from fascnet.errors import SettingError
from fascnet.evaluation.planning.draws import UnitCounts
from fascnet.evaluation.planning.models import ShareModel
from fascnet.evaluation.planning.simulation import (
    LEAST_SUBJECTS,
    Margin,
    PlannedWidth,
    Simulation,
    find_subjects,
    guess_for_width,
    start_workers,
)
from fascnet.evaluation.uncertainty.bootstrap import Resampled

MODEL = ShareModel(0.8, UnitCounts(5), 0.1)


def test_more_subjects_narrow_and_more_correlation_widens():
    simulation = Simulation(1, studies=40, resamples=300)
    low = [simulation.plan_width(ShareModel(0.8, UnitCounts(5), 0.05), n) for n in (10, 20, 40)]
    widths = [row.expected_width for row in low]
    assert widths == sorted(widths, reverse=True)
    high = simulation.plan_width(ShareModel(0.8, UnitCounts(5), 0.6), 40)
    assert high.expected_width > widths[-1]


def test_seeded_and_the_same_with_any_number_of_workers():
    one = Simulation(3, studies=120, resamples=60)
    row = one.plan_width(MODEL, 20)
    assert Simulation(3, studies=120, resamples=60).plan_width(MODEL, 20) == row
    assert Simulation(4, studies=120, resamples=60).plan_width(MODEL, 20) != row
    with start_workers(2) as spread:
        assert Simulation(3, studies=120, resamples=60, spread=spread).plan_width(MODEL, 20) == row


def test_no_two_studies_are_the_same():
    class Echo:
        """A model that remembers what it was given to draw from."""

        drawn: ClassVar[list[float]] = []

        def resample(self, subjects, rng, weights):
            self.drawn.append(rng.random())
            return Resampled(0.0, rng.normal(size=len(weights)), np.arange(float(subjects)), subjects)

    Simulation(0, studies=130, resamples=20).plan_width(Echo(), 10)
    assert len(set(Echo.drawn)) == 130


class Alike:
    """A model whose subjects are all alike in some studies: no interval has a width there."""

    value = 1.0

    def resample(self, subjects, rng, weights):
        samples = rng.normal(0, 1, len(weights)) if rng.random() < 0.3 else np.zeros(len(weights))
        return Resampled(0.0, samples, np.arange(float(subjects)), subjects)


def test_perfect_small_studies_are_not_taken_for_precise():
    row = Simulation(0, studies=100, resamples=200).plan_width(Alike(), 10)
    assert row.defined_share == pytest.approx(0.3, abs=0.15)
    assert not row.is_within(100.0)
    assert PlannedWidth(5, None, None, 0.0).is_within(1.0) is False


def test_within_a_width_on_average_or_assured():
    row = PlannedWidth(20, 0.20, 0.28, 1.0)
    assert row.is_within(0.2) and not row.is_within(0.19)
    assert row.is_within(0.28, assured=True) and not row.is_within(0.27, assured=True)
    assert row.to_json() == {"subjects": 20, "expected_width": 0.2, "width_90": 0.28, "defined_share": 1.0}


@pytest.mark.parametrize("start", [1, 50, 10_000])
@pytest.mark.parametrize("needed", [5, 6, 7, 37, 100, 2999, 3000])
def test_finds_the_smallest_number_to_one_percent(start, needed):
    asked = []

    def is_enough(n):
        asked.append(n)
        return n >= needed

    found = find_subjects(is_enough, start, 3000)
    assert needed <= found <= needed + max(0, needed // 99)
    assert min(asked) >= LEAST_SUBJECTS and max(asked) <= 3000 and len(asked) < 40


def test_more_than_searched_is_none():
    assert find_subjects(lambda n: n > 3000, 20, 3000) is None
    assert find_subjects(lambda n: True, 20, 3000) == LEAST_SUBJECTS


def test_guess_scales_with_the_square():
    assert guess_for_width(PlannedWidth(50, 0.2, 0.25, 1.0), 0.1) == 200
    assert guess_for_width(PlannedWidth(50, 0.2, 0.25, 1.0), 10.0) == LEAST_SUBJECTS
    assert guess_for_width(PlannedWidth(50, None, None, 0.0), 0.1) == 50


def test_refuses_impossible_simulations():
    with pytest.raises(SettingError, match="two subjects"):
        Simulation(0).plan_width(MODEL, 1)
    with pytest.raises(SettingError, match="studies"):
        Simulation(0, studies=0)
    for wrong in ({"margin": 0}, {"margin": np.nan}):
        with pytest.raises(SettingError, match="margin"):
            Margin(**wrong)
    with pytest.raises(SettingError, match="alpha"):
        Margin(0.1, alpha=0.5)
