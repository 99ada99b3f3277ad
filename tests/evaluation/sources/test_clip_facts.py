from __future__ import annotations

from pathlib import Path

import pytest

from fascnet.errors import SettingError
from fascnet.evaluation.sources.clip_facts import collect_facts, warn_of_unnamed
from fascnet.evaluation.sources.source import ClipFacts, Source
from fascnet.types import ClipSource


def source(**facts):
    return Source("net", "prediction", {}, {}, facts)


def clip(clip_id, subject_id, **more):
    return ClipSource(clip_id, Path(f"{clip_id}.mp4"), subject_id, **more)


def test_each_fact_is_that_of_the_first_who_states_it():
    failed, read = source(a=ClipFacts("s1", "biceps")), source(a=ClipFacts("s1", "", "L", 30.0, None, 1.5))
    listed = [clip("a", "s1", muscle="tibialis", fps=25.0, mm_per_px=0.1), clip("b", "s2", side="R")]
    facts = collect_facts([failed, read], ["a", "b", "c", "d"], listed, {"c": {"subject_id": "s3"}, "d": {}})
    assert facts["a"] == ClipFacts("s1", "biceps", "L", 30.0, 0.1, 1.5)
    assert facts["b"] == ClipFacts("s2", side="R")
    assert (facts["c"], facts["d"]) == (ClipFacts("s3"), ClipFacts("d"))


def test_a_clip_id_in_place_of_a_subject_gives_way():
    sources = [source(a=ClipFacts("a", fps=30.0)), source(b=ClipFacts("s2"))]
    table = {"a": {"subject_id": "s1"}, "b": {"subject_id": "b"}}
    facts = collect_facts(sources, "ab", [clip("a", "a"), clip("b", "b")], table)
    assert facts == {"a": ClipFacts("s1", fps=30.0), "b": ClipFacts("s2")}


@pytest.mark.parametrize(
    ("clips", "table"), [([clip("a", "s2")], None), ([], {"a": {"subject_id": "s2", "muscle": "biceps"}})]
)
def test_two_subjects_for_one_clip_are_refused(clips, table):
    with pytest.raises(SettingError, match="'a' has subject_id s1 and s2") as caught:
        collect_facts([source(a=ClipFacts("s1"))], "a", clips, table)
    assert "\n" not in str(caught.value)


def test_unnamed_subjects_are_counted():
    assert warn_of_unnamed({"a": "s1", "b": "s1"}) == []
    (line,) = warn_of_unnamed({"a": "a", "b": "b", "c": "s1"})
    assert line == "nobody names the subject of 2 clips: each counts as its own; give input=MANIFEST"
