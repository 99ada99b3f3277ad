"""What do several raters say together? A consensus of their events, itself `Labels` like any rater's.

Events are matched across raters first (`event_groups.py`) and each event is then decided by its votes. Who
did not look does not vote. Who said `possible` is unsure: an event that stands only if the unsure meant yes,
or that exactly half name, is kept as `possible`: the benchmark leaves it out, neither hit nor miss hangs
on it. `definite` is unanimous, `probable` the rest. Two raters who disagree thus make a `possible` event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fascnet.data.labelling.seconds import merge_intervals
from fascnet.errors import SettingError
from fascnet.evaluation.matching.match import MatchingRule
from fascnet.evaluation.raters.event_groups import (
    NO,
    SILENT,
    YES,
    EventGroup,
    group_events,
    vote,
    vote_on_clip,
)
from fascnet.evaluation.raters.staple import fit_staple, list_patterns, number_patterns
from fascnet.evaluation.sources.source import NO_FACTS, NOTHING_KNOWN, ClipFacts
from fascnet.evaluation.uncertainty.bootstrap import FloatArray
from fascnet.types import FASCICULATION, Event, Interval, Labels

METHODS = ("majority", "union", "intersection", "staple")
"""`majority` is the default: it needs no model of how raters err, and STAPLE is fooled by shared errors."""

UNSURE = "possible"
STAPLE_LIMITS = (0.05, 0.5, 0.95)
"""Posterior from which an event is possible, probable (Warfield 2004: a half), definite."""

ClipLabels = Mapping[str, Mapping[str, Labels]]
"""clip_id -> rater -> labels, as label folders are read."""


def build_consensus(
    clips: ClipLabels,
    raters: Sequence[str],
    rule: MatchingRule,
    *,
    method: str = "majority",
    min_raters: int = 2,
    silent_certainty: frozenset[str] = frozenset({UNSURE}),
    facts: Mapping[str, ClipFacts] = NO_FACTS,
    name: str = "consensus",
) -> dict[str, Labels]:
    """Build the consensus of raters on every clip that enough of them examined.

    Args:
        clips: all labels.
        raters: whose.
        rule: when two raters' events are one.
        method: one of `METHODS`.
        min_raters: how many must have looked at a second for it to be examined by the consensus.
        silent_certainty: certainty words that are no vote.
        facts: what is known of each clip, where the rule counts frames or mm.
        name: the `rater` of the result.

    Returns:
        Labels by clip_id. A clip of which no second was examined by enough raters is not there.

    Raises:
        SettingError: unknown method, more raters asked for than there are, or STAPLE with two.
    """
    if method not in METHODS:
        raise SettingError(f"consensus method is '{method}'; choose {', '.join(METHODS)}")
    if not 1 <= min_raters <= len(raters):
        raise SettingError(f"consensus wants {min_raters} raters to have looked, but there are {len(raters)}")
    who = sorted(raters)
    ready: dict[str, tuple[list[Labels], tuple[Interval, ...], list[EventGroup]]] = {}
    for clip_id, by_rater in clips.items():
        labels = [by_rater.get(rater, Labels(clip_id, rater, (), ())) for rater in who]
        examined = find_examined([one.examined for one in labels], min_raters)
        if examined:
            known = facts.get(clip_id, NOTHING_KNOWN)
            groups = [
                group
                for label in sorted({event.label for one in labels for event in one.events})
                for group in group_events(labels, rule, label=label, facts=known)
            ]
            ready[clip_id] = labels, examined, groups
    posterior = _fit(ready, len(who), silent_certainty) if method == "staple" else None
    consensus = {}
    for clip_id, (labels, examined, groups) in ready.items():
        events = []
        for group in groups:
            votes = vote(group, labels, silent_certainty)
            if posterior is not None and group.event.label == FASCICULATION:
                certainty = _judge(float(posterior[number_patterns(np.array([votes]))[0]]))
            else:
                unsure = sum(votes[rater] == SILENT for rater, _ in group.members)
                rule_used = "majority" if method == "staple" else method
                certainty = decide(votes.count(YES), votes.count(NO), unsure, rule_used)
            if certainty is not None:
                events.append(_stamp(group.event, certainty))
        events.sort(key=lambda event: (event.onset_s, event.offset_s))
        consensus[clip_id] = Labels(clip_id, name, examined, tuple(events))
    return consensus


def decide(yes: int, no: int, unsure: int, method: str) -> str | None:
    """Decide on one event: `definite`, `probable`, `possible`, or None for no event.

    Args:
        yes: raters who named it.
        no: raters who looked and did not.
        unsure: raters who named it with a certainty that is no vote. The event is sure when it stands with
            them as noes, and possible when it stands, or exactly half name it, with them as yeses.
        method: `majority` (more than half), `union` (any) or `intersection` (all who looked).
    """
    n = yes + no + unsure
    if method == "union":
        sure, maybe = yes > 0, unsure > 0
    elif method == "intersection":
        sure, maybe = yes == n, no == 0
    else:
        sure, maybe = 2 * yes > n, 2 * (yes + unsure) >= n
    if n == 0 or not (sure or maybe):
        return None
    if not sure:
        return UNSURE
    return "definite" if yes == n else "probable"


def find_examined(examined: Sequence[Sequence[Interval]], min_raters: int) -> tuple[Interval, ...]:
    """Return the seconds that at least `min_raters` looked at, in order, joined where they touch."""
    edges: dict[float, int] = {}
    for intervals in examined:
        for start_s, end_s in _unite(intervals):
            edges[start_s] = edges.get(start_s, 0) + 1
            edges[end_s] = edges.get(end_s, 0) - 1
    found: list[Interval] = []
    looking, since_s = 0, 0.0
    for moment_s in sorted(edges):
        before, looking = looking, looking + edges[moment_s]
        if before < min_raters <= looking:
            since_s = moment_s
        elif looking < min_raters <= before:
            found.append((since_s, moment_s))
    return tuple(found)


def count_patterns(
    clips: ClipLabels,
    raters: Sequence[str],
    rule: MatchingRule,
    subjects: Mapping[str, int],
    n_subjects: int,
    *,
    silent_certainty: frozenset[str] = frozenset({UNSURE}),
    facts: Mapping[str, ClipFacts] = NO_FACTS,
) -> tuple[FloatArray, FloatArray]:
    """Count vote patterns and examined minutes per subject, as `staple.estimate_raters` wants them.

    Args:
        clips: all labels.
        raters: whose; their order is that of the figures.
        rule: when two raters' events are one.
        subjects: index of each clip's subject.
        n_subjects: how many there are.
        silent_certainty: certainty words that are no vote.
        facts: what is known of each clip, where the rule counts frames or mm.

    Returns:
        Counts (S, P) of the rows of `list_patterns`, and minutes (S, R).
    """
    counts = np.zeros((n_subjects, len(list_patterns(len(raters)))))
    minutes = np.zeros((n_subjects, len(raters)))
    for clip_id, by_rater in clips.items():
        labels = [by_rater.get(rater, Labels(clip_id, rater, (), ())) for rater in raters]
        subject = subjects[clip_id]
        known = facts.get(clip_id, NOTHING_KNOWN)
        votes = vote_on_clip(labels, group_events(labels, rule, facts=known), silent_certainty)
        np.add.at(counts[subject], number_patterns(votes), 1.0)
        minutes[subject] += [sum(end - start for start, end in _unite(o.examined)) / 60 for o in labels]
    return counts, minutes


def _fit(
    ready: Mapping[str, tuple[list[Labels], tuple[Interval, ...], list[EventGroup]]],
    n_raters: int,
    silent_certainty: frozenset[str],
) -> FloatArray:
    """Fit STAPLE once to all clips, since one clip holds too few events; the posterior of each pattern."""
    patterns = list_patterns(n_raters)
    counts = np.zeros(len(patterns))
    for labels, _, groups in ready.values():
        events = [group for group in groups if group.event.label == FASCICULATION]
        np.add.at(counts, number_patterns(vote_on_clip(labels, events, silent_certainty)), 1.0)
    return fit_staple(counts, patterns).posterior


def _judge(posterior: float) -> str | None:
    words = (UNSURE, "probable", "definite")
    reached = [word for word, limit in zip(words, STAPLE_LIMITS, strict=True) if posterior >= limit]
    return reached[-1] if reached else None


def _stamp(event: Event, certainty: str) -> Event:
    return Event(
        event.onset_s,
        event.offset_s,
        event.peak_s,
        event.label,
        certainty,
        event.region,
        event.ignore_region,
    )


def _unite(intervals: Sequence[Interval]) -> tuple[Interval, ...]:
    """Join a rater's own intervals where they overlap: nobody looks twice."""
    return merge_intervals([(start_s, end_s) for start_s, end_s in intervals if start_s < end_s])
