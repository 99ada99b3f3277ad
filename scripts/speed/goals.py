"""The floors of speed and memory, and the verdict on each: all ratios of one run but the real-time factor."""

from __future__ import annotations

from dataclasses import dataclass

QUICK_SHARE = 0.7
"""A quick run times little and is noisy: it is judged at so much of each floor."""


@dataclass(frozen=True)
class Goal:
    """One goal.

    Attributes:
        key: G1 to G10.
        text: what is compared.
        floor: what must be reached.
        stretch: what would be fine.
        at_most: whether the floor is a ceiling.
        relaxes: whether a quick run is judged more kindly.
    """

    key: str
    text: str
    floor: float
    stretch: float
    at_most: bool = False
    relaxes: bool = True

    def find_limit(self, quick: bool) -> float:
        """Return the limit that a run is held to."""
        if not (quick and self.relaxes):
            return self.floor
        return self.floor / QUICK_SHARE if self.at_most else self.floor * QUICK_SHARE


GOALS = {
    goal.key: goal
    for goal in (
        Goal("G1", "network, all in, against Farneback, 256x256", 1.3, 2.5),
        Goal("G2", "against MONAI UNet3D, sliding window, overlap 0.5", 10, 18),
        Goal("G3", "against DynUNet (nnU-Net 3D), tile without overlap", 50, 90),
        Goal("G4", "against Lucas-Kanade at every pixel of 240x240", 100, 200),
        Goal("G5", "against RAFT-small, 12 iterations", 30, 60),
        Goal("G6", "against SMP Unet resnet18, frame by frame", 10, 15),
        Goal("G7a", "real-time factor at 30 frames/s, 256x256", 3, 8),
        Goal("G7b", "real-time factor at 30 frames/s, 480x640", 0.8, 1.5),
        Goal("G8", "whole command without overlay / network alone, CPU time", 2.0, 1.4, at_most=True),
        Goal(
            "G9",
            "peak memory of the long clip / of the short one, streaming",
            1.1,
            1.03,
            at_most=True,
            relaxes=False,
        ),
        Goal("G10", "peak memory of a whole clip at once / streaming", 20, 40, relaxes=False),
    )
}

MOST_GROWTH_MIB = 32.0
"""G9 is also reached when the peak grows by no more than this."""


@dataclass(frozen=True)
class Verdict:
    """What became of a goal: `reached`, `missed`, `invalid` (a gate failed) or `not judged`, and why."""

    goal: Goal
    value: float | None
    limit: float
    word: str
    note: str = ""


@dataclass(frozen=True)
class Terms:
    """On what terms a run is judged.

    Attributes:
        quick: whether this was a quick run.
        gates_passed: a network that answers wrongly has no speed.
        judged: False where the run only informs (two threads, or a noisy machine).
    """

    quick: bool
    gates_passed: bool
    judged: bool


def judge(key: str, value: float | None, terms: Terms, note: str = "") -> Verdict:
    """Judge one goal.

    Args:
        key: of the goal.
        value: what was measured, None where it could not be.
        terms: of the run.
        note: why there is no value, or how it was measured.
    """
    goal = GOALS[key]
    limit = goal.find_limit(terms.quick)
    if value is None:
        return Verdict(goal, None, limit, "not judged", note)
    if not terms.gates_passed:
        return Verdict(goal, value, limit, "invalid", "a gate failed" + (f"; {note}" if note else ""))
    if not terms.judged:
        return Verdict(goal, value, limit, "not judged", note)
    reached = value <= limit if goal.at_most else value >= limit
    return Verdict(goal, value, limit, "reached" if reached else "missed", note)


def judge_growth(short_mib: float, long_mib: float, terms: Terms) -> Verdict:
    """Judge G9: at most 10 % or 32 MiB more for the long clip."""
    growth = long_mib - short_mib
    note = f"{short_mib:.0f} MiB, {growth:+.1f} MiB"
    ratio = long_mib / max(short_mib, 1.0)
    # Either of the two limits will do; a growth within the second counts as within the first.
    value = min(ratio, GOALS["G9"].floor) if growth <= MOST_GROWTH_MIB else ratio
    return judge("G9", value, terms, note)
