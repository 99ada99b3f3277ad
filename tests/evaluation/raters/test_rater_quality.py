from __future__ import annotations

import pytest

from fascnet.errors import SettingError
from fascnet.evaluation.matching.match import MatchingRule
from fascnet.evaluation.raters.rater_quality import score_raters
from fascnet.evaluation.sources.source import ClipFacts
from fascnet.evaluation.uncertainty.bootstrap import draw_weights

from ..simulated_raters import simulate_study
from .test_staple import NEAR, RATERS

NAMES = [rater.name for rater in RATERS]


def test_raters_are_told_apart_by_name():
    study = simulate_study(RATERS, 40, 0)
    found = score_raters(study.clips, NAMES, NEAR, study.subjects, draw_weights(40, 50, 0), {})
    assert list(found) == NAMES
    for rater in RATERS:
        assert found[rater.name]["sensitivity"].value == pytest.approx(rater.sensitivity, abs=0.06)
        low, high = found[rater.name]["false_alarms_per_min"].ci95
        assert low <= rater.false_alarms_per_min <= high


def test_the_order_of_the_raters_changes_no_figure():
    study = simulate_study(RATERS, 15, 1)
    weights = draw_weights(15, 20, 0)
    one, two = (
        score_raters(study.clips, names, NEAR, study.subjects, weights, {}) for names in (NAMES, NAMES[::-1])
    )
    for name in NAMES:
        assert one[name]["sensitivity"].value == pytest.approx(two[name]["sensitivity"].value, abs=1e-6)


def test_two_raters_identify_nothing():
    study = simulate_study(RATERS, 5, 0)
    weights = draw_weights(5, 20, 0)
    assert score_raters(study.clips, NAMES[:2], NEAR, study.subjects, weights, {}) == {}


def test_a_rule_in_frames_needs_the_frame_rate_and_takes_it():
    study = simulate_study(RATERS, 5, 0)
    rule = MatchingRule("frames", "tolerance", tolerance_frames=8)
    weights = draw_weights(5, 20, 0)
    with pytest.raises(SettingError, match="frame rate"):
        score_raters(study.clips, NAMES, rule, study.subjects, weights, {})
    facts = {clip_id: ClipFacts("s", fps=30.0) for clip_id in study.clips}
    assert set(score_raters(study.clips, NAMES, rule, study.subjects, weights, facts)) == set(NAMES)
