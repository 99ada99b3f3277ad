from __future__ import annotations

import numpy as np
import pytest

from fascnet.errors import SettingError
from fascnet.evaluation.figures.events import f1
from fascnet.evaluation.uncertainty.study_design import (
    PlannedWidth,
    ShareAssumption,
    build_pilot,
    build_share,
    compute_expected_width,
    find_subjects,
    plan_study,
    share,
)


@pytest.mark.parametrize(
    "assumption",
    [
        ShareAssumption(0.8, per_subject=1, icc=0.0),
        ShareAssumption(0.7, per_subject=8, icc=0.2),
        ShareAssumption(0.8, per_subject=8, icc=0.1, cv=0.6),
    ],
)
def test_simulated_width_is_the_closed_form(assumption):
    (row,) = plan_study(build_share(assumption), share, [60], seed=0, studies=60, resamples=400)
    assert row.expected_width == pytest.approx(compute_expected_width(assumption, 60), rel=0.06)
    assert row.width_90 > row.expected_width and row.defined_share == 1


def test_closed_form_of_independent_units_is_the_textbook_one():
    """Buderer 1996, Acad Emerg Med 3:895-900: sensitivity 0.90 ± 0.10 takes 1.96² 0.9 0.1 / 0.1² = 34.6."""
    assumption = ShareAssumption(0.9, per_subject=1, icc=0.0)
    assert compute_expected_width(assumption, 3457) == pytest.approx(0.02, rel=1e-3)
    # Kish: with 11 units a subject and icc 0.1 the effect is 2, so half of the units count.
    clustered = ShareAssumption(0.9, per_subject=11, icc=0.1)
    same = ShareAssumption(0.9, per_subject=5.5, icc=0.0)
    assert compute_expected_width(clustered, 50) == pytest.approx(compute_expected_width(same, 50))


def test_drawn_units_have_the_moments_asked_for():
    assumption = ShareAssumption(0.8, per_subject=6, icc=0.25, cv=0.7)
    sums = build_share(assumption)(40_000, np.random.default_rng(0))
    hits, units = sums.T
    assert units.min() >= 1
    assert units.mean() == pytest.approx(6, rel=0.02) and units.std() / units.mean() == pytest.approx(
        0.7, rel=0.02
    )
    assert hits.sum() / units.sum() == pytest.approx(0.8, abs=0.005)
    fixed = build_share(ShareAssumption(0.8, per_subject=6, icc=0.25))(40_000, np.random.default_rng(1))
    # Var of a subject's share = p (1 - p) (1 + (m - 1) icc) / m.
    assert (fixed[:, 0] / 6).var() == pytest.approx(0.16 * (1 + 5 * 0.25) / 6, rel=0.03)


def test_more_subjects_narrow_and_more_correlation_widens():
    low = plan_study(
        build_share(ShareAssumption(0.8, 5, 0.05)), share, [10, 20, 40], seed=1, studies=40, resamples=300
    )
    widths = [row.expected_width for row in low]
    assert widths == sorted(widths, reverse=True)
    high = plan_study(
        build_share(ShareAssumption(0.8, 5, 0.6)), share, [40], seed=1, studies=40, resamples=300
    )
    assert high[0].expected_width > low[-1].expected_width


def test_seeded_and_independent_of_the_other_sizes():
    draw = build_share(ShareAssumption(0.8, 5, 0.1))
    settings = {"studies": 10, "resamples": 100}
    both = plan_study(draw, share, [10, 20], seed=3, **settings)
    assert plan_study(draw, share, [20], seed=3, **settings) == both[1:]
    assert plan_study(draw, share, [20], seed=4, **settings) != both[1:]


def test_a_pilot_plans_any_figure():
    rng = np.random.default_rng(5)
    pilot = np.column_stack([rng.poisson(6, 12), rng.poisson(1, 12), rng.poisson(2, 12), np.ones(12)])
    rows = plan_study(build_pilot(pilot.astype(float)), f1, [12, 48], seed=0, studies=40, resamples=300)
    assert rows[1].expected_width == pytest.approx(rows[0].expected_width / 2, rel=0.2)


def test_perfect_small_studies_are_not_taken_for_precise():
    rare = build_share(ShareAssumption(0.999, per_subject=1, icc=0.0))
    (row,) = plan_study(rare, share, [5], seed=0, studies=20, resamples=50)
    assert row.defined_share < 0.2
    assert plan_study(lambda n, rng: np.ones((n, 2)), share, [5], seed=0, studies=3, resamples=20) == (
        PlannedWidth(5, None, None, 0.0),
    )


def test_finds_the_smallest_size():
    table = (
        PlannedWidth(10, 0.30, 0.40, 1.0),
        PlannedWidth(20, 0.20, 0.28, 1.0),
        PlannedWidth(40, 0.14, 0.19, 1.0),
        PlannedWidth(5, None, None, 0.0),
    )
    assert find_subjects(table, 0.2) == 20
    assert find_subjects(table, 0.2, assured=True) == 40
    assert find_subjects(table, 0.1) is None
    assert table[0].to_json() == {
        "subjects": 10,
        "expected_width": 0.3,
        "width_90": 0.4,
        "defined_share": 1.0,
    }
    with pytest.raises(SettingError, match="width"):
        find_subjects(table, 0)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"share": 1.0}, "share"),
        ({"per_subject": 0.5}, "per_subject"),
        ({"icc": 1.0}, "icc"),
        ({"icc": -0.1}, "icc"),
        ({"cv": -1.0}, "cv"),
        ({"cv": np.nan}, "cv"),
    ],
)
def test_refuses_impossible_assumptions(wrong, named):
    with pytest.raises(SettingError, match=named):
        ShareAssumption(**({"share": 0.8, "per_subject": 5, "icc": 0.1} | wrong))


def test_refuses_impossible_plans():
    draw = build_share(ShareAssumption(0.8, 5, 0.1))
    for sizes in ([], [1, 10]):
        with pytest.raises(SettingError, match="subjects"):
            plan_study(draw, share, sizes, seed=0)
    with pytest.raises(SettingError, match="studies"):
        plan_study(draw, share, [10], seed=0, studies=0)
    with pytest.raises(SettingError, match="pilot"):
        build_pilot(np.ones((1, 2)))
