from __future__ import annotations

import numpy as np
import pytest

from fascnet.phantom.card.ranking import (
    INFORMATIVE,
    INSIDE,
    OUTSIDE,
    collect,
    compare_statistics,
    judge_linearly,
    rank,
)
from fascnet.phantom.card.sources import Source
from fascnet.phantom.card.statistics import PICTURE_STATISTICS
from tests.phantom.card.fakes import make_source

NAMES = [statistic.name for statistic in PICTURE_STATISTICS]
BLANK = np.zeros((1, 4, 4), np.uint8)


def make_sources(n_real: int, n_phantom: int) -> list[Source]:
    sides = [(True, n_real), (False, n_phantom)]
    return [make_source(f"{real}{i}", BLANK, is_real=real) for real, n in sides for i in range(n)]


def test_verdict_amount_and_order() -> None:
    sources = make_sources(4, 3)
    real = [
        {"grey_mean": v, "coherence": v / 100, "noise_sd": float("nan")} for v in (40.0, 50.0, 60.0, 70.0)
    ]
    phantom = [{"grey_mean": v, "coherence": 0.55, "noise_sd": 1.0} for v in (80.0, 90.0, 100.0)]
    found = {each.statistic.name: each for each in compare_statistics(sources, [*real, *phantom])}
    grey = found["grey_mean"]
    assert (grey.verdict, grey.amount, grey.auroc, grey.inside_share) == (OUTSIDE, 20.0, 1.0, 0.0)
    assert (grey.real_low, grey.real_median, grey.real_high, grey.n_real) == (40, 55, 70, 4)
    assert (found["coherence"].verdict, found["coherence"].amount) == (INSIDE, 0.0)
    assert found["noise_sd"].verdict == INFORMATIVE and found["noise_sd"].n_real == 0
    assert [each.statistic.name for each in rank(list(found.values()))] == ["grey_mean", "coherence"]


def test_a_statistic_below_the_span_is_outside_by_a_negative_amount() -> None:
    values = [{"grey_mean": v} for v in (40.0, 50.0, 60.0, 30.0, 31.0)]
    found = compare_statistics(make_sources(3, 2), values)
    assert found[0].statistic.name == "grey_mean"
    assert found[0].amount == pytest.approx(-9.5)


def test_two_real_subjects_are_too_few_for_a_verdict() -> None:
    values = [{"grey_mean": v} for v in (1.0, 2.0, 9.0)]
    assert compare_statistics(make_sources(2, 1), values)[0].verdict == INFORMATIVE


def test_clips_of_one_subject_are_one_value() -> None:
    sources = [make_source(g, BLANK, is_real=True, name=n) for g, n in (("a", "1"), ("a", "2"), ("b", "3"))]
    found = collect("grey_mean", sources, [{"grey_mean": v} for v in (10.0, 20.0, 40.0)], is_real=True)
    assert sorted(found) == [15, 40]


def make_pictures(rng: np.random.Generator, shift: float, side: int) -> list[dict[str, float]]:
    pictures = []
    for _ in range(4):
        picture = dict(zip(NAMES, rng.normal(size=len(NAMES)), strict=True))
        picture["coherence"] += shift * side
        pictures.append(picture)
    return pictures


def test_the_linear_judge_finds_what_differs_and_names_it() -> None:
    rng = np.random.default_rng(0)
    sources = make_sources(10, 12)
    pictures = [make_pictures(rng, 5.0, 1 if source.is_real else 0) for source in sources]
    found = judge_linearly(sources, pictures, seed=1)
    assert found is not None and found.folds == 5
    assert found.auroc.value > 0.95
    name, weight = found.weights[0]
    assert name == "coherence" and weight > 0
    assert "grey_mean" not in dict(found.weights)
    greys = judge_linearly(sources, pictures, seed=1, with_greys=True)
    assert greys is not None and "grey_mean" in dict(greys.weights)


def test_the_linear_judge_does_not_find_what_is_not_there() -> None:
    rng = np.random.default_rng(1)
    sources = make_sources(16, 16)
    found = judge_linearly(sources, [make_pictures(rng, 0.0, 0) for _ in sources], seed=1)
    assert found is not None
    assert found.auroc.low < 0.55 and 0.25 < found.auroc.value < 0.75


def test_undefined_statistics_do_not_stop_the_linear_judge() -> None:
    rng = np.random.default_rng(2)
    sources = make_sources(3, 3)
    pictures = [make_pictures(rng, 0.0, 0) for _ in sources]
    pictures[0][0]["coherence"] = float("nan")
    found = judge_linearly(sources, pictures, seed=1)
    assert found is not None and np.isfinite(found.auroc.value)


def test_one_subject_a_side_cannot_be_judged() -> None:
    rng = np.random.default_rng(3)
    sources = make_sources(1, 5)
    assert judge_linearly(sources, [make_pictures(rng, 0.0, 0) for _ in sources], seed=1) is None
