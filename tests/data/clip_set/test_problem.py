from __future__ import annotations

import re
from pathlib import Path

import pytest

from fascnet.data.clip_set.problem import KINDS, SEVERITIES, Problem, list_clips, take_apart

ROOT = Path(__file__).resolve().parents[3]


def test_every_kind_is_documented_with_its_severity() -> None:
    text = (ROOT / "docs" / "data_check.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| (error|warning|note) \|", text, flags=re.MULTILINE))
    assert rows == {kind: severity for kind, (severity, _) in KINDS.items()}
    assert set(rows.values()) == set(SEVERITIES)


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ("a.avi: is empty; copy it again", ("a.avi", "is empty", "copy it again")),
        ("a.avi: breaks; or not; copy it", ("a.avi", "breaks; or not", "copy it")),
        ("no form at all", ("f", "no form at all", "see the message")),
        ("a: b", ("f", "a: b", "see the message")),
    ],
)
def test_messages_are_taken_apart(message: str, parts: tuple[str, str, str]) -> None:
    problem = take_apart(message, "f", "unreadable", ("c",))
    assert (problem.file, problem.what, problem.remedy) == parts
    assert problem.severity == "error"
    assert str(Problem("f", "w", "r", "doubled")) == "f: w -> r"


def test_clips_are_listed_shortly() -> None:
    assert list_clips(("a", "b")) == "2 clips ('a', 'b')"
    assert list_clips(tuple("abcde")) == "5 clips ('a', 'b', 'c' and 2 more)"
