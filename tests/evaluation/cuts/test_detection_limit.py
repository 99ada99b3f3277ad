from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from fascnet.evaluation.cuts.detection_limit import (
    AMPLITUDE_CUTS_UM,
    LEVELS,
    MIN_EVENTS_ABOVE,
    SizedEvents,
    estimate_detection_limit,
    estimate_limit,
    find_limit,
    fit_rising_recall,
    list_sized_events,
)
from fascnet.evaluation.uncertainty.bootstrap import draw_weights
from fascnet.types import Event

from ..outcomes import draw_outcomes, make_outcome

SUBJECTS = 12


def make_outcomes(amplitudes_um, is_found, per_clip=20):
    """Clips with an event a second, of which some are found; a clip a subject, in turn."""
    outcomes = []
    for start in range(0, len(amplitudes_um), per_clip):
        sizes, found = amplitudes_um[start : start + per_clip], is_found[start : start + per_clip]
        truth = [Event(k, k + 0.3, peak_mm=float(um) / 1000) for k, um in enumerate(sizes)]
        hits = [Event(k + 0.1, k + 0.4, score=0.9) for k, hit in enumerate(found) if hit]
        number = start // per_clip
        outcomes.append(make_outcome(f"c{number}", number % SUBJECTS, truth, hits, length_s=per_clip))
    return outcomes


def test_a_detector_with_a_sharp_limit_has_that_limit():
    amplitudes_um = np.random.default_rng(0).permutation(np.arange(60.0, 460.0))
    found = estimate_detection_limit(
        make_outcomes(amplitudes_um, amplitudes_um >= 200), draw_weights(SUBJECTS, 200, 0)
    )
    assert [found.limits_um[level].value for level in LEVELS] == [pytest.approx(200), pytest.approx(200)]
    low, high = found.limits_um[0.5].ci95
    assert 190 < low <= 200 <= high < 215
    figures = dict(found.recall)
    assert figures["below 0.025"].n == 0 and figures["below 0.025"].reason
    assert figures["0.075 to 0.1"].value == 0 and figures["0.2 to 0.3"].value == 1
    assert figures["0.2 to 0.3"].n == 100 and figures["unknown"].n == 0
    assert figures["0.45 and more"].n == 10


@pytest.mark.parametrize("seed", range(3))
def test_a_known_curve_is_found_again(seed):
    """Recall 1 / (1 + (150 / a)^4): 0.5 at 150 µm, 0.9 at 150 · 9^(1/4) = 260 µm."""
    rng = np.random.default_rng(seed)
    amplitudes_um = np.exp(rng.uniform(np.log(40), np.log(900), 4000))
    is_found = rng.random(4000) < 1 / (1 + (150 / amplitudes_um) ** 4)
    limits = estimate_detection_limit(
        make_outcomes(amplitudes_um, is_found), draw_weights(SUBJECTS, 100, 0)
    ).limits_um
    assert limits[0.5].value == pytest.approx(150, rel=0.08)
    assert limits[0.9].value == pytest.approx(150 * 9**0.25, rel=0.15)
    for level, truth in ((0.5, 150), (0.9, 150 * 9**0.25)):
        low, high = limits[level].ci95
        assert 0.8 * truth < low < high < 1.3 * truth


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_fit_is_scikit_learns_and_never_falls(data):
    n = data.draw(st.integers(1, 40))
    amplitude_um = np.array(data.draw(st.lists(st.integers(50, 70), min_size=n, max_size=n)), dtype=float)
    is_found = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    weights = np.array(data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)), dtype=float)
    events = SizedEvents(amplitude_um, is_found, np.zeros(n, dtype=np.int64))
    amplitude, fitted, above = fit_rising_recall(events, weights)
    assert (np.diff(fitted) >= -1e-12).all()
    assert ((fitted >= -1e-12) & (fitted <= 1 + 1e-12)).all()
    if weights.sum():
        used = weights > 0
        ours = IsotonicRegression().fit(amplitude_um[used], is_found[used], sample_weight=weights[used])
        assert fitted == pytest.approx(ours.predict(amplitude), abs=1e-9)
        assert above[0] == pytest.approx(weights.sum())
    else:
        assert len(amplitude) == 0


def test_whole_weights_are_events_that_occur_so_often():
    rng = np.random.default_rng(1)
    amplitude_um, is_found = rng.uniform(50, 500, 80), rng.random(80) < 0.6
    weights = rng.integers(0, 4, 80)
    once = SizedEvents(amplitude_um, is_found, np.zeros(80, dtype=np.int64))
    index = np.repeat(np.arange(80), weights)
    often = SizedEvents(amplitude_um[index], is_found[index], np.zeros(len(index), dtype=np.int64))
    for level in (0.3, 0.5, 0.7):
        one = find_limit(once, level, weights.astype(float))
        assert one == pytest.approx(find_limit(often, level, np.ones(len(index))), nan_ok=True)


def test_one_large_twitch_that_is_found_is_no_limit():
    amplitudes_um = np.arange(100.0, 180.0)
    is_found = amplitudes_um == amplitudes_um.max()
    figure = estimate_detection_limit(
        make_outcomes(amplitudes_um, is_found), draw_weights(SUBJECTS, 50, 0)
    ).limits_um[0.5]
    assert figure.value is None and figure.n == 80
    assert f"never reaches 0.5 with {MIN_EVENTS_ABOVE} events" in figure.reason


def test_resamples_that_never_reach_it_count_as_the_largest_twitch():
    """In 7 of 12 subjects everything is found, in the others nothing: many resamples stay below 0.5."""
    n = 20 * SUBJECTS
    amplitudes_um = np.random.default_rng(2).permutation(np.linspace(100, 400, n))
    is_found = np.repeat(np.arange(SUBJECTS) < 7, 20)
    events = list_sized_events(make_outcomes(amplitudes_um, is_found))
    figure = estimate_limit(events, 0.5, draw_weights(SUBJECTS, 300, 0))
    assert figure.ci95[1] == pytest.approx(400)


def test_a_limit_below_the_smallest_twitch_says_so():
    amplitudes_um = np.arange(100.0, 200.0)
    outcomes = make_outcomes(amplitudes_um, np.ones(100, dtype=bool))
    figure = estimate_detection_limit(outcomes, draw_weights(SUBJECTS, 50, 0)).limits_um[0.9]
    assert figure.value == pytest.approx(100) and "the limit lies below" in figure.reason


def test_nothing_to_measure_is_defined():
    unknown = [make_outcome("a", 0, [Event(1, 1.3)], [Event(1, 1.3)])]
    for outcomes in ([], unknown):
        found = estimate_detection_limit(outcomes, draw_weights(1, 20, 0))
        assert all(figure.value is None and figure.reason for figure in found.limits_um.values())
        sized = {name: figure for name, figure in found.recall.items() if name != "unknown"}
        assert len(sized) == len(AMPLITUDE_CUTS_UM) + 1 and all(
            f.value is None and f.reason and f.n == 0 for f in sized.values()
        )
        assert len(found.curve[0]) == len(found.curve[1]) == 0
    assert estimate_detection_limit(unknown, draw_weights(1, 20, 0)).recall["unknown"].n == 1


def test_events_are_those_that_count():
    outcomes, _ = draw_outcomes(5)
    events = list_sized_events(outcomes)
    counted = [
        o.reference[i].peak_mm
        for o in outcomes
        for i in [*(m.reference for m in o.matching.matches), *o.matching.missed]
        if o.reference[i].peak_mm is not None
    ]
    assert sorted(events.amplitude_um) == pytest.approx(sorted(1000 * mm for mm in counted))
    hits = sum(o.reference[m.reference].peak_mm is not None for o in outcomes for m in o.matching.matches)
    assert events.is_found.sum() == hits > 0
