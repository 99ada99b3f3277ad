from __future__ import annotations

import numpy as np
import pytest

from fascnet.errors import SettingError
from fascnet.evaluation.planning.draws import UnitCounts, check_icc, check_pilot, draw_factors, draw_own


def test_drawn_units_have_the_moments_asked_for():
    units = UnitCounts(6, cv=0.7).draw(40_000, np.random.default_rng(0))
    assert units.min() >= 1
    assert units.mean() == pytest.approx(6, rel=0.02)
    assert units.std() / units.mean() == pytest.approx(0.7, rel=0.02)
    assert set(UnitCounts(6.4).draw(5, np.random.default_rng(0))) == {6}
    assert set(UnitCounts(1, cv=2).draw(5, np.random.default_rng(0))) == {1}


def test_a_poisson_count_is_the_least_unequal():
    units = UnitCounts(5, cv=0.01).draw(40_000, np.random.default_rng(1))
    assert units.std() == pytest.approx(2, rel=0.03)  # 1 + Poisson(4)


def test_own_shares_and_factors_have_the_moments_asked_for():
    own = draw_own(0.8, 0.25, 40_000, np.random.default_rng(2))
    assert own.mean() == pytest.approx(0.8, abs=0.005)
    assert own.var() == pytest.approx(0.25 * 0.16, rel=0.03)
    assert np.array_equal(draw_own(0.8, 0, 3, np.random.default_rng(2)), [0.8] * 3)
    factors = draw_factors(0.6, 40_000, np.random.default_rng(3))
    assert factors.mean() == pytest.approx(1, rel=0.01) and factors.std() == pytest.approx(0.6, rel=0.03)
    assert np.array_equal(draw_factors(0, 3, np.random.default_rng(3)), np.ones(3))


@pytest.mark.parametrize(("values", "named"), [((0.5, 0), "per_subject"), ((np.nan, 0), "per_subject"),
                                               ((2, -1), "cv"), ((2, np.nan), "cv")])  # fmt: skip
def test_refuses_impossible_counts(values, named):
    with pytest.raises(SettingError, match=named):
        UnitCounts(*values)


def test_refuses_impossible_correlations_and_pilots():
    for icc in (-0.1, 1.0, np.nan):
        with pytest.raises(SettingError, match="icc"):
            check_icc(icc)
    with pytest.raises(SettingError, match="at least two"):
        check_pilot(1)
