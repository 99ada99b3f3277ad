"""What is wrong with `clip_labels.csv`: what raters said about whole clips, without times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from fascnet.data.clip_set.clip_facts import ClipFacts
from fascnet.data.clip_set.problem import Problem
from fascnet.data.label_forms.clip_labels import CLIP_LABELS_FILE, ClipLabel
from fascnet.data.labelling.labels import TIME_SLACK_S
from fascnet.types import ClipSource, Labels

MOST_PER_S = 10.0
"""Nobody counts more by eye; fasciculations last 0.1-0.6 s (choice of this project)."""


def find_clip_label_problems(
    statements: Mapping[str, Mapping[str, ClipLabel]],
    labels: Mapping[str, Mapping[str, Labels]],
    clips: Sequence[ClipSource],
    facts: Mapping[str, ClipFacts],
    folder: Path,
    manifest: Path,
) -> Iterator[Problem]:
    """Yield statements about unknown clips or seconds, impossible counts, and contradictions with events.

    Args:
        statements: clip_id -> rater -> clip label.
        labels: clip_id -> rater -> labels.
        clips: of the manifest.
        facts: of its recordings.
        folder: of the labels, for messages.
        manifest: for messages.
    """
    file = f"{folder / CLIP_LABELS_FILE}"
    known = {clip.clip_id for clip in clips}
    for clip_id, by_rater in statements.items():
        if clip_id not in known:
            what = f"speaks of clip '{clip_id}', which is not in {manifest}"
            yield Problem(file, what, "add it or remove its rows", "unknown_clip")
            continue
        for rater, one in by_rater.items():
            who = f"clip '{clip_id}', rater '{rater}'"
            fact = facts[clip_id]
            if fact.status == "ok":
                yield from _find_length_problems(file, who, one, fact.duration_s)
            theirs = labels.get(clip_id, {}).get(rater)
            if theirs is not None:
                yield from _find_contradictions(file, who, one, theirs)


def _find_length_problems(file: str, who: str, one: ClipLabel, duration_s: float) -> Iterator[Problem]:
    ids = (one.clip_id,)
    if one.examined_s is not None and one.examined_s > duration_s + TIME_SLACK_S:
        what = f"{who}: examined_s is {one.examined_s:g}, but the clip lasts {duration_s:.2f} s"
        yield Problem(
            file, what, "give seconds of the clip, or leave the cell empty for all of it", "outside", ids
        )
    seconds = duration_s if one.examined_s is None else min(one.examined_s, duration_s)
    if one.count is not None and one.count > max(1.0, MOST_PER_S * seconds):
        what = f"{who}: counts {one.count} in {seconds:.2f} s, more than {MOST_PER_S:g} a second"
        yield Problem(file, what, "correct the count", "unlikely_count", ids)


def _find_contradictions(file: str, who: str, one: ClipLabel, labels: Labels) -> Iterator[Problem]:
    end_s = one.examined_s
    seen = [e for e in labels.fasciculations() if end_s is None or (e.onset_s + e.offset_s) / 2 < end_s]
    name = f"{one.clip_id}.{one.rater}.json"
    said = None
    if one.count is not None and one.count != len(seen):
        said = f"counts {one.count}"
    elif one.count is None and one.present is not None and one.present != bool(seen):
        said = f"says {'present' if one.present else 'absent'}"
    if said is not None:
        what = f"{who}: {said}, but {name} has {len(seen)} fasciculations in these seconds"
        yield Problem(
            file, what, "correct one of them; events are trained on", "contradiction", (one.clip_id,)
        )
