"""One source against the reference, clip by clip: what was matched, missed and invented."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fascnet.data.labelling.seconds import is_examined
from fascnet.evaluation.matching.match import Matching, match_by_rules
from fascnet.evaluation.matching.matching_rule import MatchingRule
from fascnet.evaluation.raters.agreement import intersect
from fascnet.evaluation.sources.source import ClipFacts, Source
from fascnet.evaluation.uncertainty.bootstrap import FloatArray
from fascnet.types import Event, Interval


@dataclass(frozen=True, slots=True)
class ClipOutcome:
    """One clip of one source against the reference.

    Attributes:
        clip_id: the clip.
        subject: index of its subject.
        examined: seconds that both examined.
        reference: the reference's events.
        found: the source's events.
        matching: what became of them.
        score: the source's score of the clip, or None.
        called: whether the source itself calls the clip positive; None where it does not say.
    """

    clip_id: str
    subject: int
    examined: tuple[Interval, ...]
    reference: tuple[Event, ...]
    found: tuple[Event, ...]
    matching: Matching
    score: float | None
    called: bool | None = None

    @property
    def minutes(self) -> float:
        """Minutes that both examined."""
        return sum(end_s - start_s for start_s, end_s in self.examined) / 60

    @property
    def n_reference(self) -> int:
        """Reference events that count."""
        return len(self.matching.matches) + len(self.matching.missed)

    @property
    def n_found(self) -> int:
        """Found events that count."""
        return len(self.matching.matches) + len(self.matching.false)

    def event_row(self) -> list[float]:
        """Return hits, false alarms, missed events and examined minutes."""
        return [*count_matching(self.matching), self.minutes]

    def truth(self) -> bool | None:
        """Whether the reference calls the clip positive; None when only left-out events speak for it."""
        if self.n_reference > 0:
            return True
        return None if has_examined(self.reference, self.examined) else False

    def presence(self) -> bool:
        """Whether the source found any event in the examined seconds."""
        return has_examined(self.found, self.examined)


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """One source against the reference on all clips.

    Attributes:
        outcomes: under the main rule, a clip each.
        rows: hits, false alarms and missed events of each clip under the other rules, by their name (n, 3).
        undefined: why a rule cannot be applied, by its name.
    """

    outcomes: tuple[ClipOutcome, ...]
    rows: Mapping[str, FloatArray]
    undefined: Mapping[str, str]


def compare_sources(
    reference: Source,
    other: Source,
    rules: Sequence[MatchingRule],
    ignored_certainty: frozenset[str],
    facts: Mapping[str, ClipFacts],
    subjects: Mapping[str, int],
    within: Source | None = None,
) -> Comparison:
    """Compare two sources on the clips and seconds that both examined, and `within` too, if given.

    Args:
        reference: taken as true; or the first of a pair.
        other: to be judged.
        rules: the main one first. One of the others that counts frames or mm is not defined where a clip's
            frame rate or pixel spacing is unknown; the main one then raises.
        ignored_certainty: certainty words whose events do not count.
        facts: frame rate, spacing and subject by clip.
        subjects: index of each subject.
        within: a third source whose examined seconds bound the comparison.

    Raises:
        SettingError: the main rule needs a frame rate or a spacing that is unknown.
    """
    shared: list[tuple[str, tuple[Interval, ...]]] = []
    for clip_id, ours in reference.clips.items():
        if clip_id not in other.clips or (within is not None and clip_id not in within.clips):
            continue
        examined = intersect(ours.examined, other.clips[clip_id].examined)
        if within is not None:
            examined = intersect(examined, within.clips[clip_id].examined)
        if examined:
            shared.append((clip_id, examined))
    main, *others = rules
    undefined = {
        rule.name: reason
        for rule in others
        if (reason := explain_undefined(rule, facts, [clip_id for clip_id, _ in shared]))
    }
    usable = [rule for rule in others if rule.name not in undefined]
    rows = {rule.name: np.zeros((len(shared), 3)) for rule in usable}
    outcomes = []
    for number, (clip_id, examined) in enumerate(shared):
        ours, theirs = reference.clips[clip_id], other.clips[clip_id]
        matching, *besides = match_by_rules(
            ours.events,
            theirs.events,
            [main, *usable],
            examined=examined,
            ignored_certainty=ignored_certainty,
            fps=facts[clip_id].fps,
            mm_per_px=facts[clip_id].mm_per_px,
            pixel_aspect=facts[clip_id].aspect,
        )
        for rule, found in zip(usable, besides, strict=True):
            rows[rule.name][number] = count_matching(found)
        subject = subjects[facts[clip_id].subject_id]
        outcomes.append(
            ClipOutcome(
                clip_id,
                subject,
                examined,
                ours.events,
                theirs.events,
                matching,
                theirs.score,
                theirs.called,
            )
        )
    return Comparison(tuple(outcomes), rows, undefined)


def explain_undefined(rule: MatchingRule, facts: Mapping[str, ClipFacts], clip_ids: Sequence[str]) -> str:
    """Say why a rule cannot be applied to these clips; empty when it can."""
    if rule.mode == "tolerance" and rule.tolerance_frames is not None:
        unknown = [clip_id for clip_id in clip_ids if facts[clip_id].fps is None]
        if unknown:
            return f"frame rate unknown: {unknown[0]}"
    if rule.max_distance_mm is not None:
        unknown = [clip_id for clip_id in clip_ids if facts[clip_id].mm_per_px is None]
        if unknown:
            return f"mm_per_px unknown: {unknown[0]}"
    return ""


def count_matching(matching: Matching) -> list[float]:
    """Return hits, false alarms and missed events."""
    return [len(matching.matches), len(matching.false), len(matching.missed)]


def index_subjects(outcomes: Sequence[ClipOutcome]) -> NDArray[np.int64]:
    """Return the index of each clip's subject (n,)."""
    return np.array([outcome.subject for outcome in outcomes], dtype=np.int64)


def has_examined(events: Sequence[Event], examined: Sequence[Interval]) -> bool:
    """Whether the middle of any event lies in the examined seconds."""
    return any(is_examined(event, examined) for event in events)


def rate_clip(
    events: Sequence[Event], examined: Sequence[Interval], ignored_certainty: frozenset[str]
) -> int:
    """Return 1 for a clip with an event that counts, 0 without any, -1 where only ignored ones speak."""
    if has_examined([event for event in events if event.certainty not in ignored_certainty], examined):
        return 1
    return -1 if has_examined(events, examined) else 0
