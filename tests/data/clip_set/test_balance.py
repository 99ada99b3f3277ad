from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fascnet.data.clip_set.balance import BalanceRow, count_balance, count_values
from fascnet.data.clip_set.clip_facts import ClipFacts
from fascnet.types import ClipSource, Event, Labels


def test_a_set_counted_by_hand() -> None:
    rows = (("a", "s1", "biceps", "train"), ("b", "s1", "biceps", "train"), ("c", "s2", "biceps", "test"))
    clips = [ClipSource(c, Path(f"{c}.avi"), s, muscle=m, split=p) for c, s, m, p in rows]
    clips.append(ClipSource("d", Path("d.avi"), "s3"))
    facts = {clip.clip_id: ClipFacts(clip.clip_id, status="ok", duration_s=30.0) for clip in clips}
    twitch, other = Event(1.0, 1.3), Event(2.0, 3.0, label="probe_motion")
    labels = {
        "a": {
            "anna": Labels("a", "anna", ((0.0, 30.0),), (twitch, replace(twitch, onset_s=0.5), other)),
            "bert": Labels("a", "bert", ((0.0, 12.0), (15.0, 21.0)), ()),
        },
        "b": {"anna": Labels("b", "anna", ((0.0, 15.0),), ())},
    }
    assert count_balance(clips, labels, facts) == [
        BalanceRow("", "", "", 1, 1, 0.5, 0, 0, 0),
        BalanceRow("biceps", "test", "", 1, 1, 0.5, 0, 0, 0),
        BalanceRow("biceps", "train", "anna", 1, 2, 0.75, 2, 1, 1),
        BalanceRow("biceps", "train", "bert", 1, 1, pytest.approx(0.3), 0, 0, 0),
    ]


def test_values_are_in_order_and_unreadable_clips_left_out() -> None:
    base = ClipFacts("a", status="ok", fps=29.97, mm_per_px=0.0883, width=640, height=480)
    facts = [
        base,
        replace(base, fps=30.02),
        replace(base, fps=8.0, mm_per_px=None),
        replace(base, fps=100.0, mm_per_px=0.12, width=64, height=64),
        ClipFacts("b"),
    ]
    assert {name: list(values.items()) for name, values in count_values(facts).items()} == {
        "fps": [("8.0", 1), ("30.0", 2), ("100.0", 1)],
        "mm_per_px": [("none", 1), ("0.088", 2), ("0.120", 1)],
        "size": [("64x64", 1), ("640x480", 3)],
    }
