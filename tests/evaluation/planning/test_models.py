from __future__ import annotations

import numpy as np
import pytest

from fascnet.errors import SettingError
from fascnet.evaluation.figures.events import f1
from fascnet.evaluation.planning.draws import UnitCounts
from fascnet.evaluation.planning.models import (
    AurocModel,
    F1Model,
    KappaModel,
    PilotModel,
    RateModel,
    ShareModel,
)
from fascnet.evaluation.planning.simulation import Simulation

UNITS = UnitCounts(6, cv=0.5)
MODELS = [
    ShareModel(0.8, UNITS, 0.2),
    F1Model(0.75, UNITS, 0.2),
    RateModel(1.5, 3.0, 0.8),
    KappaModel(0.6, 0.3, UNITS, 0.2),
    AurocModel(0.85, 0.4, UNITS, 0.2),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_studies_find_on_average_the_value_that_was_assumed(model):
    none = np.zeros((0, 200))
    values = [model.resample(200, np.random.default_rng(k), none).value for k in range(80)]
    assert np.mean(values) == pytest.approx(model.value, abs=0.012)


def test_units_of_a_subject_correlate_as_asked():
    sums = ShareModel(0.8, UnitCounts(6), 0.25).draw(40_000, np.random.default_rng(1))
    # Var of a subject's share = p (1 - p) (1 + (m - 1) icc) / m.
    assert (sums[:, 0] / 6).var() == pytest.approx(0.16 * (1 + 5 * 0.25) / 6, rel=0.03)


@pytest.mark.parametrize(
    "model",
    [
        ShareModel(0.8, UnitCounts(1), 0.0),
        ShareModel(0.7, UnitCounts(8), 0.2),
        ShareModel(0.8, UnitCounts(8, cv=0.6), 0.1),
    ],
)
def test_simulated_width_is_the_closed_form(model):
    row = Simulation(0, studies=60, resamples=400).plan_width(model, 60)
    assert row.expected_width == pytest.approx(model.expect_width(60), rel=0.06)
    assert row.width_90 > row.expected_width and row.defined_share == 1


def test_closed_form_of_independent_units_is_the_textbook_one():
    """Buderer 1996, Acad Emerg Med 3:895-900: sensitivity 0.90 ± 0.10 takes 1.96² 0.9 0.1 / 0.1² = 34.6."""
    assert ShareModel(0.9, UnitCounts(1), 0.0).expect_width(3457) == pytest.approx(0.02, rel=1e-3)
    # Kish: with 11 units a subject and icc 0.1 the effect is 2, so half of the units count.
    clustered, same = ShareModel(0.9, UnitCounts(11), 0.1), ShareModel(0.9, UnitCounts(5.5), 0.0)
    assert clustered.expect_width(50) == pytest.approx(same.expect_width(50))


def test_width_of_a_rate_is_that_of_a_clustered_poisson_mean():
    # Variance of a subject's rate: rate / minutes + (rate cv)².
    row = Simulation(0, studies=100, resamples=400).plan_width(RateModel(1.5, 3.0, 0.8), 80)
    expected = 2 * 1.99 * np.sqrt((1.5 / 3 + (1.5 * 0.8) ** 2) / 80)
    assert row.expected_width == pytest.approx(expected, rel=0.08)


def test_a_pilot_stands_for_any_figure():
    rng = np.random.default_rng(5)
    sums = np.column_stack([rng.poisson(6, 12), rng.poisson(1, 12), rng.poisson(2, 12), np.ones(12)])
    simulation = Simulation(0, studies=40, resamples=300)
    few, many = (simulation.plan_width(PilotModel(sums.astype(float), f1), n) for n in (12, 48))
    assert many.expected_width == pytest.approx(few.expected_width / 2, rel=0.2)
    with pytest.raises(SettingError, match="pilot"):
        PilotModel(np.ones((1, 2)), f1)


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (lambda: ShareModel(1.0, UNITS, 0.1), "value"),
        (lambda: ShareModel(0.5, UNITS, 1.0), "icc"),
        (lambda: F1Model(0.0, UNITS, 0.1), "value"),
        (lambda: F1Model(0.5, UNITS, -1), "icc"),
        (lambda: RateModel(0.0, 1.0, 1.0), "value"),
        (lambda: RateModel(1.0, np.inf, 1.0), "per_subject"),
        (lambda: RateModel(1.0, 1.0, -1.0), "between_cv"),
        (lambda: KappaModel(0.1, 0.3, UNITS, 0.2), "value: a kappa"),
        (lambda: KappaModel(0.5, 1.0, UNITS, 0.2), "prevalence"),
        (lambda: AurocModel(0.4, 0.3, UNITS, 0.2), "value: an area"),
    ],
)
def test_refuses_impossible_assumptions(build, named):
    with pytest.raises(SettingError, match=named):
        build()
