from __future__ import annotations

import math
from dataclasses import replace

import pytest

from fascnet.errors import SettingError
from fascnet.evaluation.matching.match import MatchingRule
from fascnet.evaluation.outcome import compare_sources
from fascnet.evaluation.sources.missing import settle_missing
from fascnet.evaluation.sources.source import ClipFacts, ClipFindings, Source
from fascnet.types import Event

WHOLE = ((0.0, 10.0),)
EVENTS = (Event(1, 2), Event(8, 9))


@pytest.fixture
def truth():
    clips = {name: ClipFindings(name, WHOLE, EVENTS if name in "abc" else ()) for name in "abcdef"}
    return Source("anna", "rater", clips, {}, {})


@pytest.fixture
def model():
    clips = {
        "a": ClipFindings("a", ((0.0, math.inf),), EVENTS, 0.9),
        "b": ClipFindings("b", ((0.0, 4.0),), (Event(1, 2),), 0.8, None, "partial"),
        "e": ClipFindings("e", ((0.0, math.inf),), (), 0.1),
        "beyond": ClipFindings("beyond", WHOLE, (), 0.1),
    }
    return Source("model", "prediction", clips, {"c": "not a video", "d": "too short", "z": "x"}, {})


def test_held_against_a_source(truth, model):
    settled, missing = settle_missing(model, truth, "against")
    assert missing.not_predicted == ("f",) and missing.failed == {"c": "not a video", "d": "too short"}
    assert missing.partial == ("b",)
    assert (missing.reference_events, missing.negative_clips) == (2, 2)
    assert settled.clips["c"].events == () and settled.clips["c"].score == 0.0
    assert settled.clips["c"].status == "absent"
    assert not {"d", "f", "z"} & set(settled.clips), "a negative clip is not earned"
    assert settled.clips["a"] == model.clips["a"]
    assert missing.to_json()["not_predicted"] == ["f"]
    assert "3 of 6 clips" in missing.warnings()[0] and "2 reference events" in missing.warnings()[0]


def compare(truth, model):
    facts = {name: ClipFacts(name) for name in "abcdef"}
    subjects = {name: i for i, name in enumerate("abcdef")}
    found = compare_sources(truth, model, [MatchingRule("any")], frozenset(), facts, subjects)
    return found.outcomes


def test_skipping_clips_never_helps(truth, model):
    """Every reference event is a hit or a miss: none escapes because its clip was not decoded."""
    before = compare(truth, model)
    after = compare(truth, settle_missing(model, truth, "against")[0])
    assert sum(o.n_reference for o in before) == 3
    assert sum(o.n_reference for o in after) == 6
    assert sum(len(o.matching.missed) for o in after) == 3
    # No quiet second is gained beside the missed events themselves: one of a partial clip, a whole clip c.
    assert sum(o.minutes for o in after) == pytest.approx(sum(o.minutes for o in before) + 11 / 60)


def test_left_out_is_as_it_was_and_named(truth, model):
    settled, missing = settle_missing(model, truth, "leave_out")
    assert settled is model
    assert missing.warnings()[0] == "model: 3 of 6 clips not predicted, left out"


def test_a_source_without_scores_gets_none(truth, model):
    clips = {name: replace(found, score=None) for name, found in model.clips.items()}
    settled, _ = settle_missing(replace(model, clips=clips), truth, "against")
    assert settled.clips["c"].score is None


@pytest.mark.parametrize(("call", "settled_as"), [(True, False), (False, False), (None, None)])
def test_who_calls_clips_itself_made_the_wrong_call_where_it_is_missing(truth, model, call, settled_as):
    clips = {**model.clips, "a": replace(model.clips["a"], called=call)}
    settled, _ = settle_missing(replace(model, clips=clips), truth, "against")
    assert settled.clips["c"].called is settled_as


def test_refuse_says_how_many_and_which(truth, model):
    with pytest.raises(SettingError, match=r"model: 3 of 6 labelled clips .* first 'f'"):
        settle_missing(model, truth)
    complete = {name: ClipFindings(name, WHOLE, ()) for name in "abcdef"}
    same, missing = settle_missing(Source("m", "prediction", complete, {}, {}), truth, "refuse")
    assert same.clips == complete and missing.warnings() == []
    with pytest.raises(SettingError, match="choose refuse, leave_out, against"):
        settle_missing(model, truth, "absent")


def test_a_rater_who_did_not_label_a_clip_said_nothing(truth):
    bert = Source("bert", "rater", {"a": truth.clips["a"]}, {}, {})
    settled, missing = settle_missing(bert, truth, "refuse")
    assert settled is bert and missing.rule == "as_is" and len(missing.not_predicted) == 5
    assert missing.warnings() == ["bert: 5 of 6 clips not labelled, left out"]
